"""What people do with a case: a shopper opens it, the shop works on it and closes it."""

from datetime import datetime, timedelta
from typing import Any, Final

import orjson
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field
from sqlalchemy import Connection, insert, select, update

from accounts import find as accounts_find
from accounts.fields import Slug, Text
from accounts.tables import StaffMember, Store
from engagement import events
from engagement.surveys.records import Answer
from engagement.voice import cases, settings
from engagement.voice.cases import OPEN, CaseRecord, Outcome, State
from engagement.voice.settings import CaseSettings
from engagement.voice.tables import Case, CaseChange
from infra.database import insert_or_ignore
from kernel.clock import iso
from kernel.errors import FieldError, Invalid, NotFound
from kernel.ids import new_id

BY_SHOPPER: Final = "shopper"
BY_QUARANTINE: Final = "quarantine"
_NEXT: Final[dict[State, frozenset[State]]] = {
    "open": frozenset({"in_progress", "resolved", "dismissed"}),
    "in_progress": frozenset({"open", "resolved", "dismissed"}),
    # Somebody closed it by mistake, or the shopper writes again.
    "resolved": frozenset({"in_progress"}),
    "dismissed": frozenset({"in_progress"}),
}
_FARTHEST: Final = timedelta(days=366)


class CaseWork(BaseModel):
    """What is to be changed; what is left out stays. ``resolved`` takes an outcome."""

    model_config = ConfigDict(extra="forbid")

    state: State | None = None
    outcome: Outcome | None = None
    note: Text | None = Field(None, description="What was done, for the merchant alone.")
    owner: Slug | None = Field(None, description="The member of staff who sees to it; null for nobody.")
    due_at: AwareDatetime | None = Field(None, description="Another deadline.")


def follow(conn: Connection, answer: Answer, *, says_more: bool = False, now: datetime) -> None:
    """An answer that counts came or was changed: a detractor's opens a case, and who is none any more closes it where
    nobody has begun to work on it. Where it was closed and the shopper says more, it is opened again."""
    found = _held(conn, answer)
    if answer.segment == "detractor":
        if found is None:
            _open(conn, answer, now)
        elif found.resolved_at is not None and _asks_again(found, answer, says_more=says_more):
            _reopen(conn, found, answer, now)
        elif found.score != answer.score:
            note(conn, found, {"score": answer.score}, by=BY_SHOPPER, now=now)
    elif found is not None and found.score != answer.score:
        closing = closed_by_itself("changed_mind", now) if found.state == "open" else {}
        note(conn, found, {"score": answer.score} | closing, by=BY_SHOPPER, now=now)


def doubt(conn: Connection, answer: Answer, *, now: datetime) -> None:
    """Its answer is held back. Where nobody has begun to work on the case it is closed, and opened again once somebody
    lets the answer count; else its history tells, and who works on it decides."""
    found = _held(conn, answer)
    if found is None or found.resolved_at is not None:
        return
    if found.state == "open":
        note(conn, found, closed_by_itself("other", now), by=BY_QUARANTINE, now=now)
    else:
        remember(conn, found, {"is_held": True}, by=BY_QUARANTINE, now=now)


def _held(conn: Connection, answer: Answer) -> CaseRecord | None:
    """The answer's case as it stands, now that nobody else changes it."""
    seen = cases.of_answer(conn, answer.merchant_id, answer.id)
    return hold(conn, answer.merchant_id, seen.id) if seen else None


def closed_by_itself(outcome: Outcome, now: datetime) -> dict[str, Any]:
    """What is written of a case that nobody worked on, and that is needed no more."""
    return {"state": "dismissed", "outcome": outcome, "resolved_at": now, "is_closed_by_itself": True}


def hold(conn: Connection, merchant_id: str, case_id: str, *, store_id: str | None = None) -> CaseRecord:
    """The case, which nobody else changes until the transaction ends. Raises as :func:`cases.one` does."""
    mine = (Case.merchant_id == merchant_id, Case.id == case_id)
    conn.execute(select(Case.id).where(*mine).with_for_update())
    return cases.one(conn, merchant_id, case_id, store_id=store_id)


def work(conn: Connection, before: CaseRecord, wish: CaseWork, *, by: str, now: datetime) -> None:
    """``before`` is held, ``by`` is the id of a key. Raises :class:`Invalid` for what does not follow from it."""
    told = wish.model_fields_set
    values: dict[str, Any] = {name: getattr(wish, name) for name in ("note", "due_at") if name in told}
    _check(before, wish)
    if wish.state is not None and wish.state != before.state:
        is_over = wish.state not in OPEN
        values |= {"state": wish.state, "resolved_at": now if is_over else None, "outcome": None}
        values["is_closed_by_itself"] = False
    if "outcome" in told:
        values["outcome"] = wish.outcome
    if "owner" in told:
        values["owner_id"] = _staff_id(conn, before.merchant_id, wish.owner) if wish.owner else None
    values = {name: value for name, value in values.items() if value != _as_before(conn, before, name)}
    if values:
        note(conn, before, values, by=by, now=now, owner=wish.owner)


def _open(conn: Connection, answer: Answer, now: datetime) -> None:
    wanted = settings.of(conn, answer.merchant_id, CaseSettings)
    if not _opens(wanted, answer):
        return
    slug = select(Store.slug).where(Store.merchant_id == answer.merchant_id, Store.id == answer.store_id)
    owner = wanted.owner_of(conn.scalar(slug))
    row = {
        "id": new_id("cas", now),
        "merchant_id": answer.merchant_id,
        "answer_id": answer.id,
        "survey_id": answer.survey_id,
        "receipt_id": answer.receipt_id,
        "brand_id": answer.brand_id,
        "store_id": answer.store_id,
        "owner_id": _known_staff(conn, answer.merchant_id, owner.staff),
        "email": owner.email,
        "escalation_email": owner.escalation_email,
        "score": answer.score,
        "state": "open",
        "is_closed_by_itself": False,
        "revision": 1,
        "opened_at": now,
        "begun_at": now,
        "changed_at": now,
        "due_at": now + timedelta(hours=wanted.deadline_hours),
    }
    # Of two who open it at once the unique answer lets one.
    if conn.scalar(insert_or_ignore(conn, Case).values(row).returning(Case.id)) is not None:
        record = cases.of_answer(conn, answer.merchant_id, answer.id)
        assert record is not None
        tell(conn, record, "opened", now=now)


def _opens(wanted: CaseSettings, answer: Answer) -> bool:
    match wanted.opens_for(answer.survey_id):
        case "always":
            return True
        case "with_words":
            return bool(answer.text) or answer.wants_call
        case "never":
            return False


def _asks_again(found: CaseRecord, answer: Answer, *, says_more: bool) -> bool:
    """Whether a closed case is not over: nobody in the shop had closed it, or the shopper gives a lower score, or says
    more. Who takes a wish back wants no more of it."""
    return found.is_closed_by_itself or answer.score < found.score or says_more


def _reopen(conn: Connection, found: CaseRecord, answer: Answer, now: datetime) -> None:
    """It is as new, and its time begins anew."""
    wanted = settings.of(conn, answer.merchant_id, CaseSettings)
    values = {"score": answer.score, "state": "open", "outcome": None, "resolved_at": None, "told_at": None}
    values |= {"due_at": now + timedelta(hours=wanted.deadline_hours), "escalated_at": None}
    values |= {"is_closed_by_itself": False, "begun_at": now}
    note(conn, found, values, by=BY_SHOPPER, now=now)


def _check(before: CaseRecord, wish: CaseWork) -> None:
    state = wish.state or before.state
    if state != before.state and state not in _NEXT[before.state]:
        allowed = " or ".join(sorted(_NEXT[before.state]))
        raise Invalid(errors=[FieldError("/state", f"does not follow from what it is; {allowed} would")])
    outcome = wish.outcome if "outcome" in wish.model_fields_set else before.outcome
    if state == "resolved" and outcome is None:
        raise Invalid(errors=[FieldError("/outcome", "is missing; a case is resolved by one")])
    if state in OPEN and wish.outcome is not None:
        raise Invalid(errors=[FieldError("/outcome", "belongs to a case that is resolved or dismissed")])
    if "due_at" in wish.model_fields_set and not _is_near(before, wish.due_at):
        raise Invalid(errors=[FieldError("/due_at", "must be within a year after the case was opened")])


def _is_near(before: CaseRecord, due_at: datetime | None) -> bool:
    return due_at is not None and before.opened_at <= due_at <= before.opened_at + _FARTHEST


def _as_before(conn: Connection, before: CaseRecord, name: str) -> Any:
    if name == "owner_id":
        return _known_staff(conn, before.merchant_id, before.owner)
    return getattr(before, name)


def _staff_id(conn: Connection, merchant_id: str, slug: str) -> str:
    try:
        return accounts_find.staff_id(conn, merchant_id, slug)
    except NotFound:
        raise Invalid(errors=[FieldError("/owner", "is not a member of staff of this merchant")]) from None


def _known_staff(conn: Connection, merchant_id: str, slug: str | None) -> str | None:
    """Settings may name somebody who is there no more: a case is opened all the same."""
    if slug is None:
        return None
    return conn.scalar(select(StaffMember.id).where(StaffMember.merchant_id == merchant_id, StaffMember.slug == slug))


def note(
    conn: Connection,
    before: CaseRecord,
    values: dict[str, Any],
    *,
    by: str,
    now: datetime,
    owner: str | None = None,
) -> None:
    """Change it, remember who did, and tell of it where it was opened anew or closed."""
    mine = (Case.merchant_id == before.merchant_id, Case.id == before.id)
    changed = values | {"changed_at": now, "revision": Case.revision + 1}
    conn.execute(update(Case).where(*mine).values(changed))
    shown = {name: iso(value) if isinstance(value, datetime) else value for name, value in values.items()}
    if "owner_id" in shown:
        shown["owner"] = owner
    remember(conn, before, {name: shown[name] for name in shown if name not in _UNSAID}, by=by, now=now)
    if "state" in values:
        after = cases.one(conn, before.merchant_id, before.id)
        tell(conn, after, "opened" if after.state == "open" else after.state, now=now)


# Which of a case's columns no change names: they follow from the others.
_UNSAID: Final = ("owner_id", "begun_at", "resolved_at", "told_at", "escalated_at", "is_closed_by_itself")


def remember(conn: Connection, record: CaseRecord, what: dict[str, Any], *, by: str, now: datetime) -> None:
    """In its history; ``what`` changed by the names of the API."""
    values = {"id": new_id("cch", now), "merchant_id": record.merchant_id, "case_id": record.id, "by": by}
    conn.execute(insert(CaseChange).values(values | {"what": orjson.dumps(what).decode(), "changed_at": now}))


def tell(conn: Connection, record: CaseRecord, what: str, *, now: datetime) -> None:
    """Programs of the merchant: ``what`` ends the kind of the event."""
    data = {
        "case_id": record.id,
        "answer_id": record.answer_id,
        "store_id": record.store_id,
        "score": record.score,
        "state": record.state,
        "outcome": record.outcome,
    }
    events.tell(conn, record.merchant_id, f"case.{what}", data, now=now, receipt_id=record.receipt_id)
