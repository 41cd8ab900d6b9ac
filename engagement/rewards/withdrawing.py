"""What goes back on a receipt takes with it what the receipt earned."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import Connection, select, update

from engagement import events
from engagement.rewards import flagging
from engagement.rewards.spend import net_spend
from engagement.rewards.tables import Reward
from receipts.document import read_content
from receipts.sale import Kind
from receipts.tables import Receipt

# A reservation is no use: the till that holds it finds the reward void.
_UNUSED = ("issued", "revealed", "claimed", "reserved")


def after_amendments(conn: Connection, merchant_id: str, receipt_ids: Sequence[str], *, now: datetime) -> None:
    """Void what is no longer earned after these refunds, voids and exchanges, which are new; flag it where it was used
    already. In their own transaction."""
    mine = (Receipt.merchant_id == merchant_id, Receipt.id.in_(receipt_ids), Receipt.original_id.is_not(None))
    originals = select(Receipt.original_id).where(*mine)
    given = select(Reward.id, Reward.receipt_id, Reward.spend, Reward.needs, Reward.state).where(
        Reward.merchant_id == merchant_id, Reward.receipt_id.in_(originals), Reward.state.not_in(["expired", "void"])
    )
    rows = conn.execute(given.order_by(Reward.id)).all()
    for receipt_id in sorted({row.receipt_id for row in rows}):
        left = _Left(conn, merchant_id, receipt_id)
        for row in rows:
            if row.receipt_id == receipt_id and not left.earns(row.spend, row.needs):
                _withdraw(conn, merchant_id, row.id, receipt_id, reason=left.reason, now=now)


class _Left:
    """What is left of a receipt after all that came back on it."""

    def __init__(self, conn: Connection, merchant_id: str, receipt_id: str) -> None:
        later = (Receipt.merchant_id == merchant_id, Receipt.original_id == receipt_id)
        self._back, self.reason = 0, "refunded"
        for row in conn.execute(select(Receipt.kind, Receipt.currency, Receipt.content).where(*later)):
            if row.kind == "void":
                self.reason = "voided"
            else:
                self._back += _going_back(row.kind, row.content, row.currency)

    def earns(self, spend: int, needs: int) -> bool:
        """Whether a card that took ``needs`` of the ``spend`` is still earned. Who gave all back bought nothing."""
        left = spend - self._back
        return self.reason != "voided" and left >= needs and (left > 0 or self._back <= 0)


def _going_back(kind: Kind, content: str, currency: str) -> int:
    """In an exchange new goods stand against those that come back, so only the difference counts."""
    told = read_content(content, currency)
    return -(told.total - told.tip - told.rounding) if kind == "exchange" else net_spend(told)


def _withdraw(
    conn: Connection, merchant_id: str, reward_id: str, receipt_id: str, *, reason: str, now: datetime
) -> None:
    """One conditional UPDATE decides between this and a till that redeems it just now."""
    mine = (Reward.merchant_id == merchant_id, Reward.id == reward_id)
    voided = update(Reward).where(*mine, Reward.state.in_(_UNUSED))
    values = {"state": "void", "void_reason": reason, "holder": None, "reserved_until": None}
    if conn.execute(voided.values(values)).rowcount == 1:
        data = {"reward": reward_id, "reason": reason}
        events.tell(conn, merchant_id, "reward.voided", data, now=now, receipt_id=receipt_id)
    elif conn.scalar(select(Reward.state).where(*mine)) == "redeemed":
        about = flagging.About("refunded_after_use", reward_id, reward_id=reward_id, data={"reason": reason})
        flagging.flag(conn, merchant_id, about, now=now)
