"""What hangs on receipts goes with them. Counts stay: they tell of nobody."""

from collections.abc import Collection

from sqlalchemy import Connection, delete, update

from engagement.offers.tables import Basket, OfferSale, OfferTouch
from infra.database import unindexed


def forget_receipts(conn: Connection, merchant_id: str, receipt_ids: Collection[str]) -> None:
    for table in (OfferTouch, OfferSale, Basket):
        mine = (unindexed(table.merchant_id) == merchant_id, table.receipt_id.in_(receipt_ids))
        conn.execute(delete(table).where(*mine))


def forget_shopper(conn: Connection, merchant_id: str, receipt_id: str) -> None:
    """What was bought stays, and nobody knows by whom; what they looked at goes."""
    mine = (Basket.merchant_id == merchant_id, Basket.receipt_id == receipt_id)
    conn.execute(update(Basket).where(*mine).values(shopper=None))
    of_receipt = (OfferTouch.merchant_id == merchant_id, OfferTouch.receipt_id == receipt_id)
    conn.execute(delete(OfferTouch).where(*of_receipt))
