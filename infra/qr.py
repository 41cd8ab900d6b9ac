"""QR codes (ISO/IEC 18004) as small SVG and PNG, plain or with a brand's logo in the middle.

Always dark on white with a ground of their own, in dark mode too: many readers do not take light on dark.
"""

import re
from base64 import b64encode
from functools import lru_cache
from html import escape
from io import BytesIO
from math import sqrt

from PIL import Image, ImageOps

from infra.qr_matrix import Ecc, TextTooLong, holds, matrix
from kernel.errors import Invalid

__all__ = [
    "Ecc",
    "LogoHidesCode",
    "SizeTooSmall",
    "TextTooLong",
    "Unreadable",
    "holds",
    "level",
    "matrix",
    "png",
    "prove",
    "svg",
]

# Shares of the symbol that a logo may cover, tried in turn. Level Q mends 25 % of the codewords, H 30 %.
_SHARES = (0.08, 0.06, 0.04, 0.025)
_FINDER = 8  # modules of a finder pattern and its separator, which nothing may touch
_LOGO_PIXELS = 160
_DARK = re.compile("1+")

Rows = tuple[str, ...]
Box = tuple[int, int]


class LogoHidesCode(Invalid):
    slug, title = "qr-logo", "The QR code cannot be read with this logo on it"


class Unreadable(Invalid):
    slug, title = "qr-unreadable", "No reader of ours reads the QR code of this text"


class SizeTooSmall(Invalid):
    slug, title = "qr-size", "The QR code does not fit into this size"


def svg(
    text: str,
    *,
    ecc: Ecc = "M",
    margin: int = 4,
    size: int | None = None,
    unit: str = "",
    title: str = "QR code",
    logo: bytes | None = None,
) -> str:
    """An ``<svg>`` for a page or a file: no style, no id. ``margin`` in modules, ``size`` in CSS pixels or ``unit``.

    ``title`` is what a screen reader says. ``logo`` is a PNG; the code is then at level Q at least, and was read again.
    Raises :class:`TextTooLong` or :class:`LogoHidesCode`.
    """
    rows = matrix(text, level(ecc, logo))
    side = len(rows) + 2 * margin
    inset = "" if logo is None else _inset(logo, _logo_box(text, rows, logo), side)
    measure = "" if size is None else f' width="{size}{unit}" height="{size}{unit}"'
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg"{measure} viewBox="0 0 {side} {side}" role="img">'
        f'<title>{escape(title, quote=False)}</title><path fill="#fff" d="M0 0h{side}v{side}H0z"/>'
        f'<path stroke="#000" shape-rendering="crispEdges" d="{_path(rows, margin)}"/>{inset}</svg>'
    )


def png(
    text: str,
    *,
    ecc: Ecc = "M",
    margin: int = 4,
    scale: int = 8,
    size: int | None = None,
    dpi: float | None = None,
    logo: bytes | None = None,
) -> bytes:
    """The same as PNG, one bit a pixel without a logo. ``scale`` is pixels a module, unless ``size`` says the whole.

    ``dpi`` tells a printer how large it is. In a picture of ``size`` pixels the modules are as large as whole pixels
    allow, and the rest widens the margin. Raises :class:`SizeTooSmall` too.
    """
    rows = matrix(text, level(ecc, logo))
    side = len(rows) + 2 * margin
    if size is not None:
        scale = size // side
        if not scale:
            raise SizeTooSmall(f"This code needs at least {side} pixels.")
    picture = _raster(rows, scale, size or scale * side)
    if logo is not None:
        picture = _with_logo(picture, scale, logo, _logo_box(text, rows, logo))
    return _png(picture, **({} if dpi is None else {"dpi": (dpi, dpi)}))


@lru_cache(maxsize=4096)
def prove(text: str, ecc: Ecc = "M") -> None:
    """Read the plain code of ``text`` as a phone would. Takes some milliseconds, once. Raises :class:`Unreadable`."""
    rows = matrix(text, ecc)
    if not _says(_raster(rows, 4, 4 * (len(rows) + 8)), text):
        raise Unreadable


def _says(picture: Image.Image, text: str) -> bool:
    import zxingcpp  # late: a server that draws no code need not carry it (2 MB)

    return any(code.bytes == text.encode() for code in zxingcpp.read_barcodes(picture.convert("L")))


def level(ecc: Ecc, logo: bytes | None) -> Ecc:
    """At which the code of a wished level is made."""
    return "Q" if logo is not None and ecc in "LM" else ecc


def _path(rows: Rows, margin: int) -> str:
    """Strokes along the runs of dark modules, by row or by column, whichever is shorter."""
    columns = tuple("".join(column) for column in zip(*rows, strict=True))
    return min(_by_row(rows, margin), _by_column(columns, margin), key=len)


def _by_row(rows: Rows, margin: int) -> str:
    moves = (f"m{along} {down}h{length}" for along, down, length in _runs(rows))
    return f"M{margin} {margin}.5" + "".join(moves).removeprefix("m0 0")


def _by_column(columns: Rows, margin: int) -> str:
    moves = (f"m{down}{'' if along < 0 else ' '}{along}v{length}" for along, down, length in _runs(columns))
    return f"M{margin}.5 {margin}" + "".join(moves).removeprefix("m0 0")


def _runs(lines: Rows) -> list[tuple[int, int, int]]:
    """Every run of dark modules: how far along and how many lines down from the end of the last one, and its length."""
    found = []
    at = last = 0
    for number, line in enumerate(lines):
        for run in _DARK.finditer(line):
            start, end = run.span()
            found.append((start - at, number - last, end - start))
            at, last = end, number
    return found


def _raster(rows: Rows, scale: int, size: int) -> Image.Image:
    side = len(rows)
    spare = -side % 8
    packed = b"".join((int(row, 2) << spare).to_bytes((side + spare) // 8, "big") for row in rows)
    symbol = Image.frombytes("1", (side, side), packed, "raw", "1;I").resize(
        (side * scale,) * 2, Image.Resampling.NEAREST
    )
    picture = Image.new("1", (size, size), 1)
    picture.paste(symbol, ((size - side * scale) // 2,) * 2)
    return picture


def _png(picture: Image.Image, **options: tuple[float, float]) -> bytes:
    out = BytesIO()
    picture.save(out, "PNG", optimize=True, **options)
    return out.getvalue()


def _logo_box(text: str, rows: Rows, logo: bytes) -> Box:
    """Width and height in modules of the largest white field with the logo on which the code is still read."""
    plain = _raster(rows, 4, 4 * (len(rows) + 8))
    for share in _SHARES:
        box = _box(len(rows), share, _opened(logo))
        if _says(_with_logo(plain, 4, logo, box), text):
            return box
    raise LogoHidesCode("Even a small logo hides too much of it. A shorter link or level H would leave more room.")


def _box(side: int, share: float, logo: Image.Image) -> Box:
    """Odd, as the symbol's side is, so that the field lies on whole modules; clear of the finder patterns."""
    longest = sqrt(share * max(logo.size) / min(logo.size)) * side
    longest = min(longest, side - 2 * _FINDER)
    width, height = (longest * measure / max(logo.size) for measure in logo.size)
    return max(3, int((width + 1) // 2) * 2 - 1), max(3, int((height + 1) // 2) * 2 - 1)


def _with_logo(picture: Image.Image, scale: int, logo: bytes, box: Box) -> Image.Image:
    """The picture with a white field of ``box`` modules in its middle, and the logo half a module inside that."""
    picture = picture.convert("RGB")
    width, height = (measure * scale for measure in box)
    field = Image.new("RGB", (width, height), "white")
    mark = ImageOps.contain(_opened(logo), (width - scale, height - scale))
    field.paste(mark, ((width - mark.width) // 2, (height - mark.height) // 2), mark)
    picture.paste(field, ((picture.width - width) // 2, (picture.height - height) // 2))
    return picture


def _inset(logo: bytes, box: Box, side: int) -> str:
    width, height = box
    x, y = (side - width) // 2, (side - height) // 2
    mark = _opened(logo)
    mark.thumbnail((_LOGO_PIXELS, _LOGO_PIXELS))
    return (
        f'<path fill="#fff" d="M{x} {y}h{width}v{height}H{x}z"/>'
        f'<image x="{x}.5" y="{y}.5" width="{width - 1}" height="{height - 1}"'
        f' href="data:image/png;base64,{b64encode(_png(mark)).decode()}"/>'
    )


def _opened(logo: bytes) -> Image.Image:
    return Image.open(BytesIO(logo), formats=("PNG",)).convert("RGBA")
