"""Reading one receipt, by its link or by its id."""

from typing import Any

import orjson
from sqlalchemy import ColumnElement, Connection, select

from kernel.errors import NotFound
from receipts.document import read_content, read_issuer
from receipts.records import ReceiptRecord, RelatedReceipt
from receipts.tables import Receipt, ReceiptShopper

_RELATED = (Receipt.id, Receipt.token, Receipt.kind, Receipt.number, Receipt.issued_at, Receipt.total, Receipt.currency)


def by_token(conn: Connection, token: str) -> ReceiptRecord | None:
    """The token itself is the right to read, so this is the one query that names no merchant."""
    return _one(conn, Receipt.token == token)


def by_id(conn: Connection, merchant_id: str, receipt_id: str, *, store_id: str | None = None) -> ReceiptRecord:
    """Raises :class:`NotFound`, also for a receipt of another store where ``store_id`` binds the caller to one."""
    mine = (Receipt.merchant_id == merchant_id) & (Receipt.id == receipt_id)
    if store_id is not None:
        mine &= Receipt.store_id == store_id
    record = _one(conn, mine)
    if record is None:
        raise NotFound("There is no such receipt")
    return record


def private_part(conn: Connection, merchant_id: str, receipt_id: str) -> dict[str, Any]:
    """The shopper, metadata and wished deliveries of a receipt, for its merchant; empty where it has none."""
    mine = (ReceiptShopper.merchant_id == merchant_id) & (ReceiptShopper.receipt_id == receipt_id)
    details = conn.scalar(select(ReceiptShopper.details).where(mine))
    return orjson.loads(details) if details else {}


def _one(conn: Connection, condition: ColumnElement[bool]) -> ReceiptRecord | None:
    row = conn.execute(select(Receipt.__table__).where(condition)).one_or_none()
    if row is None:
        return None
    about = Receipt.original_id == row.id
    if row.original_id is not None:
        about |= Receipt.id == row.original_id
    of_merchant = select(*_RELATED).where(Receipt.merchant_id == row.merchant_id, about)
    related = {each.id: RelatedReceipt(*each) for each in conn.execute(of_merchant.order_by(Receipt.id))}
    return _record(row, related)


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
        warnings=tuple(orjson.loads(row.warnings)),
        original=original,
        amendments=tuple(related.values()),
    )
