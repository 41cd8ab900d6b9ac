"""Who takes turns with whom, while cards are given and codes looked up. SQLite lets one write at a time, so only
PostgreSQL is asked.

A lock holds until the transaction ends. All of a transaction's are taken at once and in one order, so that no two wait
for each other. They rely on each statement seeing what was committed before it: REPEATABLE READ would break them.
"""

from collections.abc import Iterable
from hashlib import sha256

from sqlalchemy import Connection, text

_ALL = text(
    "SELECT CASE WHEN shared THEN pg_advisory_xact_lock_shared(key) ELSE pg_advisory_xact_lock(key) END "
    "FROM unnest(CAST(:keys AS bigint[]), CAST(:shared AS boolean[])) WITH ORDINALITY AS wanted (key, shared, place) "
    "ORDER BY place"
)


def with_others(conn: Connection, campaign_ids: Iterable[str], shoppers: Iterable[tuple[str, str]]) -> None:
    """Give cards of these campaigns beside whoever else does, but those to ``(campaign, shopper)`` one after another:
    what a shopper has can only be counted while nobody else gives them more."""
    shared = sorted({_key("campaign", each) for each in campaign_ids})
    own = sorted({_key("shopper", *each) for each in shoppers})
    _take(conn, [(key, True) for key in shared] + [(key, False) for key in own])


def alone(conn: Connection, *campaign_ids: str) -> None:
    """Change the state of campaigns, or on what they depend, while no card of them is being given."""
    _take(conn, [(key, False) for key in sorted(_key("campaign", each) for each in campaign_ids)])


def in_turn_of_key(conn: Connection, merchant_id: str, key_id: str) -> None:
    """Look codes up for one API key while nobody else does so with it."""
    _take(conn, [(_key("codes", merchant_id, key_id), False)])


def _take(conn: Connection, locks: list[tuple[int, bool]]) -> None:
    if locks and conn.dialect.name == "postgresql":
        conn.execute(_ALL, {"keys": [key for key, _ in locks], "shared": [is_shared for _, is_shared in locks]})


def _key(*parts: str) -> int:
    return int.from_bytes(sha256("\n".join(("rewards", *parts)).encode()).digest()[:8], signed=True)
