"""What is due, who sends it, and what became of it.

A job claims messages for itself, so that of any number of workers one sends each. The claim names the job: when its
worker dies, whoever takes up the job takes up its claims. A claim that nobody takes up lapses.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final, Literal

from sqlalchemy import Connection, select, update

from notify.tables import IS_WAITING, Message

State = Literal["sent", "refused", "failed"]
LEASE: Final = timedelta(minutes=10)
# How long a message is tried for.
PATIENCE: Final = timedelta(hours=48)
_WAITS: Final = (5, 20, 80, 320, 1280, 3600)


@dataclass(frozen=True, slots=True)
class Due:
    """A message to be sent now. ``attempts`` counts this one too."""

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


_DUE = tuple(getattr(Message, name) for name in Due.__slots__)


def claim(conn: Connection, job_id: str, *, now: datetime, at_most: int) -> list[Due]:
    """Messages of any merchant that are due, oldest first, now this job's; those first that it had claimed before."""
    mine = select(Message.id).where(IS_WAITING, Message.claim == job_id).order_by(Message.due_at).limit(at_most)
    found = list(conn.scalars(mine.with_for_update(skip_locked=True)))
    if not found:
        due = select(Message.id).where(IS_WAITING, Message.due_at <= now).order_by(Message.due_at).limit(at_most)
        found = list(conn.scalars(due.with_for_update(skip_locked=True)))
    if not found:
        return []
    values: dict[str, Any] = {"claim": job_id, "due_at": now + LEASE, "attempts": Message.attempts + 1}
    claimed = update(Message).where(Message.id.in_(found), IS_WAITING).values(values).returning(*_DUE)
    return sorted((Due(*row) for row in conn.execute(claimed)), key=lambda each: (each.asked_at, each.id))


def settle(conn: Connection, message: Due, state: State, detail: str, *, now: datetime) -> bool:
    """What became of it, for good. False where somebody else has said so already."""
    values = {"state": state, "detail": detail, "claim": None, "due_at": None, "settled_at": now}
    return conn.execute(_of(message).values(values)).rowcount == 1


def put_back(conn: Connection, messages: Sequence[Due], detail: str, *, now: datetime) -> datetime | None:
    """Try again later; a message that was tried for long enough has failed. When the first of them is due."""
    dues: list[datetime] = []
    for message in messages:
        due_at = now + timedelta(seconds=_WAITS[min(message.attempts, len(_WAITS)) - 1])
        if due_at - message.asked_at > PATIENCE:
            settle(conn, message, "failed", f"given up; {detail}", now=now)
            continue
        conn.execute(_of(message).values(due_at=due_at, claim=None, detail=detail))
        dues.append(due_at)
    return min(dues, default=None)


def give_up_claims(conn: Connection, messages: Sequence[Due], *, now: datetime) -> None:
    """Leave messages to whoever comes next."""
    for message in messages:
        conn.execute(_of(message).values(due_at=now, claim=None))


def overdue(conn: Connection, *, before: datetime) -> bool:
    """Whether something waits since then, though nobody says so: after a restore, or where a job was lost."""
    waiting = select(Message.id).where(IS_WAITING, Message.due_at < before).limit(1)
    return conn.scalar(waiting) is not None


def _of(message: Due) -> Any:
    return update(Message).where(Message.merchant_id == message.merchant_id, Message.id == message.id, IS_WAITING)
