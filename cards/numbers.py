"""Counting what is done with cards, without knowing by whom.

A visitor is a hash of their address and browser under a salt that lives for a day (UTC). Within it the same person is
counted once; tomorrow nobody can tell that they come again, and today's hashes are deleted.
"""

import hmac
import secrets
from dataclasses import dataclass
from datetime import UTC, datetime
from ipaddress import IPv6Address, ip_address
from typing import Any, Final, Literal

from sqlalchemy import Connection, delete, select

from cards.find import CardRecord
from cards.tables import CardCount, CardVisit, CardVisitor, DailySalt
from infra.database import insert_or_ignore, upsert

Act = Literal["view", "visitor", "save", "wallet", "share", "tap", "exchange"]
ACTS: Final[tuple[Act, ...]] = ("view", "visitor", "save", "wallet", "share", "tap", "exchange")
_SALT_BYTES: Final = 32
# Of the 32 digits of a visitor the first half is their network's, so that it can be limited too.
_HALF: Final = 16
_LONGEST_AGENT: Final = 400


@dataclass(frozen=True, slots=True)
class _Limit:
    """How often one act counts on one card and day: by one visitor, and by all from one network, since whoever changes
    the name of their browser is another visitor. ``is_apart``: each source and target by itself."""

    visitor: int
    network: int
    is_apart: bool = True


_ONCE: Final = _Limit(1, 500)
_LIMITS: Final[dict[str, _Limit]] = {
    "view": _Limit(20, 500, is_apart=False),
    "exchange": _Limit(5, 20, is_apart=False),
}


def day_of(now: datetime) -> str:
    return now.astimezone(UTC).date().isoformat()


def visitor_of(conn: Connection, merchant_id: str, address: str, agent: str, now: datetime) -> str:
    """32 hex digits for who comes from ``address`` with the browser ``agent`` today: another at each merchant, and
    tomorrow. ``conn`` is in a transaction that writes: the day's first visitor makes its salt."""
    salt, network = _salt(conn, merchant_id, day_of(now)), _network(address)
    told = (network, f"{address} {agent[:_LONGEST_AGENT]}")
    return "".join(hmac.digest(salt, part.encode(errors="replace"), "sha256").hex()[:_HALF] for part in told)


def count(
    conn: Connection,
    record: CardRecord,
    act: Act,
    *,
    source: str,
    target: str = "",
    visitor: str,
    receipt_id: str | None,
    now: datetime,
) -> bool:
    """Whether it counts. A view does 20 times a day for one visitor, a contact left 5 times, anything else once for
    each source and target; the first view of the day counts its ``visitor`` too.

    Any number may count at once: every row is one upsert, and all take theirs in the same order.
    """
    limit, day = _LIMITS.get(act, _ONCE), day_of(now)
    apart = {"source": source, "target": target} if limit.is_apart else {"source": "", "target": ""}
    of_network = {"visitor": visitor[:_HALF], "act": act, "source": "", "target": ""}
    if _is_spent(conn, record, day, of_network, limit.network):
        return False
    times = _noted(conn, record, day, {"visitor": visitor, "act": act, **apart}, limit.visitor)
    if times is None or _noted(conn, record, day, of_network, limit.network) is None:
        return False
    for each in (act, "visitor") if act == "view" and times == 1 else (act,):
        _add(conn, record, {"day": day, "act": each, "source": source, "target": target})
    if receipt_id is not None:
        _add_visit(conn, record, act, receipt_id, now)
    return True


def _salt(conn: Connection, merchant_id: str, day: str) -> bytes:
    """Of those who come at once, one makes it and all read it. With a new one the older go."""
    known = select(DailySalt.salt).where(DailySalt.merchant_id == merchant_id, DailySalt.day == day)
    salt = conn.scalar(known)
    if salt is not None:
        return salt
    new = {"merchant_id": merchant_id, "day": day, "salt": secrets.token_bytes(_SALT_BYTES)}
    conn.execute(insert_or_ignore(conn, DailySalt).values(new))
    conn.execute(delete(DailySalt).where(DailySalt.merchant_id == merchant_id, DailySalt.day < day))
    return conn.scalars(known).one()


def _network(address: str) -> str:
    """Of IPv6 the first 64 bits: within them a device changes its address as it likes (RFC 8981)."""
    try:
        found = ip_address(address)
    except ValueError:
        return address
    return str(int(found) >> 64) if isinstance(found, IPv6Address) else address


def _is_spent(conn: Connection, record: CardRecord, day: str, named: dict[str, str], most: int) -> bool:
    """Looked at first: what does not count anyway shall leave no row."""
    named = {"merchant_id": record.merchant_id, "card_id": record.id, "day": day, **named}
    times = conn.scalar(select(CardVisitor.times).filter_by(**named))
    return times is not None and times >= most


def _noted(conn: Connection, record: CardRecord, day: str, named: dict[str, str], most: int) -> int | None:
    """How often it was done by now; None where that is more than ``most``."""
    row = {"card_id": record.id, "day": day, **named, "merchant_id": record.merchant_id, "times": 1}
    key = [column.name for column in CardVisitor.__table__.primary_key]
    again = upsert(conn, CardVisitor).values(row)
    again = again.on_conflict_do_update(
        index_elements=key, set_={"times": CardVisitor.times + 1}, where=CardVisitor.times < most
    )
    times: int | None = conn.scalar(again.returning(CardVisitor.times))
    return times


def _add(conn: Connection, record: CardRecord, named: dict[str, str]) -> None:
    _one_more(conn, CardCount, {"card_id": record.id, **named, "merchant_id": record.merchant_id})


def _add_visit(conn: Connection, record: CardRecord, act: str, receipt_id: str, now: datetime) -> None:
    named = {"receipt_id": receipt_id, "card_id": record.id, "act": act}
    _one_more(conn, CardVisit, {**named, "merchant_id": record.merchant_id, "first_at": now})


def _one_more(conn: Connection, table: Any, row: dict[str, Any]) -> None:
    key = [column.name for column in table.__table__.primary_key]
    once = upsert(conn, table).values(row | {"times": 1})
    conn.execute(once.on_conflict_do_update(index_elements=key, set_={"times": table.times + 1}))
