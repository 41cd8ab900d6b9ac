"""What came of offers in a time: shown, tapped, bought, what went back, and for how much."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date
from typing import Any, Final, Literal

from sqlalchemy import ColumnElement, Connection, func, select

from accounts.tables import Merchant
from engagement.offers.tables import OfferCount

By = Literal["product", "reason", "day", "ally"]
_KEYS: Final[dict[By, Any]] = {
    "product": OfferCount.sku,
    "reason": OfferCount.reason,
    "day": OfferCount.day,
    "ally": OfferCount.ally_id,
}


@dataclass(slots=True)
class Numbers:
    """``acts`` by :data:`engagement.offers.counts.ACTS`; ``revenue`` in minor units by currency, without what went
    back."""

    acts: dict[str, int] = field(default_factory=dict)
    revenue: dict[str, int] = field(default_factory=dict)

    def add(self, act: str, currency: str, times: int, amount: int) -> None:
        self.acts[act] = self.acts.get(act, 0) + times
        if currency:
            self.revenue[currency] = self.revenue.get(currency, 0) + (-amount if act == "returned" else amount)


@dataclass(frozen=True, slots=True)
class Key:
    """``ally`` is the slug of the other merchant, empty for one's own; ``side`` is "ours" where their product stood on
    our receipt, "theirs" where ours stood on theirs."""

    name: str
    ally: str
    side: str


def numbers(conn: Connection, merchant_id: str, by: By, *, first: date, last: date) -> dict[Key, Numbers]:
    """From ``first`` to ``last``, both UTC's days and both counted."""
    key, columns = _KEYS[by], (OfferCount.ally_id, OfferCount.side, OfferCount.act, OfferCount.currency)
    sums = (func.sum(OfferCount.times).label("times"), func.sum(OfferCount.amount).label("amount"))
    query = select(key.label("key"), *columns, *sums).where(*_within(merchant_id, first, last))
    slugs = _slugs(conn, merchant_id, first, last)
    found: dict[Key, Numbers] = {}
    for row in conn.execute(query.group_by(key, *columns)):
        ally = slugs.get(row.ally_id, "")
        told = Key(ally if by == "ally" else row.key, ally, row.side)
        found.setdefault(told, Numbers()).add(row.act, row.currency, int(row.times), int(row.amount))
    return dict(sorted(found.items(), key=lambda each: (each[0].name, each[0].ally, each[0].side)))


def total(found: Iterable[Numbers]) -> Numbers:
    whole = Numbers()
    for each in found:
        for act, times in each.acts.items():
            whole.acts[act] = whole.acts.get(act, 0) + times
        for currency, amount in each.revenue.items():
            whole.revenue[currency] = whole.revenue.get(currency, 0) + amount
    return whole


def _within(merchant_id: str, first: date, last: date) -> tuple[ColumnElement[bool], ...]:
    return OfferCount.merchant_id == merchant_id, OfferCount.day.between(first.isoformat(), last.isoformat())


def _slugs(conn: Connection, merchant_id: str, first: date, last: date) -> dict[str, str]:
    """Of the other merchants."""
    others = select(OfferCount.ally_id).where(*_within(merchant_id, first, last), OfferCount.ally_id != "").distinct()
    return {row.id: row.slug for row in conn.execute(select(Merchant.id, Merchant.slug).where(Merchant.id.in_(others)))}
