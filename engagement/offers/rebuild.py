"""Learning from a merchant's baskets, and putting what was learned in force.

The rows of a new edition are written beside those that hold, some at a time; then one statement lets it hold. The old
ones stay for who has just read that they hold, and go when the next edition is begun; so do rows of whoever was killed
on the way.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import groupby, islice
from typing import Any, Final, cast

import orjson
import structlog
from sqlalchemy import Connection, Engine, Table, bindparam, delete, func, insert, literal, select, tuple_

from engagement.offers import apart, books
from engagement.offers.apart import LearningFailed
from engagement.offers.lesson import Lesson, Row
from engagement.offers.tables import Basket, Neighbour, OfferBook, PopularItem
from infra.bulk import insert_new
from infra.database import Instant, in_turn, reading
from kernel.clock import Clock, microseconds

_log = structlog.get_logger()
_NEIGHBOURS, _POPULAR = (cast("Table", each.__table__) for each in (Neighbour, PopularItem))
# The newest tell enough, and no process grows beyond what it may.
MOST_BASKETS: Final = 300_000
_PAGE: Final = 2_000
_TOGETHER: Final = 2_000
# Of a store; more could never be shown.
_MOST_POPULAR: Final = 200
_AGE: Final = tuple_(Basket.at, Basket.receipt_id)
_COLUMNS: Final = (Basket.receipt_id, Basket.at, Basket.shopper, Basket.store_id, Basket.items, Basket.returned)

Told = Callable[[str], object]


def rebuild_due(engine: Engine, *, nightly: bool, clock: Clock, stop: Callable[[], bool]) -> int:
    """Learn anew for every merchant for whom it is time; for how many."""
    with reading(engine) as conn:
        merchants = books.due(conn, now=clock(), nightly=nightly)
    count = 0
    for merchant_id in merchants:
        if stop():
            break
        try:
            count += rebuild(engine, merchant_id, clock=clock)
        except LearningFailed as failure:
            # What held before holds on; the others are not to wait for it.
            _log.warning("learning_failed", merchant=merchant_id, reason=str(failure)[:500])
    return count


def rebuild(engine: Engine, merchant_id: str, *, clock: Clock, told: Told = lambda _step: None) -> bool:
    """Whether a lesson holds now that did not before: False where somebody else is at it, or there is too little to
    learn from. Raises :class:`LearningFailed`, and then everything is as it was."""
    with in_turn(engine) as conn:
        fresh = conn.scalar(select(OfferBook.fresh).where(OfferBook.merchant_id == merchant_id)) or 0
        edition = books.claim(conn, merchant_id, now=clock())
    if edition is None:
        return False
    try:
        sweep(engine, merchant_id)
        with reading(engine) as conn:
            enough = _count(conn, merchant_id) >= books.LEAST_BASKETS
        lesson = apart.learn(_rows(engine, merchant_id), told=told) if enough else None
        if lesson is not None:
            told("writing what was learned")
            _write(engine, merchant_id, edition, lesson)
    except BaseException:
        with in_turn(engine) as conn:
            books.let_go(conn, merchant_id, edition, fresh)
        raise
    report = lesson.report if lesson else {"chosen": None, "methods": []}
    with in_turn(engine) as conn:
        holds = books.settle(conn, merchant_id, edition, report=report, is_learned=lesson is not None, now=clock())
    return holds and lesson is not None


def sweep(engine: Engine, merchant_id: str) -> None:
    """Delete what does not hold and is not on its way to: editions of before, and what a dead learner left."""
    for table in (Neighbour, PopularItem):
        with reading(engine) as conn:
            editions = sorted(conn.scalars(_editions(table), {"merchant_id": merchant_id}))
        for edition in editions:
            # Anew before each, as deleting takes minutes: what others began meanwhile is theirs.
            with reading(engine) as conn:
                is_needed = edition in books.editions(conn, merchant_id)
            if not is_needed:
                _delete(engine, table, merchant_id, edition)


def _editions(table: Any) -> Any:
    """Each once, found by jumping from one to the next in the key."""
    mine = table.merchant_id == bindparam("merchant_id")
    least = select(func.min(table.edition).label("edition")).where(mine).cte("found", recursive=True)
    after = select(func.min(table.edition)).where(mine, table.edition > least.c.edition).scalar_subquery()
    found = least.union_all(select(after).where(least.c.edition.is_not(None)))
    return select(found.c.edition).where(found.c.edition.is_not(None))


def _delete(engine: Engine, table: Any, merchant_id: str, edition: int) -> None:
    key = [column for column in table.__table__.primary_key.columns if column.name not in ("merchant_id", "edition")]
    mine = (table.merchant_id == merchant_id, table.edition == edition)
    some = select(*key).where(*mine).order_by(*key).limit(_TOGETHER)
    count = _TOGETHER
    while count == _TOGETHER:
        with in_turn(engine) as conn:
            count = conn.execute(delete(table).where(*mine, tuple_(*key).in_(some))).rowcount


def _count(conn: Connection, merchant_id: str) -> int:
    """No more than are needed."""
    some = select(Basket.receipt_id).where(Basket.merchant_id == merchant_id, Basket.items != "[]")
    return conn.scalar(select(func.count()).select_from(some.limit(books.LEAST_BASKETS).subquery())) or 0


def _rows(engine: Engine, merchant_id: str) -> Iterator[Row]:
    """Of the newest baskets, without what came back."""
    last: Any = None
    read = 0
    while read < MOST_BASKETS:
        query = select(*_COLUMNS).where(Basket.merchant_id == merchant_id)
        if last is not None:
            query = query.where(tuple_(literal(last.at, Instant), literal(last.receipt_id)) > _AGE)
        with reading(engine) as conn:
            page = conn.execute(query.order_by(Basket.at.desc(), Basket.receipt_id.desc()).limit(_PAGE)).all()
        for row in page:
            back = set(orjson.loads(row.returned))
            for item in orjson.loads(row.items):
                if item not in back:
                    yield Row(row.receipt_id, item, microseconds(row.at), row.shopper, row.store_id)
        if len(page) < _PAGE:
            return
        last, read = page[-1], read + len(page)


def _write(engine: Engine, merchant_id: str, edition: int, lesson: Lesson) -> None:
    mine = {"merchant_id": merchant_id, "edition": edition}
    near = (
        mine | {"a": each.item, "b": each.other, "score": each.score, "receipts": each.receipts}
        for each in lesson.neighbours
    )
    _insert(engine, _NEIGHBOURS, near)
    by_place = sorted(lesson.popular, key=lambda each: (each.store or "", -each.score, each.item))
    best = (
        mine | {"place": place, "item": each.item, "score": each.score}
        for place, some in groupby(by_place, key=lambda each: each.store or "")
        for each in islice(some, _MOST_POPULAR)
    )
    _insert(engine, _POPULAR, best)


def _insert(engine: Engine, table: Table, rows: Iterable[Mapping[str, Any]]) -> None:
    waiting = iter(rows)
    while some := list(islice(waiting, _TOGETHER)):
        with in_turn(engine) as conn:
            if conn.dialect.name == "postgresql":
                insert_new(conn, table, some, table.c.merchant_id)
            else:
                conn.execute(insert(table), some)
