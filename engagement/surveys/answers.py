"""Answers come: each in the transaction of what follows from it, and of one receipt one counts."""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from typing import Any, Literal

from sqlalchemy import Connection, select, update

from engagement.surveys import asking, quarantine, writing
from engagement.surveys.asking import WhoIs
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


class AnswerUnknown(Conflict):
    slug, title = "answer-unknown", "The receipt of the answer is gone"


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
    asked, is_new = _hold(conn, survey, record, given.channel, who, now)
    answer, became = _judge(conn, survey, record, given, asked, now=now)
    if became == "held" and is_new:
        # It is likely that no person has seen the question: nobody was asked yet.
        asking.drop(conn, survey.merchant_id, asked)
    return answer, became


def _judge(
    conn: Connection, survey: SurveyRecord, record: ReceiptRecord, given: Given, asked: asking.Ask, *, now: datetime
) -> tuple[Answer, Became]:
    before = writing.before(conn, survey, record.id)
    counted, sent = before.get(""), Came(now, given.score, given.by_itself)
    if given.held:
        if given.by_itself and counted is not None and quarantine.was_by_itself(counted.recent):
            _take_back(conn, survey, before, asked, now)
        return writing.put(conn, survey, record, given, before.get(given.held), held=given.held, now=now), "held"
    last = max(filter(None, (counted, before.get("burst"))), key=lambda each: each.changed_at, default=None)
    came = (*(quarantine.read(last.recent) if last else ()), sent)
    if _is_doubtful(given, before, came, now):
        return _hold_back(conn, survey, record, given, before, asked, came, now), "held"
    if counted is not None and now > counted.answered_at + survey.settings.editable:
        return answer_of(counted), "fixed"
    return _count(conn, survey, record, given, counted, asked, came, now), "counted"


def add(conn: Connection, answer: Answer, more: More, survey: SurveyRecord, *, now: datetime) -> Became:
    """What somebody says after their score. ``answer`` is what the caller found, and may have changed since."""
    # The receipt is held first, as whoever purges it or erases its shopper holds it.
    if answer.receipt_id is None or not receipts_find.stays(conn, answer.merchant_id, answer.receipt_id):
        return "fixed"
    asking.hold(conn, survey, answer.receipt_id)
    mine = (SurveyAnswer.merchant_id == answer.merchant_id, SurveyAnswer.id == answer.id)
    row = conn.execute(select(*COLUMNS, SurveyAnswer.recent).where(*mine)).one_or_none()
    if row is None or row.receipt_id is None or now > row.answered_at + survey.settings.editable:
        return "fixed"
    before, values = answer_of(row), _values(more)
    if any(getattr(before, name) != value for name, value in values.items()):
        conn.execute(update(SurveyAnswer).where(*mine).values(values | {"changed_at": now}))
        if before.is_counted:
            _press(conn, row, (*quarantine.read(row.recent), Came(now, row.score, by_itself=False)))
            after = replace(before, **values, changed_at=now)
            _follow(conn, after, "survey.changed", says_more=_says_more(before, after), now=now)
    return "counted" if before.is_counted else "held"


def _says_more(before: Answer, after: Answer) -> bool:
    is_written = bool(after.text) and after.text != before.text
    return is_written or (after.wants_call and (not before.wants_call or after.contact != before.contact))


def _values(more: More) -> dict[str, Any]:
    values: dict[str, Any] = {} if more.text is None else {"text": more.text}
    if more.call is not None:
        said = {"contact": more.call.contact, "consent": more.call.consent, "consent_version": more.call.version}
        return values | said | {"wants_call": True}
    taken_back = {"wants_call": False, "contact": None, "consent": None, "consent_version": None}
    return values | taken_back if more.no_call else values


def release(
    conn: Connection,
    merchant_id: str,
    answer_id: str,
    survey: SurveyRecord,
    who_is: Callable[[ReceiptRecord], WhoIs],
    *,
    now: datetime,
) -> Answer:
    """Let an answer count that was held back. Raises :class:`NotFound`, :class:`AnswerThere` where another one counts
    already, and :class:`AnswerUnknown`."""
    row = _row(conn, merchant_id, answer_id)
    asked = _asked(conn, survey, row, who_is) if row.held else None
    row = _row(conn, merchant_id, answer_id)  # as it stands, now that nobody else writes it
    if not row.held:
        return answer_of(row)
    if row.receipt_id is None or asked is None:
        raise AnswerUnknown("Its receipt was purged: nobody can tell any more whether another one counts")
    if "" in writing.before(conn, survey, row.receipt_id):
        raise AnswerThere("The last one that a person gave counts; this one cannot count as well")
    mine = (SurveyAnswer.merchant_id == merchant_id, SurveyAnswer.id == answer_id)
    conn.execute(update(SurveyAnswer).where(*mine).values(held="", recent=quarantine.kept(())))
    asking.answered(conn, merchant_id, asked, row.answered_at)
    answer = replace(answer_of(row), held="")
    _follow(conn, answer, "survey.answered", now=now)
    return answer


def _asked(
    conn: Connection, survey: SurveyRecord, row: Any, who_is: Callable[[ReceiptRecord], WhoIs]
) -> asking.Ask | None:
    """Held, that nobody else answers; whose answer counts was asked. None where the receipt was purged."""
    if row.receipt_id is None or not receipts_find.stays(conn, row.merchant_id, row.receipt_id):
        return None
    record = receipts_find.one(conn, row.merchant_id, row.receipt_id)
    asking.ask(conn, survey, record, who_is(record)(), row.channel, now=row.answered_at)
    return asking.hold(conn, survey, record.id)


def _row(conn: Connection, merchant_id: str, answer_id: str) -> Any:
    mine = (SurveyAnswer.merchant_id == merchant_id, SurveyAnswer.id == answer_id)
    row = conn.execute(select(*COLUMNS).where(*mine)).one_or_none()
    if row is None:
        raise NotFound("There is no such response")
    return row


def _hold(
    conn: Connection, survey: SurveyRecord, record: ReceiptRecord, channel: Channel, who: str | None, now: datetime
) -> tuple[asking.Ask, bool]:
    """Who answers was asked: that they were, and whether only now. Raises :class:`NotFound` where it is over."""
    if receipts_find.stays(conn, survey.merchant_id, record.id):
        before = asking.hold(conn, survey, record.id)
        if asking.is_open(survey, record, before, now=now):
            asking.ask(conn, survey, record, who, channel, now=now)
            held = asking.hold(conn, survey, record.id)
            if held is not None:
                return held, before is None
    raise NotFound("Nothing is asked of this receipt, or no more")


def _is_doubtful(given: Given, before: dict[str, Any], came: tuple[Came, ...], now: datetime) -> bool:
    """What a page sends by itself counts for little: not where a program was seen, nor against what counts already."""
    if quarantine.is_burst(came, now=now):
        return True
    counted = before.get("")
    is_other = counted is not None and counted.score != given.score
    return given.by_itself and (is_other or bool(before.keys() - {""}))


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
    """What was counted of the burst counts no more; but what somebody pressed, or gave well before it, stays."""
    counted, held = before.get(""), before.get("burst")
    if counted is not None and quarantine.is_burst(came, now=now) and _is_of(counted, given, now):
        held = _take_back(conn, survey, before, asked, now)
    return writing.put(conn, survey, record, given, held, held="burst", now=now, came=came)


def _is_of(counted: Any, given: Given, now: datetime) -> bool:
    """Whether what counts came as this did, so that what is wrong with this one is wrong with it."""
    if given.by_itself:
        return quarantine.was_by_itself(counted.recent)
    return bool(now - counted.changed_at < quarantine.WITHIN)


def _take_back(conn: Connection, survey: SurveyRecord, before: dict[str, Any], asked: asking.Ask, now: datetime) -> Any:
    """What counted is held back, in place of what was held back of a burst before."""
    counted, held = before[""], before.get("burst")
    if held is not None:
        writing.remove(conn, survey.merchant_id, [held.id], now=now)
    mine = (SurveyAnswer.merchant_id == survey.merchant_id, SurveyAnswer.id == counted.id)
    conn.execute(update(SurveyAnswer).where(*mine).values(held="burst"))
    asking.answered(conn, survey.merchant_id, asked, None)
    writing.uncount(conn, answer_of(counted), "survey.held", now=now)
    followup.after_holding(conn, answer_of(counted), now=now)
    return counted


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
        if not given.by_itself:
            _press(conn, before, came)
        return answer_of(before)
    answer = writing.put(conn, survey, record, given, before, held="", now=now, came=came)
    if before is None:
        asking.answered(conn, survey.merchant_id, asked, now)
    _follow(conn, answer, "survey.changed" if before is not None else "survey.answered", now=now)
    return answer


def _press(conn: Connection, row: Any, came: tuple[Came, ...]) -> None:
    """Somebody stands behind an answer that a page may have sent by itself."""
    mine = (SurveyAnswer.merchant_id == row.merchant_id, SurveyAnswer.id == row.id)
    conn.execute(update(SurveyAnswer).where(*mine).values(recent=quarantine.kept(came)))


def _follow(conn: Connection, answer: Answer, kind: str, *, says_more: bool = False, now: datetime) -> None:
    followup.after_answer(conn, answer, says_more=says_more, now=now)
    writing.tell(conn, answer, kind, now=now)
