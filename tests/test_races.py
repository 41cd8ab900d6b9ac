"""Races for real, and, where a guard decides one, the same race with the guard off: then the test must see it lost."""

import threading
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import Any

import httpx
import pytest
from alembic.migration import MigrationContext
from alembic.operations import Operations
from sqlalchemy import Connection, Engine, func, select, update

from accounts.places import directories
from infra.database import connect, insert_or_ignore
from kernel.errors import Problem
from pos.intake import arrive, take
from receipts import amend
from receipts.amend import OriginalReceipt
from receipts.issue import Issued
from receipts.reading import read_sale
from receipts.tables import Receipt, ReturnedSum
from tests.support.inside import Person
from tests.support.sales import Body, coffee, refund
from tests.support.server import NO_PDF, Served
from tests.support.shops import OPENED, Shops

RECEIPTS = "/v1/receipts"


def at_once(count: int, act: Callable[[int], Any]) -> list[Any]:
    """What ``count`` threads get who start together."""
    start = threading.Barrier(count)

    def run(index: int) -> Any:
        start.wait(30)
        return act(index)

    with ThreadPoolExecutor(count) as pool:
        return list(pool.map(run, range(count)))


def receipts(engine: Engine) -> int:
    with engine.connect() as conn:
        return conn.scalar(select(func.count()).select_from(Receipt)) or 0


# --- the same sale from many


def post_from_many(till: Person, sale: Body, **headers: str) -> tuple[Counter[int], set[bytes]]:
    answers = at_once(32, lambda _: till.post(RECEIPTS, sale, **headers))
    return Counter(answer.status_code for answer in answers), {answer.content for answer in answers}


@pytest.mark.parametrize("headers", [{}, {"Idempotency_Key": "once"}], ids=["external id", "external id and key"])
def test_of_32_clients_with_the_same_sale_one_makes_a_receipt(
    till: Person, engine: Engine, headers: dict[str, str]
) -> None:
    statuses, bodies = post_from_many(till, coffee(), **headers)
    assert statuses == {201: 1, 200: 31}
    assert len(bodies) == 1
    assert receipts(engine) == 1


def test_a_key_alone_is_enough(till: Person, engine: Engine) -> None:
    statuses, bodies = post_from_many(till, coffee(external_id=None), Idempotency_Key="once")
    assert (statuses, len(bodies), receipts(engine)) == ({201: 1, 200: 31}, 1, 1)


def test_a_minted_token_is_enough(till: Person, engine: Engine) -> None:
    sale = coffee(external_id=None, token="Zm9yZ2V0LW1lLW5vdC0wMQ")
    statuses, bodies = post_from_many(till, sale)
    assert (statuses, len(bodies), receipts(engine)) == ({201: 1, 200: 31}, 1, 1)


def test_without_the_constraint_each_client_would_make_a_receipt(till: Person, engine: Engine) -> None:
    """The control: it is the unique external id that decides."""
    with engine.begin() as conn, Operations(MigrationContext.configure(conn)).batch_alter_table("receipts") as table:
        table.drop_constraint("uq_receipts_merchant_id_external_id_source", type_="unique")
    statuses, bodies = post_from_many(till, coffee())
    assert statuses == {201: 32}
    assert (len(bodies), receipts(engine)) == (32, 32)


def test_of_32_different_sales_under_one_id_one_is_accepted(till: Person, engine: Engine) -> None:
    answers = at_once(32, lambda index: till.post(RECEIPTS, coffee(external_id="same", notes=[str(index)])))
    assert Counter(answer.status_code for answer in answers) == {201: 1, 409: 31}
    assert receipts(engine) == 1


# --- two refunds for the same money


def give_back_unguarded(meet: threading.Barrier) -> Callable[..., None]:
    """The guard off: it reads what is left, and then writes what it thinks is right."""

    def give_back(conn: Connection, merchant_id: str, original: OriginalReceipt, amount: int) -> None:
        row = {"receipt_id": original.id, "merchant_id": merchant_id, "limit": original.limit, "returned": 0}
        mine = ReturnedSum.receipt_id == original.id
        returned = conn.scalar(select(ReturnedSum.returned).where(mine))
        meet.wait(10)
        if returned is None:
            conn.execute(insert_or_ignore(conn, ReturnedSum), row)
        if (returned or 0) + amount > original.limit:
            raise amend.NothingLeft
        conn.execute(update(ReturnedSum).where(mine).values(returned=(returned or 0) + amount))

    return give_back


@pytest.fixture
def several(database_url: str) -> Iterator[Callable[[], Engine]]:
    """Engines of their own, as other processes have them."""
    with ExitStack() as open_engines:

        def another() -> Engine:
            engine = connect(database_url)
            open_engines.callback(engine.dispose)
            return engine

        yield another


def taken(engine: Engine, merchant: str, body: Body) -> Issued | Problem:
    """The sale in a transaction of its own, past the writer that would let one at a time through."""
    arrival = arrive(merchant, read_sale(body), now=OPENED)
    with engine.begin() as conn:
        (answer,) = take(conn, [arrival], directories=directories(conn, [merchant]), now=OPENED)
    return answer


def race_for_the_money(several: Callable[[], Engine], shops: Shops) -> tuple[int, int]:
    """Two refunds of all that a coffee cost, at once: how many were accepted, and how much went back."""
    engine, sale = several(), coffee()
    original = taken(engine, shops.linden, sale)
    assert isinstance(original, Issued)
    engines = [several(), several()]
    answers = at_once(2, lambda index: taken(engines[index], shops.linden, refund(original.id)))
    with engine.connect() as conn:
        total = select(func.sum(Receipt.total)).where(Receipt.kind == "refund")
        return sum(isinstance(answer, Issued) for answer in answers), conn.scalar(total) or 0


@pytest.mark.parametrize("attempt", range(3))
def test_of_two_refunds_for_the_same_money_one_is_accepted(
    several: Callable[[], Engine], shops: Shops, attempt: int
) -> None:
    assert race_for_the_money(several, shops) == (1, 320)


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
def test_without_the_condition_both_would_be_accepted(
    several: Callable[[], Engine], shops: Shops, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The control. SQLite lets one transaction write at a time, so there it takes the pair of tests below."""
    monkeypatch.setattr(amend, "give_back", give_back_unguarded(threading.Barrier(2)))
    assert race_for_the_money(several, shops) == (2, 640)


def race_without_transactions(several: Callable[[], Engine], shops: Shops, act: Callable[..., None]) -> int:
    """How many of two get all the money back where no transaction helps ``act``: each statement is its own."""
    engine = several()
    issued = taken(engine, shops.linden, coffee())
    assert isinstance(issued, Issued)
    original = OriginalReceipt(issued.id, issued.token, "sale", "EUR", 320, read_sale(coffee()))

    def give_back(_index: int) -> bool:
        with several().connect().execution_options(isolation_level="AUTOCOMMIT", reads_only=True) as conn:
            try:
                act(conn, shops.linden, original, 320)
            except amend.NothingLeft:
                return False
        return True

    return sum(at_once(2, give_back))


def test_the_condition_alone_decides(several: Callable[[], Engine], shops: Shops) -> None:
    assert race_without_transactions(several, shops, amend.give_back) == 1


def test_reading_before_writing_does_not(several: Callable[[], Engine], shops: Shops) -> None:
    """The control."""
    assert race_without_transactions(several, shops, give_back_unguarded(threading.Barrier(2))) == 2


def test_many_small_refunds_never_exceed_what_was_paid(till: Person, engine: Engine) -> None:
    sale = till.post(RECEIPTS, coffee()).json()
    answers = at_once(32, lambda _: till.post(RECEIPTS, refund(sale["id"], "0.50")))
    assert Counter(answer.status_code for answer in answers) == {201: 6, 409: 26}
    with engine.connect() as conn:
        assert conn.scalar(select(ReturnedSum.returned)) == 300


def post_one_of(till: Person, sales: Sequence[Body], index: int) -> httpx.Response:
    return till.post(RECEIPTS, sales[index])


def test_a_void_and_a_refund_do_not_both_win(till: Person) -> None:
    for _ in range(5):
        sale = till.post(RECEIPTS, coffee()).json()
        rivals = [refund(sale["id"], kind="void"), refund(sale["id"], "0.01")]
        answers = at_once(2, partial(post_one_of, till, rivals))
        assert sorted(answer.status_code for answer in answers) == [201, 409]


# --- two server processes


@pytest.fixture
def two_servers(postgresql_url: str, tmp_path: Path) -> Iterator[tuple[Served, Served]]:
    one, two = (Served(tmp_path, postgresql_url, first=NO_PDF) for _ in range(2))
    with one, two:
        yield one, two


def posted(servers: Sequence[Served], key: str, path: str, bodies: Sequence[Any]) -> list[httpx.Response]:
    """Each body from a client of its own, in turn to one server and the other, all at once."""
    with httpx.Client(headers={"Authorization": f"Bearer {key}"}, timeout=30) as client:
        return at_once(len(bodies), lambda index: client.post(f"{servers[index % 2].url}{path}", json=bodies[index]))


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
def test_two_processes_agree(two_servers: tuple[Served, Served], shops: Shops, engine: Engine) -> None:
    sale = coffee()
    answers = posted(two_servers, shops.owner, RECEIPTS, [sale] * 32)
    assert Counter(answer.status_code for answer in answers) == {201: 1, 200: 31}
    assert len({answer.content for answer in answers}) == 1

    backs = [refund(sale["external_id"]) for _ in range(8)]
    answers = posted(two_servers, shops.owner, RECEIPTS, backs)
    assert Counter(answer.status_code for answer in answers) == {201: 1, 409: 7}
    assert receipts(engine) == 2

    # The same evening's batch to both, once forwards and once backwards: they lock each other's rows.
    evening = [coffee() for _ in range(200)]
    batches = [{"receipts": each} for each in (evening, evening[::-1]) for _ in range(2)]
    answers = posted(two_servers, shops.owner, f"{RECEIPTS}/batch", batches)
    results = Counter(result["status"] for answer in answers for result in answer.json()["results"])
    assert results == {201: 200, 200: 600}
    assert receipts(engine) == 202
