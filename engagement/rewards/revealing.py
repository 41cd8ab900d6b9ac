"""A shopper scratches a card, and takes its code along."""

from datetime import datetime, timedelta
from typing import Any, ClassVar

from sqlalchemy import Connection, update

from engagement import events
from engagement.rewards import find
from engagement.rewards.definition import instant
from engagement.rewards.records import CampaignRecord, RewardRecord
from engagement.rewards.tables import Reward
from kernel.errors import Conflict, FieldError, Invalid


class RewardOver(Conflict):
    slug: ClassVar[str] = "reward-over"
    title: ClassVar[str] = "This can no longer be scratched or used"


def reveal(conn: Connection, merchant_id: str, reward_id: str, *, now: datetime, of_age: bool = False) -> RewardRecord:
    """The card as it is once it is scratched; scratched again, it is what it is.

    Raises :class:`NotFound`, :class:`Invalid` at ``/of_age`` where the campaign asks for an age that was not declared,
    and :class:`RewardOver`.
    """
    reward = find.reward(conn, merchant_id, reward_id)
    if reward.revealed_at is not None:
        return reward
    campaign = find.campaign(conn, merchant_id, reward.campaign_id)
    if campaign.definition.minimum_age is not None and not of_age:
        raise Invalid(errors=[FieldError("/of_age", f"must be true: this is for who is {_age(campaign)} or older")])
    lives = (Reward.merchant_id == merchant_id, Reward.id == reward_id, Reward.state == "issued")
    change = {"state": "revealed", "revealed_at": now, "expires_at": _ends(campaign, reward, now)}
    if conn.execute(update(Reward).where(*lives, Reward.expires_at > now).values(change)).rowcount != 1:
        return _scratched_meanwhile(find.reward(conn, merchant_id, reward_id))
    _tell(conn, reward, "reward.revealed", now)
    return find.reward(conn, merchant_id, reward_id)


def claim(conn: Connection, merchant_id: str, reward_id: str, *, now: datetime) -> RewardRecord:
    """The shopper takes the code along: into a wallet, or copied. Twice is the same as once.

    Raises :class:`NotFound`, and :class:`RewardOver` where there is nothing to take, or not any more.
    """
    mine = (Reward.merchant_id == merchant_id, Reward.id == reward_id)
    open_ = (Reward.state == "revealed", Reward.prize_id.is_not(None), Reward.expires_at > now)
    if conn.execute(update(Reward).where(*mine, *open_).values(state="claimed", claimed_at=now)).rowcount == 1:
        reward = find.reward(conn, merchant_id, reward_id)
        _tell(conn, reward, "reward.claimed", now)
        return reward
    reward = find.reward(conn, merchant_id, reward_id)
    if reward.claimed_at is None or reward.is_over(now):
        raise RewardOver("There is no code to take along, or it is over")
    return reward


def _scratched_meanwhile(reward: RewardRecord) -> RewardRecord:
    if reward.revealed_at is None:
        raise RewardOver("The time for scratching it is over, or it was taken back")
    return reward


def _ends(campaign: CampaignRecord, reward: RewardRecord, now: datetime) -> datetime:
    """A blank is worth nothing anyway, but is shown for as long as it could have been scratched."""
    if reward.prize is None:
        return reward.expires_at
    told = reward.prize.definition
    if told.valid_until is not None:
        return instant(told.valid_until, campaign.definition.timezone, is_end=True)
    return now + timedelta(days=told.valid_days or campaign.definition.scratch_days)


def _age(campaign: CampaignRecord) -> int:
    return campaign.definition.minimum_age or 0


def _tell(conn: Connection, reward: RewardRecord, kind: str, now: datetime) -> None:
    prize_id = reward.prize.id if reward.prize else None
    data: dict[str, Any] = {"reward": reward.id, "campaign": reward.campaign_id, "prize": prize_id}
    events.tell(conn, reward.merchant_id, kind, data, now=now, receipt_id=reward.receipt_id)
