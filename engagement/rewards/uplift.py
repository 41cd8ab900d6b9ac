"""Whether cards bring shoppers back: those who got one against those who earned one and were held out.

Both earned it in the same way and chance alone parted them, so what differs between them is the card's doing. Without a
holdout nothing is said: who gets a card buys more anyway.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, Final

from sqlalchemy import Connection, func, select

from engagement.offers.tables import Basket
from engagement.rewards.records import CampaignRecord
from engagement.rewards.tables import Reward, WithheldCard
from receipts.tables import Receipt

# Below that the interval says too little of the truth (the mean of so few is not normal).
LEAST: Final = 30
_Z: Final = Decimal("1.959964")


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
    with_cards = _firsts(conn, campaign, Reward, Reward.issued_at)
    without = _firsts(conn, campaign, WithheldCard, WithheldCard.withheld_at)
    # Who got a card anyway, by a free entry, belongs to neither.
    anyway = _with_any_card(conn, campaign)
    without = {shopper: first for shopper, first in without.items() if shopper not in anyway}
    time = timedelta(days=days)
    one, other = _group(conn, campaign, with_cards, time, now), _group(conn, campaign, without, time, now)
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


def _firsts(conn: Connection, campaign: CampaignRecord, table: Any, moment: Any) -> dict[str, datetime]:
    """By shopper, when the first card was given, or held back, with a receipt."""
    mine = (table.merchant_id == campaign.merchant_id, table.campaign_id == campaign.id, table.shopper.is_not(None))
    query = select(table.shopper, func.min(moment)).where(*mine, table.receipt_id.is_not(None)).group_by(table.shopper)
    return {row[0]: row[1] for row in conn.execute(query)}


def _with_any_card(conn: Connection, campaign: CampaignRecord) -> set[str | None]:
    mine = (Reward.merchant_id == campaign.merchant_id, Reward.campaign_id == campaign.id)
    return set(conn.scalars(select(Reward.shopper).distinct().where(*mine, Reward.shopper.is_not(None))))


def _group(
    conn: Connection, campaign: CampaignRecord, firsts: Mapping[str, datetime], time: timedelta, now: datetime
) -> Group:
    known = {shopper: first for shopper, first in firsts.items() if first + time <= now}
    spent = dict.fromkeys(known, 0)
    if known:
        for shopper, at, total in _sales(conn, campaign, min(known.values())):
            if shopper in known and known[shopper] < at <= known[shopper] + time:
                spent[shopper] += total
    amounts = spent.values()
    return Group(len(spent), sum(each > 0 for each in amounts), sum(amounts), sum(each * each for each in amounts))


def _sales(conn: Connection, campaign: CampaignRecord, since: datetime) -> Any:
    """Later sales of known shoppers: those of the ledger (engagement.offers), which the clock writes."""
    later = (Basket.merchant_id == campaign.merchant_id, Basket.shopper.is_not(None), Basket.at > since)
    sales = (Receipt.kind == "sale", Receipt.currency == campaign.definition.currency)
    query = select(Basket.shopper, Basket.at, Receipt.total).join(Receipt, Receipt.id == Basket.receipt_id)
    return conn.execute(query.where(*later, *sales).execution_options(yield_per=5_000))
