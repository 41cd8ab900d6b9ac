"""What of a receipt can be reviewed, and what of it went back."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import Final

import orjson
from sqlalchemy import Connection, select
from sqlalchemy.orm import aliased

from receipts.prices import without_prices
from receipts.records import ReceiptRecord
from receipts.tables import Receipt

# More are not asked about on one page.
MOST: Final = 40


@dataclass(frozen=True, slots=True)
class Product:
    sku: str
    name: str


def products(record: ReceiptRecord) -> list[Product]:
    """What can be reviewed: that of :func:`named`, where the sale was not voided."""
    return [] if any(each.kind == "void" for each in record.amendments) else named(record)


def named(record: ReceiptRecord) -> list[Product]:
    """Each once, in the receipt's order: goods and services with a ``sku``, of a sale that was no test. What came back
    was bought all the same."""
    content = record.content
    if record.kind not in ("sale", "exchange") or "training" in content.flags:
        return []
    is_gift = "gift" in content.flags
    found: dict[str, Product] = {}
    for line in content.lines:
        if line.sku and line.type in ("product", "service") and line.quantity > 0 and line.original_line is None:
            name = without_prices(line.name) if is_gift else line.name
            found.setdefault(line.sku, Product(line.sku, name))
    return list(found.values())[:MOST]


def went_back(conn: Connection, merchant_id: str, bought: Collection[tuple[str, str]]) -> set[tuple[str, str]]:
    """Those pairs of a receipt's id and a sku of which something was returned, exchanged or voided since."""
    amending, ids = aliased(Receipt), {receipt_id for receipt_id, _ in bought}
    query = select(Receipt.id, Receipt.content, Receipt.total, amending.kind, amending.content.label("later"))
    query = query.join(amending, (amending.merchant_id == Receipt.merchant_id) & (amending.original_id == Receipt.id))
    rows = conn.execute(query.where(Receipt.merchant_id == merchant_id, Receipt.id.in_(ids))).all()
    gone = {(row.id, sku) for row in rows for sku in _skus_back(row.kind, row.content, row.later)}
    return gone & set(bought)


def _skus_back(kind: str, content: str, later: str) -> Iterable[str]:
    lines = orjson.loads(content).get("lines", [])
    skus = {line["id"]: line["sku"] for line in lines if line.get("sku")}
    if kind == "void":
        return skus.values()
    back = {line.get("original_line") for line in orjson.loads(later).get("lines", [])}
    named = {line.get("sku") for line in orjson.loads(later).get("lines", [])} if kind == "refund" else set()
    return {sku for line_id, sku in skus.items() if line_id in back or sku in named}
