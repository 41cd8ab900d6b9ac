"""What surveys know of people goes with their receipts; that somebody was asked, and the score, still count."""

from collections.abc import Collection
from typing import Any, Final

from sqlalchemy import ColumnElement, Connection, delete, select, update

from engagement.surveys.tables import SurveyAnswer, SurveyAsk
from infra.database import unindexed
from notify.tables import Message

# What somebody said, but for the score.
_SAID: Final[dict[str, Any]] = dict.fromkeys(("text", "contact", "consent", "consent_version")) | {"wants_call": False}


def forget_receipts(conn: Connection, merchant_id: str, receipt_ids: Collection[str]) -> None:
    """They are purged: the score stays with its store, till, member of staff and products, and tells of nobody."""
    asks = (unindexed(SurveyAsk.merchant_id) == merchant_id, SurveyAsk.receipt_id.in_(receipt_ids))
    _forget_reminders(conn, merchant_id, asks)
    conn.execute(update(SurveyAsk).where(*asks).values(receipt_id=None, shopper=None))
    answers = (unindexed(SurveyAnswer.merchant_id) == merchant_id, SurveyAnswer.receipt_id.in_(receipt_ids))
    conn.execute(update(SurveyAnswer).where(*answers).values(_SAID | {"receipt_id": None}))


def forget_shopper(conn: Connection, merchant_id: str, receipt_id: str) -> None:
    """The receipt stays, and the score with it; the words, the contact and the pseudonym go."""
    asks = (unindexed(SurveyAsk.merchant_id) == merchant_id, SurveyAsk.receipt_id == receipt_id)
    _forget_reminders(conn, merchant_id, asks)
    conn.execute(update(SurveyAsk).where(*asks).values(shopper=None))
    answers = (unindexed(SurveyAnswer.merchant_id) == merchant_id, SurveyAnswer.receipt_id == receipt_id)
    conn.execute(update(SurveyAnswer).where(*answers).values(_SAID))


def _forget_reminders(conn: Connection, merchant_id: str, asks: tuple[ColumnElement[bool], ...]) -> None:
    """They hold addresses."""
    ids = list(conn.scalars(select(SurveyAsk.id).where(*asks, SurveyAsk.reminded_at.is_not(None))))
    if ids:
        conn.execute(delete(Message).where(Message.merchant_id == merchant_id, Message.subject_id.in_(ids)))
