"""Keys for tests of signatures, made from a seed: the same in every run."""

from datetime import UTC, datetime
from hashlib import sha256

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from accounts.signing_keys import Signer
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
