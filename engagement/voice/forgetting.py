"""What is done about answers goes with their receipts and shoppers, but for what tells of nobody."""

from collections.abc import Collection

from sqlalchemy import ColumnElement, Connection, case, delete, func, select, update

from engagement.surveys.tables import SurveyAnswer
from engagement.voice import letters, referrals
from engagement.voice.tables import AnswerTag, Case, CaseChange, Referral, ReferralUse, Review
from infra.database import unindexed
from notify.tables import Message
from receipts.tables import ReturnedSum


def forget_receipts(conn: Connection, merchant_id: str, receipt_ids: Collection[str]) -> None:
    """They are purged. That there was a case, a code or a sale of one still counts; approved reviews stay, without the
    name that their shopper gave and what their receipt called the product."""
    held = (unindexed(Case.merchant_id) == merchant_id, Case.receipt_id.in_(receipt_ids))
    _forget_history(conn, merchant_id, held)
    conn.execute(update(Case).where(*held).values(receipt_id=None, note=None))
    of_codes = (unindexed(Referral.merchant_id) == merchant_id, Referral.receipt_id.in_(receipt_ids))
    conn.execute(update(Referral).where(*of_codes).values(receipt_id=None, shopper=None))
    used = (unindexed(ReferralUse.merchant_id) == merchant_id, ReferralUse.receipt_id.in_(receipt_ids))
    # What went back is known by the receipt alone.
    of_sale = (ReturnedSum.merchant_id == ReferralUse.merchant_id, ReturnedSum.receipt_id == ReferralUse.receipt_id)
    gone = select(ReturnedSum.returned).where(*of_sale).scalar_subquery()
    kept = {"total": ReferralUse.total - func.coalesce(gone, 0), "receipt_id": None, "shopper": None}
    conn.execute(update(ReferralUse).where(*used).values(kept))
    said = (unindexed(Review.merchant_id) == merchant_id, Review.receipt_id.in_(receipt_ids))
    conn.execute(delete(Review).where(*said, Review.state != "approved"))
    conn.execute(update(Review).where(*said).values(receipt_id=None, author=Review.id, display_name="", product=""))


def forget_shopper(conn: Connection, merchant_id: str, receipt_id: str) -> None:
    """Before their answers go: the tags of these are found by them."""
    answers = select(SurveyAnswer.id).where(
        unindexed(SurveyAnswer.merchant_id) == merchant_id, SurveyAnswer.receipt_id == receipt_id
    )
    conn.execute(delete(AnswerTag).where(AnswerTag.merchant_id == merchant_id, AnswerTag.answer_id.in_(answers)))
    _delete_cases(conn, merchant_id, (unindexed(Case.merchant_id) == merchant_id, Case.receipt_id == receipt_id))
    referrals.retire(conn, merchant_id, receipt_id)
    used = (unindexed(ReferralUse.merchant_id) == merchant_id, ReferralUse.receipt_id == receipt_id)
    conn.execute(update(ReferralUse).where(*used).values(shopper=None))
    conn.execute(delete(Review).where(unindexed(Review.merchant_id) == merchant_id, Review.receipt_id == receipt_id))


def forget_answers(conn: Connection, merchant_id: str, answer_ids: Collection[str]) -> None:
    """Single answers are deleted, for good. A code that was handed out stays good: one that is not minted yet keeps the
    answer's id, from which it is made, until it is."""
    tags = (AnswerTag.merchant_id == merchant_id, AnswerTag.answer_id.in_(answer_ids))
    conn.execute(delete(AnswerTag).where(*tags))
    _delete_cases(conn, merchant_id, (Case.merchant_id == merchant_id, Case.answer_id.in_(answer_ids)))
    of_codes = (Referral.merchant_id == merchant_id, Referral.answer_id.in_(answer_ids))
    conn.execute(
        update(Referral).where(*of_codes).values(answer_id=case((Referral.digest.is_(None), Referral.answer_id)))
    )


def _delete_cases(conn: Connection, merchant_id: str, held: tuple[ColumnElement[bool], ...]) -> None:
    """With what was written to staff of them."""
    _forget_history(conn, merchant_id, held)
    ids = list(conn.scalars(select(Case.id).where(*held)))
    if ids:
        about = (Message.merchant_id == merchant_id, Message.subject_id.in_([*ids, *map(letters.late_name, ids)]))
        conn.execute(delete(Message).where(*about))
    conn.execute(delete(Case).where(*held))


def _forget_history(conn: Connection, merchant_id: str, held: tuple[ColumnElement[bool], ...]) -> None:
    """Notes are in it."""
    of_cases = CaseChange.case_id.in_(select(Case.id).where(*held))
    conn.execute(delete(CaseChange).where(unindexed(CaseChange.merchant_id) == merchant_id, of_cases))
