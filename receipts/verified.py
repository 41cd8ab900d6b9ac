"""What can be said of a receipt that somebody presents: whose it is, what it says, and what became of it since."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

import orjson
from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy import Connection

from accounts.signing_keys import PublicKey, public_key
from kernel.clock import from_microseconds
from kernel.errors import NotFound
from receipts import find
from receipts.document import Issuer, read_content, read_issuer
from receipts.records import FORMAT, ReceiptRecord
from receipts.sale import Content
from receipts.signed import FindKey, State, TrustedKey, Verdict, unsigned, verify_document
from receipts.view import view

# What a gift's document leaves out, and a receipt must have to be told in words.
_UNTOLD: Final = {"currency": "EUR", "total": "0.00"}
_UNTOLD_LINE: Final = {"total": "0.00"}


class _Head(BaseModel):
    """What a signed document has besides its issuer and its content."""

    model_config = ConfigDict(strict=True)

    format: str
    id: str = Field(pattern="^[a-z]{3}_[0-9a-z]{1,40}$")
    number: str
    amendments: list[dict[str, str]] = []


@dataclass(frozen=True, slots=True)
class Finding:
    """``said`` is the receipt as the presented document tells it, where its signature holds.

    ``on_file`` is the same receipt as it is kept today, with what came back on it; ``None`` where it is kept no more.
    """

    verdict: Verdict
    merchant: str = ""
    said: ReceiptRecord | None = None
    on_file: ReceiptRecord | None = None

    @property
    def is_proved(self) -> bool:
        """Whether ``said`` may be repeated. What only a distrusted key vouches for would look like our own words."""
        return self.verdict.state is State.GENUINE or self.on_file is not None


def examine(conn: Connection, data: bytes) -> Finding:
    """A presented document against the keys and receipts of this database."""
    known: dict[str, PublicKey] = {}

    def find_key(kid: str) -> TrustedKey | None:
        key = public_key(conn, kid)
        if key is None:
            return None
        known[kid] = key
        return TrustedKey(key.public, is_distrusted=key.distrusted_at is not None)

    verdict = verify_document(data, find_key)
    head = _head(verdict.document)
    if head is None:
        return _told(verdict)
    key = known[verdict.kid]
    on_file = _kept(conn, key.merchant_id, head.id)
    if on_file is not None and _contradicts(unsigned(on_file), verdict):
        # The signature holds, and yet we never said this: somebody else holds the key.
        return Finding(Verdict(State.CHANGED))
    finding = _told(verdict)
    return replace(finding, merchant=key.name, on_file=on_file) if finding.said else finding


def told(data: bytes, find_key: FindKey) -> Finding:
    """The same by keys alone: whose it is and what became of it stay unsaid."""
    return _told(verify_document(data, find_key))


def _told(verdict: Verdict) -> Finding:
    if not verdict.document:
        return Finding(verdict)
    head = _head(verdict.document)
    try:
        said = _record(verdict.document) if head and head.format == FORMAT else None
        if said:
            # What holds its shape and still cannot be told in words, such as a part of a line that is not there.
            view(said, language="en")
    except (ValueError, LookupError, TypeError, AttributeError):
        said = None
    # Rightly signed, but no receipt that we can read: a later version wrote it, or somebody else holds the key.
    return Finding(verdict, said=said) if said else Finding(Verdict(State.UNREADABLE))


def _head(document: Mapping[str, Any]) -> _Head | None:
    try:
        return _Head.model_validate(document)
    except ValueError:
        return None


def _kept(conn: Connection, merchant_id: str, receipt_id: str) -> ReceiptRecord | None:
    try:
        return find.one(conn, merchant_id, receipt_id)
    except NotFound:
        return None


def _contradicts(kept: Mapping[str, Any], verdict: Verdict) -> bool:
    """Whether they differ, apart from what came back since. All that we signed has the one format that we write.

    With a key that is no longer trusted, our records are all that speaks for the document: what came back on the
    receipt, as it tells it, must stand there too.
    """
    said = verdict.document
    if any(kept.get(each) != said.get(each) for each in (kept.keys() | said.keys()) - {"amendments"}):
        return True
    known = kept.get("amendments", ())
    return verdict.state is State.DISTRUSTED and any(each not in known for each in said.get("amendments", ()))


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
