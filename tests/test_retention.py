"""Receipts are purged when they are older than their merchant keeps them, with all that is known of their shoppers."""

import os
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, Engine, event, func, select, update
from sqlalchemy.exc import IntegrityError, OperationalError

from accounts.find import brand_look
from accounts.places import directories
from accounts.tables import Merchant
from infra.database import connect
from infra.settings import ROOT, Data
from infra.storage import Storage, open_storage
from kernel.errors import Conflict, Problem
from kernel.ids import digest
from notify.tables import Message
from pos.intake import arrive, take
from receipts import find, printed, retention
from receipts.issue import Issued
from receipts.reading import read_sale
from receipts.tables import IdempotencyKey, PurgedReceipt, Receipt, ReceiptShopper, ReturnedSum
from tests.support.inside import Person, on_sqlite
from tests.support.many import copies
from tests.support.sales import Body, coffee, refund, superset
from tests.support.shops import Shops

NOW = datetime(2026, 11, 22, 9, 0, tzinfo=UTC)
DAYS = 30
DUE = NOW - timedelta(days=DAYS, seconds=1)
ABOUT_ONE = (Receipt, ReceiptShopper, ReturnedSum, IdempotencyKey, Message)


@pytest.fixture(autouse=True)
def limited(engine: Engine, shops: Shops) -> None:
    """Linden & Rye keeps receipts for 30 days."""
    with engine.begin() as conn:
        conn.execute(update(Merchant).where(Merchant.id == shops.linden).values(keep_days=DAYS))


@pytest.fixture
def storage(tmp_path: Path) -> Storage:
    return open_storage(Data(data_dir=tmp_path / "objects"))


def accept(engine: Engine, merchant: str, body: Body, at: datetime, **options: Any) -> Issued:
    """As if it had been issued and accepted then."""
    answer = answered(engine, merchant, body | {"issued_at": at.isoformat()}, at, **options)
    assert isinstance(answer, Issued), answer
    return answer


def answered(engine: Engine, merchant: str, body: Body, at: datetime, **options: Any) -> Issued | Problem:
    arrival = arrive(merchant, read_sale(body), now=at, **options)
    with engine.begin() as conn:
        return take(conn, [arrival], directories=directories(conn, [merchant]), now=at)[0]


def purge(engine: Engine, merchant: str, **options: Any) -> int:
    with engine.begin() as conn:
        return retention.purge(conn, merchant, now=NOW, **options)


def never() -> bool:
    return False


def numbers(engine: Engine) -> set[str]:
    with engine.connect() as conn:
        return set(conn.scalars(select(Receipt.id)))


def test_what_is_older_goes_and_what_is_younger_stays(engine: Engine, shops: Shops) -> None:
    accept(engine, shops.linden, coffee(), DUE)
    kept = accept(engine, shops.linden, coffee(), DUE + timedelta(seconds=1))
    assert purge(engine, shops.linden) == 1
    assert numbers(engine) == {kept.id}


def test_everything_about_it_goes_but_the_mark_of_its_link(engine: Engine, shops: Shops, storage: Storage) -> None:
    sale = accept(engine, shops.linden, superset(store="mitte"), DUE, idempotency_key="k")
    accept(engine, shops.linden, refund(sale.id, "1.00"), DUE)
    with engine.begin() as conn:
        conn.execute(Message.__table__.insert().values(message_about(shops.linden, sale.id)))  # type: ignore[attr-defined]
    assert retention.purge_all(engine, storage, now=NOW, stop=never) == 2
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
    assert retention.purge_all(engine, storage, now=NOW, stop=never) == 1
    assert [storage.exists(key) for key in keys] == [False, False, True, True]


def printed_key(engine: Engine, token: str, page: Any) -> str:
    with engine.connect() as conn:
        record = find.by_token(conn, token)
        assert record
        look = brand_look(conn, record.merchant_id, record.brand_id)
    return printed.key(record, look, url="https://receipts.test", language="en", page=page)


def test_an_old_receipt_that_came_in_late_is_kept_as_long_from_then_on(engine: Engine, shops: Shops) -> None:
    body = coffee(issued_at=(NOW - timedelta(days=3650)).isoformat())
    answered(engine, shops.linden, body, DUE + timedelta(days=1))
    assert purge(engine, shops.linden) == 0


def test_a_merchant_without_a_limit_keeps_everything_and_another_s_limit_is_its_own(
    engine: Engine, shops: Shops, storage: Storage
) -> None:
    kept = accept(engine, shops.moor, coffee(), DUE)
    accept(engine, shops.linden, coffee(), DUE)
    assert retention.purge_all(engine, storage, now=NOW, stop=never) == 1
    assert numbers(engine) == {kept.id}


def test_a_sale_stays_while_its_refund_does_and_goes_with_it(engine: Engine, shops: Shops) -> None:
    sale = accept(engine, shops.linden, coffee(), DUE)
    accept(engine, shops.linden, refund(sale.id, "1.00"), DUE + timedelta(hours=1))
    assert purge(engine, shops.linden) == 0
    with engine.begin() as conn:
        assert retention.count_due(conn, shops.linden, now=NOW) == 0
        assert retention.count_due(conn, shops.linden, now=NOW + timedelta(hours=2)) == 2
        assert retention.purge(conn, shops.linden, now=NOW + timedelta(hours=2)) == 2
    assert numbers(engine) == set()


def exchange(original: str) -> Body:
    lines = [
        {"id": "1", "name": "Coffee", "total": "-3.20", "tax_rate": "19"},
        {"id": "2", "name": "Tea", "total": "3.20", "tax_rate": "19"},
    ]
    return coffee(kind="exchange", original=original, lines=lines, taxes=[], total="0.00", payments=[])


def test_a_family_of_three_generations_goes_as_one(engine: Engine, shops: Shops) -> None:
    sale = accept(engine, shops.linden, coffee(), DUE)
    exchanged = accept(engine, shops.linden, exchange(sale.id), DUE)
    accept(engine, shops.linden, refund(exchanged.id, "1.00"), DUE + timedelta(hours=1))
    assert purge(engine, shops.linden) == 0
    with engine.begin() as conn:
        assert retention.purge(conn, shops.linden, now=NOW + timedelta(hours=2)) == 3


def test_many_go_in_small_transactions_oldest_first(engine: Engine, shops: Shops) -> None:
    sales = [accept(engine, shops.linden, coffee(), DUE - timedelta(days=day)) for day in (3, 1, 2)]
    assert purge(engine, shops.linden, at_most=2) == 2
    assert numbers(engine) == {sales[1].id}


def test_those_that_must_stay_do_not_hold_up_the_others(engine: Engine, shops: Shops) -> None:
    for _ in range(3):
        sale = accept(engine, shops.linden, coffee(), DUE - timedelta(days=9))
        accept(engine, shops.linden, refund(sale.id, "1.00"), NOW)
    accept(engine, shops.linden, coffee(), DUE)
    assert purge(engine, shops.linden, at_most=2) == 1


def test_a_purge_stops_when_it_is_told_to(engine: Engine, shops: Shops, storage: Storage) -> None:
    accept(engine, shops.linden, coffee(), DUE)
    assert retention.purge_all(engine, storage, now=NOW, stop=lambda: True) == 0
    assert len(numbers(engine)) == 1


def test_the_link_of_a_purged_receipt_is_not_given_out_again(engine: Engine, shops: Shops) -> None:
    token = "Zm9yZ2V0LW1lLW5vdC0wMQ"
    body = coffee(token=token)
    accept(engine, shops.linden, body, DUE)
    purge(engine, shops.linden)
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
    assert [sql for sql in asked if "purged" in sql] == []


# --- who does it at once


def stock(engine: Engine, shops: Shops, count: int) -> None:
    first = accept(engine, shops.linden, coffee(), DUE - timedelta(days=9))
    with engine.begin() as conn:
        copies(conn, first.id, count - 1)


def consistent(conn: Connection) -> bool:
    """No row is left that leads to no receipt, and every receipt that is gone has its mark."""
    there = select(Receipt.id)
    lost = [select(ReturnedSum.receipt_id), select(Receipt.original_id).where(Receipt.original_id.is_not(None))]
    return not any(set(conn.scalars(each)) - set(conn.scalars(there)) for each in lost)


def test_two_that_purge_at_once_delete_everything_once(
    engine: Engine, shops: Shops, storage: Storage, database_url: str
) -> None:
    stock(engine, shops, 300)
    engines = [connect(database_url) for _ in range(2)]
    with ThreadPoolExecutor(2) as pool:
        counts = list(pool.map(lambda each: retention.purge_all(each, storage, now=NOW, stop=never), engines))
    for each in engines:
        each.dispose()
    assert sum(counts) == 300
    assert numbers(engine) == set()
    with engine.connect() as conn:
        assert conn.scalar(select(func.count()).select_from(PurgedReceipt)) == 300


def test_refunds_that_arrive_meanwhile_keep_their_sales_or_are_refused(
    engine: Engine, shops: Shops, storage: Storage, database_url: str
) -> None:
    stock(engine, shops, 400)
    ids, other = sorted(numbers(engine)), connect(database_url)

    def give_back() -> int:
        accepted = 0
        for receipt_id in ids[::10]:
            # What the writer answers with 503, so that the till sends it again.
            with suppress(IntegrityError, OperationalError):
                accepted += isinstance(answered(other, shops.linden, refund(receipt_id, "1.00"), NOW), Issued)
        return accepted

    with ThreadPoolExecutor(1) as pool:
        refunds = pool.submit(give_back)
        count = retention.purge_all(engine, storage, now=NOW, stop=never)
        accepted = refunds.result()
    other.dispose()
    assert len(numbers(engine)) == 400 - count + accepted
    assert 400 - count == accepted
    with engine.connect() as conn:
        assert consistent(conn)


def test_a_killed_purge_leaves_no_half_and_is_taken_up_again(
    engine: Engine, shops: Shops, storage: Storage, database_url: str
) -> None:
    stock(engine, shops, 500)
    words = "import typer; from cli.purge import purge; typer.run(purge)"
    env = os.environ | {"COUNTERFOIL_DATABASE_URL": database_url}
    process = subprocess.Popen([sys.executable, "-c", words], cwd=ROOT, env=env)
    until = time.monotonic() + 30
    while len(numbers(engine)) == 500 and time.monotonic() < until:
        time.sleep(0.002)
    process.send_signal(signal.SIGKILL)
    assert process.wait() == -signal.SIGKILL
    left = len(numbers(engine))
    assert 0 < left < 500
    with engine.connect() as conn:
        assert conn.scalar(select(func.count()).select_from(PurgedReceipt)) == 500 - left
    assert retention.purge_all(engine, storage, now=NOW, stop=never) == left


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
