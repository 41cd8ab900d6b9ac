"""Who buys for the first time, of merchants with campaigns for those who do."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final

import orjson
from sqlalchemy import Connection, Engine, select, update

from engagement import shoppers
from engagement.rewards.keys import RewardKeys
from engagement.rewards.sold import Sold, counts
from engagement.rewards.tables import SeenShopper
from infra.database import in_turn, insert_or_ignore
from kernel.ids import least_id
from receipts.sale import Shopper
from receipts.tables import Receipt, ReceiptShopper

_TOGETHER: Final = 1_000
# Longer than any transaction of the intake.
_BEING_WRITTEN: Final = timedelta(minutes=1)
_MARKS: Final = ("customer_id", "loyalty_id", "email", "phone")


def look_back(engine: Engine, keys: RewardKeys, merchant_id: str) -> None:
    """Write down who has bought before, as far as receipts are kept. It reads all of the merchant's, once a launch,
    page by page, and lets others write between."""
    last: str | None = ""
    while last is not None:
        with in_turn(engine) as conn:
            last = _page(conn, keys, merchant_id, after=last)


def catch_up(conn: Connection, keys: RewardKeys, merchant_id: str, *, since: datetime) -> None:
    """In the transaction of the launch: what was sold while :func:`look_back` read, or was just being written when it
    began."""
    last: str | None = least_id("rct", since - _BEING_WRITTEN)
    while last is not None:
        last = _page(conn, keys, merchant_id, after=last)


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


def _page(conn: Connection, keys: RewardKeys, merchant_id: str, *, after: str) -> str | None:
    """The last receipt that was looked at; None after the last of all."""
    columns = (ReceiptShopper.receipt_id, ReceiptShopper.details, Receipt.content)
    query = select(*columns).join(Receipt, Receipt.id == ReceiptShopper.receipt_id)
    query = query.where(ReceiptShopper.merchant_id == merchant_id, Receipt.kind == "sale", Receipt.id > after)
    page = conn.execute(query.order_by(Receipt.id).limit(_TOGETHER)).all()
    rows = [
        {"merchant_id": merchant_id, "shopper": mark, "receipt_id": row.receipt_id}
        for row in page
        if counts("sale", orjson.loads(row.content).get("flags", ()))
        and (mark := _mark(keys, merchant_id, row.details)) is not None
    ]
    if rows:
        # In one order, as all locks.
        conn.execute(insert_or_ignore(conn, SeenShopper), sorted(rows, key=lambda each: each["shopper"]))
    return page[-1].receipt_id if page else None


def _mark(keys: RewardKeys, merchant_id: str, details: str) -> str | None:
    told = orjson.loads(details).get("shopper") or {}
    return shoppers.pseudonym(
        keys.shopper, merchant_id, Shopper.model_construct(**{name: told.get(name) for name in _MARKS})
    )
