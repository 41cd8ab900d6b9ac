"""What the OpenAPI document says of cases, and how one is written."""

from datetime import date
from typing import Any

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, JsonValue

from engagement.voice.cases import CaseRecord, Change, Numbers, Outcome, State
from kernel.clock import iso


class _Answer(BaseModel):
    model_config = ConfigDict(json_schema_mode_override="serialization")


class CaseSummary(_Answer):
    id: str
    answer_id: str
    survey_id: str
    receipt_id: str | None
    store: str | None = Field(description="The store's slug.")
    owner: str | None = Field(description="The slug of the member of staff who sees to it.")
    score: int
    state: State
    outcome: Outcome | None
    note: str | None
    opened_at: AwareDatetime
    due_at: AwareDatetime
    is_overdue: bool
    escalated_at: AwareDatetime | None
    resolved_at: AwareDatetime | None = Field(description="When it was resolved or dismissed.")
    changed_at: AwareDatetime


class CaseChange(_Answer):
    by: str = Field(
        description="The id of a key; `shopper` where their answer changed, `quarantine` where it was held back, "
        "`clock` for an escalation."
    )
    what: dict[str, JsonValue] = Field(description="What changed, by its name.")
    changed_at: AwareDatetime


class CaseDetail(CaseSummary):
    history: list[CaseChange] = Field(description="Oldest first.")


class CaseList(_Answer):
    cases: list[CaseSummary]
    next_cursor: str | None


class CaseNumbers(_Answer):
    """Of cases that were opened in the time; `open` and `overdue` as they are now. `from` and `to` are days of UTC, and
    both count."""

    first: date = Field(alias="from")
    to: date
    opened: int
    open: int
    overdue: int
    escalated: int
    resolved: int
    dismissed: int
    median_seconds_to_resolve: int | None
    outcomes: dict[str, int]


def shown(record: CaseRecord, *, overdue: bool) -> dict[str, Any]:
    """In the order of :class:`CaseSummary`."""
    moments = {name: getattr(record, name) for name in ("escalated_at", "resolved_at")}
    told = {name: iso(moment) if moment else None for name, moment in moments.items()}
    return {
        "id": record.id,
        "answer_id": record.answer_id,
        "survey_id": record.survey_id,
        "receipt_id": record.receipt_id,
        "store": record.store,
        "owner": record.owner,
        "score": record.score,
        "state": record.state,
        "outcome": record.outcome,
        "note": record.note,
        "opened_at": iso(record.opened_at),
        "due_at": iso(record.due_at),
        "is_overdue": overdue,
        **told,
        "changed_at": iso(record.changed_at),
    }


def detail(record: CaseRecord, history: list[Change], *, overdue: bool) -> dict[str, Any]:
    changes = [{"by": each.by, "what": each.what, "changed_at": iso(each.changed_at)} for each in history]
    return shown(record, overdue=overdue) | {"history": changes}


def figures(numbers: Numbers) -> dict[str, Any]:
    return {name: getattr(numbers, name) for name in Numbers.__slots__}
