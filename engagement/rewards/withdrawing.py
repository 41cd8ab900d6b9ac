"""What goes back on a receipt takes with it what the receipt earned."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import Connection, select, update

from engagement import events
from engagement.rewards import find, flagging
from engagement.rewards.spend import net_spend
from engagement.rewards.tables import Reward
from infra.database import unindexed
from kernel.errors import Conflict
from receipts.document import read_content
from receipts.sale import Kind
from receipts.tables import Receipt

# A reservation is no use: the till that holds it finds the reward void.
_UNUSED = ("issued", "revealed", "claimed", "reserved")


def after_amendments(conn: Connection, merchant_id: str, receipt_ids: Sequence[str], *, now: datetime) -> None:
    """Void what is no longer earned after these refunds, voids and exchanges, which are new; flag it where it was used
    already. In their own transaction."""
    mine = (
        unindexed(Receipt.merchant_id) == merchant_id,
        Receipt.id.in_(receipt_ids),
        Receipt.original_id.is_not(None),
    )
    originals = {original for original in conn.scalars(select(Receipt.original_id).where(*mine)) if original}
    for original_id in sorted(originals):
        look_again(conn, merchant_id, original_id, now=now)


def look_again(conn: Connection, merchant_id: str, receipt_id: str, *, now: datetime) -> None:
    """Void what the receipt earned and no longer does."""
    given = select(Reward.id, Reward.spend, Reward.needs).where(
        unindexed(Reward.merchant_id) == merchant_id,
        Reward.receipt_id == receipt_id,
        Reward.state.not_in(["expired", "void"]),
    )
    rows = conn.execute(given.order_by(Reward.id)).all()
    left = _Left(conn, merchant_id, receipt_id) if rows else None
    for row in rows:
        if left is not None and not left.earns(row.spend, row.needs):
            _withdraw(conn, merchant_id, row.id, receipt_id, reason=left.reason, now=now)


def withdraw(conn: Connection, merchant_id: str, reward_id: str, *, now: datetime) -> None:
    """The issuer takes a card back; twice is the same as once. Raises :class:`NotFound`, and :class:`Conflict` where it
    was used."""
    reward = find.reward(conn, merchant_id, reward_id)
    if reward.state != "void" and not _voided(conn, merchant_id, reward_id, reward.receipt_id, "withdrawn", now):
        raise Conflict("It was used, or has expired")


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
    if _voided(conn, merchant_id, reward_id, receipt_id, reason, now):
        return
    mine = (Reward.merchant_id == merchant_id, Reward.id == reward_id)
    if conn.scalar(select(Reward.state).where(*mine)) == "redeemed":
        about = flagging.About("refunded_after_use", reward_id, reward_id=reward_id, data={"reason": reason})
        flagging.flag(conn, merchant_id, about, now=now)


def _voided(
    conn: Connection, merchant_id: str, reward_id: str, receipt_id: str | None, reason: str, now: datetime
) -> bool:
    """One conditional UPDATE decides between this and a till that redeems it just now."""
    unused = (Reward.merchant_id == merchant_id, Reward.id == reward_id, Reward.state.in_(_UNUSED))
    values = {"state": "void", "void_reason": reason, "holder": None, "reserved_until": None}
    if conn.execute(update(Reward).where(*unused).values(values)).rowcount != 1:
        return False
    data = {"reward": reward_id, "reason": reason}
    events.tell(conn, merchant_id, "reward.voided", data, now=now, receipt_id=receipt_id)
    return True
