"""What the QR codes of a card say."""

from typing import Final

from infra import qr
from infra.qr import Ecc

# Modules a side up to which a code is read from paper held at an angle (version 10).
_HANDY: Final = 57


def offline_level(text: str) -> Ecc:
    """Which level the code of a whole contact has: M where it stays small, else L, for fewer and larger modules."""
    return "M" if qr.holds(text, "M") and len(qr.matrix(text, "M")) <= _HANDY else "L"
