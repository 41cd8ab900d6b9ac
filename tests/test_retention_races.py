"""Who purges, sells and gives back at the same time; and a purge that is killed."""

import os
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import timedelta
from pathlib import Path
from threading import Event

import pytest
from sqlalchemy import Connection, Engine, event, func, select
from sqlalchemy.exc import IntegrityError, OperationalError

from infra.database import connect
from infra.settings import Data
from infra.storage import Storage, open_storage
from kernel.errors import Conflict, Problem
from pos import intake
from receipts import find, retention
from receipts.issue import Issued
from receipts.tables import PurgedReceipt, Receipt, ReturnedSum
from tests.support import forge
from tests.support.aged import DUE, NOW, accept, answered, answers, limit, numbers, purge
from tests.support.many import copies
from tests.support.sales import Body, coffee, refund
from tests.support.shops import Shops
from tests.support.waiting import somebody_waits

TOKEN = "Zm9yZ2V0LW1lLW5vdC0wMQ"


@pytest.fixture(autouse=True)
def limited(engine: Engine, shops: Shops) -> None:
    limit(engine, shops.linden)


@pytest.fixture
def storage(tmp_path: Path) -> Storage:
    return open_storage(Data(data_dir=tmp_path / "objects"))


@pytest.fixture
def other(database_url: str) -> Iterator[Engine]:
    """As another process has it."""
    engine = connect(database_url)
    yield engine
    engine.dispose()


def stock(engine: Engine, shops: Shops, count: int) -> None:
    # By the clock of a process of its own too.
    first = accept(engine, shops.linden, coffee(), DUE - timedelta(days=10_000))
    with engine.begin() as conn:
        copies(conn, first.id, count - 1)


def consistent(conn: Connection) -> bool:
    """No row is left that leads to no receipt, and every receipt that is gone has its mark."""
    there = select(Receipt.id)
    lost = [select(ReturnedSum.receipt_id), select(Receipt.original_id).where(Receipt.original_id.is_not(None))]
    return not any(set(conn.scalars(each)) - set(conn.scalars(there)) for each in lost)


def marks(engine: Engine) -> int:
    with engine.connect() as conn:
        return conn.scalar(select(func.count()).select_from(PurgedReceipt)) or 0


def until(is_so: Callable[[], object]) -> None:
    end = time.monotonic() + 30
    while not is_so():
        assert time.monotonic() < end
        time.sleep(0.002)


# --- a sale that is sent again while its receipt is being purged (SQLite lets one write at a time)

on_postgresql = pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
EXCHANGE = coffee(
    kind="exchange",
    token=TOKEN,
    lines=[{"id": "1", "name": "Beans", "total": "-1.00"}, {"id": "2", "name": "Coffee", "total": "4.20"}],
    taxes=[],
)


def repeated_at_the_commit(
    engine: Engine, other: Engine, storage: Storage, shops: Shops, bodies: list[Body]
) -> list[Issued | Problem]:
    """The answers to ``bodies``, which wait for a purge that has deleted and marked all, and not yet committed."""
    deleted, go_on = Event(), Event()

    @event.listens_for(engine, "commit")
    def hold(_: object) -> None:
        deleted.set()
        assert go_on.wait(30)

    with ThreadPoolExecutor(2) as pool:
        try:
            night = pool.submit(purge, engine, storage)
            assert deleted.wait(30)
            told = pool.submit(answers, other, shops.linden, bodies, NOW)
            until(lambda: told.done() or somebody_waits(other))
            assert not told.done()
        finally:
            go_on.set()
        assert night.result() == 1
        return told.result()


def is_alive(engine: Engine) -> bool:
    with engine.connect() as conn:
        assert retention.purged(conn, [TOKEN])
        return find.by_token(conn, TOKEN) is not None


@on_postgresql
@pytest.mark.parametrize("body", [coffee(token=TOKEN), EXCHANGE], ids=["sale", "exchange"])
def test_a_link_stays_dead_whose_sale_is_sent_again_during_the_purge(
    engine: Engine, other: Engine, shops: Shops, storage: Storage, body: Body
) -> None:
    accept(engine, shops.linden, body, DUE)
    beside = coffee(external_id="beside")
    dead, alive = repeated_at_the_commit(engine, other, storage, shops, [body, beside])
    assert isinstance(dead, Conflict)
    assert dead.errors[0].pointer == "/token"
    assert not is_alive(engine)
    assert isinstance(alive, Issued)
    assert numbers(engine) == {alive.id}


@on_postgresql
@pytest.mark.parametrize("body", [coffee(token=TOKEN), EXCHANGE], ids=["sale", "exchange"])
def test_without_the_second_look_it_would_live_again(
    engine: Engine,
    other: Engine,
    shops: Shops,
    storage: Storage,
    body: Body,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The control."""
    monkeypatch.setattr(intake, "_is_new", lambda _: False)
    accept(engine, shops.linden, body, DUE)
    [answer] = repeated_at_the_commit(engine, other, storage, shops, [body])
    assert isinstance(answer, Issued)
    assert is_alive(engine)


# --- many


def test_two_that_purge_at_once_delete_everything_once(
    engine: Engine, other: Engine, shops: Shops, storage: Storage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(retention, "_TOGETHER", 10)
    stock(engine, shops, 60)
    with ThreadPoolExecutor(2) as pool:
        counts = list(pool.map(lambda each: purge(each, storage), [engine, other]))
    assert sum(counts) == 60
    assert numbers(engine) == set()
    assert marks(engine) == 60


def test_refunds_that_arrive_meanwhile_keep_their_sales_or_are_refused(
    engine: Engine, other: Engine, shops: Shops, storage: Storage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(retention, "_TOGETHER", 10)
    stock(engine, shops, 120)
    ids = sorted(numbers(engine))

    def give_back() -> int:
        accepted = 0
        for receipt_id in ids[::5]:
            # What the writer answers with 503, so that the till sends it again.
            with suppress(IntegrityError, OperationalError):
                accepted += isinstance(answered(other, shops.linden, refund(receipt_id, "1.00"), NOW), Issued)
        return accepted

    with ThreadPoolExecutor(1) as pool:
        refunds = pool.submit(give_back)
        count = purge(engine, storage)
        accepted = refunds.result()
    assert len(numbers(engine)) == 120 - count + accepted
    assert 120 - count == accepted
    with engine.connect() as conn:
        assert consistent(conn)


# Ten receipts a transaction, and the third waits for its end before it commits.
HALF = """
import time
from receipts import retention
retention._TOGETHER, real, before = 10, retention.remove, iter(range(100))
def remove(*given, **named):
    gone = real(*given, **named)
    if next(before) == 2:
        print("a half", flush=True)
        time.sleep(1000)
    return gone
retention.remove = remove
"""


def test_a_killed_purge_leaves_no_half_and_is_taken_up_again(
    engine: Engine, shops: Shops, storage: Storage, database_url: str, tmp_path: Path
) -> None:
    stock(engine, shops, 300)
    env = dict(os.environ) | {"COUNTERFOIL_DATABASE_URL": database_url, "COUNTERFOIL_DATA_DIR": str(tmp_path)}
    log = tmp_path / "log"
    log.touch()
    process = forge.begin(["purge"], env=env, log=log, first=HALF)
    try:
        until(lambda: "a half" in log.read_text())
    finally:
        process.kill()
        process.join()
    left = len(numbers(engine))
    assert left == 280
    assert marks(engine) == 300 - left
    assert purge(engine, storage) == left
