"""Public keys as a JSON Web Key Set (RFC 7517, RFC 8037), written for whoever verifies and read again by our own.

A key that is distrusted does not stand among the ``keys``, so that no other software believes it; it stands in the
member ``distrusted``, so that ours can tell a signature that proves nothing any more from one that it never knew.
"""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Iterable, Mapping
from typing import Any

import orjson

from accounts.signing_keys import PublicKey
from kernel import jcs
from kernel.clock import iso
from receipts.signed import ALGORITHM, TrustedKey


def key_set(keys: Iterable[PublicKey]) -> bytes:
    trusted, distrusted = [], []
    for key in keys:
        if key.distrusted_at is None:
            trusted.append(_jwk(key))
        else:
            distrusted.append(_jwk(key) | {"distrusted_at": iso(key.distrusted_at)})
    return orjson.dumps({"keys": trusted} | ({"distrusted": distrusted} if distrusted else {}))


def read_key_set(data: bytes) -> dict[str, TrustedKey]:
    """Keys by their kid; those of another kind are passed over. Raises ValueError for what is no key set."""
    found = jcs.parse(data.decode("utf-8-sig"))
    keys, distrusted = (found.get("keys"), found.get("distrusted", [])) if isinstance(found, dict) else (None, None)
    if not isinstance(keys, list) or not isinstance(distrusted, list):
        raise ValueError("is not a JSON Web Key Set")
    trusted = dict(_read(each) for each in keys if _is_ours(each))
    return trusted | dict(_read(each, is_distrusted=True) for each in distrusted if _is_ours(each))


def _jwk(key: PublicKey) -> dict[str, str]:
    public = urlsafe_b64encode(key.public).rstrip(b"=").decode()
    return {"kty": "OKP", "crv": "Ed25519", "use": "sig", "alg": ALGORITHM, "kid": key.kid, "x": public}


def _is_ours(jwk: Any) -> bool:
    is_named = isinstance(jwk, dict) and isinstance(jwk.get("kid"), str) and isinstance(jwk.get("x"), str)
    return is_named and (jwk.get("kty"), jwk.get("crv")) == ("OKP", "Ed25519")


def _read(jwk: Mapping[str, str], *, is_distrusted: bool = False) -> tuple[str, TrustedKey]:
    public = urlsafe_b64decode(jwk["x"] + "=" * (-len(jwk["x"]) % 4))
    if len(public) != 32:
        raise ValueError("holds an Ed25519 key that has not 32 bytes")
    return jwk["kid"], TrustedKey(public, is_distrusted)
