"""What of campaigns hangs on receipts and shoppers, and goes with them.

A card stays when its receipt goes: what it is worth was promised, and what was redeemed is owed between merchants. It
loses all that leads to a person.
"""

from collections.abc import Collection

from sqlalchemy import Connection, delete, select, update

from engagement.rewards import holdout, marks
from engagement.rewards.tables import Reward, RewardFlag, SeenShopper
from infra.database import unindexed


def forget_receipts(conn: Connection, merchant_id: str, receipt_ids: Collection[str]) -> None:
    """In the transaction in which receipts are purged, before they go. What shoppers have had of campaigns that run
    still counts for their caps, or who waits for the purge could begin anew."""
    marks.keep(conn, merchant_id, receipt_ids)
    _forget_shoppers(conn, merchant_id, receipt_ids)
    mine = (unindexed(Reward.merchant_id) == merchant_id, Reward.receipt_id.in_(receipt_ids))
    conn.execute(update(Reward).where(*mine).values(receipt_id=None))


def forget_shopper(conn: Connection, merchant_id: str, receipt_id: str) -> None:
    """The card stays on the receipt, for whoever has its link."""
    _forget_shoppers(conn, merchant_id, [receipt_id])


def _forget_shoppers(conn: Connection, merchant_id: str, receipt_ids: Collection[str]) -> None:
    holdout.forget_receipts(conn, merchant_id, receipt_ids)
    mine = (unindexed(Reward.merchant_id) == merchant_id, Reward.receipt_id.in_(receipt_ids))
    # It is about a shopper, and names the card that was one too many, or their own.
    of_shopper = RewardFlag.kind.in_(["many_cards", "self_award"])
    about = (unindexed(RewardFlag.merchant_id) == merchant_id, of_shopper)
    conn.execute(delete(RewardFlag).where(*about, RewardFlag.reward_id.in_(select(Reward.id).where(*mine))))
    conn.execute(update(Reward).where(*mine, Reward.shopper.is_not(None)).values(shopper=None))
    seen = (unindexed(SeenShopper.merchant_id) == merchant_id, SeenShopper.receipt_id.in_(receipt_ids))
    conn.execute(delete(SeenShopper).where(*seen))
