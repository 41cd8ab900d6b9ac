"""Reading one receipt, by its link or by its id."""

from typing import Any

import orjson
from sqlalchemy import Connection, bindparam, exists, select, union_all
from sqlalchemy.orm import aliased

from kernel.errors import NotFound
from receipts.document import read_content, read_issuer
from receipts.records import ReceiptRecord, RelatedReceipt
from receipts.tables import Receipt, ReceiptShopper

# Built once: every page asks these, and putting a statement together takes as long as running it.
_AMENDING = aliased(Receipt)
_AMENDED = (
    exists()
    .where(_AMENDING.merchant_id == Receipt.merchant_id, _AMENDING.original_id == Receipt.id)
    .label("is_amended")
)
_RECEIPT = select(Receipt.__table__, _AMENDED)
_BY_TOKEN = _RECEIPT.where(Receipt.token == bindparam("token"))
_BY_EITHER = _RECEIPT.where(
    Receipt.merchant_id == bindparam("merchant_id"),
    (Receipt.id == bindparam("either")) | (Receipt.token == bindparam("either")),
)
_RELATED = (Receipt.id, Receipt.token, Receipt.kind, Receipt.number, Receipt.issued_at, Receipt.total, Receipt.currency)
_OF_MERCHANT = select(*_RELATED).where(Receipt.merchant_id == bindparam("merchant_id"))
# Two halves, each with an index of its own: joined by OR they would read all receipts of the merchant.
_BESIDE = union_all(
    _OF_MERCHANT.where(Receipt.original_id == bindparam("id")),
    _OF_MERCHANT.where(Receipt.id == bindparam("original_id")),
).order_by("id")


def by_token(conn: Connection, token: str) -> ReceiptRecord | None:
    """The token itself is the right to read, so this query names no merchant: it finds one."""
    return _found(conn, conn.execute(_BY_TOKEN, {"token": token}).one_or_none())


def one(
    conn: Connection, merchant_id: str, id_or_token: str, *, store_id: str | None = None, till_id: str | None = None
) -> ReceiptRecord:
    """Raises :class:`NotFound`, also for a receipt of another store or till where the caller is bound to one."""
    mine = _BY_EITHER
    if store_id is not None:
        mine = mine.where(Receipt.store_id == store_id)
    if till_id is not None:
        mine = mine.where(Receipt.till_id == till_id)
    record = _found(conn, conn.execute(mine, {"merchant_id": merchant_id, "either": id_or_token}).one_or_none())
    if record is None:
        raise NotFound("There is no such receipt")
    return record


def stays(conn: Connection, merchant_id: str, receipt_id: str) -> bool:
    """Whether it is there, and then until the transaction ends: whoever purges it waits (PostgreSQL), or writes after
    us (SQLite), and so finds what is written beside it."""
    mine = (Receipt.merchant_id == merchant_id) & (Receipt.id == receipt_id)
    held = select(Receipt.id).where(mine).with_for_update(read=True, key_share=True)
    return conn.scalar(held) is not None


def private_part(conn: Connection, merchant_id: str, receipt_id: str) -> dict[str, Any]:
    """The shopper, metadata and wished deliveries of a receipt, for its merchant; empty where it has none."""
    mine = (ReceiptShopper.merchant_id == merchant_id) & (ReceiptShopper.receipt_id == receipt_id)
    details = conn.scalar(select(ReceiptShopper.details).where(mine))
    return orjson.loads(details) if details else {}


def _found(conn: Connection, row: Any) -> ReceiptRecord | None:
    if row is None:
        return None
    if row.original_id is None and not row.is_amended:
        return _record(row, {})
    wanted = {"merchant_id": row.merchant_id, "id": row.id, "original_id": row.original_id}
    return _record(row, {each.id: RelatedReceipt(*each) for each in conn.execute(_BESIDE, wanted)})


def _record(row: Any, related: dict[str, RelatedReceipt]) -> ReceiptRecord:
    original = related.pop(row.original_id, None)
    return ReceiptRecord(
        id=row.id,
        merchant_id=row.merchant_id,
        brand_id=row.brand_id,
        token=row.token,
        number=row.number,
        kind=row.kind,
        currency=row.currency,
        total=row.total,
        issued_at=row.issued_at,
        accepted_at=row.accepted_at,
        content=read_content(row.content, row.currency),
        issuer=read_issuer(row.issuer),
        content_json=row.content,
        issuer_json=row.issuer,
        staff_id=row.staff_id,
        warnings=tuple(orjson.loads(row.warnings)),
        original=original,
        amendments=tuple(related.values()),
    )
