"""What can be said of a receipt that somebody presents: whose it is, what it says, and what became of it since."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import orjson
from pydantic import ValidationError
from sqlalchemy import Connection

from accounts.signing_keys import PublicKey, public_key
from kernel.clock import from_microseconds
from kernel.errors import NotFound
from receipts import find
from receipts.document import Issuer, read_content, read_issuer
from receipts.records import ReceiptRecord
from receipts.sale import Content
from receipts.signed import FindKey, State, TrustedKey, Verdict, unsigned, verify_document

# What a gift's document leaves out, and a receipt must have to be told in words.
_UNTOLD: Final = {"currency": "EUR", "total": "0.00"}
_UNTOLD_LINE: Final = {"total": "0.00"}


@dataclass(frozen=True, slots=True)
class Finding:
    """``said`` is the receipt as the presented document tells it, where its signature holds.

    ``on_file`` is the same receipt as it is kept today, with what came back on it; ``None`` where it is kept no more.
    """

    verdict: Verdict
    merchant: str = ""
    said: ReceiptRecord | None = None
    on_file: ReceiptRecord | None = None


def examine(conn: Connection, data: bytes) -> Finding:
    """A presented document against the keys and receipts of this database."""
    known: dict[str, PublicKey] = {}

    def find_key(kid: str) -> TrustedKey | None:
        key = public_key(conn, kid)
        if key is None:
            return None
        known[kid] = key
        return TrustedKey(key.public, is_distrusted=key.distrusted_at is not None)

    finding = told(data, find_key)
    if finding.said is None:
        return finding
    key = known[finding.verdict.kid]
    on_file = _kept(conn, key.merchant_id, finding.said.id)
    if on_file is not None and _contradicts(unsigned(on_file), finding.verdict.document):
        # The signature holds, and yet we never said this: somebody else holds the key.
        return Finding(Verdict(State.CHANGED))
    return Finding(finding.verdict, key.name, finding.said, on_file)


def told(data: bytes, find_key: FindKey) -> Finding:
    """The same by keys alone: whose it is and what became of it stay unsaid."""
    verdict = verify_document(data, find_key)
    if not verdict.document:
        return Finding(verdict)
    try:
        return Finding(verdict, said=_record(verdict.document))
    except (ValidationError, KeyError, TypeError):
        # Rightly signed, but no receipt: somebody else holds the key.
        return Finding(Verdict(State.UNREADABLE))


def _kept(conn: Connection, merchant_id: str, receipt_id: str) -> ReceiptRecord | None:
    try:
        return find.one(conn, merchant_id, receipt_id)
    except NotFound:
        return None


def _contradicts(kept: Mapping[str, Any], presented: Mapping[str, Any]) -> bool:
    """Whether they differ, apart from what came back meanwhile and from how we wrote documents at another time."""
    names = (kept.keys() | presented.keys()) - {"amendments"}
    return kept["format"] == presented["format"] and any(kept.get(each) != presented.get(each) for each in names)


def _record(document: Mapping[str, Any]) -> ReceiptRecord:
    """As much of a receipt as its document tells."""
    body = {name: value for name, value in document.items() if name in Content.model_fields}
    if "gift" in body.get("flags", ()):
        body = _UNTOLD | body | {"lines": [_UNTOLD_LINE | line for line in body.get("lines", ())]}
    issuer: Issuer = read_issuer(orjson.dumps(document["issuer"]).decode())
    content_json = orjson.dumps(body).decode()
    content = read_content(content_json, body["currency"])
    return ReceiptRecord(
        id=document["id"],
        merchant_id="",
        brand_id="",
        token="",
        number=document["number"],
        kind=content.kind,
        currency=content.currency,
        total=content.total,
        issued_at=content.issued_at,
        accepted_at=from_microseconds(0),
        content=content,
        issuer=issuer,
        content_json=content_json,
        issuer_json="",
    )
