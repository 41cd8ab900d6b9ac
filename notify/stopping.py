"""Stopping: whoever gets messages that they did not ask for stops them; an address that fails is written to no more.

A stop link is for one message and carries a mark that only we can make, so nothing is kept of it.
"""

import hmac
import re
from base64 import urlsafe_b64encode
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Literal

from sqlalchemy import Connection, delete, select, tuple_, update

from infra.bounces import Bounce
from infra.database import insert_or_ignore
from kernel.ids import digest
from notify.tables import IS_WAITING, Message, Suppression

Reason = Literal["bounced", "complained", "unsubscribed"]
# What the key of stop links is derived for (infra.secrets.derived).
PURPOSE: Final = "stop links"
_MARK_BYTES: Final = 16
# As worker/compose.py writes it; some mail servers put the name of the domain into capitals.
_OUR_ID: Final = re.compile(r"<?(msg_[0-9a-z]{26})(?:@[^<>@\s]{1,253}>)?")


@dataclass(frozen=True, slots=True)
class Stopped:
    """An address that is written to no more; only its hash is known."""

    channel: str
    digest: str
    reason: str
    since: datetime


@dataclass(frozen=True, slots=True)
class Addressee:
    """Whom a message went to, and whether its merchant writes there no more. ``subject_id`` is what it is about."""

    merchant_id: str
    subject_id: str
    channel: str
    address: str
    language: str | None
    is_stopped: bool = False


def link_token(key: bytes, message_id: str) -> str:
    return f"{message_id}.{_mark(key, message_id)}"


def message_of(key: bytes, token: str) -> str | None:
    """The id of the message that the link belongs to; None for a token that we did not make."""
    message_id, _, mark = token.partition(".")
    return message_id if hmac.compare_digest(mark.encode(), _mark(key, message_id).encode()) else None


def _mark(key: bytes, message_id: str) -> str:
    made = hmac.digest(key, message_id.encode(), "sha256")[:_MARK_BYTES]
    return urlsafe_b64encode(made).rstrip(b"=").decode()


def message_named(text: str | None) -> str | None:
    """The id of a message of ours in a stranger's ``<Message-ID@…>`` or VERP token; None where it cannot be one."""
    found = _OUR_ID.fullmatch((text or "").lower())
    return found[1] if found else None


def addressee(conn: Connection, message_id: str) -> Addressee | None:
    """Of a message whose link somebody opened: the link itself is the right to know, so no merchant is named."""
    columns = (Message.merchant_id, Message.subject_id, Message.channel, Message.address, Message.language)
    row = conn.execute(select(*columns).where(Message.id == message_id)).one_or_none()
    if row is None:
        return None
    return Addressee(*row, is_stopped=why_stopped(conn, row.merchant_id, row.channel, row.address) is not None)


def why_stopped(conn: Connection, merchant_id: str, channel: str, address: str) -> str | None:
    """Why the address is written to no more; None where nothing stands against it."""
    named = (Suppression.merchant_id == merchant_id, Suppression.channel == channel)
    return conn.scalar(select(Suppression.reason).where(*named, Suppression.digest == digest(address.lower())))


def stop(conn: Connection, message_id: str, reason: Reason, *, now: datetime) -> str | None:
    """Write no more to the address that this message went to, in its merchant's name; what still waits for it is not
    sent. The merchant, or None where there is no such message."""
    columns = (Message.merchant_id, Message.channel, Message.address)
    row = conn.execute(select(*columns).where(Message.id == message_id)).one_or_none()
    if row is None:
        return None
    new = {"channel": row.channel, "digest": digest(row.address), "reason": reason, "since": now}
    conn.execute(insert_or_ignore(conn, Suppression).values(merchant_id=row.merchant_id, **new))
    same = (Message.merchant_id == row.merchant_id, Message.channel == row.channel, Message.address == row.address)
    ended = {"state": "stopped", "detail": f"the address {reason}", "claim": None, "due_at": None, "settled_at": now}
    conn.execute(update(Message).where(*same, IS_WAITING).values(ended))
    return str(row.merchant_id)


def listed(conn: Connection, merchant_id: str, *, limit: int, after: tuple[str, ...] | None) -> list[Stopped]:
    """By channel and digest; ``after`` are those of the last one seen."""
    place = (Suppression.channel, Suppression.digest)
    query = select(*place, Suppression.reason, Suppression.since).where(Suppression.merchant_id == merchant_id)
    if after is not None:
        query = query.where(tuple_(*place) > after)
    return [Stopped(*row) for row in conn.execute(query.order_by(*place).limit(limit))]


def resume(conn: Connection, merchant_id: str, channel: str, address: str) -> bool:
    """Write to the address again. False where nothing stood against it."""
    named = (Suppression.merchant_id == merchant_id, Suppression.channel == channel)
    return conn.execute(delete(Suppression).where(*named, Suppression.digest == digest(address.lower()))).rowcount == 1


def bounced(conn: Connection, message_id: str, bounce: Bounce, *, now: datetime) -> str | None:
    """What its last server said of a message that was sent. Where the address will not work another time either, it is
    written to no more. The merchant, or None where there is no such message."""
    values = {"state": "bounced", "detail": bounce.detail or bounce.status, "settled_at": now}
    was_sent = (Message.id == message_id, Message.state == "sent")
    merchant = conn.scalar(update(Message).where(*was_sent).values(values).returning(Message.merchant_id))
    if merchant is not None and bounce.is_permanent:
        stop(conn, message_id, "bounced", now=now)
    return merchant
