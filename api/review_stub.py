"""The row of a receipt that leads to where what was bought is reviewed."""

from sqlalchemy import Connection

from api.contexts import Stub
from api.contexts_after_sale import ReviewsRow
from engagement.voice import bought, settings
from engagement.voice.settings import ReviewSettings
from receipts.records import ReceiptRecord


def is_asked(conn: Connection, record: ReceiptRecord) -> bool:
    """Whether the merchant wants reviews, and there is something to review."""
    return bool(bought.products(record)) and settings.of(conn, record.merchant_id, ReviewSettings).is_on


def stub(record: ReceiptRecord, language: str) -> Stub:
    return Stub("reviews", "stubs/reviews.html", ReviewsRow(f"/r/{record.token}/reviews?lang={language}"))
