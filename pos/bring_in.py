"""Sales that another system made: taken as they are, flagged where they do not add up, each once."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial

import orjson
from sqlalchemy import ColumnElement, Connection, select

from accounts.places import directories
from kernel.errors import Conflict, Problem
from pos.event import Json, Known
from pos.gifts import Giver
from pos.intake import Arrival, arrive, take
from receipts.document import read_content
from receipts.issue import Issued
from receipts.reading import read_sale
from receipts.sale import Content, Sale
from receipts.tables import Receipt


@dataclass(frozen=True, slots=True)
class Brought:
    """What became of one sale. ``differs`` says that it is there already, but was told otherwise when it came first."""

    external_id: str
    number: str
    issued: Issued | None = None
    problem: Problem | None = None
    differs: bool = False

    @property
    def findings(self) -> list[dict[str, str]]:
        """What does not add up, as pointers and details."""
        flagged: list[dict[str, str]] = orjson.loads(self.issued.warnings) if self.issued else []
        return flagged


def bring_in(
    conn: Connection,
    merchant_id: str,
    sales: Sequence[Json],
    *,
    source: str,
    store_id: str,
    now: datetime,
    giver: Giver | None = None,
) -> list[Brought]:
    """Take canonical bodies into the store, in the caller's transaction; the answers come in the order of ``sales``.

    A sale that is there stays as it was first told: other systems tell the same order again whenever it changes.
    A body that the canonical sale does not hold does not keep the others out. With a ``giver`` they earn what sales at
    our own tills do.
    """
    bound = partial(arrive, merchant_id, now=now, source=source, store_id=store_id, only_flag=True)
    read = [_read(body, bound) for body in sales]
    arrivals = [each for each in read if isinstance(each, Arrival)]
    answers = iter(take(conn, arrivals, directories=directories(conn, [merchant_id]), now=now, giver=giver))
    return [each if isinstance(each, Brought) else _brought(conn, each, next(answers)) for each in read]


def _read(body: Json, bound: Callable[[Sale], Arrival]) -> Arrival | Brought:
    try:
        return bound(read_sale(body))
    except Problem as problem:
        return Brought(str(body.get("external_id", "")), str(body.get("number", "")), problem=problem)


def _brought(conn: Connection, arrival: Arrival, answer: Issued | Problem) -> Brought:
    external_id, number = arrival.sale.external_id or "", arrival.sale.number or ""
    if isinstance(answer, Issued):
        return Brought(external_id, answer.number, issued=answer)
    if isinstance(answer, Conflict):
        earlier = _earlier(conn, arrival)
        if earlier is not None:
            return Brought(external_id, earlier.number, issued=earlier, differs=True)
    return Brought(external_id, number, problem=answer)


def _earlier(conn: Connection, arrival: Arrival) -> Issued | None:
    columns = select(Receipt.id, Receipt.token, Receipt.number, Receipt.warnings)
    named = _named(arrival.merchant_id, arrival.source, arrival.sale.external_id or "")
    row = conn.execute(columns.where(named)).one_or_none()
    return Issued(*row, is_new=False) if row else None


def known_from(conn: Connection, merchant_id: str, source: str) -> Known:
    """Finds the contents of receipts that ``source`` brought in."""

    def known(external_id: str) -> Content | None:
        wanted = select(Receipt.content, Receipt.currency).where(_named(merchant_id, source, external_id))
        row = conn.execute(wanted).one_or_none()
        return read_content(row.content, row.currency) if row else None

    return known


def _named(merchant_id: str, source: str, external_id: str) -> ColumnElement[bool]:
    return (Receipt.merchant_id == merchant_id) & (Receipt.source == source) & (Receipt.external_id == external_id)
