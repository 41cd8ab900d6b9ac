"""What goes back on a receipt takes with it what the receipt earned."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, select, update

from engagement import events
from engagement.rewards import find, flagging
from engagement.rewards.definition import restored
from engagement.rewards.left import Left
from engagement.rewards.rules import Facts, still_holds
from engagement.rewards.tables import OPEN_STATES, Campaign, Reward
from infra.database import unindexed
from kernel.errors import Conflict
from receipts.tables import Receipt


def after_amendments(conn: Connection, merchant_id: str, receipt_ids: Sequence[str], *, now: datetime) -> list[str]:
    """Void what is no longer earned after these refunds, voids and exchanges, which are new; flag it where it was used
    already. In their own transaction. The ids of what is void now."""
    mine = (
        unindexed(Receipt.merchant_id) == merchant_id,
        Receipt.id.in_(receipt_ids),
        Receipt.original_id.is_not(None),
    )
    originals = {original for original in conn.scalars(select(Receipt.original_id).where(*mine)) if original}
    sales = sorted({_first(conn, merchant_id, each) for each in originals})
    return [void for sale_id in sales for void in look_again(conn, merchant_id, sale_id, now=now)]


def look_again(conn: Connection, merchant_id: str, receipt_id: str, *, now: datetime) -> list[str]:
    """Void what the receipt earned and no longer does. Who uses such a card meanwhile, or takes its use back, waits or
    is waited for: each then sees what the other did. The ids of what is void now."""
    columns = (Reward.id, Reward.spend, Reward.needs, Reward.truths, Reward.issued_at)
    given = select(*columns, Campaign.definition, Receipt.currency.label("spent_in")).where(
        unindexed(Reward.merchant_id) == merchant_id,
        Reward.receipt_id == receipt_id,
        Reward.state.not_in(["expired", "void"]),
    )
    given = given.join(Campaign, Campaign.id == Reward.campaign_id).join(Receipt, Receipt.id == Reward.receipt_id)
    rows = conn.execute(given.order_by(Reward.id).with_for_update(of=Reward)).all()
    left = Left(conn, merchant_id, receipt_id) if rows else None
    gone = [row.id for row in rows if left is not None and not _earns(left, row)]
    reason = left.reason if left is not None else ""
    return [each for each in gone if _withdraw(conn, merchant_id, each, receipt_id, reason=reason, now=now)]


def lock(conn: Connection, merchant_id: str, receipt_id: str) -> None:
    """All cards of the receipt, in the order of :func:`look_again`: who changes one of them and then looks again would
    else wait for a refund that waits for that one."""
    mine = (unindexed(Reward.merchant_id) == merchant_id, Reward.receipt_id == receipt_id)
    conn.execute(select(Reward.id).where(*mine).order_by(Reward.id).with_for_update())


def _first(conn: Connection, merchant_id: str, receipt_id: str) -> str:
    """The sale at the beginning, where what goes back was itself taken in an exchange."""
    mine = (Receipt.merchant_id == merchant_id, Receipt.id == receipt_id, Receipt.kind == "exchange")
    before = conn.scalar(select(Receipt.original_id).where(*mine))
    return receipt_id if before is None else _first(conn, merchant_id, before)


def withdraw(conn: Connection, merchant_id: str, reward_id: str, *, now: datetime) -> None:
    """The issuer takes a card back; twice is the same as once. Raises :class:`NotFound`, and :class:`Conflict` where it
    was used."""
    reward = find.reward(conn, merchant_id, reward_id)
    if reward.state != "void" and not _voided(conn, merchant_id, reward_id, reward.receipt_id, "withdrawn", now):
        raise Conflict("It was used, or has expired")


def _earns(left: Left, row: Any) -> bool:
    """Whether a card is still earned. Who gave all back bought nothing."""
    spend = row.spend - left.back
    if left.reason == "voided" or spend < row.needs or (spend <= 0 and left.back > 0):
        return False
    return row.truths is None or _holds_of_goods(left, row, spend)


def _holds_of_goods(left: Left, row: Any, spend: int) -> bool:
    eligibility, lines = restored(row.definition).eligibility, left.lines()
    skus = frozenset(line.sku for line in lines if line.sku)
    categories = frozenset(line.category for line in lines if line.category)
    facts = Facts(spend, row.spent_in, "", "", row.issued_at, skus, categories)
    return eligibility is None or still_holds(eligibility.rule, row.truths, facts)


def _withdraw(
    conn: Connection, merchant_id: str, reward_id: str, receipt_id: str, *, reason: str, now: datetime
) -> bool:
    if _voided(conn, merchant_id, reward_id, receipt_id, reason, now):
        return True
    mine = (Reward.merchant_id == merchant_id, Reward.id == reward_id)
    if conn.scalar(select(Reward.state).where(*mine)) == "redeemed":
        about = flagging.About("refunded_after_use", reward_id, reward_id=reward_id, data={"reason": reason})
        flagging.flag(conn, merchant_id, about, now=now)
    return False


def _voided(
    conn: Connection, merchant_id: str, reward_id: str, receipt_id: str | None, reason: str, now: datetime
) -> bool:
    """One conditional UPDATE decides between this and a till that redeems it just now. A reservation is no use: the
    till that holds it finds the card void. Who supplies the prize hears of it too."""
    unused = (Reward.merchant_id == merchant_id, Reward.id == reward_id, Reward.state.in_(OPEN_STATES))
    values = {"state": "void", "void_reason": reason, "holder": None, "reserved_until": None}
    columns = (Reward.campaign_id, Reward.prize_id, Reward.supplier_id)
    row = conn.execute(update(Reward).where(*unused).values(values).returning(*columns)).one_or_none()
    if row is None:
        return False
    data = {"reward": reward_id, "reason": reason}
    events.tell(conn, merchant_id, "reward.voided", data, now=now, receipt_id=receipt_id)
    if row.supplier_id not in (None, merchant_id):
        # Without the reason: what the shopper did with what they bought is the issuer's affair.
        data = {"reward": reward_id, "campaign": row.campaign_id, "prize": row.prize_id}
        events.tell(conn, row.supplier_id, "reward.voided", data, now=now)
    return True
