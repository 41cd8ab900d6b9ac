"""Who buys for the first time, of merchants with campaigns for those who do."""

from collections.abc import Iterator, Sequence
from itertools import islice
from typing import Final

import orjson
from sqlalchemy import Connection, select, update

from engagement import shoppers
from engagement.rewards.keys import RewardKeys
from engagement.rewards.sold import Sold, counts
from engagement.rewards.tables import SeenShopper
from infra.database import insert_or_ignore
from receipts.sale import Shopper
from receipts.tables import Receipt, ReceiptShopper

_TOGETHER: Final = 1_000
_MARKS: Final = ("customer_id", "loyalty_id", "email", "phone")


def look_back(conn: Connection, keys: RewardKeys, merchant_id: str) -> None:
    """Write down who has bought before, as far as receipts are kept. It reads all of the merchant's, once a launch."""
    seen = _seen(conn, keys, merchant_id)
    while rows := list(islice(seen, _TOGETHER)):
        conn.execute(insert_or_ignore(conn, SeenShopper), rows)


def among(conn: Connection, sold: Sequence[Sold]) -> set[str]:
    """The receipts of ``sold`` by which shoppers are seen for the first time. Their row is kept as long as the last of
    their receipts."""
    found = set()
    # In one order, as all locks: who writes the same shopper down meanwhile is waited for.
    for each in sorted(sold, key=lambda one: (one.merchant_id, one.shopper or "", one.receipt_id)):
        if each.shopper is None:
            continue
        row = {"merchant_id": each.merchant_id, "shopper": each.shopper, "receipt_id": each.receipt_id}
        if conn.scalar(insert_or_ignore(conn, SeenShopper).values(row).returning(SeenShopper.shopper)):
            found.add(each.receipt_id)
            continue
        known = (SeenShopper.merchant_id == each.merchant_id, SeenShopper.shopper == each.shopper)
        conn.execute(update(SeenShopper).where(*known).values(receipt_id=each.receipt_id))
    return found


def _seen(conn: Connection, keys: RewardKeys, merchant_id: str) -> Iterator[dict[str, str]]:
    last = ""
    columns = (ReceiptShopper.receipt_id, ReceiptShopper.details, Receipt.content)
    query = select(*columns).join(Receipt, Receipt.id == ReceiptShopper.receipt_id)
    query = query.where(ReceiptShopper.merchant_id == merchant_id, Receipt.kind == "sale")
    while page := conn.execute(query.where(Receipt.id > last).order_by(Receipt.id).limit(_TOGETHER)).all():
        last = page[-1].receipt_id
        for row in page:
            mark = _mark(keys, merchant_id, row.details)
            if mark is not None and counts("sale", orjson.loads(row.content).get("flags", ())):
                yield {"merchant_id": merchant_id, "shopper": mark, "receipt_id": row.receipt_id}


def _mark(keys: RewardKeys, merchant_id: str, details: str) -> str | None:
    told = orjson.loads(details).get("shopper") or {}
    return shoppers.pseudonym(
        keys.shopper, merchant_id, Shopper.model_construct(**{name: told.get(name) for name in _MARKS})
    )
