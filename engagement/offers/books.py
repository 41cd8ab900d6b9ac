"""What a merchant wants of offers, and how far learning has come for them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

import orjson
from sqlalchemy import Connection, and_, bindparam, or_, select, update

from engagement.offers.tables import OfferBook
from infra.database import upsert
from kernel.clock import microseconds

MOST_SHOWN: Final = 3
# Fewer tell nothing.
LEAST_BASKETS: Final = 50
_LEAST_FRESH: Final = 200
# To learn reads very many baskets: by day not more often than that, however much is sold, and however it ended.
_AT_LEAST: Final = timedelta(hours=6)
# Nobody else learns for the same merchant meanwhile; whoever died leaves it to others after that.
_LEASE: Final = timedelta(hours=2)
_NOTHING: Final[dict[str, Any]] = {"is_on": True, "at_most": MOST_SHOWN, "window_days": 30, "fresh": 0}


@dataclass(frozen=True, slots=True)
class Book:
    """``at_most`` offers are shown; a purchase within ``window_days`` of a tap comes of it. ``edition`` is None before
    anything was learned; ``report`` is what learning said."""

    is_on: bool = True
    at_most: int = MOST_SHOWN
    window_days: int = 30
    edition: int | None = None
    report: dict[str, Any] | None = None
    learned_at: datetime | None = None

    @property
    def window(self) -> timedelta:
        return timedelta(days=self.window_days)


_COLUMNS: Final = select(
    OfferBook.is_on, OfferBook.at_most, OfferBook.window_days, OfferBook.edition, OfferBook.report, OfferBook.learned_at
).where(OfferBook.merchant_id == bindparam("merchant_id"))


def book(conn: Connection, merchant_id: str) -> Book:
    row = conn.execute(_COLUMNS, {"merchant_id": merchant_id}).one_or_none()
    if row is None:
        return Book()
    report = orjson.loads(row.report) if row.report else None
    return Book(row.is_on, row.at_most, row.window_days, row.edition, report, row.learned_at)


def set_wishes(conn: Connection, merchant_id: str, *, is_on: bool, at_most: int, window_days: int) -> None:
    wishes = {"is_on": is_on, "at_most": at_most, "window_days": window_days}
    new = upsert(conn, OfferBook).values(_NOTHING | {"merchant_id": merchant_id} | wishes)
    conn.execute(new.on_conflict_do_update(index_elements=["merchant_id"], set_=wishes))


def add_fresh(conn: Connection, merchant_id: str, count: int) -> None:
    """So many baskets more to learn from."""
    if count:
        new = upsert(conn, OfferBook).values(_NOTHING | {"merchant_id": merchant_id, "fresh": count})
        conn.execute(new.on_conflict_do_update(index_elements=["merchant_id"], set_={"fresh": OfferBook.fresh + count}))


def due(conn: Connection, *, now: datetime, nightly: bool) -> Sequence[str]:
    """Merchants for whom there is something to learn: at night any, by day those with much that is new. For all
    merchants, so none is named."""
    is_rested = or_(OfferBook.tried_at.is_(None), OfferBook.tried_at < now - _AT_LEAST)
    unlearned = and_(OfferBook.learned_at.is_(None), OfferBook.fresh >= LEAST_BASKETS, is_rested)
    by_day = and_(OfferBook.fresh >= _LEAST_FRESH, is_rested)
    # Whoever was at it died, and what was new with them.
    lapsed = and_(OfferBook.claimed_until < now, is_rested)
    wanted = or_(unlearned, OfferBook.fresh > 0 if nightly else by_day, lapsed)
    return conn.scalars(select(OfferBook.merchant_id).where(wanted).order_by(OfferBook.merchant_id)).all()


def claim(conn: Connection, merchant_id: str, *, now: datetime) -> int | None:
    """The edition that the caller may make; None where somebody else is at it."""
    conn.execute(upsert(conn, OfferBook).values(_NOTHING | {"merchant_id": merchant_id}).on_conflict_do_nothing())
    edition = microseconds(now)
    is_free = or_(OfferBook.claimed_until.is_(None), OfferBook.claimed_until < now)
    mine = (
        OfferBook.merchant_id == merchant_id,
        is_free,
        or_(OfferBook.edition.is_(None), OfferBook.edition < edition),
    )
    taken = {"claim": edition, "claimed_until": now + _LEASE, "tried_at": now, "fresh": 0}
    return edition if conn.execute(update(OfferBook).where(*mine).values(taken)).rowcount == 1 else None


def editions(conn: Connection, merchant_id: str) -> set[int]:
    """The one that holds, and the one that is being made."""
    row = conn.execute(select(OfferBook.edition, OfferBook.claim).where(OfferBook.merchant_id == merchant_id)).first()
    return {each for each in (row or ()) if each is not None}


def settle(
    conn: Connection, merchant_id: str, edition: int, *, report: dict[str, Any], is_learned: bool, now: datetime
) -> bool:
    """Let ``edition`` hold from now on, if it was learned; False where the claim was lost to somebody else."""
    mine = (OfferBook.merchant_id == merchant_id, OfferBook.claim == edition)
    holds = {"edition": edition} if is_learned else {}
    told = {"report": orjson.dumps(report).decode(), "learned_at": now, "claim": None, "claimed_until": None}
    return conn.execute(update(OfferBook).where(*mine).values(told | holds)).rowcount == 1


def let_go(conn: Connection, merchant_id: str, edition: int, fresh: int) -> None:
    """After a failure: what was new is new again."""
    mine = (OfferBook.merchant_id == merchant_id, OfferBook.claim == edition)
    free = {"claim": None, "claimed_until": None, "fresh": OfferBook.fresh + fresh}
    conn.execute(update(OfferBook).where(*mine).values(free))
