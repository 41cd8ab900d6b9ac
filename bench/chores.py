"""What workers and operators ask of the database, again and again. Each is undone after it was timed."""

from collections.abc import Callable
from datetime import timedelta
from typing import Final

from sqlalchemy import Connection

from bench.fill import NEWEST, Shop
from notify import figures, sending
from pos import inbox
from receipts import retention

Chore = Callable[[Connection, Shop], object]
# When the messages that wait are due.
_LATER: Final = NEWEST + timedelta(days=101 * 365)


def _claimed(conn: Connection, _shop: Shop) -> None:
    if len(sending.claim(conn, "bench", now=_LATER, lease=timedelta(hours=1), at_most=50)) != 50:
        raise RuntimeError("fifty messages wait, and were not claimed")


def _purged(conn: Connection, shop: Shop) -> None:
    # A purge takes families: a hundred sales, and the refunds of five.
    roots = retention.due(conn, shop.merchant_id, now=NEWEST)
    if len(retention.remove(conn, shop.merchant_id, roots, now=NEWEST)) < 100:
        raise RuntimeError("a hundred receipts are due, and were not purged")


CHORES: Final[dict[str, Chore]] = {
    "claim of 50 messages": _claimed,
    "purge of 100 receipts": _purged,
    "sweep for messages that nobody sees to": lambda conn, _: sending.overdue(conn, before=NEWEST),
    "sweep of the inbox": lambda conn, _: [inbox.due(conn, state, now=NEWEST) for state in ("waiting", "failed")],
    "figures of jobs and messages": lambda c, _: [*figures.jobs_now(c), *figures.messages_now(c)],
}
