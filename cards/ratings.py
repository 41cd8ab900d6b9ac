"""How shoppers rate who served them: one answer for a receipt, and the last one holds."""

from datetime import datetime

from sqlalchemy import Connection, delete, select

from cards.tables import ServiceRating
from infra.database import upsert

SCORES = range(1, 6)


def rate(conn: Connection, merchant_id: str, card_id: str, receipt_id: str, score: int, *, now: datetime) -> None:
    """``score`` is from 1, bad, to 5, good. Of several who answer at once, the last to write holds."""
    values = {"card_id": card_id, "score": score, "rated_at": now}
    row = upsert(conn, ServiceRating).values(values | {"receipt_id": receipt_id, "merchant_id": merchant_id})
    mine = ServiceRating.merchant_id == merchant_id
    conn.execute(row.on_conflict_do_update(index_elements=["receipt_id"], set_=values, where=mine))


def take_back(conn: Connection, merchant_id: str, receipt_id: str) -> None:
    """What was given for it counts no more."""
    conn.execute(
        delete(ServiceRating).where(ServiceRating.merchant_id == merchant_id, ServiceRating.receipt_id == receipt_id)
    )


def of_receipt(conn: Connection, merchant_id: str, receipt_id: str) -> int | None:
    """The score that was given for it."""
    mine = (ServiceRating.merchant_id == merchant_id, ServiceRating.receipt_id == receipt_id)
    return conn.scalar(select(ServiceRating.score).where(*mine))
