"""Reading campaigns and rewards."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import orjson
from sqlalchemy import ColumnElement, Connection, and_, func, not_, or_, select

from accounts.tables import Merchant
from engagement.rewards.definition import restored, restored_prize
from engagement.rewards.records import CampaignRecord, CampaignState, Draw, PrizeRecord, RewardRecord, RewardState
from engagement.rewards.tables import OPEN_STATES, Campaign, PoolCode, Prize, PrizeSlot, Reward
from engagement.scratch import entry_digest
from infra.database import unindexed
from kernel.errors import NotFound

_CAMPAIGN = (
    Campaign.id,
    Campaign.merchant_id,
    Campaign.state,
    Campaign.starts_at,
    Campaign.ends_at,
    Campaign.seed,
    Campaign.seed_digest,
    Campaign.table_digest,
    Campaign.created_at,
    Campaign.changed_at,
    Campaign.launched_at,
    Campaign.ended_at,
)
_REWARD = (
    Reward.id,
    Reward.merchant_id,
    Reward.campaign_id,
    Reward.entry,
    Reward.origin,
    Reward.receipt_id,
    Reward.state,
    Reward.supplier_id,
    Reward.face_value,
    Reward.currency,
    Reward.bearer,
    Reward.nonce,
    Reward.position,
    Reward.code_digest,
    Reward.code_hint,
    Reward.pool_code_id,
    Reward.issued_at,
    Reward.revealed_at,
    Reward.claimed_at,
    Reward.expires_at,
    Reward.holder,
    Reward.reserved_until,
    Reward.redeemed_at,
    Reward.void_reason,
)


def campaign(conn: Connection, merchant_id: str, campaign_id: str) -> CampaignRecord:
    """Raises :class:`NotFound`."""
    return _one(_campaigns(conn, Campaign.merchant_id == merchant_id, Campaign.id == campaign_id))


def published(conn: Connection, campaign_id: str) -> CampaignRecord:
    """A campaign that was launched, for everybody: no merchant is named, since it is public from then on. Raises
    :class:`NotFound`, as for a draft."""
    return _one(_campaigns(conn, Campaign.id == campaign_id, Campaign.launched_at.is_not(None)))


def campaigns(
    conn: Connection, merchant_id: str, *, at_most: int, after: str = "", state: CampaignState | None = None
) -> list[CampaignRecord]:
    """Oldest first."""
    where = [Campaign.merchant_id == merchant_id, Campaign.id > after]
    return _campaigns(conn, *where, *([Campaign.state == state] if state else []), at_most=at_most)


def running(conn: Connection, merchant_ids: Sequence[str]) -> list[CampaignRecord]:
    """Of all these merchants: live, or paused."""
    return _campaigns(conn, Campaign.merchant_id.in_(merchant_ids), Campaign.state.in_(["live", "paused"]))


def to_supply(conn: Connection, merchant_id: str, *, at_most: int, after: str = "") -> list[tuple[str, PrizeRecord]]:
    """The prizes of other merchants' campaigns that this one is to hand out, with the campaigns' ids; oldest first."""
    theirs = (Prize.supplier_id == merchant_id, Prize.merchant_id != merchant_id, Prize.id > after)
    query = _prizes().add_columns(Prize.campaign_id).where(*theirs).order_by(Prize.id).limit(at_most)
    return [(row["campaign_id"], _prize(row)) for row in conn.execute(query).mappings()]


def of_prizes(conn: Connection, merchant_id: str, prize_ids: Sequence[str]) -> dict[str, tuple[CampaignRecord, str]]:
    """The campaigns of prizes that the merchant supplies, by their ids, with the slugs of who issues them."""
    supplied = select(Prize.campaign_id).where(Prize.supplier_id == merchant_id, Prize.id.in_(prize_ids))
    records = _campaigns(conn, Campaign.id.in_(supplied))
    slugs = select(Merchant.id, Merchant.slug).where(Merchant.id.in_({each.merchant_id for each in records}))
    by_id = {row.id: row.slug for row in conn.execute(slugs)}
    return {each.id: (each, by_id[each.merchant_id]) for each in records}


def with_dues(conn: Connection, merchant_id: str, campaign_id: str | None = None) -> list[CampaignRecord]:
    """Campaigns that were launched, of the merchant or with a prize that it supplies: those that run, or have cards
    that may still be scratched or used; or this one, whatever became of it."""
    own = select(Campaign.id).where(Campaign.merchant_id == merchant_id)
    supplied = select(Prize.campaign_id).where(Prize.supplier_id == merchant_id)
    ids = {*conn.scalars(own), *conn.scalars(supplied.distinct())}
    if campaign_id is not None:
        return _campaigns(conn, Campaign.id.in_(ids & {campaign_id}), Campaign.launched_at.is_not(None))
    # A subquery of one row is asked of each campaign by itself; EXISTS might look through the cards of all merchants.
    still = select(Reward.id).where(Reward.campaign_id == Campaign.id, Reward.state.in_(OPEN_STATES)).limit(1)
    may_be_due = or_(Campaign.state.in_(["live", "paused"]), still.scalar_subquery().is_not(None))
    return _campaigns(conn, Campaign.id.in_(ids), Campaign.launched_at.is_not(None), may_be_due)


def of_receipt(conn: Connection, merchant_id: str, receipt_id: str) -> list[RewardRecord]:
    """The cards of a receipt, oldest first."""
    return rewards(conn, unindexed(Reward.merchant_id) == merchant_id, Reward.receipt_id == receipt_id)


def reward(conn: Connection, merchant_id: str, reward_id: str) -> RewardRecord:
    """Of the merchant who issued it. Raises :class:`NotFound`."""
    found = rewards(conn, Reward.merchant_id == merchant_id, Reward.id == reward_id)
    if not found:
        raise NotFound("There is no such reward")
    return found[0]


def seen_by(merchant_id: str) -> ColumnElement[bool]:
    """The rewards that a merchant may look up: its own, and those that it hands out for others. They are found by
    something else."""
    return or_(unindexed(Reward.merchant_id) == merchant_id, unindexed(Reward.supplier_id) == merchant_id)


def listed(
    conn: Connection,
    merchant_id: str,
    *,
    at_most: int,
    after: str = "",
    campaign_id: str | None = None,
    receipt_id: str | None = None,
    state: RewardState | None = None,
) -> list[RewardRecord]:
    """Those that the merchant issued, oldest first."""
    of_few = campaign_id is not None or receipt_id is not None
    merchant = unindexed(Reward.merchant_id) if of_few else Reward.merchant_id
    where: list[ColumnElement[bool]] = [merchant == merchant_id, Reward.id > after]
    named = ((Reward.campaign_id, campaign_id), (Reward.receipt_id, receipt_id), (Reward.state, state))
    where += [column == value for column, value in named if value is not None]
    return rewards(conn, *where, at_most=at_most)


def rewards(conn: Connection, *where: ColumnElement[bool], at_most: int | None = None) -> list[RewardRecord]:
    """Oldest first. One of ``where`` names the merchant."""
    query = select(*_REWARD, Reward.gone, Reward.prize_id).where(*where).order_by(Reward.id).limit(at_most)
    rows = conn.execute(query).mappings().all()
    prizes = _prizes_by_id(conn, {row["prize_id"] for row in rows if row["prize_id"]})
    return [_reward(row, prizes) for row in rows]


def under_foil(now: datetime) -> ColumnElement[bool]:
    """Cards that can still be scratched: nobody may be told what is in them."""
    return and_(Reward.state == "issued", Reward.expires_at > now)


def draws(
    conn: Connection, merchant_id: str, campaign_id: str, *, now: datetime, at_most: int, after: str = ""
) -> list[Draw]:
    """In the order in which they were drawn, from behind the id ``after`` on, without those under their foil."""
    where = (Reward.id > after, not_(under_foil(now)))
    return _draws(conn, merchant_id, campaign_id, *where, now=now, at_most=at_most)


def draw(conn: Connection, merchant_id: str, campaign_id: str, reward_id: str, *, now: datetime) -> Draw | None:
    """Of one card; None where it is not the campaign's."""
    return next(iter(_draws(conn, merchant_id, campaign_id, Reward.id == reward_id, now=now, at_most=1)), None)


def count_draws(conn: Connection, merchant_id: str, campaign_id: str, *, now: datetime) -> tuple[int, int]:
    """How many :func:`draws` tells, and how many cards are under their foil."""
    mine = (unindexed(Reward.merchant_id) == merchant_id, Reward.campaign_id == campaign_id)
    counted = select(func.count().filter(not_(under_foil(now))), func.count().filter(under_foil(now)))
    told, hidden = conn.execute(counted.select_from(Reward).where(*mine)).one()
    return told, hidden


def left_out(conn: Connection, merchant_id: str, campaign_id: str) -> list[int]:
    """Places of a deck that nobody has, before the last that somebody has. The next sale takes the first of them, so
    there are some only until then, or for good once the campaign has ended."""
    mine = (PrizeSlot.merchant_id == merchant_id, PrizeSlot.campaign_id == campaign_id)
    dealt = (*mine, PrizeSlot.reward_id.is_not(None))
    last = select(PrizeSlot.position).where(*dealt).order_by(PrizeSlot.position.desc()).limit(1).scalar_subquery()
    free = select(PrizeSlot.position).where(*mine, PrizeSlot.reward_id.is_(None), PrizeSlot.position < last)
    return list(conn.scalars(free.order_by(PrizeSlot.position)))


def _draws(
    conn: Connection,
    merchant_id: str,
    campaign_id: str,
    *where: ColumnElement[bool],
    now: datetime,
    at_most: int,
) -> list[Draw]:
    of_campaign = (unindexed(Reward.merchant_id) == merchant_id, Reward.campaign_id == campaign_id, *where)
    columns = (Reward.id, Reward.entry, Reward.nonce, Reward.gone, Reward.position, Reward.void_reason)
    told = (Prize.position.label("outcome"), under_foil(now).label("is_hidden"))
    query = select(*columns, *told).outerjoin(Prize, Prize.id == Reward.prize_id).where(*of_campaign)
    blank = conn.scalar(select(func.count()).select_from(Prize).where(Prize.campaign_id == campaign_id)) or 0
    return [
        Draw(
            row.id,
            entry_digest(row.entry),
            row.nonce,
            tuple(orjson.loads(row.gone)),
            row.position,
            blank if row.outcome is None else row.outcome,
            row.void_reason,
            bool(row.is_hidden),
        )
        for row in conn.execute(query.order_by(Reward.id).limit(at_most))
    ]


def prizes_of(conn: Connection, campaign_ids: Sequence[str]) -> dict[str, list[PrizeRecord]]:
    """By campaign, in the order of their tables."""
    query = _prizes().add_columns(Prize.campaign_id).where(Prize.campaign_id.in_(campaign_ids))
    found: dict[str, list[PrizeRecord]] = {}
    for row in conn.execute(query.order_by(Prize.campaign_id, Prize.position)).mappings():
        found.setdefault(row["campaign_id"], []).append(_prize(row))
    return found


def _campaigns(conn: Connection, *where: ColumnElement[bool], at_most: int | None = None) -> list[CampaignRecord]:
    query = select(*_CAMPAIGN, Campaign.definition, Campaign.published).where(*where)
    rows = conn.execute(query.order_by(Campaign.id).limit(at_most)).mappings().all()
    prizes = prizes_of(conn, [row["id"] for row in rows]) if rows else {}
    return [_campaign(row, prizes.get(row["id"], [])) for row in rows]


def _campaign(row: Any, prizes: Sequence[PrizeRecord]) -> CampaignRecord:
    return CampaignRecord(
        definition=restored(row["definition"]),
        prizes=tuple(prizes),
        published=orjson.loads(row["published"]) if row["published"] else None,
        **{column.key: row[column.key] for column in _CAMPAIGN},
    )


def _prizes() -> Any:
    codes = select(func.count()).select_from(PoolCode).where(PoolCode.prize_id == Prize.id).scalar_subquery()
    columns = (
        Prize.id,
        Prize.slug,
        Prize.position,
        Prize.supplier_id,
        Merchant.slug.label("supplier"),
        Merchant.name.label("supplier_name"),
        Prize.definition,
        Prize.face_value,
        Prize.currency,
        Prize.bearer,
        Prize.stock,
        Prize.weight,
        Prize.consented_at,
        Prize.importing_since,
    )
    return select(*columns, codes.label("codes")).join(Merchant, Merchant.id == Prize.supplier_id)


def _prizes_by_id(conn: Connection, ids: set[str]) -> dict[str, PrizeRecord]:
    if not ids:
        return {}
    return {row["id"]: _prize(row) for row in conn.execute(_prizes().where(Prize.id.in_(ids))).mappings()}


def _prize(row: Any) -> PrizeRecord:
    values = {name: row[name] for name in PrizeRecord.__slots__ if name != "definition"}
    return PrizeRecord(definition=restored_prize(row["definition"], row["currency"]), **values)


def _reward(row: Any, prizes: dict[str, PrizeRecord]) -> RewardRecord:
    values = {column.key: row[column.key] for column in _REWARD}
    prize = prizes[row["prize_id"]] if row["prize_id"] else None
    return RewardRecord(prize=prize, gone=tuple(orjson.loads(row["gone"])), **values)


def _one(found: Sequence[CampaignRecord]) -> CampaignRecord:
    if not found:
        raise NotFound("There is no such campaign")
    return found[0]
