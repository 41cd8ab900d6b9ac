"""Reading messages: those about one thing, and a merchant's list."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, Literal

from sqlalchemy import Connection, Select, case, select

from infra.database import unindexed
from notify.tables import Message

State = Literal["waiting", "sent", "refused", "bounced", "failed", "stopped"]


@dataclass(frozen=True, slots=True)
class MessageInfo:
    """``detail`` is the last word of a mail server, or why nothing was sent."""

    id: str
    subject_id: str
    channel: str
    address: str
    ordinal: int
    language: str | None
    with_pdf: bool
    is_automatic: bool
    state: str
    attempts: int
    detail: str | None
    asked_at: datetime
    due_at: datetime | None
    settled_at: datetime | None


# Who sends it has put its time off, so that nobody else does: it is not to be tried again then.
_NEXT_TRY: Final = case((Message.claim.is_(None), Message.due_at)).label("due_at")
_COLUMNS: Final = tuple(_NEXT_TRY if name == "due_at" else getattr(Message, name) for name in MessageInfo.__slots__)


def about(conn: Connection, merchant_id: str, subject_id: str) -> list[MessageInfo]:
    """Newest first."""
    return _found(conn, _about(merchant_id, subject_id))


def latest(conn: Connection, merchant_id: str, subject_id: str, channel: str, address: str) -> MessageInfo | None:
    """The last that went, or is to go, to this address."""
    same = _about(merchant_id, subject_id).where(Message.channel == channel, Message.address == address.lower())
    return next(iter(_found(conn, same.limit(1))), None)


def listed(
    conn: Connection, merchant_id: str, *, state: str | None, limit: int, after: str | None
) -> Sequence[MessageInfo]:
    """Newest first; ``after`` is the id of the last one seen."""
    query = _of(merchant_id).order_by(Message.id.desc())
    if state is not None:
        query = query.where(Message.state == state)
    if after is not None:
        query = query.where(Message.id < after)
    return _found(conn, query.limit(limit))


def _of(merchant_id: str) -> Select[Any]:
    return select(*_COLUMNS).where(Message.merchant_id == merchant_id)


def _about(merchant_id: str, subject_id: str) -> Select[Any]:
    """Few, so they are sorted: to get them in order, SQLite would walk through all messages of the merchant."""
    return _of(merchant_id).where(Message.subject_id == subject_id).order_by(unindexed(Message.id).desc())


def _found(conn: Connection, query: Select[Any]) -> list[MessageInfo]:
    return [MessageInfo(*row) for row in conn.execute(query)]
