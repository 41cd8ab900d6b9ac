"""The mark of an offer: which product stood on which receipt, and why. Only we can make one; it is the offer's address,
and what a sale may carry back.
"""

import hmac
import re
from base64 import urlsafe_b64encode
from dataclasses import dataclass
from typing import Final, Literal

Reason = Literal["pinned", "ally", "goes_with", "together", "similar", "popular"]
# By the letter that stands in a mark.
REASONS: Final[dict[str, Reason]] = {
    "p": "pinned",
    "a": "ally",
    "g": "goes_with",
    "t": "together",
    "s": "similar",
    "f": "popular",
}
# What the key of marks is derived for (infra.secrets.derived).
PURPOSE: Final = "offer links"
PATTERN: Final = r"^[0-9a-z]{26}[0-9a-z]{26}[a-z][A-Za-z0-9_-]{16}$"
PLACE: Final = "{offer}"
_SHAPE: Final = re.compile(r"([0-9a-z]{26})([0-9a-z]{26})([a-z])([A-Za-z0-9_-]{16})")
_LETTERS: Final = {reason: letter for letter, reason in REASONS.items()}
_BYTES: Final = 12


@dataclass(frozen=True, slots=True)
class Mark:
    receipt_id: str
    product_id: str
    reason: Reason


def made(key: bytes, mark: Mark) -> str:
    """69 characters that need no escaping in an address."""
    told = f"{mark.receipt_id[4:]}{mark.product_id[4:]}{_LETTERS[mark.reason]}"
    return told + _signed(key, told)


def read(key: bytes, told: str) -> Mark | None:
    """None where it is not one of ours."""
    found = _SHAPE.fullmatch(told)
    if found is None or found[3] not in REASONS or not hmac.compare_digest(found[4], _signed(key, told[:53])):
        return None
    return Mark(f"rct_{found[1]}", f"prd_{found[2]}", REASONS[found[3]])


def leads_to(link: str, mark: str) -> str:
    """The product's own address, with the mark where it has a place for it."""
    return link.replace(PLACE, mark)


def _signed(key: bytes, told: str) -> str:
    return urlsafe_b64encode(hmac.digest(key, told.encode(), "sha256")[:_BYTES]).decode()
