"""Whether cards bring shoppers back: those who got one against those who earned one and were held out.

Both earned it in the same way and chance alone parted them, so what differs between them is the card's doing. Without a
holdout nothing is said: who gets a card buys more anyway.
"""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any, Final

from sqlalchemy import BigInteger, ColumnElement, Connection, Subquery, func, select, type_coerce

from engagement.offers.tables import Basket
from engagement.rewards.records import CampaignRecord
from engagement.rewards.tables import Reward, WithheldCard
from kernel.clock import microseconds
from receipts.tables import Receipt

# Below that the interval says too little of the truth (the mean of so few is not normal).
LEAST: Final = 30
_Z: Final = Decimal("1.959964")
_DAY: Final = 86_400_000_000  # microseconds, as instants are kept


@dataclass(frozen=True, slots=True)
class Group:
    """Shoppers, how many of them bought again, and what they spent: the sum and the sum of squares of each one's spend,
    in minor units."""

    shoppers: int
    back: int
    spent: int
    squared: int

    @property
    def mean(self) -> Decimal:
        return Decimal(self.spent) / self.shoppers if self.shoppers else Decimal(0)

    @property
    def share(self) -> Decimal:
        return Decimal(self.back) / self.shoppers if self.shoppers else Decimal(0)

    @property
    def variance(self) -> Decimal:
        """Of the mean, by the sample's own variance."""
        count = self.shoppers
        return (Decimal(self.squared) - Decimal(self.spent) ** 2 / count) / (count - 1) / count


@dataclass(frozen=True, slots=True)
class Difference:
    """Of what, and between what it lies in 95 of 100 cases."""

    value: Decimal
    low: Decimal
    high: Decimal


@dataclass(frozen=True, slots=True)
class Uplift:
    """``spend`` is a shopper's mean in minor units, ``back`` the share who bought again; None where a group has fewer
    than :data:`LEAST`."""

    with_cards: Group
    without: Group
    spend: Difference | None
    back: Difference | None


def uplift(conn: Connection, campaign: CampaignRecord, *, days: int, now: datetime) -> Uplift:
    """By what each shopper bought in the ``days`` after the sale that earned their first card, which have to be over.

    Only sales in the campaign's currency count, and only of shoppers who are known.
    """
    anyway = select(Reward.shopper).where(*_of(campaign, Reward))
    one = _group(conn, campaign, _firsts(campaign, Reward, Reward.issued_at), days, now)
    # Who got a card all the same, by a free entry, belongs to neither.
    held_out = _firsts(campaign, WithheldCard, WithheldCard.withheld_at, WithheldCard.shopper.not_in(anyway))
    other = _group(conn, campaign, held_out, days, now)
    return Uplift(one, other, *differences(one, other))


def differences(one: Group, other: Group) -> tuple[Difference | None, Difference | None]:
    """Of spend and of who came back (Welch's interval; Agresti and Caffo's for shares)."""
    if min(one.shoppers, other.shoppers) < LEAST:
        return None, None
    reach = _Z * (one.variance + other.variance).sqrt()
    apart = one.mean - other.mean
    return Difference(apart, apart - reach, apart + reach), _of_shares(one, other)


def _of_shares(one: Group, other: Group) -> Difference:
    """One who came back and one who did not are added to each group: that keeps the interval honest near 0 and 1."""
    shares = [Decimal(each.back + 1) / (each.shoppers + 2) for each in (one, other)]
    spread = sum(
        (share * (1 - share) / (each.shoppers + 2) for share, each in zip(shares, (one, other), strict=True)),
        Decimal(0),
    )
    reach, apart = _Z * spread.sqrt(), shares[0] - shares[1]
    return Difference(one.share - other.share, apart - reach, apart + reach)


def _of(campaign: CampaignRecord, table: Any) -> tuple[ColumnElement[bool], ...]:
    mine = table.merchant_id == campaign.merchant_id
    return mine, table.campaign_id == campaign.id, table.shopper.is_not(None)


def _firsts(campaign: CampaignRecord, table: Any, moment: Any, *where: ColumnElement[bool]) -> Subquery:
    """By shopper, when the first card was given, or held back, with a receipt."""
    first = func.min(type_coerce(moment, BigInteger)).label("first")
    query = select(table.shopper.label("shopper"), first)
    return query.where(*_of(campaign, table), table.receipt_id.is_not(None), *where).group_by(table.shopper).subquery()


def _group(conn: Connection, campaign: CampaignRecord, firsts: Subquery, days: int, now: datetime) -> Group:
    """Later sales are those of the ledger (engagement.offers), which the clock writes."""
    time = days * _DAY
    is_over = firsts.c.first + time <= microseconds(now)
    shoppers = conn.scalar(select(func.count()).select_from(firsts).where(is_over)) or 0
    at = type_coerce(Basket.at, BigInteger)
    later = (Basket.merchant_id == campaign.merchant_id, at > firsts.c.first, at <= firsts.c.first + time)
    sales = (Receipt.kind == "sale", Receipt.currency == campaign.definition.currency)
    query = select(func.sum(Receipt.total)).select_from(firsts).join(Basket, Basket.shopper == firsts.c.shopper)
    query = query.join(Receipt, Receipt.id == Basket.receipt_id).where(is_over, *later, *sales)
    spent = [int(each) for each in conn.scalars(query.group_by(firsts.c.shopper))]
    return Group(shoppers, sum(each > 0 for each in spent), sum(spent), sum(each * each for each in spent))
