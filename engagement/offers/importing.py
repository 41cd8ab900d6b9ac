"""Products out of tables: each row by itself makes one, changes one, or is refused with what would be right."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Connection, select

from accounts.tables import Brand
from engagement.offers import catalogue, products
from engagement.offers.catalogue import ProductContent
from engagement.offers.products import ProductRecord
from engagement.offers.table import Row
from engagement.offers.table_names import BY_LANGUAGE
from infra import csv_columns
from infra.csv_columns import Fault
from infra.row_by_row import State, unreached
from kernel.errors import FieldError, Invalid

# So many rows share a transaction.
TOGETHER: Final = 200


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a row, and of which product."""

    row: int
    state: State
    sku: str | None
    faults: tuple[Fault, ...] = ()
    lost: tuple[str, ...] = ()


@dataclass(slots=True)
class Import:
    """Of one file. ``seen`` are its rows so far by their SKUs."""

    merchant_id: str
    dry_run: bool = False
    seen: dict[str, Row] = field(default_factory=dict)


def language_of(conn: Connection, merchant_id: str) -> str:
    """That of texts whose column names none: the first of the merchant's first brand."""
    languages = select(Brand.languages).where(Brand.merchant_id == merchant_id).order_by(Brand.id).limit(1)
    found: list[str] = conn.scalar(languages) or []
    return next(iter(found), "en")


def not_reached(rows: Sequence[Row], trouble: Exception) -> list[Outcome]:
    fault = unreached(trouble)
    return [Outcome(each.number, "refused", each.sku, (*each.faults, fault), each.lost) for each in rows]


def bring(conn: Connection, work: Import, rows: Sequence[Row], *, now: datetime) -> list[Outcome]:
    """What becomes of some rows. A dry run tells the same and writes nothing."""
    if not work.dry_run:
        products.hold(conn, work.merchant_id)
    before = products.with_skus(conn, work.merchant_id, [each.sku for each in rows if each.sku])
    judged = [(each, _read(work, before, each)) for each in rows]
    wanted = {row.sku: read for row, read in judged if row.sku and isinstance(read, ProductContent)}
    if work.dry_run:
        became = products.foreseen(before, wanted)
    else:
        became = products.put(conn, work.merchant_id, wanted, now=now)
    return [
        read if isinstance(read, Outcome) else Outcome(row.number, became[row.sku or ""], row.sku, lost=row.lost)
        for row, read in judged
    ]


def _read(work: Import, before: Mapping[str, ProductRecord], row: Row) -> ProductContent | Outcome:
    """Its product, or that nothing is to be written."""
    refused = Outcome(row.number, "refused", row.sku, row.faults, row.lost)
    if row.faults or row.sku is None:
        return refused
    earlier = work.seen.get(row.sku)
    if earlier is not None and earlier.content == row.content:
        return replace(refused, state="unchanged")
    try:
        if earlier is not None:
            # At each import the product would be changed there and back.
            raise Invalid(errors=[FieldError("/sku", f"is in row {earlier.number} too; each belongs there once")])
        read = catalogue.read_product({"sku": row.sku} | _content(before.get(row.sku), row), "")
    except Invalid as problem:
        return replace(refused, faults=tuple(csv_columns.fault(each, row.columns) for each in problem.errors))
    work.seen[row.sku] = row
    return catalogue.content_of(read)


def _content(before: ProductRecord | None, row: Row) -> dict[str, Any]:
    """What the row says nothing of stays as it is, also in other languages."""
    there = catalogue.plain(before.content) if before else {}
    told = {name: there.get(name, {}) | value if name in BY_LANGUAGE else value for name, value in row.content.items()}
    return there | told
