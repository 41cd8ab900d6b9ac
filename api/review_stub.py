"""The row of a receipt that leads to where what was bought is reviewed."""

from typing import Literal

from sqlalchemy import Connection

from api.contexts import Stub
from api.contexts_after_sale import ReviewsRow
from engagement.voice import bought, reviews, settings
from engagement.voice.settings import ReviewSettings
from receipts.records import ReceiptRecord

# It asks for reviews, or leads to what was written; None is no row.
Row = Literal["asks", "tells"] | None


def found(conn: Connection, record: ReceiptRecord) -> Row:
    if bought.products(record):
        return "asks" if settings.of(conn, record.merchant_id, ReviewSettings).is_on else None
    # Of a sale that was voided: what was written of it can still be taken back.
    is_there = bought.named(record) and reviews.is_any_of(conn, record.merchant_id, record.id)
    return "tells" if is_there else None


def stub(record: ReceiptRecord, row: Row, language: str) -> Stub:
    return Stub(
        "reviews", "stubs/reviews.html", ReviewsRow(f"/r/{record.token}/reviews?lang={language}", row == "asks")
    )
