"""What came of cards in a time: numbers by card, by day or by source."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from decimal import ROUND_HALF_UP, Decimal
from typing import Any, Final, Literal

from sqlalchemy import BigInteger, ColumnElement, Connection, Select, func, literal_column, select, type_coerce

from accounts.tables import StaffMember, Store
from cards.tables import Card, CardCount, CardVisit, ServiceRating
from infra.database import unindexed
from kernel.clock import microseconds

By = Literal["card", "day", "source"]
_DAY: Final = 86_400_000_000  # microseconds
_HUNDREDTH: Final = Decimal("0.01")


@dataclass(frozen=True, slots=True)
class Wanted:
    """From the first day to the last, both UTC's and both counted. Ids narrow it to cards of a store, to one card or
    both."""

    first: date
    last: date
    by: By
    store_id: str | None = None
    card_id: str | None = None

    def span(self) -> tuple[datetime, datetime]:
        """From when, and until before when."""
        start, end = (datetime.combine(day, time.min, UTC) for day in (self.first, self.last))
        # The last day of the calendar has no next one.
        return start, end + timedelta(days=1) if self.last < date.max else datetime.max.replace(tzinfo=UTC)


@dataclass(slots=True)
class Numbers:
    """Of one card, day or source. ``acts`` are by :data:`cards.numbers.ACTS`, ``taps`` by what was tapped, ``receipts``
    by act: of how many receipts' links it came."""

    acts: dict[str, int] = field(default_factory=dict)
    taps: dict[str, int] = field(default_factory=dict)
    receipts: dict[str, int] = field(default_factory=dict)
    ratings: int = 0
    stars: int = 0

    @property
    def average(self) -> str | None:
        """The ratings' mean, to hundredths."""
        if not self.ratings:
            return None
        return str((Decimal(self.stars) / self.ratings).quantize(_HUNDREDTH, ROUND_HALF_UP))

    @property
    def paper_cards_saved(self) -> int:
        """Taking every card that was saved for a printed one that was not handed out."""
        return self.acts.get("save", 0) + self.acts.get("wallet", 0)


@dataclass(frozen=True, slots=True)
class CardName:
    """``staff`` and ``store`` are slugs."""

    id: str
    staff: str
    name: str
    store: str | None


def tally(conn: Connection, merchant_id: str, wanted: Wanted) -> dict[str, Numbers]:
    """By the card's id, the day or the source; what has no number is not there.

    Ratings and receipts have one source, the receipt.
    """
    found: dict[str, Numbers] = {}
    for key, act, target, times in conn.execute(_counts(merchant_id, wanted)):
        numbers = found.setdefault(key, Numbers())
        numbers.acts[act] = numbers.acts.get(act, 0) + int(times)
        if act == "tap":
            numbers.taps[target] = numbers.taps.get(target, 0) + int(times)
    for key, act, count in conn.execute(_visits(merchant_id, wanted)):
        found.setdefault(_told(wanted, key), Numbers()).receipts[act] = count
    for key, count, stars in conn.execute(_ratings(merchant_id, wanted)):
        numbers = found.setdefault(_told(wanted, key), Numbers())
        numbers.ratings, numbers.stars = count, int(stars)
    return dict(sorted(found.items()))


def total(found: Iterable[Numbers]) -> Numbers:
    whole = Numbers()
    for each in found:
        for mine, theirs in ((whole.acts, each.acts), (whole.taps, each.taps), (whole.receipts, each.receipts)):
            for name, count in theirs.items():
                mine[name] = mine.get(name, 0) + count
        whole.ratings += each.ratings
        whole.stars += each.stars
    return whole


def names(conn: Connection, merchant_id: str, card_id: str | None = None) -> dict[str, CardName]:
    """Of all cards, or of one. Those of a store may be others by now, so they are not asked for."""
    mine = [Card.merchant_id == merchant_id, *([Card.id == card_id] if card_id is not None else [])]
    columns = (Card.id, StaffMember.slug, StaffMember.name, Store.slug)
    query = select(*columns).join(StaffMember, StaffMember.id == Card.staff_id)
    query = query.outerjoin(Store, Store.id == Card.store_id)
    return {row[0]: CardName(*row) for row in conn.execute(query.where(*mine))}


def _counts(merchant_id: str, wanted: Wanted) -> Select[Any]:
    keys = {"card": CardCount.card_id, "day": CardCount.day, "source": CardCount.source}
    within = CardCount.day.between(wanted.first.isoformat(), wanted.last.isoformat())
    query: Any = select(keys[wanted.by], CardCount.act, CardCount.target, func.sum(CardCount.times))
    query = query.where(within, *_narrowed(CardCount, merchant_id, wanted))
    return query.group_by(keys[wanted.by], CardCount.act, CardCount.target)  # type: ignore[no-any-return]


def _visits(merchant_id: str, wanted: Wanted) -> Select[Any]:
    key = _key(CardVisit, CardVisit.first_at, wanted)
    query = select(key, CardVisit.act, func.count()).where(*_when(CardVisit, CardVisit.first_at, merchant_id, wanted))
    return query.group_by(key, CardVisit.act)


def _ratings(merchant_id: str, wanted: Wanted) -> Select[Any]:
    key = _key(ServiceRating, ServiceRating.rated_at, wanted)
    query = select(key, func.count(), func.sum(ServiceRating.score))
    return query.where(*_when(ServiceRating, ServiceRating.rated_at, merchant_id, wanted)).group_by(key)


def _when(table: Any, at: Any, merchant_id: str, wanted: Wanted) -> Iterator[ColumnElement[bool]]:
    start, end = wanted.span()
    yield from (at >= start, at < end)
    yield from _narrowed(table, merchant_id, wanted)


def _narrowed(table: Any, merchant_id: str, wanted: Wanted) -> Iterator[ColumnElement[bool]]:
    if wanted.card_id is None:
        yield table.merchant_id == merchant_id
    else:
        # Found by the card: its rows are few, and the merchant's in the same time may be a million.
        yield from (unindexed(table.merchant_id) == merchant_id, table.card_id == wanted.card_id)
    if wanted.store_id is not None:
        mine = (Card.merchant_id == merchant_id, Card.store_id == wanted.store_id)
        yield table.card_id.in_(select(Card.id).where(*mine))


def _key(table: Any, at: Any, wanted: Wanted) -> Any:
    """Days are counted from the first one."""
    if wanted.by == "card":
        return table.card_id
    if wanted.by == "source":
        return literal_column("CAST('receipt' AS varchar)").label("key")
    return ((type_coerce(at, BigInteger) - microseconds(wanted.span()[0])) // _DAY).label("key")


def _told(wanted: Wanted, key: Any) -> str:
    return (wanted.first + timedelta(days=int(key))).isoformat() if wanted.by == "day" else str(key)
