"""What happened, written down with it, for programs of the merchant to read in order."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

import orjson
from sqlalchemy import Connection, insert, select

from engagement.tables import Event
from kernel.ids import least_id, new_id

# An event gets its id before its transaction ends, so younger ones may still come before it: none is told earlier, and
# who follows a cursor misses none.
_SETTLED: Final = timedelta(seconds=10)


@dataclass(frozen=True, slots=True)
class Happened:
    """``data`` holds ids, never a code, a token or what is personal."""

    id: str
    kind: str
    receipt_id: str | None
    data: dict[str, Any]
    happened_at: datetime


def tell(
    conn: Connection,
    merchant_id: str,
    kind: str,
    data: dict[str, Any],
    *,
    now: datetime,
    receipt_id: str | None = None,
) -> None:
    """In the transaction of what happened, so both are there or neither."""
    tell_all(conn, [row(merchant_id, kind, data, now=now, receipt_id=receipt_id)])


def tell_all(conn: Connection, rows: Sequence[dict[str, Any]]) -> None:
    """Many at once, each as :func:`row` makes it."""
    if rows:
        conn.execute(insert(Event), rows)


def row(
    merchant_id: str, kind: str, data: dict[str, Any], *, now: datetime, receipt_id: str | None = None
) -> dict[str, Any]:
    values = {"merchant_id": merchant_id, "kind": kind, "receipt_id": receipt_id, "happened_at": now}
    return values | {"id": new_id("evt", now), "data": orjson.dumps(data).decode()}


def listed(
    conn: Connection, merchant_id: str, *, now: datetime, at_most: int, after: str = "", kind: str | None = None
) -> list[Happened]:
    """Oldest first, from behind the id ``after`` on; the last ten seconds are told later."""
    query = select(Event.id, Event.kind, Event.receipt_id, Event.data, Event.happened_at)
    query = query.where(Event.merchant_id == merchant_id, Event.id > after, Event.id < least_id("evt", now - _SETTLED))
    if kind is not None:
        query = query.where(Event.kind == kind)
    rows = conn.execute(query.order_by(Event.id).limit(at_most))
    return [Happened(row.id, row.kind, row.receipt_id, orjson.loads(row.data), row.happened_at) for row in rows]
