"""What is asked often reads as much in a large shop as in a small one, however it is put and on either database.

Counted is work, not time: on SQLite the steps of its machine, on PostgreSQL the rows that a plan reads.
"""

import uuid
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any, Final

import psycopg
import pytest
from sqlalchemy import Connection, Engine, event, func, select

from accounts import find as accounts_find
from accounts.places import directories
from bench.fill import NEWEST, Shop, filled
from cards import contacts, forgetting, tally
from cards import find as cards
from engagement.voice import attribution, case_clock, cases, product_reviews, referrals, reviews
from engagement.voice import forgetting as voice_forgetting
from infra import jobs
from infra.database import connect
from kernel.ids import digest
from notify import asking, desk, figures, sending, stopping
from notify import find as messages
from notify.tables import Message
from pos import bring_in, inbox
from pos.intake import arrive, take
from receipts import amend, find, listing, retention
from receipts.reading import read_sale
from receipts.sale import Original
from receipts.tables import IdempotencyKey, Receipt
from tests.support import postgres, survey_rows
from tests.support.card_rows import FEW, fill_cards
from tests.support.sales import coffee
from tests.support.voice_rows import fill_voice

SMALL: Final = 600
LARGE: Final = 6_000
# More rows of an index page here or there; ten times as much is what a question that reads all would do.
AT_MOST: Final = 1.5
Question = Callable[[Connection, Shop], object]
LATER: Final = NEWEST + timedelta(days=200 * 365)
HOUR: Final = timedelta(hours=1)


def listed(**filters: Any) -> Question:
    def ask(conn: Connection, shop: Shop) -> None:
        told = {name: value(conn, shop) if callable(value) else value for name, value in filters.items()}
        listing.list_receipts(conn, shop.merchant_id, listing.Wanted(**told), limit=5, cursor=None)

    return ask


def wanted(**names: Callable[[Shop], str]) -> Question:
    def ask(conn: Connection, shop: Shop) -> None:
        original = Original(**{name: of(shop) for name, of in names.items()})
        amend.find_original(conn, shop.merchant_id, "api", original)

    return ask


def repeated(conn: Connection, shop: Shop) -> None:
    arrival = arrive(shop.merchant_id, read_sale(coffee(external_id="x")), now=NEWEST, idempotency_key="k")
    for _ in range(2):
        take(conn, [arrival], directories=directories(conn, [shop.merchant_id]), now=NEWEST)


def id_of(conn: Connection, shop: Shop, place: int = 12) -> str:
    return str(conn.scalar(select(Receipt.id).where(Receipt.token == shop.token(place))))


def mitte(conn: Connection, shop: Shop) -> str:
    return accounts_find.store_id(conn, shop.merchant_id, "mitte")


def altona(conn: Connection, shop: Shop) -> str:
    return accounts_find.store_id(conn, shop.merchant_id, "altona")


def till(conn: Connection, shop: Shop) -> str:
    return accounts_find.till_id(conn, shop.merchant_id, mitte(conn, shop), "till-1")


def emma(conn: Connection, shop: Shop) -> str:
    return accounts_find.staff_id(conn, shop.merchant_id, "emma")


def message(conn: Connection, shop: Shop) -> str:
    return messages.about(conn, shop.merchant_id, id_of(conn, shop))[0].id


def emptied(conn: Connection, shop: Shop) -> None:
    # PostgreSQL does well to read a table of a few pages as a whole for a hundred rows.
    at_most = 100 if conn.dialect.name == "sqlite" else 10
    now = NEWEST + timedelta(days=9)
    roots = retention.due(conn, shop.merchant_id, now=now)[:at_most]
    assert len(retention.remove(conn, shop.merchant_id, roots, now=now)) >= at_most


def claimed(conn: Connection, _shop: Shop) -> None:
    assert sending.claim(conn, "a job", now=LATER, lease=HOUR, at_most=20)
    assert sending.claim(conn, "a job", now=LATER, lease=HOUR, at_most=20)


def last_keys(conn: Connection, shop: Shop) -> None:
    mine = select(IdempotencyKey.key).where(IdempotencyKey.merchant_id == shop.merchant_id)
    after = conn.scalars(mine.order_by(IdempotencyKey.key.desc()).offset(30).limit(1)).one()
    retention._lost_keys(conn, shop.merchant_id, after)


def asked_before(conn: Connection, shop: Shop) -> None:
    assert messages.latest(conn, shop.merchant_id, id_of(conn, shop), "email", shop.email(12))
    assert asking.count_since(conn, shop.merchant_id, id_of(conn, shop), hours=24 * 365 * 99, now=NEWEST)
    asking.reasons(conn, [asking.Wanted(shop.merchant_id, "rct", shop.email(12))])


def card_of_emma(conn: Connection, shop: Shop) -> str:
    record = cards.of_staff_named(conn, shop.merchant_id, "emma")
    assert record is not None
    return record.id


def left(found: int, **where: Callable[[Connection, Shop], str]) -> Question:
    """A list of contacts, of which there are so many."""

    def ask(conn: Connection, shop: Shop) -> None:
        told = {name: of(conn, shop) for name, of in where.items()}
        assert len(contacts.listed(conn, shop.merchant_id, limit=20, **told)) == found

    return ask


def numbers(by: tally.By, **where: Callable[[Connection, Shop], str]) -> Question:
    """Of a month."""

    def ask(conn: Connection, shop: Shop) -> None:
        told = {name: of(conn, shop) for name, of in where.items()}
        month = tally.Wanted((NEWEST - timedelta(days=29)).date(), NEWEST.date(), by, **told)
        [first, *_] = tally.tally(conn, shop.merchant_id, month).values()
        assert (first.taps["way-0"], first.ratings) != (0, 0)

    return ask


def of_cases(found: int, **where: Any) -> Question:
    """A list of cases, of which there are so many."""

    def ask(conn: Connection, shop: Shop) -> None:
        told = {name: value(conn, shop) if callable(value) else value for name, value in where.items()}
        assert len(cases.listed(conn, shop.merchant_id, cases.Wanted(**told), limit=20)) == found

    return ask


def said(found: int, sku: str, **where: Any) -> Question:
    """Reviews of a product, of which there are so many on a page."""

    def ask(conn: Connection, shop: Shop) -> None:
        wanted = reviews.Wanted(sku=sku, **where)
        assert len(reviews.listed(conn, shop.merchant_id, wanted, limit=20)) == found

    return ask


def a_new_code(conn: Connection, shop: Shop) -> None:
    keys = attribution.Keys(b"codes", b"shoppers")
    attribution._mint_some(conn, keys)
    attribution._referral(conn, keys, shop.merchant_id, ["22222222222T"])
    new = attribution.new_after(conn, id_of(conn, shop, shop.count - 1 - FEW), now=LATER)
    [first] = attribution.held(conn, new)[: -FEW + 1]
    attribution._bought_before(conn, first.row, "0" * 32)


def forgotten(conn: Connection, shop: Shop) -> None:
    ids = [id_of(conn, shop, shop.count - 1 - at) for at in range(FEW)]
    voice_forgetting.forget_receipts(conn, shop.merchant_id, ids[1:])
    voice_forgetting.forget_shopper(conn, shop.merchant_id, ids[0])


QUESTIONS: Final[Mapping[str, Question]] = {
    "cases": of_cases(20),
    "cases that are open": of_cases(FEW, state="open"),
    "cases of a store": of_cases(FEW, store_id=mitte),
    "cases that are overdue": of_cases(FEW, overdue_at=LATER),
    "cases of somebody who sees to none": of_cases(0, owner_id=emma),
    "cases that are late": lambda conn, _: case_clock.late(conn, now=LATER, at_most=20),
    "cases of which nobody was told": lambda conn, _: case_clock.untold(conn, before=LATER, at_most=20),
    "referrals": lambda conn, shop: referrals.listed(conn, shop.merchant_id, limit=20),
    "referrals of a store": lambda c, shop: referrals.listed(c, shop.merchant_id, limit=20, store_id=mitte(c, shop)),
    "a code in a sale": a_new_code,
    "reviews": lambda conn, shop: reviews.listed(conn, shop.merchant_id, reviews.Wanted(), limit=20),
    "reviews that wait": lambda c, shop: reviews.listed(c, shop.merchant_id, reviews.Wanted("waiting"), limit=20),
    "reviews of a product": said(20, "much-said", state="approved"),
    "reviews of a product of which little is said": said(FEW, "little-said"),
    "stars of a product with few reviews": lambda c, s: product_reviews.stars_of(c, s.merchant_id, "little-said"),
    "what is forgotten of what was said": forgotten,
    "what a page asks": lambda c, s: survey_rows.hung(c, s.merchant_id, id_of(c, s, s.count - 1), now=NEWEST),
    "answers": lambda conn, shop: survey_rows.listed(conn, shop.merchant_id),
    "answers of who wants a call": lambda conn, shop: survey_rows.listed(conn, shop.merchant_id, wants_call=True),
    "answers that are held back": lambda conn, shop: survey_rows.listed(conn, shop.merchant_id, is_held=True),
    "answers of a quiet store": lambda c, shop: survey_rows.listed(c, shop.merchant_id, store_id=mitte(c, shop)),
    "answers about a receipt": lambda c, s: survey_rows.listed(c, s.merchant_id, receipt_id=id_of(c, s, s.count - 1)),
    "answers with a product that few bought": lambda c, s: survey_rows.listed(c, s.merchant_id, sku="little-liked"),
    "what answers of a quiet day come to": lambda conn, shop: survey_rows.added_up(conn, shop.merchant_id, NEWEST),
    "whom to remind of a survey": lambda conn, _: survey_rows.reminded(conn, LATER),
    "what is forgotten of answers": lambda conn, shop: survey_rows.forgotten(
        conn, shop.merchant_id, [id_of(conn, shop, shop.count - 1 - at) for at in range(FEW)]
    ),
    "a page": lambda conn, shop: find.by_token(conn, shop.token(12)),
    "a receipt by its id": lambda conn, shop: find.one(conn, shop.merchant_id, id_of(conn, shop)),
    "who bought": lambda conn, shop: find.private_part(conn, shop.merchant_id, id_of(conn, shop)),
    "an original by its id": lambda conn, shop: wanted(id=lambda _: id_of(conn, shop))(conn, shop),
    "an original by its number": wanted(number=lambda shop: shop.number(8)),
    "an original by its external id": wanted(external_id=lambda shop: shop.external_id(8)),
    "an original by another system": lambda c, shop: bring_in.known_from(c, shop.merchant_id, "x")(shop.external_id(8)),
    "a repetition": repeated,
    "a list": listed(),
    "a list of a store": listed(store_id=mitte),
    "a list of a till": listed(store_id=mitte, till_id=till),
    "a list of sales": listed(kind="sale"),
    "a list of refunds": listed(kind="refund"),
    "a list of refunds in a store": listed(kind="refund", store_id=mitte),
    "a list of what there is none of": listed(kind="void", store_id=mitte, till_id=till, staff_id=emma),
    "a list of somebody who served": listed(staff_id=emma),
    "a list of somebody who never served": listed(staff_id="nobody", store_id=mitte),
    "a list by number": listed(number=lambda _, shop: shop.number(8)),
    "a list by number at a till": listed(number=lambda _, shop: shop.number(8), store_id=mitte, till_id=till),
    "a list by external id": listed(external_id=lambda _, shop: shop.external_id(8), store_id=mitte, kind="sale"),
    "a list by shopper": listed(email=lambda _, shop: shop.email(9)),
    "a list by shopper in a store": listed(email=lambda _, shop: shop.email(9), store_id=mitte, kind="sale"),
    "a list of a day": listed(issued_from=NEWEST - timedelta(hours=9), issued_before=NEWEST - timedelta(hours=8)),
    "messages": lambda c, shop: messages.listed(c, shop.merchant_id, state=None, limit=20, after=None),
    "messages that failed": lambda c, shop: messages.listed(c, shop.merchant_id, state="failed", limit=20, after=None),
    "messages about a receipt": lambda c, shop: messages.about(c, shop.merchant_id, id_of(c, shop)),
    "messages of all merchants": lambda c, _: desk.newest(c, merchant=None, state=None, limit=20),
    "whether a message was asked for": asked_before,
    "a claim": claimed,
    "what nobody sees to": lambda conn, _: sending.overdue(conn, before=NEWEST),
    "an address that is stopped": lambda c, shop: stopping.stop(c, message(c, shop), "bounced", now=NEWEST),
    "a purge": emptied,
    "a purge that finds nothing": lambda c, shop: retention.due(c, shop.merchant_id, now=NEWEST - timedelta(days=999)),
    "keys without receipts": last_keys,
    "whether links are purged": lambda c, shop: retention.purged(c, {shop.token(at) for at in range(10)}),
    "an erasure": lambda conn, shop: retention.erase_shopper(conn, shop.merchant_id, id_of(conn, shop)),
    "events that are due": lambda conn, _: [inbox.due(conn, state, now=NEWEST) for state in ("waiting", "failed")],
    "a tally of jobs": lambda conn, _: jobs.tally(conn),
    "figures of messages": lambda conn, _: list(figures.messages_now(conn)),
    "what is forgotten with receipts": lambda conn, shop: forgetting.forget_receipts(
        conn, shop.merchant_id, [id_of(conn, shop, place) for place in range(10)]
    ),
    "numbers of a member of staff": numbers("card", card_id=card_of_emma),
    "numbers of a member of staff in a store, by day": numbers("day", card_id=card_of_emma, store_id=mitte),
    "contacts": left(20),
    "contacts of a card": left(FEW, card_id=card_of_emma),
    "contacts of a card in its store": left(FEW, card_id=card_of_emma, store_id=mitte),
    "contacts of a card in another store": left(0, card_id=card_of_emma, store_id=altona),
    "contacts of a store": left(FEW, store_id=mitte),
    "contacts of a store in which none were left": left(0, store_id=altona),
}
# What the house asked before, or might: each finds what it wants, and reads all receipts or messages for it.
CARELESS: Final[Mapping[str, Question]] = {
    "a count": lambda c, shop: c.scalar(select(func.count()).where(Receipt.merchant_id == shop.merchant_id)),
    "by a column without an index": lambda c, _: c.execute(
        select(Receipt.id).where(Receipt.fingerprint == digest("x"))
    ),
}
CARELESS_ON_SQLITE: Final[Mapping[str, Question]] = {
    "many ids of a merchant": lambda c, shop: c.execute(
        select(Receipt.id).where(
            Receipt.merchant_id == shop.merchant_id, Receipt.id.in_([str(at) for at in range(100)])
        )
    ),
    "few messages, in order": lambda c, shop: c.execute(
        select(Message.id)
        .where(Message.merchant_id == shop.merchant_id, Message.subject_id == id_of(c, shop))
        .order_by(Message.id.desc())
    ),
}


@dataclass(frozen=True)
class Town:
    """The same shop, small and large."""

    engines: tuple[Engine, Engine]
    shops: tuple[Shop, Shop]

    def growth(self, question: Question) -> float:
        small, large = (work(engine, shop, question) for engine, shop in zip(self.engines, self.shops, strict=True))
        return large / small


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def town(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    folder: Path = tmp_path_factory.mktemp("town")
    server: postgres.Server | None = request.getfixturevalue("postgresql") if request.param == "postgresql" else None
    names = [f"town_{uuid.uuid4().hex[:8]}_{count}" for count in (SMALL, LARGE)]  # others have towns there, too
    urls = [server.create(name) if server else f"sqlite:///{folder}/{name}.db" for name in names]
    shops = (filled(urls[0], SMALL), filled(urls[1], LARGE))
    engines = (connect(urls[0]), connect(urls[1]))
    for engine, shop in zip(engines, shops, strict=True):
        with engine.begin() as conn:
            fill_cards(conn, shop.merchant_id, shop.count, newest=NEWEST)
            fill_voice(conn, shop.merchant_id, shop.count, newest=NEWEST)
            survey_rows.fill_surveys(conn, shop.merchant_id, shop.count, newest=NEWEST)
        if server:
            with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as conn:
                conn.exec_driver_sql("VACUUM ANALYZE")
    yield Town(engines, shops)
    for engine, name in zip(engines, names, strict=True):
        engine.dispose()
        if server:
            server.drop(name)


def work(engine: Engine, shop: Shop, question: Question) -> int:
    """How much the database does for it; whatever it changes is undone."""
    with engine.connect() as conn:
        count = steps if engine.dialect.name == "sqlite" else rows
        done = count(conn, lambda: question(conn, shop))
        conn.rollback()
    return done


def steps(conn: Connection, ask: Callable[[], object]) -> int:
    """Of SQLite's virtual machine, in tens."""
    counted = 0

    def count() -> None:
        nonlocal counted
        counted += 1

    driver: Any = conn.connection.driver_connection
    driver.set_progress_handler(count, 10)
    ask()
    driver.set_progress_handler(None, 0)
    # What every statement costs to begin with is not to hide what it reads.
    return max(counted, 20)


def rows(conn: Connection, ask: Callable[[], object]) -> int:
    """That PostgreSQL's plans read, each statement being tried before it is done."""
    plans: list[dict[str, Any]] = []
    driver = conn.connection.driver_connection
    assert isinstance(driver, psycopg.Connection)

    def look(_conn: Any, _cursor: Any, sql: str, values: Any, _context: Any, many: bool) -> None:
        if not many and not sql.startswith(("SAVEPOINT", "RELEASE", "ROLLBACK")):
            driver.execute("SAVEPOINT look")
            told = driver.execute(f"EXPLAIN (ANALYZE, FORMAT JSON) {sql}".encode(), values).fetchone()
            driver.execute("ROLLBACK TO look")
            plans.append(told[0][0]["Plan"] if told else {})

    event.listen(conn, "before_cursor_execute", look)
    ask()
    assert plans
    # A few more or less do not tell.
    return max(sum(map(read, plans)), 20)


def read(plan: Mapping[str, Any]) -> int:
    """Rows that were looked at, whether they passed or not."""
    below = sum(map(read, plan.get("Plans", ())))
    if "Scan" not in plan["Node Type"] or "Relation Name" not in plan:
        return below
    passed = plan["Actual Rows"] + plan.get("Rows Removed by Filter", 0) + plan.get("Rows Removed by Index Recheck", 0)
    return below + int(passed * plan["Actual Loops"])


@pytest.mark.parametrize("question", QUESTIONS)
def test_a_question_reads_as_much_in_a_large_shop_as_in_a_small_one(town: Town, question: str) -> None:
    assert town.growth(QUESTIONS[question]) <= AT_MOST


@pytest.mark.parametrize("town", ["sqlite"], indirect=True)
def test_numbers_of_all_cards_are_added_up_from_an_index_alone(town: Town) -> None:
    plans = []

    def look(conn: Any, _cursor: Any, sql: str, values: Any, _context: Any, _many: bool) -> None:
        plans.append(str(conn.connection.driver_connection.execute(f"EXPLAIN QUERY PLAN {sql}", values).fetchall()))

    event.listen(town.engines[0], "before_cursor_execute", look)
    work(town.engines[0], town.shops[0], numbers("card"))
    event.remove(town.engines[0], "before_cursor_execute", look)
    assert "COVERING INDEX ix_card_counts_merchant_id_day" in "".join(plans)


@pytest.mark.parametrize("question", CARELESS)
def test_a_question_that_reads_everything_is_found_out(town: Town, question: str) -> None:
    assert town.growth(CARELESS[question]) > 2 * AT_MOST


@pytest.mark.parametrize("town", ["sqlite"], indirect=True)
@pytest.mark.parametrize("question", CARELESS_ON_SQLITE)
def test_what_sqlite_would_get_wrong_is_found_out(town: Town, question: str) -> None:
    assert town.growth(CARELESS_ON_SQLITE[question]) > 2 * AT_MOST
