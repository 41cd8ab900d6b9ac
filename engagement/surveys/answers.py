"""Answers come: each in the transaction of what follows from it, and of one receipt one counts."""

from dataclasses import replace
from datetime import datetime
from typing import Any, Literal

from sqlalchemy import Connection, select, update

from engagement import events
from engagement.surveys import asking, quarantine, writing
from engagement.surveys.find import COLUMNS, answer_of
from engagement.surveys.manage import SurveyRecord
from engagement.surveys.quarantine import Came
from engagement.surveys.records import Answer, Channel, Given, More
from engagement.surveys.settings import scale_of
from engagement.surveys.tables import SurveyAnswer
from engagement.voice import followup
from kernel.errors import Conflict, FieldError, Invalid, NotFound
from receipts import find as receipts_find
from receipts.records import ReceiptRecord

# "fixed" is an answer that can be changed no more, "held" one that does not count.
Became = Literal["counted", "fixed", "held"]


class AnswerThere(Conflict):
    slug, title = "answer-there", "The receipt has an answer that counts"


def give(
    conn: Connection, survey: SurveyRecord, record: ReceiptRecord, given: Given, who: str | None, *, now: datetime
) -> tuple[Answer, Became]:
    """The answer as it then stands, and what became of this one. The same score again changes nothing.

    Raises :class:`Invalid` at ``/score``, and :class:`NotFound` where the receipt was purged or nothing is asked of it
    any more.
    """
    if given.score not in scale_of(survey.event):
        scale = scale_of(survey.event)
        raise Invalid(errors=[FieldError("/score", f"must be from {scale[0]} to {scale[-1]}")])
    asked = _hold(conn, survey, record, given.channel, who, now)
    before = writing.before(conn, survey, record.id)
    if given.held:
        return writing.put(conn, survey, record, given, before.get(given.held), held=given.held, now=now), "held"
    counted = before.get("")
    last = max(filter(None, (counted, before.get("burst"))), key=lambda each: each.changed_at, default=None)
    came = (*(quarantine.read(last.recent) if last else ()), Came(now, given.score, given.by_itself))
    # Where a program opened the links once, a page that sends by itself is likely its again.
    if quarantine.is_burst(came, now=now) or (given.by_itself and "burst" in before):
        return _hold_back(conn, survey, record, given, before, asked, came, now), "held"
    if counted is not None and now > counted.answered_at + survey.settings.editable:
        return answer_of(counted), "fixed"
    return _count(conn, survey, record, given, counted, asked, came, now), "counted"


def add(conn: Connection, answer: Answer, more: More, survey: SurveyRecord, *, now: datetime) -> Became:
    """What somebody says after their score. ``answer`` is what the caller found, and may have changed since."""
    if answer.receipt_id is None:
        return "fixed"
    asking.hold(conn, survey, answer.receipt_id)
    mine = (SurveyAnswer.merchant_id == answer.merchant_id, SurveyAnswer.id == answer.id)
    row = conn.execute(select(*COLUMNS).where(*mine)).one_or_none()
    if row is None or now > row.answered_at + survey.settings.editable:
        return "fixed"
    before, values = answer_of(row), _values(more)
    if any(getattr(before, name) != value for name, value in values.items()):
        conn.execute(update(SurveyAnswer).where(*mine).values(values | {"changed_at": now}))
        if before.is_counted:
            _follow(conn, replace(before, **values, changed_at=now), "survey.changed", now=now)
    return "counted" if before.is_counted else "held"


def _values(more: More) -> dict[str, Any]:
    values: dict[str, Any] = {} if more.text is None else {"text": more.text}
    if more.call is not None:
        said = {"contact": more.call.contact, "consent": more.call.consent, "consent_version": more.call.version}
        return values | said | {"wants_call": True}
    taken_back = {"wants_call": False, "contact": None, "consent": None, "consent_version": None}
    return values | taken_back if more.no_call else values


def release(conn: Connection, merchant_id: str, answer_id: str, survey: SurveyRecord, *, now: datetime) -> Answer:
    """Let an answer count that was held back. Raises :class:`NotFound`, and :class:`AnswerThere` where another one
    counts already."""
    mine = (SurveyAnswer.merchant_id == merchant_id, SurveyAnswer.id == answer_id)
    row = conn.execute(select(*COLUMNS).where(*mine)).one_or_none()
    if row is None:
        raise NotFound("There is no such response")
    asked = asking.hold(conn, survey, row.receipt_id) if row.receipt_id else None
    if row.held and row.receipt_id and "" in writing.before(conn, survey, row.receipt_id):
        raise AnswerThere("The last one that a person gave counts; this one cannot count as well")
    if conn.execute(update(SurveyAnswer).where(*mine, SurveyAnswer.held != "").values(held="")).rowcount == 1:
        if asked is not None:
            asking.answered(conn, merchant_id, asked, row.answered_at)
        _follow(conn, replace(answer_of(row), held=""), "survey.answered", now=now)
    return replace(answer_of(row), held="")


def _hold(
    conn: Connection, survey: SurveyRecord, record: ReceiptRecord, channel: Channel, who: str | None, now: datetime
) -> asking.Ask:
    """Who answers was asked. Raises :class:`NotFound` where it is over."""
    if receipts_find.stays(conn, survey.merchant_id, record.id):
        before = asking.hold(conn, survey, record.id)
        if asking.is_open(survey, record, before, now=now):
            asking.ask(conn, survey, record, who, channel, now=now)
            held = asking.hold(conn, survey, record.id)
            if held is not None:
                return held
    raise NotFound("Nothing is asked of this receipt, or no more")


def _hold_back(
    conn: Connection,
    survey: SurveyRecord,
    record: ReceiptRecord,
    given: Given,
    before: dict[str, Any],
    asked: asking.Ask,
    came: tuple[Came, ...],
    now: datetime,
) -> Answer:
    """What was counted of the burst counts no more; but what somebody gave well before it stays."""
    counted, held = before.get(""), before.get("burst")
    if counted is not None and quarantine.is_burst(came, now=now) and now - counted.changed_at < quarantine.WITHIN:
        if held is not None:
            writing.remove(conn, survey.merchant_id, [held.id])
        mine = (SurveyAnswer.merchant_id == survey.merchant_id, SurveyAnswer.id == counted.id)
        conn.execute(update(SurveyAnswer).where(*mine).values(held="burst"))
        asking.answered(conn, survey.merchant_id, asked, None)
        held = counted
    return writing.put(conn, survey, record, given, held, held="burst", now=now, came=came)


def _count(
    conn: Connection,
    survey: SurveyRecord,
    record: ReceiptRecord,
    given: Given,
    before: Any,
    asked: asking.Ask,
    came: tuple[Came, ...],
    now: datetime,
) -> Answer:
    if before is not None and before.score == given.score:
        return answer_of(before)
    answer = writing.put(conn, survey, record, given, before, held="", now=now, came=came)
    if before is None:
        asking.answered(conn, survey.merchant_id, asked, now)
    _follow(conn, answer, "survey.changed" if before is not None else "survey.answered", now=now)
    return answer


def _follow(conn: Connection, answer: Answer, kind: str, *, now: datetime) -> None:
    followup.after_answer(conn, answer, now=now)
    data = {"response": answer.id, "survey": answer.survey_id, "event": answer.event, "score": answer.score}
    data |= {"segment": answer.segment, "channel": answer.channel, "has_text": bool(answer.text)}
    data |= {"wants_call": answer.wants_call}
    events.tell(conn, answer.merchant_id, kind, data, now=now, receipt_id=answer.receipt_id)
