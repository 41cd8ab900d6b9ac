"""One email that asks once more: only where the first question came by email, and nothing was answered since."""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import Connection, literal_column, select, update

from engagement.surveys import asking as asks
from engagement.surveys import manage
from engagement.surveys.manage import SurveyRecord
from engagement.surveys.tables import SurveyAsk
from infra.database import unindexed
from kernel.errors import NotFound
from notify import asking, stopping
from notify import find as messages
from notify.asking import Post, Wanted
from notify.find import MessageInfo
from receipts import find as receipts_find
from receipts.records import ReceiptRecord

# How the ids of asks begin: it tells what a message is about.
ASK: Final = "ask_"
# Not as a parameter: a plan made for any channel could not use the index of those that wait for a reminder.
_BY_EMAIL: Final = SurveyAsk.channel == literal_column("'email'")


@dataclass(frozen=True, slots=True)
class Reminded:
    """What a reminder is about."""

    survey: SurveyRecord
    record: ReceiptRecord


def reminding(conn: Connection) -> list[SurveyRecord]:
    """Surveys that remind, of all merchants: only the clock asks."""
    return [survey for survey in manage.all_active(conn) if survey.settings.reminder_days is not None]


def remind(conn: Connection, post: Post, surveys: Sequence[SurveyRecord], *, now: datetime, at_most: int) -> int:
    """See to so many of which the time has come. How many it saw to."""
    count = 0
    for survey in surveys:
        due = _due(conn, survey, now, at_most - count)
        # Of several that somebody was asked, the last is what they remember.
        for each in reversed(due):
            _remind(conn, post, survey, each, now)
        count += len(due)
        if count >= at_most:
            break
    return count


def about(conn: Connection, merchant_id: str, ask_id: str, *, now: datetime) -> Reminded:
    """Raises :class:`NotFound` where it was answered meanwhile, or is over."""
    columns = (SurveyAsk.survey_id, SurveyAsk.receipt_id, SurveyAsk.answered_at)
    mine = (SurveyAsk.merchant_id == merchant_id, SurveyAsk.id == ask_id)
    row = conn.execute(select(*columns).where(*mine)).one_or_none()
    if row is None or row.receipt_id is None or row.answered_at is not None:
        raise NotFound("it was answered meanwhile, or its receipt is gone")
    survey, record = manage.one(conn, merchant_id, row.survey_id), receipts_find.one(conn, merchant_id, row.receipt_id)
    asked = asks.of_receipt(conn, merchant_id, record.id).get(survey.id)
    if not asks.is_open(survey, record, asked, now=now):
        raise NotFound("the survey is over")
    return Reminded(survey, record)


def receipt_of(conn: Connection, merchant_id: str, ask_id: str) -> str | None:
    """The id of the receipt that it was asked about, as long as that is kept."""
    mine = (SurveyAsk.merchant_id == merchant_id, SurveyAsk.id == ask_id)
    return conn.scalar(select(SurveyAsk.receipt_id).where(*mine))


@dataclass(frozen=True, slots=True)
class _Due:
    ask_id: str
    receipt_id: str
    shopper: str | None


def _due(conn: Connection, survey: SurveyRecord, now: datetime, at_most: int) -> list[_Due]:
    """Oldest first. Held until the transaction ends, so that of two workers one sees to each."""
    late = now - timedelta(days=survey.settings.reminder_days or 0)
    mine = (
        SurveyAsk.survey_id == survey.id,
        unindexed(SurveyAsk.merchant_id) == survey.merchant_id,
        _BY_EMAIL,
        SurveyAsk.answered_at.is_(None),
        SurveyAsk.reminded_at.is_(None),
        SurveyAsk.receipt_id.is_not(None),
        SurveyAsk.asked_at <= late,
    )
    query: Any = select(SurveyAsk.id, SurveyAsk.receipt_id, SurveyAsk.shopper).where(*mine)
    query = query.order_by(SurveyAsk.asked_at).limit(at_most).with_for_update(skip_locked=True)
    return [_Due(row.id, row.receipt_id, row.shopper) for row in conn.execute(query)]


def _remind(conn: Connection, post: Post, survey: SurveyRecord, due: _Due, now: datetime) -> None:
    """Nothing is sent where it may not be; it is seen to either way, and not looked at again."""
    mine = (SurveyAsk.merchant_id == survey.merchant_id, SurveyAsk.id == due.ask_id)
    conn.execute(update(SurveyAsk).where(*mine).values(reminded_at=now))
    sent = _sent(conn, survey.merchant_id, due.receipt_id)
    if sent is None or stopping.why_stopped(conn, survey.merchant_id, "email", sent.address) is not None:
        return
    if _was_lately(conn, survey, due, sent.address, now):
        return
    with suppress(NotFound):
        about(conn, survey.merchant_id, due.ask_id, now=now)
        wanted = Wanted(survey.merchant_id, due.ask_id, sent.address, language=sent.language, is_automatic=True)
        asking.ask(conn, post, [wanted], now=now)


def _was_lately(conn: Connection, survey: SurveyRecord, due: _Due, address: str, now: datetime) -> bool:
    """Whether the survey reminded this shopper of another receipt within as long as it waits for one: four purchases of
    one day are no four letters."""
    if due.shopper is None:
        return False
    since = now - timedelta(days=survey.settings.reminder_days or 0)
    asked = (SurveyAsk.merchant_id == survey.merchant_id, SurveyAsk.brand_id == survey.brand_id)
    theirs = (*asked, SurveyAsk.shopper == due.shopper, SurveyAsk.survey_id == survey.id, SurveyAsk.reminded_at > since)
    # Of most nothing was sent.
    seen_to = conn.scalars(select(SurveyAsk.id).where(*theirs)).all()
    return any(messages.latest(conn, survey.merchant_id, each, "email", address) for each in seen_to)


def _sent(conn: Connection, merchant_id: str, receipt_id: str) -> MessageInfo | None:
    """The email that brought the receipt to its shopper, if it arrived as far as anybody knows."""
    told = receipts_find.private_part(conn, merchant_id, receipt_id).get("shopper") or {}
    address = str(told.get("email") or "").lower()
    found = messages.latest(conn, merchant_id, receipt_id, "email", address) if address else None
    return found if found and found.state == "sent" else None
