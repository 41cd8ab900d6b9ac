"""What an operator sees of messages, and may do with them."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, select, update

from accounts.tables import Merchant
from infra.jobs import Jobs
from kernel.errors import Conflict, NotFound
from kernel.ids import digest
from notify import asking, find
from notify.find import MessageInfo
from notify.tables import Message, Suppression


@dataclass(frozen=True, slots=True)
class Shown:
    """``merchant`` is the slug of the merchant in whose name the message goes."""

    merchant: str
    message: MessageInfo


def newest(conn: Connection, *, merchant: str | None, state: str | None, limit: int) -> list[Shown]:
    """Of one merchant, or of all: the newest of each are looked up, since there is no index over all."""
    found = [
        each for slug, merchant_id in _merchants(conn, merchant) for each in _of(conn, slug, merchant_id, state, limit)
    ]
    return sorted(found, key=lambda each: each.message.id, reverse=True)[:limit]


def send_again(conn: Connection, jobs: Jobs, message_id: str, *, now: datetime) -> None:
    """A message that was refused or has failed waits again, and is due. It stays the same one, so that a mail server
    that got it can tell. Raises :class:`NotFound` and :class:`Conflict`."""
    columns = (Message.merchant_id, Message.channel, Message.address, Message.state)
    row = conn.execute(select(*columns).where(Message.id == message_id)).one_or_none()
    if row is None:
        raise NotFound("There is no such message")
    stopped = (Suppression.merchant_id == row.merchant_id, Suppression.channel == row.channel)
    if reason := conn.scalar(select(Suppression.reason).where(*stopped, Suppression.digest == digest(row.address))):
        raise Conflict(f"Its address {reason}; the merchant takes that back with DELETE /v1/suppressions/…")
    again = {"state": "waiting", "due_at": now, "attempts": 0, "claim": None, "settled_at": None}
    is_over = (Message.id == message_id, Message.state.in_(("refused", "failed")))
    if (
        conn.execute(update(Message).where(Message.merchant_id == row.merchant_id, *is_over).values(again)).rowcount
        != 1
    ):
        raise Conflict(f"It is {row.state}; only a message that was refused or has failed is sent again")
    asking.ask_at(conn, jobs, now, now=now)


def _merchants(conn: Connection, slug: str | None) -> Iterator[tuple[str, str]]:
    query = select(Merchant.slug, Merchant.id)
    for row in conn.execute(query if slug is None else query.where(Merchant.slug == slug)).all():
        yield row.slug, row.id


def _of(conn: Connection, slug: str, merchant_id: str, state: str | None, limit: int) -> list[Shown]:
    return [Shown(slug, each) for each in find.listed(conn, merchant_id, state=state, limit=limit, after=None)]
