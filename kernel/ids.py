"""Identifiers. An id names a row and may be guessed; a token opens a link and may not."""

import hashlib
import re
import secrets
from datetime import datetime
from typing import Final

# Crockford's base 32: no I, L, O, U, so that a person can read an id out over the phone.
_ALPHABET: Final = "0123456789abcdefghjkmnpqrstvwxyz"

TOKEN_PATTERN: Final = r"^[A-Za-z0-9_-]{22,64}$"  # noqa: S105 – a pattern, not a token
_TOKEN: Final = re.compile(r"[A-Za-z0-9_-]{22,64}")
# How many characters of an alphabet hold 128 bits: a serial number of 22 digits holds 73 at most.
_LEAST: Final = ((re.compile(r"[0-9]+"), 39), (re.compile(r"[0-9A-Fa-f]+"), 32))
# 22 random characters hold about 19 different ones, 32 hex digits about 14. A counter padded with zeros does not.
_LEAST_DIFFERENT: Final = 8


def _base32(number: int, length: int) -> str:
    return "".join(_ALPHABET[(number >> shift) & 31] for shift in range(5 * (length - 1), -1, -5))


def new_id(prefix: str, now: datetime) -> str:
    """``rct_`` and 26 characters: 48 bits of milliseconds, then 80 random bits, so ids sort by age (as ULIDs do)."""
    milliseconds = int(now.timestamp() * 1000)
    return f"{prefix}_{_base32((milliseconds << 80) | secrets.randbits(80), 26)}"


def new_token() -> str:
    """128 random bits as 22 characters that need no escaping in a URL (RFC 4648 section 5)."""
    return secrets.token_urlsafe(16)


def is_token(text: str) -> bool:
    """Whether ``text`` can be a link token: 22 to 64 URL-safe characters that look random and can hold 128 bits.

    Tills mint their own, so 32 hex digits or a UUID pass; decimal digits have to be 39, and a serial number is none.
    """
    if not _TOKEN.fullmatch(text) or len(set(text)) < _LEAST_DIFFERENT:
        return False
    bare = text.replace("-", "").replace("_", "")
    return all(len(bare) >= least for alphabet, least in _LEAST if alphabet.fullmatch(bare))


def digest(secret: str) -> str:
    """SHA-256 in hex, for secrets of full entropy (keys, tokens); a password would need a slow hash."""
    return hashlib.sha256(secret.encode()).hexdigest()


def least_id(prefix: str, moment: datetime) -> str:
    """What no id that was made from ``moment`` on sorts before, and each earlier one does."""
    return f"{prefix}_{_base32(int(moment.timestamp() * 1000) << 80, 26)}"
