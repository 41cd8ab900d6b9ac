"""What cards may still cost: how many there are in each state, and what they are worth at most.

What is under a foil is never read for it: of these cards only their number is, and what they are to be reckoned with is
told by the odds (:mod:`engagement.rewards.expected`).
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from fractions import Fraction
from typing import Any, Final, Literal

from sqlalchemy import Connection, case, func, not_, or_, select

from accounts.tables import Merchant
from engagement.rewards import find
from engagement.rewards.expected import expected
from engagement.rewards.records import CampaignRecord, PrizeRecord
from engagement.rewards.tables import Redemption, Reward
from infra.database import unindexed

Status = Literal["open", "redeemed", "expired", "void"]
# Of cards that are no longer under their foil.
STATUSES: Final[tuple[Status, ...]] = ("open", "redeemed", "expired", "void")
# By campaign, prize (None: a blank) and status.
_Counts = dict[tuple[str, str | None, str], int]


@dataclass(frozen=True, slots=True)
class PrizeKey:
    """A prize of a campaign, with its two merchants: these and the prize by their slugs."""

    issuer: str
    supplier: str
    campaign_id: str
    prize: str
    bearer: str
    currency: str


@dataclass(slots=True)
class Liability:
    """Of one prize: how many cards, and their face value in minor units, by status; and of those under their foil how
    many are to be ``expected``, which is no whole number, and what these are worth. ``taken_off`` is what redemptions
    took off in truth, which may be less."""

    expected: Fraction = field(default_factory=Fraction)
    expected_value: int = 0
    cards: dict[str, int] = field(default_factory=lambda: dict.fromkeys(STATUSES, 0))
    face_value: dict[str, int] = field(default_factory=lambda: dict.fromkeys(STATUSES, 0))
    taken_off: int = 0

    @property
    def due(self) -> int:
        """What is to be reckoned with."""
        return self.expected_value + self.face_value["open"]

    def add(self, other: "Liability") -> None:
        self.expected += other.expected
        self.expected_value += other.expected_value
        self.taken_off += other.taken_off
        for status in STATUSES:
            self.cards[status] += other.cards[status]
            self.face_value[status] += other.face_value[status]


@dataclass(frozen=True, slots=True)
class Liabilities:
    """``unscratched`` is how many of the merchant's own cards are under their foil, blanks too."""

    prizes: dict[PrizeKey, Liability]
    unscratched: int


def liabilities(conn: Connection, merchant_id: str, *, now: datetime, campaign_id: str | None = None) -> Liabilities:
    """Of all prizes that the merchant gives or hands out for others in campaigns of which something may still be due,
    or in this one. Blanks are worth nothing and left out."""
    campaigns = find.with_dues(conn, merchant_id, campaign_id)
    counts, hidden = _counts(conn, campaigns, now), _hidden(conn, campaigns, now)
    seen = [(each, prize) for each in campaigns for prize in each.prizes if _may_see(merchant_id, each, prize)]
    taken_off = _taken_off(conn, merchant_id, [prize.id for _, prize in seen])
    slugs = _slugs(conn, campaigns)
    means = {each.id: _expected(each, counts, hidden.get(each.id, 0)) for each in campaigns}
    found: dict[PrizeKey, Liability] = {}
    for campaign, prize in seen:
        key = _key(slugs[campaign.merchant_id], campaign, prize)
        found[key] = _liability(campaign, prize, counts, means[campaign.id][prize.id], taken_off.get(prize.id, 0))
    ours = (hidden.get(each.id, 0) for each in campaigns if each.merchant_id == merchant_id)
    return Liabilities(found, sum(ours))


def _may_see(merchant_id: str, campaign: CampaignRecord, prize: PrizeRecord) -> bool:
    return merchant_id in (campaign.merchant_id, prize.supplier_id)


def _key(issuer: str, campaign: CampaignRecord, prize: PrizeRecord) -> PrizeKey:
    return PrizeKey(issuer, prize.supplier, campaign.id, prize.slug, prize.bearer, prize.currency)


def _liability(
    campaign: CampaignRecord, prize: PrizeRecord, counts: _Counts, mean: Fraction, taken_off: int
) -> Liability:
    cards: dict[str, int] = {each: counts.get((campaign.id, prize.id, each), 0) for each in STATUSES}
    worth = {each: count * prize.face_value for each, count in cards.items()}
    return Liability(mean, round(mean * prize.face_value), cards, worth, taken_off)


def _expected(campaign: CampaignRecord, counts: _Counts, hidden: int) -> dict[str, Fraction]:
    """By prize."""
    ids = [*(prize.id for prize in campaign.prizes), None]
    told = [sum(counts.get((campaign.id, each, status), 0) for status in STATUSES) for each in ids]
    return dict(zip((prize.id for prize in campaign.prizes), expected(campaign, told, hidden), strict=True))


def _counts(conn: Connection, campaigns: Sequence[CampaignRecord], now: datetime) -> _Counts:
    """Of all cards of these campaigns but those under their foil."""
    columns = (Reward.campaign_id, Reward.prize_id, _status(now).label("status"))
    query = select(*columns, func.count()).where(*_of(campaigns), not_(find.under_foil(now))).group_by(*columns)
    return {(campaign, prize, status): count for campaign, prize, status, count in conn.execute(query)}


def _hidden(conn: Connection, campaigns: Sequence[CampaignRecord], now: datetime) -> dict[str, int]:
    """By campaign. What they hold is not asked."""
    query = select(Reward.campaign_id, func.count().label("cards")).where(*_of(campaigns), find.under_foil(now))
    return {row.campaign_id: row.cards for row in conn.execute(query.group_by(Reward.campaign_id))}


def _of(campaigns: Sequence[CampaignRecord]) -> tuple[Any, ...]:
    """All cards of them: how many a merchant may know what of is told once they are counted."""
    issuers = {each.merchant_id for each in campaigns}
    return unindexed(Reward.merchant_id).in_(issuers), Reward.campaign_id.in_([each.id for each in campaigns])


def _status(now: datetime) -> Any:
    """What the clock has not noted yet is over all the same."""
    is_over = or_(Reward.state == "expired", Reward.expires_at <= now)
    return case(
        (Reward.state == "void", "void"),
        (Reward.state == "redeemed", "redeemed"),
        (is_over, "expired"),
        else_="open",
    )


def _taken_off(conn: Connection, merchant_id: str, prize_ids: Sequence[str]) -> dict[str, int]:
    """By prize."""
    ours = or_(unindexed(Redemption.merchant_id) == merchant_id, unindexed(Redemption.issuer_id) == merchant_id)
    query = select(Redemption.prize_id, func.sum(Redemption.amount)).where(ours, Redemption.prize_id.in_(prize_ids))
    query = query.where(Redemption.rolled_back_at.is_(None)).group_by(Redemption.prize_id)
    return {prize: int(amount) for prize, amount in conn.execute(query)}


def _slugs(conn: Connection, campaigns: Sequence[CampaignRecord]) -> dict[str, str]:
    """Of who issues them, by their ids."""
    query = select(Merchant.id, Merchant.slug).where(Merchant.id.in_({each.merchant_id for each in campaigns}))
    return {row.id: row.slug for row in conn.execute(query)}
