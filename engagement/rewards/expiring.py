"""What is over is called so. Nothing waits for this: who scratches or redeems looks at the time too."""

from collections.abc import Iterator
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Connection, or_, select, update

from engagement import events
from engagement.rewards.tables import OPEN, Reward

_TOGETHER: Final = 200


def expire(conn: Connection, *, now: datetime) -> list[str]:
    """Some of those whose time is over, the oldest first: their ids. Of all merchants, since the clock asks. Who issued
    a prize hears of it, and who supplies it."""
    over = select(Reward.id).where(
        OPEN,
        Reward.expires_at <= now,
        or_(Reward.state != "reserved", Reward.reserved_until <= now),
    )
    # One that somebody is just redeeming is not waited for.
    some = over.order_by(Reward.expires_at).limit(_TOGETHER).with_for_update(skip_locked=True)
    columns = (
        Reward.id,
        Reward.merchant_id,
        Reward.campaign_id,
        Reward.prize_id,
        Reward.supplier_id,
        Reward.receipt_id,
    )
    expired = update(Reward).where(Reward.id.in_(some)).values(state="expired", holder=None, reserved_until=None)
    rows = sorted(conn.execute(expired.returning(*columns)), key=lambda row: row.id)
    events.tell_all(conn, [event for row in rows if row.prize_id is not None for event in _told(row, now)])
    return [row.id for row in rows]


def _told(row: Any, now: datetime) -> Iterator[dict[str, Any]]:
    data = {"reward": row.id, "campaign": row.campaign_id}
    yield events.row(row.merchant_id, "reward.expired", data, now=now, receipt_id=row.receipt_id)
    if row.supplier_id != row.merchant_id:
        yield events.row(row.supplier_id, "reward.expired", data | {"prize": row.prize_id}, now=now)
