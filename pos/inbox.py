"""The inbox of inbound webhooks: verified, written down, answered; then worked on, each event once.

Working on an event is two steps. :func:`understand` reads it without a lock; :func:`settle` takes its sales and closes
its row in one transaction. A crash leaves the row waiting, and whoever asks what is :func:`due` finds it. Two processes
that work on the same row meet at its conditional UPDATE.

What a shopper told the other system is in the body, so that is emptied as soon as nobody needs it (decision 12).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final, Literal

import structlog
from sqlalchemy import ColumnElement, Connection, select, update

from infra.database import insert_or_ignore
from kernel.errors import Problem, in_words
from kernel.ids import new_id
from pos.adapters import ADAPTERS
from pos.bring_in import Brought, bring_in, known_from
from pos.endpoints import Door
from pos.event import Delivery, Reading
from pos.gifts import Giver
from pos.tables import HookEndpoint, InboundEvent
from receipts.issue import Issued

# Younger ones are being worked on by whoever took them in.
_GRACE: Final = timedelta(seconds=10)
_SOONEST: Final = timedelta(minutes=1)
_GIVE_UP: Final = timedelta(days=3)
_KEEP_FAILED: Final = timedelta(days=30)
_MOST_OUTCOME: Final = 4000
_EMPTIED: Final[dict[str, Any]] = {"body": "", "due_at": None}
MOST_DUE: Final = 100

_log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Understood:
    """A waiting event, and what its adapter made of it."""

    id: str
    merchant_id: str
    store_id: str
    source: str
    topic: str
    received_at: datetime
    reading: Reading | Problem


@dataclass(frozen=True, slots=True)
class Settled:
    """The receipts that an event led to, and the events that waited for them."""

    issued: Sequence[Issued] = ()
    woken: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class _Work:
    state: Literal["waiting", "done", "ignored", "failed"]
    outcome: str
    brought: Sequence[Brought] = ()
    waits_for: str | None = None


def put(conn: Connection, door: Door, delivery: Delivery, body: str, *, now: datetime) -> str | None:
    """Write a verified delivery down; its id, or None where it came before. ``body`` is what :func:`pos.masking.kept`
    leaves of it."""
    row = {
        "id": new_id("evt", now),
        "merchant_id": door.merchant_id,
        "endpoint_id": door.id,
        "external_id": delivery.id,
        "topic": delivery.topic,
        "body": body,
        "state": "waiting",
        "received_at": now,
        "due_at": now + _GRACE,
    }
    written: str | None = conn.scalar(insert_or_ignore(conn, InboundEvent).returning(InboundEvent.id), row)
    return written


def due(conn: Connection, state: Literal["waiting", "failed"], *, now: datetime) -> list[tuple[str, str]]:
    """Merchant and id of events that want looking at, the most overdue first, ``MOST_DUE`` at most: waiting ones to be
    worked on, failed ones to be emptied. The one question of the inbox that is about all merchants."""
    columns = select(InboundEvent.merchant_id, InboundEvent.id)
    found = columns.where(InboundEvent.state == state, InboundEvent.due_at <= now)
    return [(row.merchant_id, row.id) for row in conn.execute(found.order_by(InboundEvent.due_at).limit(MOST_DUE))]


def understand(conn: Connection, merchant_id: str, event_id: str) -> Understood | None:
    """What a waiting event means; None where it is settled already."""
    columns = select(
        HookEndpoint.store_id, HookEndpoint.source, InboundEvent.topic, InboundEvent.received_at, InboundEvent.body
    )
    of = columns.join(HookEndpoint, HookEndpoint.id == InboundEvent.endpoint_id)
    row = conn.execute(of.where(_one(merchant_id, event_id), InboundEvent.state == "waiting")).one_or_none()
    if row is None:
        return None
    try:
        known = known_from(conn, merchant_id, row.source)
        reading: Reading | Problem = ADAPTERS[row.source].read(row.topic, row.body.encode(), known)
    except Problem as problem:
        reading = problem
    return Understood(event_id, merchant_id, row.store_id, row.source, row.topic, row.received_at, reading)


def settle(conn: Connection, event: Understood, *, now: datetime, giver: Giver | None = None) -> Settled:
    """Take the sales of ``event``, close its row and wake what waited for them, in the caller's transaction.

    Whoever else works on the event waits at the first statement, and then finds it closed.
    """
    mine = _one(event.merchant_id, event.id)
    claim = update(InboundEvent).where(mine, InboundEvent.state == "waiting").values(state="done")
    if conn.execute(claim).rowcount != 1:
        return Settled()
    work = _done(conn, event, now, giver)
    conn.execute(update(InboundEvent).where(mine).values(_closing(event, work, now)))
    _log.info("hook_event", hook_event=event.id, topic=event.topic, state=work.state)
    return Settled(
        [each.issued for each in work.brought if each.issued], wake(conn, event.merchant_id, work.brought, now=now)
    )


def wake(conn: Connection, merchant_id: str, brought: Sequence[Brought], *, now: datetime) -> Sequence[str]:
    """Make the merchant's events due that waited for what has just come; their ids."""
    come = [each.external_id for each in brought if each.issued]
    asleep = (InboundEvent.merchant_id == merchant_id) & InboundEvent.waits_for.in_(come)
    woken = update(InboundEvent).where(asleep).values(due_at=now).returning(InboundEvent.id)
    return conn.scalars(woken).all() if come else ()


def postpone(conn: Connection, merchant_id: str, event_id: str, *, now: datetime) -> None:
    """After a try that broke off: the next one is due after as long again as the event is old."""
    mine = _one(merchant_id, event_id) & (InboundEvent.state == "waiting")
    received_at = conn.scalar(select(InboundEvent.received_at).where(mine))
    if received_at is not None:
        conn.execute(update(InboundEvent).where(mine).values(due_at=_next_try(received_at, now)))


def empty(conn: Connection, merchant_id: str, event_id: str) -> None:
    """Forget what a failed event said; that it came, and why it failed, stays."""
    mine = _one(merchant_id, event_id) & (InboundEvent.state == "failed")
    conn.execute(update(InboundEvent).where(mine).values(_EMPTIED))


def _one(merchant_id: str, event_id: str) -> ColumnElement[bool]:
    return (InboundEvent.merchant_id == merchant_id) & (InboundEvent.id == event_id)


def _next_try(received_at: datetime, now: datetime) -> datetime:
    """Ever later, so that what waits for days is looked at a dozen times."""
    return now + max(now - received_at, _SOONEST)


def _closing(event: Understood, work: _Work, now: datetime) -> dict[str, Any]:
    closing = {"state": work.state, "outcome": work.outcome[:_MOST_OUTCOME], "waits_for": work.waits_for}
    if work.state == "waiting":
        return closing | {"due_at": min(_next_try(event.received_at, now), event.received_at + _GIVE_UP)}
    return closing | ({"due_at": now + _KEEP_FAILED} if work.state == "failed" else _EMPTIED)


def _done(conn: Connection, event: Understood, now: datetime, giver: Giver | None) -> _Work:
    reading = event.reading
    if isinstance(reading, Problem):
        return _Work("failed", _told(reading))
    if reading.waits_for:
        outcome = f"waits for {reading.waits_for}"
        is_hopeless = event.received_at <= now - _GIVE_UP
        return _Work("failed", outcome) if is_hopeless else _Work("waiting", outcome, waits_for=reading.waits_for)
    if not reading.sales:
        return _Work("ignored", reading.reason)
    of = {"source": event.source, "store_id": event.store_id}
    brought = bring_in(conn, event.merchant_id, reading.sales, **of, now=now, giver=giver)
    has_failed = bool(reading.left_out) or any(each.problem for each in brought)
    outcome = "\n".join([*map(_outcome, brought), *map(_told, reading.left_out)])
    return _Work("failed" if has_failed else "done", outcome, brought)


def _outcome(brought: Brought) -> str:
    if brought.problem:
        return f"{brought.external_id}: {_told(brought.problem)}"
    assert brought.issued is not None
    how = "new" if brought.issued.is_new else "there already"
    how += ", told otherwise" if brought.differs else ""
    flags = "".join(f"; {finding['pointer']} {finding['detail']}" for finding in brought.findings)
    return f"{brought.external_id}: {brought.issued.id}, {how}{flags}"


def _told(problem: Problem) -> str:
    return f"{problem.slug}: {'; '.join(in_words(problem))}"
