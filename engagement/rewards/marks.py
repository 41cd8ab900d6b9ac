"""What is left of a shopper when their receipt is purged: as long as a campaign runs, a mark by which their cards count
towards its caps. It is another in each campaign, and goes when that has ended."""

from collections.abc import Collection
from hashlib import sha256
from typing import Final

from sqlalchemy import Connection, bindparam, exists, select, update

from engagement.rewards.tables import Campaign, Reward
from infra.database import unindexed

_LENGTH: Final = 32  # hex digits: 128 bits
_TOGETHER: Final = 500


def mark_of(campaign_id: str, shopper: str) -> str:
    """Of a pseudonym, which is 128 bits of an HMAC: it cannot be told from the mark."""
    return sha256(f"{campaign_id}\n{shopper}".encode()).hexdigest()[:_LENGTH]


def keep(conn: Connection, merchant_id: str, receipt_ids: Collection[str]) -> None:
    """Of the shoppers of these receipts, before they are forgotten."""
    mine = (unindexed(Reward.merchant_id) == merchant_id, Reward.receipt_id.in_(receipt_ids))
    query = select(Reward.id, Reward.campaign_id, Reward.shopper).join(Campaign, Campaign.id == Reward.campaign_id)
    rows = conn.execute(query.where(*mine, Reward.shopper.is_not(None), Campaign.state != "ended")).all()
    marks = [{"of": row.id, "to": mark_of(row.campaign_id, row.shopper)} for row in rows]
    if marks:
        of_one = (Reward.merchant_id == merchant_id, Reward.id == bindparam("of"))
        conn.execute(update(Reward).where(*of_one).values(mark=bindparam("to")), marks)


def of_ended(conn: Connection) -> list[tuple[str, str]]:
    """Merchant and campaign, where marks are left of one that has ended. Of all merchants: the clock asks."""
    left = exists().where(Reward.campaign_id == Campaign.id, Reward.mark.is_not(None))
    rows = conn.execute(select(Campaign.merchant_id, Campaign.id).where(Campaign.state == "ended", left))
    return [(row.merchant_id, row.id) for row in rows]


def forget_some(conn: Connection, merchant_id: str, campaign_id: str) -> bool:
    """Of a campaign that has ended; whether there may be more."""
    mine = (unindexed(Reward.merchant_id) == merchant_id, Reward.campaign_id == campaign_id, Reward.mark.is_not(None))
    some = select(Reward.id).where(*mine).limit(_TOGETHER)
    return conn.execute(update(Reward).where(Reward.id.in_(some)).values(mark=None)).rowcount == _TOGETHER
