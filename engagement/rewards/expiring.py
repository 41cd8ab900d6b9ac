"""What is over is called so. Nothing waits for this: who scratches or redeems looks at the time too."""

from datetime import datetime
from typing import Final

from sqlalchemy import Connection, or_, select, update

from engagement import events
from engagement.rewards.tables import OPEN, Reward

_TOGETHER: Final = 200


def expire(conn: Connection, *, now: datetime) -> int:
    """Some of those whose time is over, the oldest first; how many. Of all merchants: the clock asks."""
    over = select(Reward.id).where(
        OPEN,
        Reward.expires_at <= now,
        or_(Reward.state != "reserved", Reward.reserved_until <= now),
    )
    # One that somebody is just redeeming is not waited for.
    some = over.order_by(Reward.expires_at).limit(_TOGETHER).with_for_update(skip_locked=True)
    columns = (Reward.id, Reward.merchant_id, Reward.campaign_id, Reward.prize_id, Reward.receipt_id)
    expired = update(Reward).where(Reward.id.in_(some)).values(state="expired", holder=None, reserved_until=None)
    rows = sorted(conn.execute(expired.returning(*columns)))
    for row in rows:
        if row.prize_id is not None:
            data = {"reward": row.id, "campaign": row.campaign_id}
            events.tell(conn, row.merchant_id, "reward.expired", data, now=now, receipt_id=row.receipt_id)
    return len(rows)
