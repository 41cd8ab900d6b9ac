"""Many receipts at once, past the intake: copies of one that was accepted."""

from typing import Any, cast

from sqlalchemy import Connection, Table, insert, select

from kernel.ids import new_id, new_token
from receipts.tables import Receipt

_TOGETHER = 1000


def copies(conn: Connection, receipt_id: str, count: int) -> None:
    """``count`` more of it, each with an id, a link and an external id of its own."""
    table = cast("Table", Receipt.__table__)
    first = dict(conn.execute(select(table).where(table.c.id == receipt_id)).mappings().one())
    for start in range(0, count, _TOGETHER):
        rows = [_copy(first, number) for number in range(start, min(start + _TOGETHER, count))]
        conn.execute(insert(table), rows)


def _copy(first: dict[str, Any], number: int) -> dict[str, Any]:
    names = {"id": new_id("rct", first["accepted_at"]), "token": new_token(), "number": f"{number:07}"}
    return first | names | {"external_id": f"copy-{number}"}
