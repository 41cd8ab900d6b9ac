"""The inbox of inbound webhooks: verified, written down, answered; then worked on, each event once.

Working on an event is one transaction that takes the sales and settles the event's row. A crash leaves the row waiting,
and a sweep finds it; two processes that work on the same row meet at its conditional UPDATE.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

import structlog
from sqlalchemy import Connection, Engine, select, update

from infra.database import insert_or_ignore, reading
from kernel.errors import Problem
from kernel.ids import new_id
from pos.adapters import ADAPTERS
from pos.bring_in import Brought, bring_in, known_from
from pos.endpoints import Door
from pos.event import Delivery, Reading
from pos.tables import HookEndpoint, InboundEvent
from receipts.card_numbers import holds_card_number
from receipts.issue import Issued

# Younger ones are being worked on by whoever took them in.
_GRACE: Final = timedelta(seconds=10)
_GIVE_UP: Final = timedelta(days=3)
_MOST_OUTCOME: Final = 4000
_WAITS: Final = "waits for "
_CARD_MEMBER: Final = re.compile(r'("[^"]{0,40}card[^"]{0,40}"\s*:\s*")([^"]{12,40})(")', re.IGNORECASE)

_log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class _Event:
    id: str
    merchant_id: str
    store_id: str
    source: str
    topic: str
    body: str
    outcome: str | None
    received_at: datetime


@dataclass(frozen=True, slots=True)
class _Work:
    state: str
    outcome: str
    brought: Sequence[Brought] = ()


def put(conn: Connection, door: Door, delivery: Delivery, body: bytes, *, now: datetime) -> str | None:
    """Write a verified delivery down; its id, or None where it came before."""
    row = {
        "id": new_id("evt", now),
        "merchant_id": door.merchant_id,
        "endpoint_id": door.id,
        "external_id": delivery.id,
        "topic": delivery.topic,
        "body": _kept(body),
        "state": "waiting",
        "received_at": now,
    }
    written: str | None = conn.scalar(insert_or_ignore(conn, InboundEvent).returning(InboundEvent.id), row)
    return written


def _kept(body: bytes) -> str:
    """As it came, but for what may not be kept: NUL, which PostgreSQL has no place for, and whole card numbers."""
    text = body.decode("utf-8", "replace").replace("\x00", "\ufffd")
    return _CARD_MEMBER.sub(lambda found: f"{found[1]}{_masked(found[2])}{found[3]}", text)


def _masked(number: str) -> str:
    return f"•••• {number[-4:]}" if holds_card_number(number) else number


def work_on(engine: Engine, event_id: str, *, now: datetime) -> list[Issued]:
    """Take the sales of a waiting event and settle it, and what waited for them. Gives the receipts that it led to."""
    event = _waiting(engine, event_id)
    if event is None:
        return []
    understood = _understood(engine, event)
    if _still_waits(event, understood, now):
        return []
    work = _settled(engine, event, understood, now)
    issued = [each.issued for each in work.brought if each.issued]
    for later in _waiting_for(engine, event, work.brought):
        issued += work_on(engine, later, now=now)
    return issued


def sweep(engine: Engine, *, now: datetime) -> list[Issued]:
    """Work on what a crash left behind, and on what waits for an event that has not come."""
    old = select(InboundEvent.id).where(InboundEvent.state == "waiting", InboundEvent.received_at < now - _GRACE)
    with reading(engine) as conn:
        left = conn.scalars(old.order_by(InboundEvent.received_at)).all()
    issued: list[Issued] = []
    for event_id in left:
        try:
            issued += work_on(engine, event_id, now=now)
        except Exception as error:
            # One event that cannot be worked on must not keep the others waiting.
            _log.error("hook_event_failed", hook_event=event_id, error=type(error).__name__)
    return issued


def _waiting(engine: Engine, event_id: str) -> _Event | None:
    columns = select(
        InboundEvent.id,
        InboundEvent.merchant_id,
        HookEndpoint.store_id,
        HookEndpoint.source,
        InboundEvent.topic,
        InboundEvent.body,
        InboundEvent.outcome,
        InboundEvent.received_at,
    )
    of = columns.join(HookEndpoint, HookEndpoint.id == InboundEvent.endpoint_id)
    with reading(engine) as conn:
        row = conn.execute(of.where(InboundEvent.id == event_id, InboundEvent.state == "waiting")).one_or_none()
    return _Event(*row) if row else None


def _understood(engine: Engine, event: _Event) -> Reading | Problem:
    with reading(engine) as conn:
        known = known_from(conn, event.merchant_id, event.source)
        try:
            return ADAPTERS[event.source].read(event.topic, event.body.encode(), known)
        except Problem as problem:
            return problem


def _still_waits(event: _Event, understood: Reading | Problem, now: datetime) -> bool:
    """Whether there is nothing new to write: a refund of an order from before may wait through many sweeps."""
    is_same = isinstance(understood, Reading) and event.outcome == _WAITS + understood.waits_for
    return is_same and event.received_at > now - _GIVE_UP


def _settled(engine: Engine, event: _Event, understood: Reading | Problem, now: datetime) -> _Work:
    """In one transaction. Whoever else works on the event waits here, and then finds it closed."""
    with engine.begin() as conn:
        mine = (InboundEvent.merchant_id == event.merchant_id) & (InboundEvent.id == event.id)
        claim = update(InboundEvent).where(mine, InboundEvent.state == "waiting").values(state="done")
        if conn.execute(claim).rowcount != 1:
            return _Work("done", "")
        work = _done(conn, event, understood, now)
        conn.execute(update(InboundEvent).where(mine).values(state=work.state, outcome=work.outcome[:_MOST_OUTCOME]))
    _log.info("hook_event", hook_event=event.id, topic=event.topic, state=work.state)
    return work


def _done(conn: Connection, event: _Event, understood: Reading | Problem, now: datetime) -> _Work:
    if isinstance(understood, Problem):
        return _Work("failed", _told(understood))
    if understood.waits_for:
        state = "waiting" if event.received_at > now - _GIVE_UP else "failed"
        return _Work(state, _WAITS + understood.waits_for)
    if not understood.sales:
        return _Work("ignored", understood.reason)
    try:
        brought = bring_in(
            conn, event.merchant_id, understood.sales, source=event.source, store_id=event.store_id, now=now
        )
    except Problem as problem:
        return _Work("failed", _told(problem))
    state = "failed" if understood.left_out or any(each.problem for each in brought) else "done"
    return _Work(state, "\n".join([*map(_outcome, brought), *map(_told, understood.left_out)]), brought)


def _waiting_for(engine: Engine, event: _Event, brought: Sequence[Brought]) -> Sequence[str]:
    """Events of the merchant that waited for what has just come."""
    awaited = [_WAITS + each.external_id for each in brought if each.issued]
    mine = (InboundEvent.merchant_id == event.merchant_id) & (InboundEvent.state == "waiting")
    with reading(engine) as conn:
        return conn.scalars(select(InboundEvent.id).where(mine, InboundEvent.outcome.in_(awaited))).all()


def _outcome(brought: Brought) -> str:
    if brought.problem:
        return f"{brought.external_id}: {_told(brought.problem)}"
    assert brought.issued is not None
    how = "new" if brought.issued.is_new else "there already"
    how += ", told otherwise" if brought.differs else ""
    flags = "".join(f"; {finding['pointer']} {finding['detail']}" for finding in brought.findings)
    return f"{brought.external_id}: {brought.issued.id}, {how}{flags}"


def _told(problem: Problem) -> str:
    fields = "".join(f"; {error.pointer} {error.detail}" for error in problem.errors)
    return f"{problem.slug}: {problem.detail or problem.title}{fields}"
