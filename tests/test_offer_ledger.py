"""Baskets are written down from receipts once each, whenever they come, and let go of with them."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import orjson
import pytest
from sqlalchemy import Engine, func, select, update
from sqlalchemy.exc import DataError, OperationalError

from engagement.forgetting import forget_receipts
from engagement.offers import ledger
from engagement.offers.tables import Basket, OfferBook
from infra.settings import Settings
from infra.storage import open_storage
from kernel.clock import utc_now
from kernel.ids import new_id
from receipts import retention
from receipts.tables import Receipt
from tests.support.aged import limit
from tests.support.inside import Person, on_sqlite
from tests.support.products import ANNA, caught_up, keys_of, sold
from tests.support.sales import example, refund
from tests.support.shops import Shops
from tests.test_races import at_once

CatchUp = Callable[[], int]


@pytest.fixture
def catch_up(engine: Engine, settings: Settings) -> CatchUp:
    return lambda: caught_up(engine, settings)


def baskets(engine: Engine) -> dict[str, tuple[list[str], list[str]]]:
    """Items, and those that came back, by receipt."""
    with engine.connect() as conn:
        rows = conn.execute(select(Basket.receipt_id, Basket.items, Basket.returned))
        return {row.receipt_id: (orjson.loads(row.items), orjson.loads(row.returned)) for row in rows}


def test_goods_are_items_and_deposits_are_not(owner: Person, engine: Engine, catch_up: CatchUp) -> None:
    lines = [
        {"id": "1", "sku": "rye", "name": "Rye", "total": "5.40"},
        {"id": "2", "gtin": "04006381333931", "name": "Cola", "total": "2.00"},
        {"id": "3", "name": "Deposit", "type": "deposit", "parent": "2", "total": "0.25"},
        {"id": "4", "name": "With  Ice", "parent": "2", "total": "0.00"},
        {"id": "5", "name": "Äpfel,  lose", "total": "2.20"},
        {"id": "6", "name": "Bonus", "total": "-1.00"},
    ]
    receipt = sold(owner, lines=lines, total="8.85", payments=[])
    assert catch_up() == 1
    assert baskets(engine) == {receipt["id"]: (["s:rye", "g:4006381333931", "n:äpfel, lose"], [])}


def test_what_was_written_down_is_not_written_again(owner: Person, engine: Engine, catch_up: CatchUp) -> None:
    sold(owner, "rye", "jam")
    assert [catch_up(), catch_up()] == [1, 0]
    sold(owner, "rye", "tea")
    assert [catch_up(), catch_up()] == [1, 0]
    with engine.connect() as conn:
        assert conn.scalar(select(OfferBook.fresh)) == 2


def test_many_who_write_down_at_once_write_each_once(owner: Person, engine: Engine, catch_up: CatchUp) -> None:
    for _ in range(5):
        sold(owner, "rye", "jam")
    assert sum(at_once(4, lambda _: catch_up())) == 5
    with engine.connect() as conn:
        assert (conn.scalar(select(func.count()).select_from(Basket)), conn.scalar(select(OfferBook.fresh))) == (5, 5)


def late(engine: Engine, receipt_id: str, age: timedelta) -> None:
    """As if its id had been drawn so long before its transaction ended."""
    with engine.begin() as conn:
        drawn = new_id("rct", utc_now() - age)
        conn.execute(update(Receipt).where(Receipt.id == receipt_id).values(id=drawn))


def test_who_commits_late_is_not_missed(owner: Person, engine: Engine, settings: Settings, catch_up: CatchUp) -> None:
    sold(owner, "rye")
    assert catch_up() == 1
    late(engine, sold(owner, "jam")["id"], timedelta(minutes=4))
    assert catch_up() == 1
    late(engine, sold(owner, "tea")["id"], timedelta(hours=4))
    assert catch_up() == 0
    since = utc_now() - timedelta(days=3)
    assert ledger.catch_up(engine, keys_of(settings), now=utc_now(), stop=lambda: False, since=since) == 1


@on_sqlite
@pytest.mark.parametrize(
    "changes, back",
    [
        ({"lines": [{"id": "9", "name": "x", "total": "5.40", "original_line": "2"}]}, ["s:jam"]),
        ({"lines": [{"id": "9", "sku": "rye", "name": "x", "total": "5.40"}]}, ["s:rye"]),
        ({"lines": [{"id": "9", "name": "Something", "total": "5.40"}]}, []),
        ({}, []),
        ({"total": "10.80"}, ["s:rye", "s:jam"]),
        ({"total": "10.80", "kind": "void"}, ["s:rye", "s:jam"]),
        (
            {
                "kind": "exchange",
                "total": "0.00",
                "lines": [
                    {"id": "1", "name": "x", "total": "-5.40", "original_line": "1"},
                    {"id": "2", "sku": "tea", "name": "Tea", "total": "5.40"},
                ],
            },
            ["s:rye"],
        ),
    ],
    ids=["by its line", "by its sku", "by nothing", "a part", "all", "a void", "an exchange"],
)
def test_what_comes_back_is_noted_with_its_sale(
    owner: Person, engine: Engine, catch_up: CatchUp, changes: dict[str, Any], back: list[str]
) -> None:
    receipt = sold(owner, "rye", "jam")
    owner.post("/v1/receipts", refund(receipt["id"], **{"total": "5.40"} | changes)).raise_for_status()
    assert catch_up() == 2
    assert baskets(engine)[receipt["id"]] == (["s:rye", "s:jam"], back)


def test_a_refund_that_is_seen_before_its_sale_finds_it(owner: Person, engine: Engine, settings: Settings) -> None:
    receipt = sold(owner, "rye")
    given = owner.post("/v1/receipts", refund(receipt["id"], "5.40")).json()
    with engine.begin() as conn:
        assert ledger.take(conn, [given["id"]], keys_of(settings), now=utc_now()) == 2
    assert baskets(engine)[receipt["id"]] == (["s:rye"], ["s:rye"])


def test_the_example_of_the_documentation_becomes_a_basket(owner: Person, engine: Engine, catch_up: CatchUp) -> None:
    owner.post("/v1/receipts", example()).raise_for_status()
    assert catch_up() == 1
    [(items, _)] = baskets(engine).values()
    assert len(items) == 3


def test_with_the_shopper_goes_who_bought(owner: Person, engine: Engine, catch_up: CatchUp) -> None:
    receipt = sold(owner, "rye", shopper=ANNA)
    catch_up()
    known = select(Basket.shopper).where(Basket.receipt_id == receipt["id"])
    with engine.connect() as conn:
        assert len(conn.scalar(known) or "") == 32
    owner.delete(f"/v1/receipts/{receipt['id']}/shopper").raise_for_status()
    with engine.connect() as conn:
        assert conn.scalar(known) is None


def test_with_a_receipt_goes_its_basket(
    owner: Person, engine: Engine, shops: Shops, settings: Settings, catch_up: CatchUp
) -> None:
    sold(owner, "rye", issued_at="2025-01-01T09:00:00+01:00")
    catch_up()
    limit(engine, shops.linden)
    with engine.begin() as conn:
        conn.execute(update(Receipt).values(accepted_at=utc_now() - timedelta(days=99)))
    storage = open_storage(settings.data)
    purge = {"now": utc_now(), "stop": lambda: False, "forget": forget_receipts}
    assert retention.purge_all(engine, storage, **purge) == 1  # type: ignore[arg-type]
    assert baskets(engine) == {}


def failing(receipt_id: str, error: Exception) -> Callable[..., ledger.Entry]:
    """What reads receipts, but for this one."""
    read = ledger._entry

    def fails(row: Any, *rest: Any) -> ledger.Entry:
        if row.id == receipt_id:
            raise error
        return read(row, *rest)

    return fails


@pytest.mark.parametrize("error", [KeyError("name"), DataError("", {}, Exception("no such number"))], ids=repr)
def test_a_receipt_that_cannot_be_read_keeps_no_other_from_the_ledger(
    owner: Person, engine: Engine, catch_up: CatchUp, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    odd, even = sold(owner, "rye"), sold(owner, "jam")
    monkeypatch.setattr(ledger, "_entry", failing(odd["id"], error))
    assert (catch_up(), catch_up()) == (1, 0)
    assert baskets(engine) == {odd["id"]: ([], []), even["id"]: (["s:jam"], [])}


def test_while_the_database_is_busy_no_receipt_is_stepped_over(
    owner: Person, engine: Engine, catch_up: CatchUp, monkeypatch: pytest.MonkeyPatch
) -> None:
    receipt = sold(owner, "rye")
    with monkeypatch.context() as busy:
        busy.setattr(ledger, "_entry", failing(receipt["id"], OperationalError("", {}, Exception("it is busy"))))
        with pytest.raises(OperationalError):
            catch_up()
    assert catch_up() == 1
    assert baskets(engine) == {receipt["id"]: (["s:rye"], [])}
