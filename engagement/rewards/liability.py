"""What cards may still cost: how many there are in each state, and what they are worth at most."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final, Literal

from sqlalchemy import Connection, and_, case, func, or_, select

from accounts.tables import Merchant
from engagement.rewards import find
from engagement.rewards.tables import Campaign, Prize, Redemption, Reward

Status = Literal["unscratched", "open", "redeemed", "expired", "void"]
STATUSES: Final[tuple[Status, ...]] = ("unscratched", "open", "redeemed", "expired", "void")
# What may still be asked for.
_DUE: Final[tuple[Status, ...]] = ("unscratched", "open")


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
    """Of one prize: how many cards, and their face value in minor units, by status. ``taken_off`` is what redemptions
    took off in truth, which may be less."""

    cards: dict[str, int] = field(default_factory=lambda: dict.fromkeys(STATUSES, 0))
    face_value: dict[str, int] = field(default_factory=lambda: dict.fromkeys(STATUSES, 0))
    taken_off: int = 0

    @property
    def issued(self) -> int:
        return sum(self.cards.values())

    @property
    def due(self) -> int:
        """What is to be reckoned with, at most."""
        return sum(self.face_value[each] for each in _DUE)


def liability(
    conn: Connection, merchant_id: str, *, now: datetime, campaign_id: str | None = None
) -> dict[PrizeKey, Liability]:
    """Of all prizes that the merchant gives or hands out for others. Blanks are worth nothing and left out."""
    found: dict[PrizeKey, Liability] = {}
    issuer, supplier = Merchant.__table__.alias("issuer"), Merchant.__table__.alias("supplier")
    status = _status(now).label("status")
    columns = (issuer.c.slug, supplier.c.slug, Reward.campaign_id, Prize.slug, Reward.bearer, Reward.currency)
    counted = (func.count(), func.sum(Reward.face_value))
    query = select(*columns, status, *counted).select_from(Reward).join(Prize, Prize.id == Reward.prize_id)
    query = query.join(issuer, issuer.c.id == Reward.merchant_id).join(supplier, supplier.c.id == Reward.supplier_id)
    query = query.where(find.seen_by(merchant_id), *([Reward.campaign_id == campaign_id] if campaign_id else []))
    for *named, state, cards, worth in conn.execute(query.group_by(*columns, status).order_by(*columns)):
        each = found.setdefault(PrizeKey(*named), Liability())
        each.cards[state], each.face_value[state] = cards, int(worth)
    for key, taken_off in _taken_off(conn, merchant_id, campaign_id).items():
        found.setdefault(key, Liability()).taken_off = taken_off
    return found


def _status(now: datetime) -> Any:
    """What the clock has not noted yet is over all the same."""
    is_over = or_(Reward.state == "expired", and_(Reward.state != "redeemed", Reward.expires_at <= now))
    return case(
        (Reward.state == "void", "void"),
        (is_over, "expired"),
        (Reward.state == "redeemed", "redeemed"),
        (Reward.revealed_at.is_(None), "unscratched"),
        else_="open",
    )


def _taken_off(conn: Connection, merchant_id: str, campaign_id: str | None) -> dict[PrizeKey, int]:
    issuer, supplier = Merchant.__table__.alias("issuer"), Merchant.__table__.alias("supplier")
    columns = (
        issuer.c.slug,
        supplier.c.slug,
        Redemption.campaign_id,
        Prize.slug,
        Redemption.bearer,
        Redemption.currency,
    )
    query = select(*columns, func.sum(Redemption.amount)).select_from(Redemption)
    query = query.join(Prize, Prize.id == Redemption.prize_id).join(issuer, issuer.c.id == Redemption.issuer_id)
    query = query.join(supplier, supplier.c.id == Redemption.merchant_id)
    ours = or_(Redemption.merchant_id == merchant_id, Redemption.issuer_id == merchant_id)
    query = query.where(ours, Redemption.rolled_back_at.is_(None))
    if campaign_id is not None:
        query = query.join(Campaign, Campaign.id == Redemption.campaign_id).where(Campaign.id == campaign_id)
    return {PrizeKey(*key): int(amount) for *key, amount in conn.execute(query.group_by(*columns))}
