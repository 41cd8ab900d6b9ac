"""Whether a campaign has prizes left."""

from datetime import UTC, datetime

from sqlalchemy import ColumnElement, Connection, exists, select

from engagement.rewards.records import CampaignRecord
from engagement.rewards.tables import CampaignTally, PrizeSlot, Reward
from infra.database import unindexed
from kernel.ids import least_id


def is_gone(conn: Connection, campaign: CampaignRecord, *, now: datetime) -> bool:
    """Whether all prizes were given, or the budget has no room for any, and that before today (UTC): told at once, it
    would say what is under the foil of the last card."""
    if _has_free(conn, campaign) and not _is_spent(conn, campaign):
        # So it is almost always, and found at once.
        return False
    midnight = now.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    mine = (unindexed(Reward.merchant_id) == campaign.merchant_id, Reward.campaign_id == campaign.id)
    won_today = (*mine, Reward.id >= least_id("rwd", midnight), Reward.prize_id.is_not(None))
    return not conn.scalar(select(exists().where(*won_today)))


def _has_free(conn: Connection, campaign: CampaignRecord) -> bool:
    return any(conn.scalar(select(exists().where(*_free(campaign, prize.id)))) for prize in campaign.prizes)


def _free(campaign: CampaignRecord, prize_id: str) -> tuple[ColumnElement[bool], ...]:
    of_prize = (PrizeSlot.campaign_id == campaign.id, PrizeSlot.prize_id == prize_id)
    return PrizeSlot.merchant_id == campaign.merchant_id, *of_prize, PrizeSlot.reward_id.is_(None)


def _is_spent(conn: Connection, campaign: CampaignRecord) -> bool:
    """The row for no day counts the whole campaign; there is one only where the budget may be broken."""
    mine = (CampaignTally.merchant_id == campaign.merchant_id, CampaignTally.campaign_id == campaign.id)
    tally = conn.execute(
        select(CampaignTally.prizes, CampaignTally.amount).where(*mine, CampaignTally.day == "")
    ).one_or_none()
    if tally is None:
        return False
    budget, cheapest = campaign.definition.budget, min(each.face_value for each in campaign.prizes)
    is_full = budget.prizes is not None and tally.prizes >= budget.prizes
    return is_full or (budget.amount is not None and tally.amount + cheapest > budget.amount)
