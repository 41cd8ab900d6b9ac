"""What hangs on receipts and shoppers, of all that comes after a sale, and goes with them."""

from collections.abc import Collection

from sqlalchemy import Connection, delete

from cards import forgetting as of_cards
from engagement.offers import forgetting as of_offers
from engagement.rewards import forgetting as of_rewards
from engagement.surveys import forgetting as of_surveys
from engagement.tables import Event
from engagement.voice import forgetting as of_voice


def forget_receipts(conn: Connection, merchant_id: str, receipt_ids: Collection[str]) -> None:
    """In the transaction in which receipts are purged, before they go."""
    of_cards.forget_receipts(conn, merchant_id, receipt_ids)
    of_voice.forget_receipts(conn, merchant_id, receipt_ids)
    of_surveys.forget_receipts(conn, merchant_id, receipt_ids)
    of_offers.forget_receipts(conn, merchant_id, receipt_ids)
    of_rewards.forget_receipts(conn, merchant_id, receipt_ids)
    _forget_events(conn, merchant_id, receipt_ids)


def forget_shopper(conn: Connection, merchant_id: str, receipt_id: str) -> None:
    """The receipt stays; what the shopper said and did with it goes."""
    of_cards.forget_shopper(conn, merchant_id, receipt_id)
    of_voice.forget_shopper(conn, merchant_id, receipt_id)
    of_surveys.forget_shopper(conn, merchant_id, receipt_id)
    of_offers.forget_shopper(conn, merchant_id, receipt_id)
    of_rewards.forget_shopper(conn, merchant_id, receipt_id)
    _forget_events(conn, merchant_id, [receipt_id])


def _forget_events(conn: Connection, merchant_id: str, receipt_ids: Collection[str]) -> None:
    conn.execute(delete(Event).where(Event.merchant_id == merchant_id, Event.receipt_id.in_(receipt_ids)))
