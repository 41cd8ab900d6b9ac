"""Answers come: each in the transaction of what follows from it, and of one receipt one counts."""

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final, Literal

from sqlalchemy import Connection, delete, insert, select, update

from engagement import events, nps
from engagement.surveys import asking, quarantine
from engagement.surveys.find import COLUMNS, answer_of
from engagement.surveys.manage import SurveyRecord
from engagement.surveys.quarantine import Came
from engagement.surveys.records import Answer, Channel, Held
from engagement.surveys.settings import scale_of
from engagement.surveys.tables import SurveyAnswer, SurveyAnswerLine
from engagement.voice import followup
from engagement.voice import forgetting as of_voice
from infra.database import unindexed
from kernel.errors import Conflict, FieldError, Invalid, NotFound
from kernel.ids import new_id
from receipts import find as receipts_find
from receipts.records import ReceiptRecord
from receipts.tables import Receipt

# "fixed" is an answer that can be changed no more, "held" one that does not count.
Became = Literal["counted", "fixed", "held"]
_MOST_LINES: Final = 500


@dataclass(frozen=True, slots=True)
class Given:
    """A score as it came. ``by_itself`` where the page sent it without a press of a button; ``held`` is what the edge
    saw of who sent it."""

    score: int
    channel: Channel
    language: str
    by_itself: bool = False
    held: Held = ""


@dataclass(frozen=True, slots=True)
class Call:
    """How somebody wishes to be called back, and the words that they agreed to."""

    contact: str
    consent: str
    version: str


@dataclass(frozen=True, slots=True)
class More:
    """What is said after the score. None leaves what was said before; ``no_call`` takes the wish for a call back."""

    text: str | None = None
    call: Call | None = None
    no_call: bool = False


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
    before = _before(conn, survey, record.id)
    if given.held:
        return _put(conn, survey, record, given, before.get(given.held), held=given.held, now=now), "held"
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
    if row.held and row.receipt_id and "" in _before(conn, survey, row.receipt_id):
        raise AnswerThere("The last one that a person gave counts; this one cannot count as well")
    if conn.execute(update(SurveyAnswer).where(*mine, SurveyAnswer.held != "").values(held="")).rowcount == 1:
        if asked is not None:
            asking.answered(conn, asked, row.answered_at)
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


def _before(conn: Connection, survey: SurveyRecord, receipt_id: str) -> dict[str, Any]:
    """Rows by why they do not count."""
    mine = (
        unindexed(SurveyAnswer.merchant_id) == survey.merchant_id,
        SurveyAnswer.survey_id == survey.id,
        SurveyAnswer.receipt_id == receipt_id,
    )
    return {row.held: row for row in conn.execute(select(*COLUMNS, SurveyAnswer.recent).where(*mine))}


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
            remove(conn, survey.merchant_id, [held.id])
        conn.execute(update(SurveyAnswer).where(SurveyAnswer.id == counted.id).values(held="burst"))
        asking.answered(conn, asked, None)
        held = counted
    return _put(conn, survey, record, given, held, held="burst", now=now, came=came)


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
    answer = _put(conn, survey, record, given, before, held="", now=now, came=came)
    if before is None:
        asking.answered(conn, asked, now)
    _follow(conn, answer, "survey.changed" if before is not None else "survey.answered", now=now)
    return answer


def _put(
    conn: Connection,
    survey: SurveyRecord,
    record: ReceiptRecord,
    given: Given,
    before: Any,
    *,
    held: Held,
    now: datetime,
    came: tuple[Came, ...] = (),
) -> Answer:
    """A row, or in place of ``before``."""
    said: dict[str, Any] = {"score": given.score, "channel": given.channel, "language": given.language, "held": held}
    said |= {"segment": nps.segment(given.score, scale_of(survey.event)), "changed_at": now}
    said |= {"recent": quarantine.kept(came)}
    if before is not None:
        conn.execute(update(SurveyAnswer).where(SurveyAnswer.id == before.id).values(said))
        changed = {name: said[name] for name in ("score", "segment", "channel", "language", "held", "changed_at")}
        return replace(answer_of(before), **changed)
    row: dict[str, Any] = said | _about(conn, survey, record, now)
    conn.execute(insert(SurveyAnswer).values(row))
    skus = sorted({line.sku for line in record.content.lines if line.sku})[:_MOST_LINES]
    if skus:
        lines = [{"answer_id": row["id"], "sku": sku, "merchant_id": survey.merchant_id} for sku in skus]
        conn.execute(insert(SurveyAnswerLine), lines)
    values: dict[str, Any] = {name: row.get(name) for name in Answer.__slots__}
    return Answer(**values)


def _about(conn: Connection, survey: SurveyRecord, record: ReceiptRecord, now: datetime) -> dict[str, Any]:
    mine = (Receipt.merchant_id == survey.merchant_id, Receipt.id == record.id)
    place = conn.execute(select(Receipt.store_id, Receipt.till_id).where(*mine)).one()
    return {
        "id": new_id("ans", now),
        "merchant_id": survey.merchant_id,
        "survey_id": survey.id,
        "brand_id": survey.brand_id,
        "event": survey.event,
        "receipt_id": record.id,
        "store_id": place.store_id,
        "till_id": place.till_id,
        "staff_id": record.staff_id,
        "wants_call": False,
        "answered_at": now,
    }


def _follow(conn: Connection, answer: Answer, kind: str, *, now: datetime) -> None:
    followup.after_answer(conn, answer, now=now)
    data = {"response": answer.id, "survey": answer.survey_id, "event": answer.event, "score": answer.score}
    data |= {"segment": answer.segment, "channel": answer.channel, "has_text": bool(answer.text)}
    data |= {"wants_call": answer.wants_call}
    events.tell(conn, answer.merchant_id, kind, data, now=now, receipt_id=answer.receipt_id)


def remove(conn: Connection, merchant_id: str, answer_ids: list[str]) -> None:
    """Delete answers for good, with what is said of them and done about them. Who gave one that counted has only been
    asked, as far as is known then."""
    mine = (SurveyAnswer.merchant_id == merchant_id, SurveyAnswer.id.in_(answer_ids))
    columns = (SurveyAnswer.survey_id, SurveyAnswer.receipt_id)
    for survey_id, receipt_id in conn.execute(select(*columns).where(*mine, SurveyAnswer.held == "")).all():
        asking.unanswered(conn, merchant_id, survey_id, receipt_id)
    of_voice.forget_answers(conn, merchant_id, answer_ids)
    lines = (SurveyAnswerLine.merchant_id == merchant_id, SurveyAnswerLine.answer_id.in_(answer_ids))
    conn.execute(delete(SurveyAnswerLine).where(*lines))
    conn.execute(delete(SurveyAnswer).where(*mine))
