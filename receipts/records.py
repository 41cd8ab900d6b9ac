"""A receipt as it is read back, with what stands beside it."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

import orjson

from receipts.document import Issuer
from receipts.sale import Content

FORMAT: Final = "counterfoil-receipt/1"


@dataclass(frozen=True, slots=True)
class RelatedReceipt:
    """The original of a refund, void or exchange; or one of these, seen from the original."""

    id: str
    token: str
    kind: str
    number: str
    issued_at: datetime
    total: int
    currency: str


@dataclass(frozen=True, slots=True)
class ReceiptRecord:
    id: str
    merchant_id: str
    brand_id: str
    token: str
    number: str
    kind: str
    currency: str
    # Minor units, in the sign in which the till wrote it.
    total: int
    issued_at: datetime
    accepted_at: datetime
    content: Content
    issuer: Issuer
    # The same two as they are stored, byte for byte.
    content_json: str
    issuer_json: str
    # Who served, where the till said so.
    staff_id: str | None = None
    # What did not add up and was flagged: {"pointer": …, "detail": …}.
    warnings: tuple[dict[str, Any], ...] = ()
    original: RelatedReceipt | None = None
    # What came back on this receipt, oldest first.
    amendments: tuple[RelatedReceipt, ...] = ()


def canonical(record: ReceiptRecord) -> dict[str, Any]:
    """The document that `.json` serves, as JSON values: amounts are decimal strings, and nothing in it is personal."""
    head: dict[str, Any] = {"format": FORMAT, "id": record.id, "number": record.number}
    head["issuer"] = orjson.loads(record.issuer_json)
    if record.original is not None:
        head["original"] = {"id": record.original.id, "number": record.original.number}
    content: dict[str, Any] = orjson.loads(record.content_json)
    return head | content
