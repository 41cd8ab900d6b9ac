"""A campaign begins, pauses, and ends.

At the launch the seed is drawn and sealed, its digest and the table of prizes are published, and every piece of stock
becomes a slot. At the end the seed is told, and everybody can do the sums again.
"""

from collections.abc import Iterator
from datetime import datetime, timedelta
from itertools import islice
from typing import Any, ClassVar, Final, Literal

from cryptography.fernet import Fernet
from sqlalchemy import ColumnElement, Connection, insert, select, update

from accounts.tables import Brand, Store
from engagement import alliances, events, scratch
from engagement.rewards import find, locks, managing
from engagement.rewards.checking import Known, lacks, stock_of
from engagement.rewards.definition import Definition, published
from engagement.rewards.records import CampaignRecord, PrizeRecord
from engagement.rewards.tables import Campaign, PoolCode, Prize, PrizeSlot
from infra import secrets
from kernel import jcs
from kernel.errors import Conflict, Invalid

_TOGETHER: Final = 5_000


class CampaignNotReady(Invalid):
    slug: ClassVar[str] = "campaign-not-ready"
    title: ClassVar[str] = "The campaign cannot be launched yet"


def launch(conn: Connection, merchant_id: str, campaign_id: str, *, sealer: Fernet, now: datetime) -> None:
    """Raises :class:`CampaignNotReady` with all that lacks, :class:`NotFound` and
    :class:`engagement.rewards.managing.CampaignStarted`."""
    managing.lock_draft(conn, merchant_id, campaign_id)
    campaign = find.campaign(conn, merchant_id, campaign_id)
    require_ready(conn, merchant_id, campaign, now=now)
    seed = scratch.new_seed()
    table = published(campaign_id, campaign.definition, [_row_of(each) for each in campaign.prizes])
    for prize in campaign.prizes:
        mine = (Prize.merchant_id == merchant_id) & (Prize.id == prize.id)
        conn.execute(update(Prize).where(mine).values(stock=stock_of(prize)))
    slots = _slots(conn, campaign, seed)
    while rows := list(islice(slots, _TOGETHER)):
        conn.execute(insert(PrizeSlot), rows)
    values = {
        "state": "live",
        "launched_at": now,
        "changed_at": now,
        "sealed_seed": secrets.seal(sealer, seed.hex()),
        "seed_digest": scratch.seed_digest(seed),
        "table_digest": scratch.table_digest(table),
        "published": jcs.canonicalise(table).decode(),
    }
    conn.execute(update(Campaign).where(*_mine(merchant_id, campaign_id)).values(values))
    _tell(conn, merchant_id, campaign_id, "campaign.launched", now)


def require_ready(conn: Connection, merchant_id: str, draft: CampaignRecord, *, now: datetime) -> None:
    """Raises :class:`CampaignNotReady` with all that lacks."""
    wrong = lacks(draft, _known(conn, merchant_id), now=now)
    if wrong:
        raise CampaignNotReady(errors=wrong)


def set_state(
    conn: Connection,
    merchant_id: str,
    campaign_id: str,
    state: Literal["live", "paused", "ended"],
    *,
    sealer: Fernet,
    now: datetime,
) -> None:
    """Of a campaign that was launched. While it is changed no card of it is given. Raises :class:`NotFound`, and
    :class:`Conflict` for a draft and for one that has ended."""
    campaign = find.campaign(conn, merchant_id, campaign_id)
    if campaign.state == "draft":
        raise Conflict("Launch it first")
    locks.alone(conn, campaign_id)
    if state == "ended":
        end(conn, merchant_id, campaign_id, sealer=sealer, now=now)
        return
    running = (*_mine(merchant_id, campaign_id), Campaign.state.in_(["live", "paused"]))
    if conn.execute(update(Campaign).where(*running).values(state=state, changed_at=now)).rowcount != 1:
        raise Conflict("It has ended, for good")


def end(conn: Connection, merchant_id: str, campaign_id: str, *, sealer: Fernet, now: datetime) -> None:
    """For good; twice is the same as once. The seed is told from now on."""
    locks.alone(conn, campaign_id)
    running = (*_mine(merchant_id, campaign_id), Campaign.state.in_(["live", "paused"]))
    sealed = conn.scalar(select(Campaign.sealed_seed).where(*running))
    if sealed is None:
        return
    values = {"state": "ended", "ended_at": now, "changed_at": now, "sealed_seed": None}
    values["seed"] = secrets.unseal(sealer, sealed)
    if conn.execute(update(Campaign).where(*running).values(values)).rowcount == 1:
        _tell(conn, merchant_id, campaign_id, "campaign.ended", now)


def due_to_end(conn: Connection, *, now: datetime) -> list[tuple[str, str]]:
    """Merchant and campaign of those that take no sale any more, not even one that is told late. Of all merchants: the
    clock asks."""
    running = (Campaign.state.in_(["live", "paused"]), Campaign.ends_at <= now)
    rows = conn.execute(
        select(Campaign.merchant_id, Campaign.id, Campaign.ends_at, Campaign.definition).where(*running)
    )
    return [(row.merchant_id, row.id) for row in rows if row.ends_at + _late(row.definition) <= now]


def _late(definition: str) -> timedelta:
    return timedelta(days=Definition.model_validate_json(definition).late_days)


def _mine(merchant_id: str, campaign_id: str) -> tuple[ColumnElement[bool], ...]:
    return Campaign.merchant_id == merchant_id, Campaign.id == campaign_id


def _known(conn: Connection, merchant_id: str) -> Known:
    return Known(
        stores=set(conn.scalars(select(Store.slug).where(Store.merchant_id == merchant_id))),
        brands=set(conn.scalars(select(Brand.slug).where(Brand.merchant_id == merchant_id))),
        allies=set(alliances.allies(conn, merchant_id).values()),
    )


def _row_of(prize: PrizeRecord) -> dict[str, Any]:
    return {
        "slug": prize.slug,
        "name": dict(prize.definition.name),
        "kind": prize.definition.kind,
        "face_value": prize.face_value,
        "currency": prize.currency,
        "supplier": prize.supplier,
        "stock": stock_of(prize),
        "weight": prize.weight,
    }


def _slots(conn: Connection, campaign: CampaignRecord, seed: bytes) -> Iterator[dict[str, Any]]:
    """In a deck in the order in which the seed shuffles it, blanks included; else prize by prize."""
    codes = {each.id: iter(_codes(conn, campaign.merchant_id, each)) for each in campaign.prizes}
    for position, index in enumerate(_order(campaign, seed)):
        prize = campaign.prizes[index] if index < len(campaign.prizes) else None
        yield {
            "campaign_id": campaign.id,
            "position": position,
            "merchant_id": campaign.merchant_id,
            "prize_id": prize.id if prize else None,
            "pool_code_id": next(codes[prize.id], None) if prize else None,
            "reward_id": None,
        }


def _order(campaign: CampaignRecord, seed: bytes) -> list[int]:
    counts = [stock_of(each) for each in campaign.prizes]
    if campaign.definition.mode == "deck":
        return scratch.shuffled(seed, campaign=campaign.id, counts=[*counts, campaign.definition.nothing])
    return [index for index, count in enumerate(counts) for _ in range(count)]


def _codes(conn: Connection, merchant_id: str, prize: PrizeRecord) -> list[str]:
    if prize.definition.codes != "pool":
        return []
    mine = (PoolCode.merchant_id == merchant_id) & (PoolCode.prize_id == prize.id)
    return list(conn.scalars(select(PoolCode.id).where(mine).order_by(PoolCode.id)))


def _tell(conn: Connection, merchant_id: str, campaign_id: str, kind: str, now: datetime) -> None:
    events.tell(conn, merchant_id, kind, {"campaign": campaign_id}, now=now)
