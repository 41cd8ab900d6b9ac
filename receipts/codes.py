"""The barcodes and QR codes that a receipt carries, as SVG."""

import re
from itertools import count
from typing import Final

from infra import barcode, qr
from receipts.sale import Barcode, Content

_WIDTH: Final = re.compile(r'viewBox="0 0 (\d+) ')
# CSS pixels: what a phone of 360 has between the edges of the slip, and what a scanner at arm's length likes.
_MOST_WIDE: Final = 296
_HEIGHT: Final = 72
_MARGIN: Final = 2


def number_code(number: str) -> str:
    """The receipt's number for the returns desk, each module a whole number of pixels; empty where it is no barcode."""
    drawn = bars("code128", number)
    if drawn is None:
        return ""
    modules = modules_wide(drawn)
    width = modules * min(max(_MOST_WIDE // modules, 1), 3)
    return drawn.replace("<svg ", f'<svg width="{width}" height="{_HEIGHT}" preserveAspectRatio="none" ', 1)


def bars(kind: str, value: str) -> str | None:
    """A ``code128`` or ``ean13``; None for another kind, and for what such a barcode cannot hold."""
    match kind:
        case "code128":
            return barcode.code128_svg(value)
        case "ean13":
            return barcode.ean13_svg(value)
    return None


def modules_wide(drawn: str) -> int:
    """How many modules the SVG of a code is wide, with its quiet zones."""
    return int(_WIDTH.findall(drawn)[0])


def drawn_as(code: Barcode) -> str:
    """As the sale wants it; what a barcode cannot hold becomes a ``qr``, which holds whatever a sale may say."""
    return code.type if bars(code.type, code.value) else "qr"


def code_svg(content: Content, name: str) -> str | None:
    """``fiscal`` is the fiscal device's QR code, ``0``, ``1`` … the sale's own codes; None where there is none such."""
    if name == "fiscal":
        text = content.fiscal.qr if content.fiscal else None
        return qr.svg(text, margin=_MARGIN) if text and qr.holds(text) else None
    code = dict(zip(map(str, count()), content.barcodes, strict=False)).get(name)
    if code is None:
        return None
    return bars(code.type, code.value) or qr.svg(code.value, margin=_MARGIN)
