"""What the clock does with cases: owners are to hear of new ones, and others of those whose time is over."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import ColumnElement, Connection, select, update

from engagement.surveys.tables import SurveyAnswer
from engagement.voice import case_work, cases
from engagement.voice.cases import CaseRecord
from engagement.voice.tables import Case
from kernel.clock import iso

BY_CLOCK: Final = "clock"


@dataclass(frozen=True, slots=True)
class Late:
    """A case that the clock is to see to."""

    id: str
    merchant_id: str


def late(conn: Connection, *, now: datetime, at_most: int) -> list[Late]:
    """Of all merchants, which only the clock asks for: those whose time is over and of which nobody was told so."""
    query = select(Case.id, Case.merchant_id).where(*_over(now)).order_by(Case.due_at).limit(at_most)
    return [Late(row.id, row.merchant_id) for row in conn.execute(query)]


def _over(now: datetime) -> tuple[ColumnElement[bool], ...]:
    return Case.resolved_at.is_(None), Case.due_at <= now, Case.escalated_at.is_(None)


def escalate(conn: Connection, merchant_id: str, case_id: str, *, now: datetime) -> CaseRecord | None:
    """The case, where this call is the one that escalates it; None where it is closed, or another was first."""
    mine = (Case.merchant_id == merchant_id, Case.id == case_id)
    values = {"escalated_at": now, "changed_at": now, "revision": Case.revision + 1}
    if conn.execute(update(Case).where(*mine, *_over(now)).values(values)).rowcount != 1:
        return None
    record = cases.one(conn, merchant_id, case_id)
    case_work.remember(conn, record, {"escalated_at": iso(now)}, by=BY_CLOCK, now=now)
    case_work.tell(conn, record, "escalated", now=now)
    return record


def untold(conn: Connection, *, before: datetime, at_most: int) -> list[Late]:
    """Of all merchants, which only the clock asks for: cases that were opened, or opened again, before, and of
    which no owner was told since."""
    new = (Case.told_at.is_(None), Case.begun_at < before)
    query = select(Case.id, Case.merchant_id).where(*new).order_by(Case.begun_at).limit(at_most)
    return [Late(row.id, row.merchant_id) for row in conn.execute(query)]


def mark_told(conn: Connection, merchant_id: str, case_id: str, *, now: datetime) -> bool:
    """Whether this call is the first."""
    mine = (Case.merchant_id == merchant_id, Case.id == case_id, Case.told_at.is_(None))
    return conn.execute(update(Case).where(*mine).values(told_at=now)).rowcount == 1


def close_uncounted(conn: Connection, merchant_id: str, case_id: str, *, now: datetime) -> bool:
    """Whether the answer of an open case counts no more, as one that a program gave: then the case is dismissed."""
    record = case_work.hold(conn, merchant_id, case_id)
    mine = (SurveyAnswer.merchant_id == merchant_id, SurveyAnswer.id == record.answer_id)
    held = conn.scalar(select(SurveyAnswer.held).where(*mine))
    if not held or record.state != "open":
        return False
    values = case_work.closed_by_itself("other", now) | {"told_at": now}
    case_work.note(conn, record, values, by=BY_CLOCK, now=now)
    return True
