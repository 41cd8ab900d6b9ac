"""Keys for tests of signatures, made from a seed: the same in every run."""

import json
from base64 import urlsafe_b64encode
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from accounts.signing_keys import Signer
from kernel import jcs
from receipts.signed import TrustedKey

BASE = "https://receipts.test"


def signer(name: str = "linden-rye") -> Signer:
    private = Ed25519PrivateKey.from_private_bytes(sha256(name.encode()).digest())
    return Signer(f"sgk_{name}", name, datetime(2026, 1, 1, tzinfo=UTC), private)


def trusted(*signers: Signer, distrusted: tuple[str, ...] = ()) -> dict[str, TrustedKey]:
    """What a verifier knows of them."""
    return {
        each.kid: TrustedKey(each.private.public_key().public_bytes_raw(), each.slug in distrusted) for each in signers
    }


def signed_by(signer: Signer, document: dict[str, Any]) -> bytes:
    """Any document as whoever holds the key can sign it."""
    said = {"alg": "EdDSA", "iss": f"{BASE}/.well-known/{signer.slug}", "kid": signer.kid}
    header = _encoded(jcs.canonicalise(said | {"typ": "counterfoil-receipt+jws"}))
    proof = _encoded(signer.private.sign(f"{header}.{_encoded(jcs.canonicalise(document))}".encode()))
    beside = {"kid": signer.kid, "alg": "EdDSA", "jws": f"{header}..{proof}"}
    return json.dumps(document | {"signature": beside}).encode()


def _encoded(data: bytes) -> str:
    return urlsafe_b64encode(data).rstrip(b"=").decode()
