"""The barcodes and QR codes that a receipt carries, as SVG."""

import re
from typing import Final

from infra import barcode, qr
from receipts.sale import Content

_WIDTH: Final = re.compile(r'viewBox="0 0 (\d+) ')
# CSS pixels: what a phone of 360 has between the edges of the slip, and what a scanner at arm's length likes.
_MOST_WIDE: Final = 296
_HEIGHT: Final = 72


def number_code(number: str) -> str:
    """The receipt's number for the returns desk, each module a whole number of pixels; empty where it is no barcode."""
    drawn = barcode.code128_svg(number)
    found = _WIDTH.search(drawn) if drawn else None
    if drawn is None or found is None:
        return ""
    modules = int(found[1])
    width = modules * min(max(_MOST_WIDE // modules, 1), 3)
    return drawn.replace("<svg ", f'<svg width="{width}" height="{_HEIGHT}" preserveAspectRatio="none" ', 1)


def code_svg(content: Content, name: str) -> str | None:
    """``fiscal`` is the fiscal device's QR code, ``0``, ``1`` … the sale's own codes. None where there is no such code.

    What a barcode cannot hold becomes a QR code. Raises :class:`infra.qr.TextTooLong`.
    """
    if name == "fiscal":
        return qr.svg(content.fiscal.qr, margin=2) if content.fiscal and content.fiscal.qr else None
    if not name.isascii() or not name.isdigit() or int(name) >= len(content.barcodes):
        return None
    code = content.barcodes[int(name)]
    drawn = {"code128": barcode.code128_svg, "ean13": barcode.ean13_svg}
    made = drawn[code.type](code.value) if code.type in drawn else None
    return made or qr.svg(code.value, margin=2)
