"""A receipt's canonical document with its signature, and the way back: is this one of ours, and is it as it was?

The signature is a JSON Web Signature (RFC 7515) by Ed25519 (RFC 8037) with a detached payload (appendix F): the
document without its member ``signature``, in canonical form (RFC 8785). Ed25519 is deterministic, so it is made
whenever a receipt is read, and kept nowhere.
"""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Final

import orjson
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from accounts.signing_keys import Signer
from kernel import jcs, money
from receipts.gift import canonical_gift
from receipts.records import ReceiptRecord, canonical

ALGORITHM: Final = "EdDSA"
# Under this name a PDF carries its signed document.
ATTACHMENT: Final = "receipt.json"
_TYPE: Final = "counterfoil-receipt+jws"
_HEADER: Final = {"alg", "iss", "kid", "typ"}


class State(StrEnum):
    """What a signature proves. ``FOREIGN`` names a key that is not among those that were asked."""

    GENUINE = "genuine"
    DISTRUSTED = "distrusted"
    CHANGED = "changed"
    FOREIGN = "foreign"
    UNSIGNED = "unsigned"
    UNREADABLE = "unreadable"


@dataclass(frozen=True, slots=True)
class TrustedKey:
    """A public key of 32 bytes, and whether what it signs is still believed."""

    public: bytes
    is_distrusted: bool = False


@dataclass(frozen=True, slots=True)
class Verdict:
    """``document`` is what was signed, by which key and in whose name: all empty where no signature holds."""

    state: State
    kid: str = ""
    issuer: str = ""
    document: Mapping[str, Any] = field(default_factory=dict)


# The key with this kid, if there is one.
FindKey = Callable[[str], TrustedKey | None]


def signed_document(record: ReceiptRecord, signer: Signer, *, base_url: str) -> bytes:
    """The document of ``.json`` as JSON in UTF-8, with its member ``signature``; the same bytes each time.

    Raises ValueError where the document has no canonical form, which no accepted sale leads to.
    """
    document = unsigned(record)
    header = {"alg": ALGORITHM, "iss": issuer(base_url, signer.slug), "kid": signer.kid, "typ": _TYPE}
    protected = _encoded(jcs.canonicalise(header))
    signature = _encoded(signer.private.sign(_signing_input(protected, document)))
    stands_beside = {"kid": signer.kid, "alg": ALGORITHM, "jws": f"{protected}..{signature}"}
    return orjson.dumps(document | {"signature": stands_beside})


def unsigned(record: ReceiptRecord) -> dict[str, Any]:
    """The canonical document; what came back later stands beside it, in ``amendments``. A gift's tells no price."""
    if "gift" in record.content.flags:
        return canonical_gift(record)
    return canonical(record) | ({"amendments": _amendments(record)} if record.amendments else {})


def issuer(base_url: str, slug: str) -> str:
    """Who signs, as an address: below it, at ``/jwks.json``, lie the merchant's public keys."""
    return f"{base_url}/.well-known/{slug}"


def verify_document(data: bytes, find_key: FindKey) -> Verdict:
    """What ``data``, JSON in UTF-8, proves by the keys that ``find_key`` knows. Whatever it is, nothing is raised.

    White space and the order of members do not matter. The algorithm is ours to choose and not the header's.
    """
    try:
        document = jcs.parse(data.decode("utf-8-sig"))
    except ValueError:
        return Verdict(State.UNREADABLE)
    if not isinstance(document, dict):
        return Verdict(State.UNREADABLE)
    stands_beside = document.pop("signature", None)
    if not isinstance(stands_beside, dict) or not isinstance(stands_beside.get("jws"), str):
        return Verdict(State.UNSIGNED)
    return _judged(document, stands_beside, find_key)


def _judged(document: dict[str, Any], stands_beside: dict[str, Any], find_key: FindKey) -> Verdict:
    protected, _, rest = stands_beside["jws"].partition(".")
    payload, _, signature = rest.partition(".")
    header = _header(protected)
    key = find_key(header["kid"]) if header else None
    if header is None or key is None:
        return Verdict(State.FOREIGN)
    # Nothing may stand in the member that the signature does not cover.
    is_plain = stands_beside == {"kid": header["kid"], "alg": ALGORITHM, "jws": stands_beside["jws"]} and not payload
    if not is_plain or not _holds(key, protected, document, signature):
        return Verdict(State.CHANGED)
    state = State.DISTRUSTED if key.is_distrusted else State.GENUINE
    return Verdict(state, header["kid"], header["iss"], document)


def _header(protected: str) -> dict[str, str] | None:
    """The protected header, where it is of our making: exactly our members, our algorithm, our type."""
    try:
        header = jcs.parse(_decoded(protected))
    except ValueError:
        return None
    if not isinstance(header, dict) or header.keys() != _HEADER:
        return None
    is_ours = (header["alg"], header["typ"]) == (ALGORITHM, _TYPE)
    return header if is_ours and isinstance(header["kid"], str) and isinstance(header["iss"], str) else None


def _holds(key: TrustedKey, protected: str, document: dict[str, Any], signature: str) -> bool:
    try:
        signed = _signing_input(protected, document)
        Ed25519PublicKey.from_public_bytes(key.public).verify(_decoded(signature), signed)
    except (InvalidSignature, ValueError):
        return False
    return True


def _signing_input(protected: str, document: dict[str, Any]) -> bytes:
    """RFC 7515 section 5.1, step 8."""
    return f"{protected}.{_encoded(jcs.canonicalise(document))}".encode()


def _encoded(data: bytes) -> str:
    return urlsafe_b64encode(data).rstrip(b"=").decode()


def _decoded(text: str) -> bytes:
    """Raises ValueError, also for a second way to write the same bytes."""
    data = urlsafe_b64decode(text + "=" * (-len(text) % 4))
    if _encoded(data) != text:
        raise ValueError("is not base64url as it should be written")
    return data


def _amendments(record: ReceiptRecord) -> list[dict[str, str]]:
    digits = money.exponent(record.currency)
    return [
        {"id": each.id, "kind": each.kind, "number": each.number, "total": money.plain(each.total, digits)}
        for each in record.amendments
    ]
