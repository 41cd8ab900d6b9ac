"""Which survey a receipt carries: on its page and in its email, one at a time."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import Connection

from engagement import shoppers
from engagement.surveys import asking, find
from engagement.surveys.asking import WhoIs
from engagement.surveys.manage import SurveyRecord
from engagement.surveys.records import RECOMMENDING, Answer, Event
from receipts import find as receipts_find
from receipts.records import ReceiptRecord

# In this order. How a delivery was, only who delivers knows when to ask; who served has stars of their own.
_ON_RECEIPTS: Final[tuple[Event, ...]] = ("transaction", "relationship", "product")


@dataclass(frozen=True, slots=True)
class Hung:
    """A survey, and what was answered."""

    survey: SurveyRecord
    answer: Answer | None


@dataclass(frozen=True, slots=True)
class Keys:
    """``draw`` is derived for :data:`engagement.surveys.links.PURPOSE`, ``shopper`` for that of shoppers."""

    draw: bytes
    shopper: bytes


def who_is(conn: Connection, keys: Keys, record: ReceiptRecord) -> WhoIs:
    """The pseudonym of who bought, looked up when it is asked for."""

    def who() -> str | None:
        private = receipts_find.private_part(conn, record.merchant_id, record.id)
        return shoppers.behind(keys.shopper, record.merchant_id, private)

    return who


def on_page(
    conn: Connection, keys: Keys, surveys: Sequence[SurveyRecord], record: ReceiptRecord, *, now: datetime
) -> Hung | None:
    """What was answered and can still be changed; else what is to be asked."""
    fitting = list(_fitting(surveys))
    if not fitting:
        return None
    answers = find.of_receipt(conn, record.merchant_id, record.id)
    for survey in fitting:
        answer = answers.get(survey.id)
        if answer and now <= answer.answered_at + survey.settings.editable:
            return Hung(survey, answer)
    # Who has said whether they recommend the brand is not asked so again on the same receipt.
    events = {survey.event for survey in fitting if survey.id in answers}
    over = events | (RECOMMENDING if events & RECOMMENDING else set())
    unanswered = [survey for survey in fitting if survey.event not in over]
    found = _asked(conn, keys, unanswered, record, now)
    return Hung(found, None) if found else None


def in_email(
    conn: Connection, keys: Keys, surveys: Sequence[SurveyRecord], record: ReceiptRecord, *, now: datetime
) -> SurveyRecord | None:
    """What the email with the receipt asks; it is written down that it does, so that the same letter, made anew, asks
    the same. What was answered is not asked again. ``conn`` is in a transaction that writes."""
    fitting = [survey for survey in _fitting(surveys) if survey.settings.in_email]
    if not fitting or not receipts_find.stays(conn, record.merchant_id, record.id):
        return None
    asking.hold_brand(conn, record.merchant_id, record.brand_id)
    answers = find.of_receipt(conn, record.merchant_id, record.id)
    if any(survey.id in answers for survey in fitting):
        return None
    found = _asked(conn, keys, fitting, record, now)
    if found is not None:
        asking.ask(conn, found, record, who_is(conn, keys, record)(), "email", now=now)
    return found


def _fitting(surveys: Sequence[SurveyRecord]) -> Iterator[SurveyRecord]:
    by_event = {survey.event: survey for survey in surveys}
    yield from (by_event[event] for event in _ON_RECEIPTS if event in by_event)


def _asked(
    conn: Connection, keys: Keys, surveys: Sequence[SurveyRecord], record: ReceiptRecord, now: datetime
) -> SurveyRecord | None:
    """The first that nothing stands against."""
    asks = asking.of_receipt(conn, record.merchant_id, record.id) if surveys else {}
    who = who_is(conn, keys, record)
    for survey in surveys:
        if asking.why_not(conn, keys.draw, survey, record, asks.get(survey.id), who, now=now) is None:
            return survey
    return None
