"""Receipts are purged when they are older than their merchant keeps them, with all that is known of their shoppers."""

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, event, func, select

from accounts.find import brand_look
from infra.settings import Data
from infra.storage import Storage, open_storage
from kernel.errors import Conflict
from kernel.ids import digest
from notify.tables import Message
from receipts import find, printed, retention
from receipts.tables import IdempotencyKey, PurgedReceipt, Receipt, ReceiptShopper, ReturnedSum
from tests.support.aged import DUE, NOW, accept, answered, limit, numbers, purge
from tests.support.inside import Person, on_sqlite
from tests.support.sales import Body, coffee, refund, superset
from tests.support.shops import Shops

ABOUT_ONE = (Receipt, ReceiptShopper, ReturnedSum, IdempotencyKey, Message)


@pytest.fixture(autouse=True)
def limited(engine: Engine, shops: Shops) -> None:
    limit(engine, shops.linden)


@pytest.fixture
def storage(tmp_path: Path) -> Storage:
    return open_storage(Data(data_dir=tmp_path / "objects"))


def test_what_is_older_goes_and_what_is_younger_stays(engine: Engine, shops: Shops, storage: Storage) -> None:
    accept(engine, shops.linden, coffee(), DUE)
    kept = accept(engine, shops.linden, coffee(), DUE + timedelta(seconds=1))
    assert purge(engine, storage) == 1
    assert numbers(engine) == {kept.id}


def test_everything_about_it_goes_but_the_mark_of_its_link(engine: Engine, shops: Shops, storage: Storage) -> None:
    sale = accept(engine, shops.linden, superset(store="mitte"), DUE, idempotency_key="k")
    accept(engine, shops.linden, refund(sale.id, "1.00"), DUE)
    with engine.begin() as conn:
        conn.execute(Message.__table__.insert().values(message_about(shops.linden, sale.id)))  # type: ignore[attr-defined]
    assert purge(engine, storage) == 2
    with engine.connect() as conn:
        left = {table.__tablename__: conn.scalar(select(func.count()).select_from(table)) for table in ABOUT_ONE}
        assert set(left.values()) == {0}, left
        marks = conn.execute(select(PurgedReceipt.digest, PurgedReceipt.purged_at)).all()
        assert (digest(sale.token), NOW) in [tuple(mark) for mark in marks]
        assert retention.purged(conn, [sale.token, "another"]) == {sale.token}


def message_about(merchant: str, receipt_id: str) -> dict[str, Any]:
    state = {"with_pdf": False, "is_automatic": True, "state": "waiting", "attempts": 0, "asked_at": DUE, "due_at": DUE}
    names = {"id": "msg_1", "merchant_id": merchant, "subject_id": receipt_id, "channel": "email", "ordinal": 0}
    return names | {"address": "anna@example.com"} | state


def test_its_pdfs_go_and_those_of_others_stay(engine: Engine, shops: Shops, storage: Storage) -> None:
    old, kept = accept(engine, shops.linden, coffee(), DUE), accept(engine, shops.linden, coffee(), NOW)
    keys = [printed_key(engine, token, page) for token in (old.token, kept.token) for page in ("roll", "a4")]
    for key in keys:
        storage.put(key, b"%PDF")
    assert purge(engine, storage) == 1
    assert [storage.exists(key) for key in keys] == [False, False, True, True]


def test_a_pdf_is_forgotten_before_its_receipt_and_again_if_it_was_made_meanwhile(
    engine: Engine, shops: Shops, storage: Storage
) -> None:
    """The first is for a purge that is killed at the commit: nobody would find the PDF then."""
    key = printed_key(engine, accept(engine, shops.linden, coffee(), DUE).token, "roll")
    storage.put(key, b"%PDF")
    was_there: list[bool] = []

    @event.listens_for(engine, "commit")
    def asked_for(_: object) -> None:
        was_there.append(storage.exists(key))
        storage.put(key, b"%PDF")

    assert purge(engine, storage) == 1
    assert [*was_there, storage.exists(key)] == [False, False]


def printed_key(engine: Engine, token: str, page: Any) -> str:
    with engine.connect() as conn:
        record = find.by_token(conn, token)
        assert record
        look = brand_look(conn, record.merchant_id, record.brand_id)
    return printed.key(record, look, printed.PdfWish("https://receipts.test", "en", page))


def test_an_old_receipt_that_came_in_late_is_kept_as_long_from_then_on(
    engine: Engine, shops: Shops, storage: Storage
) -> None:
    body = coffee(issued_at=(NOW - timedelta(days=3650)).isoformat())
    answered(engine, shops.linden, body, DUE + timedelta(days=1))
    assert purge(engine, storage) == 0


def test_a_merchant_without_a_limit_keeps_everything_and_another_s_limit_is_its_own(
    engine: Engine, shops: Shops, storage: Storage
) -> None:
    kept = accept(engine, shops.moor, coffee(), DUE)
    accept(engine, shops.linden, coffee(), DUE)
    assert purge(engine, storage) == 1
    assert numbers(engine) == {kept.id}


def test_a_sale_stays_while_its_refund_does_and_goes_with_it(engine: Engine, shops: Shops, storage: Storage) -> None:
    sale = accept(engine, shops.linden, coffee(), DUE)
    accept(engine, shops.linden, refund(sale.id, "1.00"), DUE + timedelta(hours=1))
    assert purge(engine, storage) == 0
    later = NOW + timedelta(hours=2)
    with engine.connect() as conn:
        assert [retention.count_due(conn, shops.linden, now=each) for each in (NOW, later)] == [0, 2]
    assert purge(engine, storage, now=later) == 2
    assert numbers(engine) == set()


def exchange(original: str) -> Body:
    lines = [
        {"id": "1", "name": "Coffee", "total": "-3.20", "tax_rate": "19"},
        {"id": "2", "name": "Tea", "total": "3.20", "tax_rate": "19"},
    ]
    return coffee(kind="exchange", original=original, lines=lines, taxes=[], total="0.00", payments=[])


def test_a_family_of_three_generations_goes_as_one(engine: Engine, shops: Shops, storage: Storage) -> None:
    sale = accept(engine, shops.linden, coffee(), DUE)
    exchanged = accept(engine, shops.linden, exchange(sale.id), DUE)
    accept(engine, shops.linden, refund(exchanged.id, "1.00"), DUE + timedelta(hours=1))
    assert purge(engine, storage) == 0
    assert purge(engine, storage, now=NOW + timedelta(hours=2)) == 3


@pytest.fixture
def two_together(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retention, "_TOGETHER", 2)


@pytest.mark.usefixtures("two_together")
def test_many_go_in_small_transactions_oldest_first(engine: Engine, shops: Shops, storage: Storage) -> None:
    sales = [accept(engine, shops.linden, coffee(), DUE - timedelta(days=day)) for day in (3, 1, 2)]
    left: list[set[str]] = []

    def seen() -> bool:
        left.append(numbers(engine))
        return len(left) == 3

    assert purge(engine, storage, stop=seen) == 3
    assert left == [{each.id for each in sales}, {sales[1].id}, set()]


@pytest.mark.usefixtures("two_together")
def test_those_that_must_stay_do_not_hold_up_the_others(engine: Engine, shops: Shops, storage: Storage) -> None:
    for _ in range(3):
        sale = accept(engine, shops.linden, coffee(), DUE - timedelta(days=9))
        accept(engine, shops.linden, refund(sale.id, "1.00"), NOW)
    accept(engine, shops.linden, coffee(), DUE)
    assert purge(engine, storage) == 1


def test_a_purge_stops_when_it_is_told_to(engine: Engine, shops: Shops, storage: Storage) -> None:
    accept(engine, shops.linden, coffee(), DUE)
    assert purge(engine, storage, stop=lambda: True) == 0
    assert len(numbers(engine)) == 1


def test_the_link_of_a_purged_receipt_is_not_given_out_again(engine: Engine, shops: Shops, storage: Storage) -> None:
    token = "Zm9yZ2V0LW1lLW5vdC0wMQ"
    body = coffee(token=token)
    accept(engine, shops.linden, body, DUE)
    purge(engine, storage)
    answer = answered(engine, shops.linden, body, NOW)
    assert isinstance(answer, Conflict)
    assert answer.errors[0].pointer == "/token"
    other = answered(engine, shops.linden, refund("x", token=token), NOW)
    assert isinstance(other, Conflict)
    assert numbers(engine) == set()


def test_a_sale_without_a_token_of_its_own_asks_no_more_of_the_database(engine: Engine, shops: Shops) -> None:
    asked: list[str] = []
    event.listen(engine, "before_cursor_execute", lambda _c, _u, sql, *_: asked.append(sql))
    accept(engine, shops.linden, coffee(), NOW)
    assert [sql for sql in asked if "purged" in sql or "SAVEPOINT" in sql] == []


# --- over HTTP


def test_a_merchant_says_for_how_long_it_keeps_receipts(owner: Person) -> None:
    assert owner.put("/v1/merchant", {"name": "Linden & Rye", "keep_days": 3650}).status_code == 204
    assert owner.get("/v1/merchant").json()["keep_days"] == 3650
    assert owner.put("/v1/merchant", {"name": "Linden & Rye"}).status_code == 204
    assert owner.get("/v1/merchant").json()["keep_days"] is None
    for wrong in (0, 36501, "long", 1.5):
        assert owner.put("/v1/merchant", {"name": "Linden & Rye", "keep_days": wrong}).status_code == 422


def test_a_shopper_is_erased_on_request_and_the_receipt_stays(
    owner: Person, reader: Person, engine: Engine, shops: Shops
) -> None:
    body = superset(store="mitte")
    sale = owner.post("/v1/receipts", body).json()
    with engine.begin() as conn:
        conn.execute(Message.__table__.insert().values(message_about(shops.linden, sale["id"])))  # type: ignore[attr-defined]
    path = f"/v1/receipts/{sale['id']}/shopper"
    assert reader.delete(path).status_code == 403
    assert owner.get(f"/v1/receipts/{sale['id']}").json()["shopper"]
    assert [owner.delete(path).status_code for _ in range(2)] == [204, 204]
    assert "shopper" not in owner.get(f"/v1/receipts/{sale['id']}").json()
    assert owner.get("/v1/receipts", email=body["shopper"]["email"]).json()["receipts"] == []
    with engine.connect() as conn:
        assert conn.scalars(select(Message.id)).all() == []
    assert owner.get(f"/r/{sale['token']}").status_code == 200
    assert owner.post("/v1/receipts", body).status_code == 200


@on_sqlite
def test_the_command_tells_and_then_does(
    engine: Engine, shops: Shops, database_url: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from cli.purge import purge as command

    monkeypatch.setenv("COUNTERFOIL_DATABASE_URL", database_url)
    accept(engine, shops.linden, coffee(), NOW - timedelta(days=10_000))
    command(dry_run=True)
    assert "linden-rye: 1 receipts would be deleted" in capsys.readouterr().out
    command(merchant="linden-rye")
    assert capsys.readouterr().out == "linden-rye: 1 receipts were deleted, of more than 30 days ago\n"
    command()
    assert "moor keeps receipts for ever" in capsys.readouterr().out
