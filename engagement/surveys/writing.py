"""Rows of answers: looked up, written in place of others, and deleted."""

from dataclasses import replace
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Connection, delete, insert, select, update

from cards import ratings
from engagement import events, nps
from engagement.surveys import asking, quarantine
from engagement.surveys.find import COLUMNS, answer_of
from engagement.surveys.manage import SurveyRecord
from engagement.surveys.quarantine import Came
from engagement.surveys.records import Answer, Given, Held
from engagement.surveys.settings import scale_of
from engagement.surveys.tables import SurveyAnswer, SurveyAnswerLine
from engagement.voice import forgetting as of_voice
from infra.database import unindexed
from kernel.ids import new_id
from receipts.records import ReceiptRecord
from receipts.tables import Receipt

_MOST_LINES: Final = 500


def before(conn: Connection, survey: SurveyRecord, receipt_id: str) -> dict[str, Any]:
    """Rows by why they do not count."""
    mine = (
        unindexed(SurveyAnswer.merchant_id) == survey.merchant_id,
        SurveyAnswer.survey_id == survey.id,
        SurveyAnswer.receipt_id == receipt_id,
    )
    return {row.held: row for row in conn.execute(select(*COLUMNS, SurveyAnswer.recent).where(*mine))}


def put(
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
        mine = (SurveyAnswer.merchant_id == survey.merchant_id, SurveyAnswer.id == before.id)
        conn.execute(update(SurveyAnswer).where(*mine).values(said))
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


def remove(conn: Connection, merchant_id: str, answer_ids: list[str], *, now: datetime) -> None:
    """Delete answers for good, with what is said of them and done about them. Who gave one that counted has only been
    asked, as far as is known then."""
    mine = (SurveyAnswer.merchant_id == merchant_id, SurveyAnswer.id.in_(answer_ids))
    for row in conn.execute(select(*COLUMNS).where(*mine, SurveyAnswer.held == "")).all():
        asking.unanswered(conn, merchant_id, row.survey_id, row.receipt_id)
        uncount(conn, answer_of(row), "survey.deleted", now=now)
    of_voice.forget_answers(conn, merchant_id, answer_ids)
    lines = (SurveyAnswerLine.merchant_id == merchant_id, SurveyAnswerLine.answer_id.in_(answer_ids))
    conn.execute(delete(SurveyAnswerLine).where(*lines))
    conn.execute(delete(SurveyAnswer).where(*mine))


def uncount(conn: Connection, answer: Answer, kind: str, *, now: datetime) -> None:
    """What hangs on it that one counts. ``kind`` is of the event that it does so no more."""
    if answer.event == "service" and answer.receipt_id is not None:
        ratings.take_back(conn, answer.merchant_id, answer.receipt_id)
    tell(conn, answer, kind, now=now)


def tell(conn: Connection, answer: Answer, kind: str, *, now: datetime) -> None:
    data = {"response": answer.id, "survey": answer.survey_id, "event": answer.event, "score": answer.score}
    data |= {"segment": answer.segment, "channel": answer.channel, "has_text": bool(answer.text)}
    data |= {"wants_call": answer.wants_call}
    events.tell(conn, answer.merchant_id, kind, data, now=now, receipt_id=answer.receipt_id)


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
