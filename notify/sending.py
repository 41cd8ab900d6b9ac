"""What is due, who sends it, and what became of it.

A job claims messages for itself, so that of any number of workers one sends each. The claim names the job: when its
worker dies, whoever takes up the job takes up its claims. A claim that nobody takes up lapses.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final, Literal

from sqlalchemy import Connection, bindparam, select, update

from notify.tables import IS_WAITING, Message

State = Literal["sent", "refused", "failed"]
# How long a message is tried for.
PATIENCE: Final = timedelta(hours=48)
_WAITS: Final = (5, 20, 80, 320, 1280, 3600)


@dataclass(frozen=True, slots=True)
class Due:
    """A message to be sent now. ``attempts`` are those before."""

    id: str
    merchant_id: str
    subject_id: str
    channel: str
    address: str
    language: str | None
    with_pdf: bool
    is_automatic: bool
    attempts: int
    asked_at: datetime
    claim: str


_DUE = tuple(getattr(Message, name) for name in Due.__slots__)
# Built once: each letter asks it, and putting a statement together takes as long as running it.
_SETTLE = (
    update(Message)
    .where(Message.merchant_id == bindparam("whose"), Message.id == bindparam("which"), IS_WAITING)
    .values({name: bindparam(name) for name in ("state", "detail", "attempts", "settled_at")})
    .values(claim=None, due_at=None)
)


def claim(conn: Connection, job_id: str, *, now: datetime, lease: timedelta, at_most: int) -> list[Due]:
    """Messages of any merchant that are due, oldest first, this job's for as long as ``lease``; those first that it had
    claimed before."""
    mine = select(Message.id).where(IS_WAITING, Message.claim == job_id).order_by(Message.due_at).limit(at_most)
    found = list(conn.scalars(mine.with_for_update(skip_locked=True)))
    if not found:
        due = select(Message.id).where(IS_WAITING, Message.due_at <= now).order_by(Message.due_at).limit(at_most)
        found = list(conn.scalars(due.with_for_update(skip_locked=True)))
    if not found:
        return []
    values: dict[str, Any] = {"claim": job_id, "due_at": now + lease}
    claimed = update(Message).where(Message.id.in_(found), IS_WAITING).values(values).returning(*_DUE)
    return sorted((Due(*row) for row in conn.execute(claimed)), key=lambda each: (each.asked_at, each.id))


def settle(conn: Connection, message: Due, state: State, detail: str, *, now: datetime) -> bool:
    """What became of it, for good, whoever claims it by now. False where somebody else has said so already."""
    said = {"state": state, "detail": detail, "attempts": message.attempts + 1, "settled_at": now}
    return conn.execute(_SETTLE, said | {"whose": message.merchant_id, "which": message.id}).rowcount == 1


def next_try(message: Due, *, now: datetime) -> datetime | None:
    """When it is to be tried again; None where it was tried for long enough."""
    due_at = now + timedelta(seconds=_WAITS[min(message.attempts, len(_WAITS) - 1)])
    return due_at if due_at - message.asked_at <= PATIENCE else None


def put_back(conn: Connection, message: Due, detail: str, *, due_at: datetime, tried: bool = True) -> None:
    """Try it again then. ``tried``: whether the message itself was, and not another before it."""
    values = {"due_at": due_at, "claim": None, "detail": detail, "attempts": message.attempts + tried}
    conn.execute(_claimed(message).values(values))


def give_up_claims(conn: Connection, messages: Sequence[Due], *, now: datetime) -> None:
    """Leave messages to whoever comes next."""
    for message in messages:
        conn.execute(_claimed(message).values(due_at=now, claim=None))


def overdue(conn: Connection, *, before: datetime) -> bool:
    """Whether something waits since then, though nobody says so: after a restore, or where a job was lost."""
    waiting = select(Message.id).where(IS_WAITING, Message.due_at < before).limit(1)
    return conn.scalar(waiting) is not None


def _claimed(message: Due) -> Any:
    """As long as it is: a claim that lapsed may be another's by now, who is sending it."""
    mine = (Message.merchant_id == message.merchant_id, Message.id == message.id, IS_WAITING)
    return update(Message).where(*mine, Message.claim == message.claim)
