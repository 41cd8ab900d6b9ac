"""Linear barcodes for the returns desk as small SVG: Code 128 (ISO/IEC 15417) and EAN-13 (ISO/IEC 15420).

The modules come from python-barcode; black on a white ground of their own, like the QR codes.
"""

import re
from html import escape

from barcode.codex import Code128
from barcode.ean import EuropeanArticleNumber13

_PRINTABLE = re.compile(r"[ -~]+")
_EAN = re.compile(r"[0-9]{13}")
_RUN = re.compile("0+|1+")
_MOST_MODULES = 300  # more do not fit into a small phone's 320 pixels with their quiet zones


def code128_svg(text: str, *, height: int = 40, title: str | None = None) -> str | None:
    """An ``<svg>`` of ``text``, ``height`` modules high, with its quiet zones of 10 modules.

    ``title`` is what a screen reader says, by default the text. ``None`` where Code 128 cannot hold the text (only
    printable ASCII) or a phone could not show it: more than about 24 letters or 48 digits. A QR code can.
    """
    if not _PRINTABLE.fullmatch(text):
        return None
    modules: str = Code128(text).build()[0]
    return None if len(modules) > _MOST_MODULES else _svg(modules, 10, 10, height, title or text)


def ean13_svg(text: str, *, height: int = 40, title: str | None = None) -> str | None:
    """The same for a 13-digit EAN, with quiet zones of 11 and 7 modules. ``None`` unless its check digit is right."""
    if not _EAN.fullmatch(text):
        return None
    code = EuropeanArticleNumber13(text)
    return _svg(code.build()[0], 11, 7, height, title or text) if code.ean == text else None


def _svg(modules: str, before: int, after: int, height: int, title: str) -> str:
    """One stroke as wide as the bars are high, down the middle of them."""
    width = before + len(modules) + after
    runs = (run[0] for run in _RUN.finditer(modules))
    bars = "".join(f"h{len(run)}" if run[0] == "1" else f"m{len(run)} 0" for run in runs)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" role="img">'
        f'<title>{escape(title, quote=False)}</title><path fill="#fff" d="M0 0h{width}v{height}H0z"/>'
        f'<path stroke="#000" stroke-width="{height}" shape-rendering="crispEdges"'
        f' d="M{before} {height / 2:g}{bars}"/></svg>'
    )
