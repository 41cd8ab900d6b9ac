"""Asking for messages: each is written down in the transaction of what it is about, with the job that sends it."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final, cast

from sqlalchemy import Connection, Table, func, select, tuple_

from accounts.fields import Channel
from infra.bulk import insert_new
from infra.jobs import Jobs
from kernel.ids import digest, new_id
from notify.stopping import Stopped
from notify.tables import Message, Suppression

# The kind of the job that sends what is due.
DELIVER: Final = "deliver"
_MESSAGES = cast("Table", Message.__table__)


@dataclass(frozen=True, slots=True)
class Post:
    """What a process needs to ask for messages. ``channels`` are those that are set up."""

    jobs: Jobs
    channels: frozenset[str]


@dataclass(frozen=True, slots=True)
class Wanted:
    """One message to one person. ``subject_id`` is what it is about."""

    merchant_id: str
    subject_id: str
    address: str
    channel: Channel = "email"
    language: str | None = None
    with_pdf: bool = False
    is_automatic: bool = False
    # 0 asks for the first message; a higher one for that which is sent again.
    ordinal: int = 0


def ask(conn: Connection, post: Post, wanted: Sequence[Wanted], *, now: datetime) -> None:
    """Write down what is new, and see to it that it is sent. What cannot be sent is written down with the reason."""
    if not wanted:
        return
    stopped = reasons(conn, wanted)
    rows = [_row(each, _hindrance(each, post, stopped), now) for each in wanted]
    written = insert_new(conn, _MESSAGES, rows, _MESSAGES.c.id)
    waiting = [row["id"] for row in rows if row["id"] in written and row["state"] == "waiting"]
    if waiting:
        # One job for all of them: it sends whatever is due.
        post.jobs.enqueue(conn, DELIVER, job_id=f"{DELIVER}:{waiting[0]}")


def ask_at(conn: Connection, jobs: Jobs, due_at: datetime, *, now: datetime) -> None:
    """See to what falls due then. All that falls due within the same seconds shares one job."""
    at = int(due_at.timestamp()) // 5 * 5 + 5
    jobs.enqueue(conn, DELIVER, job_id=f"{DELIVER}@{at}", delay=at - now.timestamp())


def reasons(conn: Connection, wanted: Iterable[Wanted]) -> dict[tuple[str, str, str], Stopped]:
    """What stands against sending: by merchant, channel and the address's digest."""
    keys = {key(each) for each in wanted}
    columns = (Suppression.merchant_id, Suppression.channel, Suppression.digest)
    query = select(*columns, Suppression.reason, Suppression.since).where(tuple_(*columns).in_(keys))
    return {(row[0], row.channel, row.digest): Stopped(*row[1:]) for row in conn.execute(query)}


def count_since(conn: Connection, merchant_id: str, subject_id: str, *, hours: int, now: datetime) -> int:
    mine = (Message.merchant_id == merchant_id) & (Message.subject_id == subject_id)
    recent = Message.asked_at > now - timedelta(hours=hours)
    return conn.scalar(select(func.count()).select_from(Message).where(mine, recent)) or 0


def key(wanted: Wanted) -> tuple[str, str, str]:
    """What :func:`reasons` finds it by."""
    return wanted.merchant_id, wanted.channel, digest(wanted.address.lower())


def _hindrance(wanted: Wanted, post: Post, stopped: Mapping[tuple[str, str, str], Stopped]) -> tuple[str, str] | None:
    """The state of what is not sent, and why."""
    if found := stopped.get(key(wanted)):
        return "stopped", f"the address {found.reason} on {found.since:%Y-%m-%d}"
    return None if wanted.channel in post.channels else ("failed", f"{wanted.channel} was not set up")


def _row(wanted: Wanted, hindrance: tuple[str, str] | None, now: datetime) -> dict[str, Any]:
    state, detail = hindrance or ("waiting", None)
    return {
        "id": new_id("msg", now),
        "merchant_id": wanted.merchant_id,
        "subject_id": wanted.subject_id,
        "channel": wanted.channel,
        "address": wanted.address.lower(),
        "ordinal": wanted.ordinal,
        "language": wanted.language,
        "with_pdf": wanted.with_pdf,
        "is_automatic": wanted.is_automatic,
        "state": state,
        "attempts": 0,
        "detail": detail,
        "claim": None,
        "asked_at": now,
        "due_at": None if hindrance else now,
        "settled_at": now if hindrance else None,
    }
