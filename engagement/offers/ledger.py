"""What was bought together, written down from receipts after they were accepted, so that accepting them costs nothing.

Every receipt gets a basket, also an empty one: so the newest basket tells how far the ledger has come, and what has
none was not seen. A receipt's id is drawn before its transaction ends, so each look begins some minutes before the
newest basket, and one each night begins days before.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final, cast

import orjson
import structlog
from sqlalchemy import Connection, Engine, Row, Table, bindparam, func, select, update

from engagement import shoppers
from engagement.offers import attribution, books
from engagement.offers.items import Bought, all_of, bought, comes_back, is_goods, item_of
from engagement.offers.tables import Basket, ProductItem
from infra.bulk import insert_new
from infra.database import in_turn, one_of, reading
from infra.trouble import is_of_its_values, reason
from kernel.ids import least_id
from receipts.document import read_content
from receipts.tables import Receipt, ReceiptShopper
from receipts.worth import worth

_log = structlog.get_logger()
# Longer than any transaction of the intake may take.
OVERLAP: Final = timedelta(minutes=5)
# So many receipts share a transaction: who writes meanwhile waits some hundredths of a second (SQLite).
_TOGETHER: Final = 50
_BASKETS: Final = cast("Table", Basket.__table__)
_BEFORE_ALL: Final = ""
_COLUMNS: Final = tuple(
    getattr(Receipt, name)
    for name in ("id", "merchant_id", "store_id", "kind", "currency", "issued_at", "original_id", "content")
)
_MISSING: Final = (
    select(Receipt.id)
    .outerjoin(Basket, Basket.receipt_id == Receipt.id)
    .where(Receipt.id > bindparam("after"), Basket.receipt_id.is_(None))
    .order_by(Receipt.id)
    .limit(_TOGETHER)
)
_KNOWN: Final = select(ProductItem.item).where(
    ProductItem.merchant_id == bindparam("merchant_id"), one_of(ProductItem.item, "items")
)


@dataclass(frozen=True, slots=True)
class Keys:
    """``shoppers`` is for their pseudonyms, ``offers`` for the marks of offers."""

    shoppers: bytes
    offers: bytes


@dataclass(frozen=True, slots=True)
class Entry:
    """A receipt on its way into the ledger. ``content`` is its JSON."""

    row: Row[Any]
    content: dict[str, Any]
    bought: Bought
    shopper: str | None
    metadata: dict[str, Any]


def catch_up(
    engine: Engine, keys: Keys, *, now: datetime, stop: Callable[[], bool], since: datetime | None = None
) -> int:
    """Take what is new of all merchants, until nothing is or ``stop``; how many receipts that were.

    It looks from ``since`` on, or from a little before the newest basket. No merchant is named: it is for all.
    """
    count, after = 0, least_id("rct", since) if since else _begin(engine)
    while not stop():
        with reading(engine) as conn:
            ids = list(conn.scalars(_MISSING, {"after": after}))
        if not ids:
            return count
        count += _taken(engine, ids, keys, now)
        after = ids[-1]
    return count


def _taken(engine: Engine, receipt_ids: Sequence[str], keys: Keys, now: datetime) -> int:
    """Together; where one of them cannot be read, or what it says not be written, each by itself, so that it does not
    keep the others from the ledger for ever. That one gets an empty basket."""
    try:
        with in_turn(engine) as conn:
            return take(conn, receipt_ids, keys, now=now)
    except Exception as error:
        if not is_of_its_values(error):
            raise
        if len(receipt_ids) > 1:
            return sum(_taken(engine, [each], keys, now) for each in receipt_ids)
        _log.error("receipt_not_in_ledger", receipt=receipt_ids[0], **reason(error))
    with in_turn(engine) as conn:
        _step_over(conn, receipt_ids[0])
    return 0


def _step_over(conn: Connection, receipt_id: str) -> None:
    row = conn.execute(select(*_COLUMNS).where(Receipt.id == receipt_id)).one_or_none()
    if row is not None:
        named = {"receipt_id": row.id, "merchant_id": row.merchant_id, "store_id": row.store_id, "at": row.issued_at}
        nothing = {"shopper": None, "items": "[]", "returned": "[]", "also": None}
        insert_new(conn, _BASKETS, [named | nothing], _BASKETS.c.receipt_id)


def take(conn: Connection, receipt_ids: Sequence[str], keys: Keys, *, now: datetime) -> int:
    """Write down those receipts that were not yet; how many. Two who take the same write it once."""
    entries = _entries(conn, receipt_ids, keys)
    originals = {entry.row.original_id for entry in entries} - {None, *receipt_ids}
    # A refund may have been drawn before its sale was seen.
    entries = sorted([*_entries(conn, sorted(originals), keys), *entries], key=lambda each: str(each.row.id))
    also = _also(conn, entries)
    rows = [_basket(each) | {"also": also.get(each.row.id)} for each in entries]
    new = insert_new(conn, _BASKETS, rows, _BASKETS.c.receipt_id)
    fresh = [entry for entry in entries if entry.row.id in new]
    # Before anything of them is given back: a refund may come with its sale.
    attribution.attribute(conn, [_purchase(entry) for entry in fresh if entry.bought.items], keys.offers, now=now)
    for entry in sorted(fresh, key=lambda each: (each.row.original_id or "", each.row.id)):
        _give_back(conn, entry, now=now)
    for merchant_id in sorted({entry.row.merchant_id for entry in fresh}):
        count = sum(entry.row.merchant_id == merchant_id and len(entry.bought.items) > 1 for entry in fresh)
        books.add_fresh(conn, merchant_id, count)
    return len(fresh)


def _begin(engine: Engine) -> str:
    with reading(engine) as conn:
        newest = conn.scalar(select(func.max(Basket.receipt_id)))
        if newest is None:
            return _BEFORE_ALL
        accepted = conn.scalar(select(Receipt.accepted_at).where(Receipt.id == newest))
    return least_id("rct", accepted - OVERLAP) if accepted else _BEFORE_ALL


def _entries(conn: Connection, receipt_ids: Sequence[str], keys: Keys) -> list[Entry]:
    """Both rows are held until the transaction ends: whoever purges or erases them meanwhile waits, and then finds the
    basket."""
    query = select(*_COLUMNS).where(Receipt.id.in_(receipt_ids)).order_by(Receipt.id)
    rows = conn.execute(query.with_for_update(read=True, key_share=True)).all() if receipt_ids else []
    of = select(ReceiptShopper.receipt_id, ReceiptShopper.details).where(ReceiptShopper.receipt_id.in_(receipt_ids))
    held = of.order_by(ReceiptShopper.receipt_id).with_for_update(read=True)
    private = {each.receipt_id: orjson.loads(each.details) for each in conn.execute(held)} if rows else {}
    return [_entry(row, private.get(row.id, {}), keys) for row in rows]


def _entry(row: Row[Any], private: Mapping[str, Any], keys: Keys) -> Entry:
    content = orjson.loads(row.content)
    return Entry(
        row=row,
        content=content,
        bought=bought(row.kind, content.get("lines", ()), content.get("flags", ())),
        shopper=shoppers.behind(keys.shoppers, row.merchant_id, private),
        metadata=private.get("metadata", {}),
    )


def _basket(entry: Entry) -> dict[str, Any]:
    """What an exchange takes back without naming its sale is known with the exchange."""
    back = entry.bought.back if entry.row.original_id is None else ()
    return {
        "receipt_id": entry.row.id,
        "merchant_id": entry.row.merchant_id,
        "store_id": entry.row.store_id,
        "shopper": entry.shopper,
        "at": entry.row.issued_at,
        "items": _told(entry.bought.items),
        "returned": _told(back),
    }


def _also(conn: Connection, entries: Sequence[Entry]) -> dict[str, str]:
    """By receipts. A till's SKU may be none of the catalogue, which knows the line by its GTIN or name: by these it is
    found that a shopper has the product."""
    found: dict[str, str] = {}
    for merchant_id in sorted({each.row.merchant_id for each in entries}):
        lines = {each.row.id: _goods(each) for each in entries if each.row.merchant_id == merchant_id}
        asked = {key for some in lines.values() for line in some for key in all_of(line)}
        known = set(conn.scalars(_KNOWN, {"merchant_id": merchant_id, "items": sorted(asked)}))
        for receipt_id, some in lines.items():
            more = {item_of(line): known.intersection(all_of(line)) for line in some if item_of(line) not in known}
            told = {item: sorted(others) for item, others in more.items() if others}
            if told:
                found[receipt_id] = orjson.dumps(told).decode()
    return found


def _goods(entry: Entry) -> list[dict[str, Any]]:
    return [line for line in entry.content.get("lines", ()) if is_goods(line)]


def _purchase(entry: Entry) -> attribution.Purchase:
    return attribution.Purchase(
        receipt_id=entry.row.id,
        merchant_id=entry.row.merchant_id,
        kind=entry.row.kind,
        currency=entry.row.currency,
        at=entry.row.issued_at,
        shopper=entry.shopper,
        content=entry.row.content,
        marks=attribution.marks(entry.content, entry.metadata),
    )


def _give_back(conn: Connection, entry: Entry, *, now: datetime) -> None:
    """Note with the sale what of it came back: the lines that are named, the items that are, or all of it."""
    if entry.row.original_id is None or entry.row.kind == "sale":
        return
    mine = (Basket.merchant_id == entry.row.merchant_id, Basket.receipt_id == entry.row.original_id)
    basket = conn.execute(select(Basket.items, Basket.returned).where(*mine).with_for_update()).one_or_none()
    if basket is None:
        return
    items, going = orjson.loads(basket.items), None if _is_whole(conn, entry) else _worth_back(conn, entry)
    gone = (item for item in items if going is None or item in going)
    back = list(dict.fromkeys([*orjson.loads(basket.returned), *gone]))
    conn.execute(update(Basket).where(*mine).values(returned=_told(back)))
    attribution.take_back(conn, entry.row.merchant_id, entry.row.original_id, going, now=now)


def _is_whole(conn: Connection, entry: Entry) -> bool:
    if entry.row.kind == "void":
        return True
    if entry.bought.back or entry.row.kind != "refund":
        return False
    merchant_id = entry.row.merchant_id
    original = (Receipt.merchant_id == merchant_id, Receipt.id == entry.row.original_id)
    total = conn.scalar(select(Receipt.total).where(*original))
    given = conn.scalar(select(Receipt.total).where(Receipt.merchant_id == merchant_id, Receipt.id == entry.row.id))
    return total is not None and given is not None and abs(given) >= abs(total)


def _worth_back(conn: Connection, entry: Entry) -> dict[str, int]:
    """What came back, with its worth in minor units, by the item of the sale's line: the one that is named, or one that
    could be the same, since a refund may call it otherwise; else by its own."""
    by_id, by_key = _lines_of_sale(conn, entry)
    content, found = read_content(entry.row.content, entry.row.currency), dict.fromkeys(entry.bought.back, 0)
    for told, line in zip(entry.content.get("lines", ()), content.lines, strict=True):
        if is_goods(told) and comes_back(entry.row.kind, told):
            alike = next((by_key[key] for key in all_of(told) if key in by_key), item_of(told))
            item = by_id.get(told.get("original_line"), alike)
            found[item] = found.get(item, 0) + worth(content, [line])
    return found


def _lines_of_sale(conn: Connection, entry: Entry) -> tuple[dict[str, str], dict[str, str]]:
    """The items of the sale's lines, by their ids, and by each key that they could be known by."""
    mine = (Receipt.merchant_id == entry.row.merchant_id, Receipt.id == entry.row.original_id)
    content = conn.scalar(select(Receipt.content).where(*mine))
    lines = orjson.loads(content).get("lines", ()) if content else ()
    by_key = {key: item_of(line) for line in reversed(lines) if is_goods(line) for key in all_of(line)}
    return {line["id"]: item_of(line) for line in lines}, by_key


def _told(items: Sequence[str]) -> str:
    return orjson.dumps(items).decode()
