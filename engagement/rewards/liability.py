"""What cards may still cost: how many there are in each state, and what they are worth at most."""

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Final, Literal

from sqlalchemy import ColumnElement, Connection, and_, case, false, func, not_, or_, select

from accounts.tables import Merchant
from engagement.rewards import find
from engagement.rewards.tables import Campaign, Prize, Redemption, Reward
from infra.database import unindexed
from kernel.ids import least_id

Status = Literal["unscratched", "open", "redeemed", "expired", "void"]
STATUSES: Final[tuple[Status, ...]] = ("unscratched", "open", "redeemed", "expired", "void")
# Among so many cards nobody can tell one.
_CROWD: Final = 20
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
    """Of all prizes that the merchant gives or hands out for others. Blanks are worth nothing and left out, and so are
    cards under their foil that :func:`_in_a_crowd` does not tell."""
    found: dict[PrizeKey, Liability] = {}
    issuer, supplier = Merchant.__table__.alias("issuer"), Merchant.__table__.alias("supplier")
    status = _status(now).label("status")
    columns = (issuer.c.slug, supplier.c.slug, Reward.campaign_id, Prize.slug, Reward.bearer, Reward.currency)
    counted = (func.count(), func.sum(Reward.face_value))
    query = select(*columns, status, *counted).select_from(Reward).join(Prize, Prize.id == Reward.prize_id)
    query = query.join(issuer, issuer.c.id == Reward.merchant_id).join(supplier, supplier.c.id == Reward.supplier_id)
    tellable = or_(not_(find.under_foil(now)), *_in_a_crowd(conn, merchant_id, campaign_id, now))
    query = query.where(_seen_by(merchant_id, campaign_id), tellable)
    for *named, state, cards, worth in conn.execute(query.group_by(*columns, status).order_by(*columns)):
        each = found.setdefault(PrizeKey(*named), Liability())
        each.cards[state], each.face_value[state] = cards, int(worth)
    for key, taken_off in _taken_off(conn, merchant_id, campaign_id).items():
        found.setdefault(key, Liability()).taken_off = taken_off
    return found


def _seen_by(merchant_id: str, campaign_id: str | None) -> ColumnElement[bool]:
    """Found by the campaign where one is named, else by the merchant."""
    if campaign_id is not None:
        return and_(find.seen_by(merchant_id), Reward.campaign_id == campaign_id)
    return or_(Reward.merchant_id == merchant_id, Reward.supplier_id == merchant_id)


def left_out(conn: Connection, merchant_id: str, *, now: datetime, campaign_id: str | None = None) -> int:
    """How many of the merchant's cards, blanks too, are under their foil and not in :func:`liability`."""
    told = or_(false(), *_in_a_crowd(conn, merchant_id, campaign_id, now))
    mine: ColumnElement[bool] = Reward.merchant_id == merchant_id
    if campaign_id is not None:
        mine = and_(unindexed(Reward.merchant_id) == merchant_id, Reward.campaign_id == campaign_id)
    return conn.scalar(select(func.count()).select_from(Reward).where(mine, find.under_foil(now), not_(told))) or 0


def _in_a_crowd(
    conn: Connection, merchant_id: str, campaign_id: str | None, now: datetime
) -> list[ColumnElement[bool]]:
    """Which cards under their foil can be counted by prize without telling what one of them holds: of each campaign
    those up to yesterday, by the score, while there is a score of them. Who looks before a sale and after it sees
    nothing."""
    supplied = select(Prize.campaign_id).where(Prize.supplier_id == merchant_id)
    ours = or_(Campaign.merchant_id == merchant_id, Campaign.id.in_(supplied))
    query = select(Campaign.merchant_id, Campaign.id).where(ours, Campaign.launched_at.is_not(None))
    rows = conn.execute(query.where(Campaign.id == campaign_id) if campaign_id else query).all()
    found = (_crowd(conn, issuer, each, now) for issuer, each in rows)
    return [each for each in found if each is not None]


def _crowd(conn: Connection, issuer_id: str, campaign_id: str, now: datetime) -> ColumnElement[bool] | None:
    midnight = now.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    of_campaign = (unindexed(Reward.merchant_id) == issuer_id, Reward.campaign_id == campaign_id)
    older = (*of_campaign, Reward.id < least_id("rwd", midnight))
    whole = (conn.scalar(select(func.count()).select_from(Reward).where(*older)) or 0) // _CROWD * _CROWD
    if not whole:
        return None
    last = conn.scalar(select(Reward.id).where(*older).order_by(Reward.id).offset(whole - 1).limit(1))
    hidden = select(func.count()).select_from(Reward).where(*of_campaign, Reward.id <= last, find.under_foil(now))
    is_crowd = (conn.scalar(hidden) or 0) >= _CROWD
    return and_(Reward.campaign_id == campaign_id, Reward.id <= last) if is_crowd else None


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
    query = query.where(Redemption.rolled_back_at.is_(None))
    if campaign_id is None:
        query = query.where(or_(Redemption.merchant_id == merchant_id, Redemption.issuer_id == merchant_id))
    else:
        ours = or_(unindexed(Redemption.merchant_id) == merchant_id, unindexed(Redemption.issuer_id) == merchant_id)
        # Told by their ids: how many uses a prize has is what a database knows of these, and guesses of a join.
        prizes = conn.scalars(select(Prize.id).where(Prize.campaign_id == campaign_id)).all()
        query = query.where(ours, Redemption.prize_id.in_(prizes))
    return {PrizeKey(*key): int(amount) for *key, amount in conn.execute(query.group_by(*columns))}
