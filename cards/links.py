"""Addresses of a card and on it, and how somebody came to it."""

import hmac
from base64 import urlsafe_b64encode
from typing import Final, Literal

Source = Literal["qr", "nfc", "wallet", "receipt", "link", "email"]
SOURCES: Final[tuple[Source, ...]] = ("qr", "nfc", "wallet", "receipt", "link", "email")
# What the key of marks is derived for (infra.secrets.derived).
PURPOSE: Final = "card links"
_MARK_BYTES: Final = 12
# Those that are dialled: other scripts have digits of their own, and there is ².
_DIALLED: Final = frozenset("+0123456789")


def page_url(base_url: str, token: str, source: Source | None = None) -> str:
    """Of the card's page; ``source`` says where the link stands, so that it can be counted."""
    return f"{base_url}/c/{token}" + (f"?s={source}" if source else "")


def from_receipt(base_url: str, token: str, key: bytes, receipt_id: str) -> str:
    """The link that a receipt shows: what comes of it counts for that sale, and nobody else can make one."""
    return f"{page_url(base_url, token, 'receipt')}&r={receipt_id}.{_mark(key, token, receipt_id)}"


def receipt_of(key: bytes, token: str, told: str) -> str | None:
    """The id of the receipt on which the link to the card ``token`` stood; None where it is not one of ours."""
    receipt_id, _, mark = told.partition(".")
    known = _mark(key, token, receipt_id)
    return receipt_id if receipt_id and hmac.compare_digest(mark.encode(), known.encode()) else None


def source_of(told: str) -> Source:
    return next((each for each in SOURCES if each == told), "link")


def tel(number: str) -> str:
    """The address that dials a telephone number (RFC 3966)."""
    return "tel:" + "".join(each for each in number if each in _DIALLED)


def shown(url: str) -> str:
    """A web address as people write it: ``linden.example/berlin``."""
    return url.partition("://")[2].rstrip("/").removeprefix("www.")


def host(url: str) -> str:
    return shown(url).partition("/")[0]


def _mark(key: bytes, token: str, receipt_id: str) -> str:
    made = hmac.digest(key, f"{token} {receipt_id}".encode(), "sha256")[:_MARK_BYTES]
    return urlsafe_b64encode(made).rstrip(b"=").decode()
