"""What the catalogue says of what was bought: what it is, how long it is warranted, how to care for it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import orjson
from sqlalchemy import Connection, bindparam, select

from engagement.offers.items import all_of, comes_back, is_goods
from engagement.offers.tables import Product, ProductItem
from infra.database import one_of
from receipts.records import ReceiptRecord

_KINDS: Final = ("sale", "exchange")
# A receipt may have 2,000 lines.
_MOST: Final = 40  # lines
_SAID: Final = (
    select(ProductItem.item, Product.category, Product.warranty_months, Product.warranty, Product.care)
    .join(Product, Product.id == ProductItem.product_id)
    .where(ProductItem.merchant_id == bindparam("merchant_id"), one_of(ProductItem.item, "items"))
    # What is known by the same name: always the same of them.
    .order_by(Product.id.desc())
)


@dataclass(frozen=True, slots=True)
class Said:
    """Of one product, as the catalogue has it now; texts by language."""

    category: str | None
    warranty_months: int | None
    warranty: Mapping[str, str]
    care: Mapping[str, str]

    def __bool__(self) -> bool:
        return bool(self.category or self.warranty_months or self.warranty or self.care)


def about(conn: Connection, record: ReceiptRecord) -> dict[str, Said]:
    """By the ids of lines. What went back, and what was only practised, needs no care."""
    is_void = any(each.kind == "void" for each in record.amendments)
    if record.kind not in _KINDS or is_void or "training" in record.content.flags:
        return {}
    lines = [line for line in orjson.loads(record.content_json).get("lines", ()) if _stays(record.kind, line)][:_MOST]
    items = list(dict.fromkeys(item for line in lines for item in all_of(line)))
    if not items:
        return {}
    rows = conn.execute(_SAID, {"merchant_id": record.merchant_id, "items": items})
    known = {row.item: Said(row.category, row.warranty_months, row.warranty, row.care) for row in rows}
    # By its SKU before its GTIN, and that before its name.
    found = {line["id"]: next((known[item] for item in all_of(line) if item in known), None) for line in lines}
    return {line_id: said for line_id, said in found.items() if said}


def _stays(kind: str, line: Mapping[str, Any]) -> bool:
    return is_goods(line) and not comes_back(kind, line)
