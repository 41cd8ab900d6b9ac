"""The stars of who served, on receipts (cards.ratings), are the answer to the brand's survey of the service.

One press counts once in each: for the card it is a rating, for the survey an answer, and both change together.
"""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import Connection

from cards import find as cards_find
from cards import ratings
from engagement.surveys import answers, asking, find, manage
from engagement.surveys.asking import WhoIs
from engagement.surveys.manage import SurveyRecord
from engagement.surveys.records import Answer, Given
from kernel.errors import NotFound
from receipts.records import ReceiptRecord


def rate(conn: Connection, answer: Answer, *, now: datetime) -> None:
    """An answer that came by a link is a rating, where who served has a card that is shown."""
    if answer.event != "service" or not answer.is_counted or not answer.staff_id or not answer.receipt_id:
        return
    card = cards_find.of_staff(conn, answer.merchant_id, answer.staff_id)
    if card is not None and card.is_active:
        ratings.rate(conn, answer.merchant_id, card.id, answer.receipt_id, answer.score, now=now)


def takes(conn: Connection, surveys: Sequence[SurveyRecord], record: ReceiptRecord, *, now: datetime) -> bool:
    """Whether :func:`answered` would keep a rating of the receipt; ``surveys`` are those that its brand asks."""
    for survey in surveys:
        if survey.event == "service":
            ask = asking.of_receipt(conn, record.merchant_id, record.id).get(survey.id)
            answer = find.of_receipt(conn, record.merchant_id, record.id).get(survey.id)
            is_fixed = answer is not None and now > answer.answered_at + survey.settings.editable
            return asking.is_open(survey, record, ask, now=now) and not is_fixed
    return True


def answered(conn: Connection, record: ReceiptRecord, given: Given, who: WhoIs, *, now: datetime) -> bool:
    """A rating on a receipt is an answer, where the brand asks about its service. Whether it counts: there as the
    answer does, else where a person gave it."""
    for survey in manage.active(conn, record.merchant_id, record.brand_id):
        if survey.event == "service":
            try:
                return answers.give(conn, survey, record, given, who(), now=now)[1] == "counted"
            except NotFound:
                return False
    return not given.held
