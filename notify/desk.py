"""What an operator sees of messages, and may do with them."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Literal, get_args

from sqlalchemy import Connection, select, update

from accounts.tables import Merchant
from infra.jobs import Jobs
from kernel.errors import Conflict, NotFound
from notify import asking, find, stopping
from notify.asking import Wanted
from notify.find import MessageInfo
from notify.tables import Message

# What may be sent again: what was sent is, and what bounced or was stopped is not wanted.
Over = Literal["refused", "failed"]
_AT_ONCE: Final = 500


@dataclass(frozen=True, slots=True)
class Shown:
    """``merchant`` is the slug of the merchant in whose name the message goes."""

    merchant: str
    message: MessageInfo


def newest(conn: Connection, *, merchant: str | None, state: str | None, limit: int) -> list[Shown]:
    """Of one merchant, or of all: the newest of each are looked up, since there is no index over all."""
    found = [
        each for slug, merchant_id in merchants(conn, merchant) for each in _of(conn, slug, merchant_id, state, limit)
    ]
    return sorted(found, key=lambda each: each.message.id, reverse=True)[:limit]


def send_again(conn: Connection, jobs: Jobs, message_id: str, *, now: datetime) -> None:
    """A message that was refused or has failed waits again, and is due. It stays the same one, so that a mail server
    that got it can tell. Raises :class:`NotFound` and :class:`Conflict`."""
    columns = (Message.merchant_id, Message.channel, Message.address, Message.state)
    row = conn.execute(select(*columns).where(Message.id == message_id)).one_or_none()
    if row is None:
        raise NotFound("There is no such message")
    if reason := stopping.why_stopped(conn, row.merchant_id, row.channel, row.address):
        raise Conflict(f"Its address {reason}; the merchant takes that back with DELETE /v1/suppressions/…")
    if not _wait_again(conn, row.merchant_id, [message_id], now=now):
        raise Conflict(f"It is {row.state}; only a message that was refused or has failed is sent again")
    asking.ask_at(conn, jobs, now, now=now)


def send_some_again(
    conn: Connection, jobs: Jobs, merchant_id: str, state: Over, *, after: str, now: datetime
) -> tuple[int, str | None]:
    """The next messages in this state, by age, but those whose addresses are written to no more.

    ``after`` is empty, or what the call before returned. How many wait again, and where to go on; None at the end.
    """
    mine = (Message.merchant_id == merchant_id, Message.state == state, Message.id > after)
    query = select(Message.id, Message.channel, Message.address).where(*mine).order_by(Message.id).limit(_AT_ONCE)
    wanted = {row.id: Wanted(merchant_id, "", row.address, row.channel) for row in conn.execute(query)}
    stopped = asking.reasons(conn, wanted.values())
    open_ = [message_id for message_id, each in wanted.items() if asking.key(each) not in stopped]
    count = _wait_again(conn, merchant_id, open_, now=now) if open_ else 0
    if count:
        asking.ask_at(conn, jobs, now, now=now)
    return count, max(wanted, default=None)


def _wait_again(conn: Connection, merchant_id: str, message_ids: Sequence[str], *, now: datetime) -> int:
    again = {"state": "waiting", "due_at": now, "attempts": 0, "claim": None, "settled_at": None}
    over = (Message.merchant_id == merchant_id, Message.id.in_(message_ids), Message.state.in_(get_args(Over)))
    return conn.execute(update(Message).where(*over).values(again)).rowcount


def merchants(conn: Connection, slug: str | None) -> Iterator[tuple[str, str]]:
    """Slug and id of this one, or of all."""
    query = select(Merchant.slug, Merchant.id)
    for row in conn.execute(query if slug is None else query.where(Merchant.slug == slug)).all():
        yield row.slug, row.id


def _of(conn: Connection, slug: str, merchant_id: str, state: str | None, limit: int) -> list[Shown]:
    return [Shown(slug, each) for each in find.listed(conn, merchant_id, state=state, limit=limit, after=None)]
