"""Cases as they are read: one, a list, and their numbers."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, Literal

import orjson
from sqlalchemy import BigInteger, Connection, Select, and_, func, select, type_coerce

from accounts.tables import StaffMember, Store
from engagement.voice.tables import Case, CaseChange
from kernel.errors import NotFound
from kernel.ids import least_id

State = Literal["open", "in_progress", "resolved", "dismissed"]
Outcome = Literal[
    "apologised", "explained", "fixed", "refunded", "replaced", "voucher", "unreachable", "changed_mind", "other"
]
OPEN: Final[tuple[State, ...]] = ("open", "in_progress")
_MICROSECONDS: Final = 1_000_000


@dataclass(frozen=True, slots=True)
class CaseRecord:
    """``store`` and ``owner`` are slugs, ``owner`` that of the member of staff who sees to it."""

    id: str
    merchant_id: str
    answer_id: str
    survey_id: str
    receipt_id: str | None
    brand_id: str | None
    store_id: str | None
    store: str | None
    owner: str | None
    email: str | None
    escalation_email: str | None
    score: int
    state: State
    is_closed_by_itself: bool
    outcome: Outcome | None
    note: str | None
    revision: int
    opened_at: datetime
    due_at: datetime
    changed_at: datetime
    escalated_at: datetime | None
    resolved_at: datetime | None

    def is_overdue(self, now: datetime) -> bool:
        return self.resolved_at is None and self.due_at <= now


@dataclass(frozen=True, slots=True)
class Change:
    """``by`` is the id of a key; "shopper" where their answer changed, "clock" where the time was over, "quarantine"
    where the answer is held back. ``what`` is by the names of the API."""

    by: str
    what: dict[str, Any]
    changed_at: datetime


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which cases of a list. ``overdue_at`` asks for those whose time was over then."""

    state: State | None = None
    store_id: str | None = None
    owner_id: str | None = None
    overdue_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Numbers:
    """Of cases that were opened in a time; ``open`` and ``overdue`` as they are now. The median is in seconds, of those
    that were resolved."""

    opened: int
    open: int
    overdue: int
    escalated: int
    resolved: int
    dismissed: int
    median_seconds_to_resolve: int | None
    outcomes: dict[str, int]


_OTHERS: Final[dict[str, Any]] = {"store": Store.slug.label("store"), "owner": StaffMember.slug.label("owner")}
_CASES: Final = (
    select(*(_OTHERS[name] if name in _OTHERS else getattr(Case, name) for name in CaseRecord.__slots__))
    .outerjoin(Store, and_(Store.merchant_id == Case.merchant_id, Store.id == Case.store_id))
    .outerjoin(StaffMember, and_(StaffMember.merchant_id == Case.merchant_id, StaffMember.id == Case.owner_id))
)


def one(conn: Connection, merchant_id: str, case_id: str, *, store_id: str | None = None) -> CaseRecord:
    """Raises :class:`NotFound`, also for a case of another store where the caller is bound to one."""
    query = _CASES.where(Case.merchant_id == merchant_id, Case.id == case_id)
    if store_id is not None:
        query = query.where(Case.store_id == store_id)
    found = _found(conn, query)
    if not found:
        raise NotFound("There is no such case")
    return found[0]


def of_answer(conn: Connection, merchant_id: str, answer_id: str) -> CaseRecord | None:
    found = _found(conn, _CASES.where(Case.merchant_id == merchant_id, Case.answer_id == answer_id))
    return found[0] if found else None


def listed(
    conn: Connection, merchant_id: str, wanted: Wanted, *, limit: int, after: str | None = None
) -> list[CaseRecord]:
    """Newest first; ``after`` is the id of the last one seen."""
    query = _CASES.where(Case.merchant_id == merchant_id)
    if wanted.state is not None:
        query = query.where(Case.state == wanted.state)
    if wanted.store_id is not None:
        query = query.where(Case.store_id == wanted.store_id)
    if wanted.owner_id is not None:
        query = query.where(Case.owner_id == wanted.owner_id)
    if wanted.overdue_at is not None:
        query = query.where(Case.resolved_at.is_(None), Case.due_at <= wanted.overdue_at)
    if after is not None:
        query = query.where(Case.id < after)
    return _found(conn, query.order_by(Case.id.desc()).limit(limit))


def history(conn: Connection, merchant_id: str, case_id: str) -> list[Change]:
    """Oldest first."""
    query = select(CaseChange.by, CaseChange.what, CaseChange.changed_at)
    query = query.where(CaseChange.merchant_id == merchant_id, CaseChange.case_id == case_id)
    rows = conn.execute(query.order_by(CaseChange.changed_at, CaseChange.id))
    return [Change(row.by, orjson.loads(row.what), row.changed_at) for row in rows]


def numbers(
    conn: Connection,
    merchant_id: str,
    *,
    since: datetime,
    before: datetime,
    now: datetime,
    store_id: str | None = None,
) -> Numbers:
    mine = [Case.merchant_id == merchant_id] + ([Case.store_id == store_id] if store_id is not None else [])
    # Ids sort by age.
    in_time = [*mine, Case.id >= least_id("cas", since), Case.id < least_id("cas", before)]
    by_state = _counted(conn, select(Case.state, func.count()).where(*in_time).group_by(Case.state))
    is_open = [*mine, Case.resolved_at.is_(None)]
    return Numbers(
        opened=sum(by_state.values()),
        open=_count(conn, is_open),
        overdue=_count(conn, [*is_open, Case.due_at <= now]),
        escalated=_count(conn, [*in_time, Case.escalated_at.is_not(None)]),
        resolved=by_state.get("resolved", 0),
        dismissed=by_state.get("dismissed", 0),
        median_seconds_to_resolve=_median(conn, in_time, by_state.get("resolved", 0)),
        outcomes=_counted(
            conn,
            select(Case.outcome, func.count()).where(*in_time, Case.outcome.is_not(None)).group_by(Case.outcome),
        ),
    )


def _median(conn: Connection, in_time: Sequence[Any], count: int) -> int | None:
    """The lower of the middle two where there are two."""
    if not count:
        return None
    took = type_coerce(Case.resolved_at, BigInteger) - type_coerce(Case.opened_at, BigInteger)
    query = select(took).where(*in_time, Case.state == "resolved").order_by(took).offset((count - 1) // 2).limit(1)
    return int(conn.scalar(query) or 0) // _MICROSECONDS


def _count(conn: Connection, where: Sequence[Any]) -> int:
    return conn.scalar(select(func.count()).select_from(Case).where(*where)) or 0


def _counted(conn: Connection, query: Any) -> dict[str, int]:
    return {row[0]: row[1] for row in conn.execute(query)}


def _found(conn: Connection, query: Select[Any]) -> list[CaseRecord]:
    return [CaseRecord(**row) for row in conn.execute(query).mappings()]
