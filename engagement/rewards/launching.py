"""A campaign begins, pauses, and ends.

At the launch the seed is drawn and sealed, its digest and the table of prizes are published, and every piece of stock
becomes a slot. At the end the seed is told, and everybody can do the sums again. Where the key that sealed it is lost,
it ends without.
"""

from datetime import datetime, timedelta
from typing import Any, ClassVar, Literal

import orjson
from cryptography.fernet import Fernet
from sqlalchemy import ColumnElement, Connection, Engine, insert, select, update

from accounts.tables import Brand, Store
from engagement import alliances, events, scratch
from engagement.rewards import find, first, hands, locks, managing
from engagement.rewards.checking import Known, lacks, stock_of
from engagement.rewards.definition import Definition, published
from engagement.rewards.keys import RewardKeys
from engagement.rewards.live import asks_for_first_purchase
from engagement.rewards.records import CampaignRecord, PrizeRecord
from engagement.rewards.slots import Layout
from engagement.rewards.tables import Campaign, Prize, PrizeSlot
from infra import secrets
from infra.database import reading
from infra.jobs import Jobs
from kernel import jcs
from kernel.clock import Clock
from kernel.errors import Conflict, Invalid


class CampaignNotReady(Invalid):
    slug: ClassVar[str] = "campaign-not-ready"
    title: ClassVar[str] = "The campaign cannot be launched yet"


def launch(conn: Connection, merchant_id: str, campaign_id: str, *, sealer: Fernet, now: datetime) -> None:
    """With few slots, and not for first purchases, since it does not look who has bought before: in one transaction,
    which on SQLite keeps all others from writing. Raises :class:`CampaignNotReady` with all that lacks,
    :class:`NotFound` and :class:`engagement.rewards.managing.CampaignStarted`."""
    managing.lock_draft(conn, merchant_id, campaign_id)
    campaign = find.campaign(conn, merchant_id, campaign_id)
    require_ready(conn, merchant_id, campaign, now=now)
    layout = Layout.of(conn, campaign)
    for rows in layout.slices(hands.SLICE):
        conn.execute(insert(PrizeSlot), rows)
    _begin(conn, layout, sealer, now)


def launch_in_slices(
    engine: Engine, keys: RewardKeys, jobs: Jobs, merchant_id: str, campaign_id: str, *, clock: Clock
) -> None:
    """With however many slots, in transactions of its own between which others write. It is a draft until the last of
    them, which then finds all slots there. Raises as :func:`launch`, and :class:`Conflict` where somebody changes or
    launches it meanwhile."""
    with reading(engine) as conn:
        require_ready(conn, merchant_id, find.campaign(conn, merchant_id, campaign_id), now=clock())
    hand = hands.take(engine, merchant_id, campaign_id)
    with reading(engine) as conn:
        # While the draft is in hand nobody changes it, or the next slice is refused.
        layout = Layout.of(conn, find.campaign(conn, merchant_id, campaign_id))
    for rows in layout.slices(hands.SLICE):
        with hand.slice() as conn:
            conn.execute(insert(PrizeSlot), rows)
    asks = asks_for_first_purchase(layout.campaign.definition)
    since = first.look_back(engine, keys, merchant_id, clock=clock) if asks else None
    with hand.slice() as conn:
        now = clock()
        # Who ends an alliance with one who hands out a prize comes before, or finds it launched.
        locks.alone(conn, campaign_id)
        require_ready(conn, merchant_id, layout.campaign, now=now)
        if since is not None:
            first.catch_up(conn, keys, merchant_id, since=since)
            first.ask_again(conn, jobs, merchant_id, campaign_id, since=since, now=now)
        hand.let_go(conn)
        _begin(conn, layout, keys.sealer, now)


def _begin(conn: Connection, layout: Layout, sealer: Fernet, now: datetime) -> None:
    """All slots are there: from now on it gives cards."""
    campaign, seed = layout.campaign, layout.seed
    table = published(campaign.id, campaign.definition, [_row_of(each) for each in campaign.prizes])
    for prize in campaign.prizes:
        mine = (Prize.merchant_id == campaign.merchant_id) & (Prize.id == prize.id)
        conn.execute(update(Prize).where(mine).values(stock=stock_of(prize)))
    values = {
        "state": "live",
        "launched_at": now,
        "changed_at": now,
        "sealed_seed": secrets.seal(sealer, seed.hex()),
        "seed_digest": scratch.seed_digest(seed),
        "table_digest": scratch.table_digest(table),
        "published": jcs.canonicalise(table).decode(),
    }
    conn.execute(update(Campaign).where(*_mine(campaign.merchant_id, campaign.id)).values(values))
    _tell(conn, campaign.merchant_id, campaign.id, "campaign.launched", now)


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
    if state == "ended":
        end(conn, merchant_id, campaign_id, sealer=sealer, now=now)
        return
    locks.alone(conn, campaign_id)
    running = (*_mine(merchant_id, campaign_id), Campaign.state.in_(["live", "paused"]))
    if conn.execute(update(Campaign).where(*running).values(state=state, changed_at=now)).rowcount != 1:
        raise Conflict("It has ended, for good")


def end(conn: Connection, merchant_id: str, campaign_id: str, *, sealer: Fernet, now: datetime) -> bool:
    """For good; twice is the same as once. The seed is told from now on, unless it was sealed with another key: then it
    stays sealed, and is told by whoever ends the campaign again with that key. Whether nothing is left to tell."""
    locks.alone(conn, campaign_id)
    mine = (*_mine(merchant_id, campaign_id), Campaign.sealed_seed.is_not(None))
    row = conn.execute(select(Campaign.state, Campaign.sealed_seed).where(*mine)).one_or_none()
    if row is None:
        return True
    can_tell, was_ended = secrets.opens(sealer, row.sealed_seed), row.state == "ended"
    values: dict[str, Any] = {} if was_ended else {"state": "ended", "ended_at": now}
    if can_tell:
        values |= {"seed": secrets.unseal(sealer, row.sealed_seed), "sealed_seed": None}
    if values:
        conn.execute(update(Campaign).where(*mine).values(values | {"changed_at": now}))
    if not was_ended:
        _tell(conn, merchant_id, campaign_id, "campaign.ended", now)
    return can_tell


def due_to_end(conn: Connection, *, now: datetime) -> list[tuple[str, str]]:
    """Merchant and campaign of those that take no sale any more, not even one that is told late. Of all merchants: the
    clock asks."""
    running = (Campaign.state.in_(["live", "paused"]), Campaign.ends_at <= now)
    rows = conn.execute(
        select(Campaign.merchant_id, Campaign.id, Campaign.ends_at, Campaign.definition).where(*running)
    )
    return [(row.merchant_id, row.id) for row in rows if row.ends_at + _late(row.definition) <= now]


def _late(definition: str) -> timedelta:
    """Read by itself: a definition that is no longer one, as when a time zone is dropped, keeps none from its end."""
    default = Definition.model_fields["late_days"].default
    return timedelta(days=orjson.loads(definition).get("late_days", default))


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


def _tell(conn: Connection, merchant_id: str, campaign_id: str, kind: str, now: datetime) -> None:
    events.tell(conn, merchant_id, kind, {"campaign": campaign_id}, now=now)
