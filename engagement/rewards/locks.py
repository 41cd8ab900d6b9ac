"""Who takes turns with whom, while cards are given and codes looked up. SQLite lets one write at a time, so only
PostgreSQL is asked.

A lock holds until the transaction ends. All that some cards need are taken at once and in one order, so that no two
wait for each other; who gives more in the same transaction may have to begin anew. They rely on each statement seeing
what was committed before it: REPEATABLE READ would break them.
"""

from collections.abc import Callable, Iterable
from contextlib import suppress
from hashlib import sha256
from typing import TypeVar

from sqlalchemy import Connection, text

Given = TypeVar("Given")

_ALL = text(
    "SELECT CASE WHEN shared THEN pg_advisory_xact_lock_shared(key) ELSE pg_advisory_xact_lock(key) END "
    "FROM unnest(CAST(:keys AS bigint[]), CAST(:shared AS boolean[])) WITH ORDINALITY AS wanted (key, shared, place) "
    "ORDER BY place"
)


class Crowded(Exception):
    """What is left is just being taken by others, who may yet let it go."""


def giving(
    conn: Connection, campaign_ids: Iterable[str], shoppers: Iterable[tuple[str, str]], give: Callable[[], Given]
) -> Given:
    """``give`` cards of these campaigns beside whoever else does, but those to ``(campaign, shopper)`` one after
    another: what a shopper has can only be counted while nobody else gives them more.

    Where that ends in :class:`Crowded`, nothing of it stays, its locks neither, and ``give`` is called once more when
    nobody else is giving any. Waiting for slots instead, two might each wait for one that the other has.
    """
    if conn.dialect.name != "postgresql":
        return give()
    campaigns = sorted({_key("campaign", each) for each in campaign_ids})
    own = [(key, False) for key in sorted({_key("shopper", *each) for each in shoppers})]
    with suppress(Crowded), conn.begin_nested():
        _take(conn, [(key, True) for key in campaigns] + own)
        return give()
    _take(conn, [(key, False) for key in campaigns] + own)
    return give()


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
