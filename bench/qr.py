"""QR SVG: how much faster than qrcode's ``SvgPathImage``, for links that neither has seen before, and how small.

And QR codes with a logo: how many of a thousand zxing-cpp does not read, as drawn and as a phone sees them.
"""

import secrets
import statistics
import time
from collections.abc import Callable, Iterator

from qrcode.image.svg import SvgPathImage
from qrcode.main import QRCode

from bench.table import Limit, Ratio, Row
from infra import qr
from tests.support.codes import unread

_MOST_BYTES = 2500
_CARDS = 1000


def rows(seconds: float) -> Iterator[Row]:
    """Links of 46 to 75 characters at level M, both ways turn about; then the limit over the largest of ours."""
    ours: list[float] = []
    library: list[float] = []
    largest = 0
    end = time.perf_counter() + seconds
    while time.perf_counter() < end:
        link = _link(46 + len(ours) % 30)
        largest = max(largest, len(_timed(qr.svg, link, ours)))
        _timed(_library_svg, link, library)
    mine, theirs = 1 / statistics.median(ours), 1 / statistics.median(library)
    yield Ratio("QR SVG : qrcode's SvgPathImage", mine, theirs, at_least=1.5)
    yield Limit("QR SVG, the largest", largest, at_most=_MOST_BYTES, unit="B")
    drawn, seen = unread(_CARDS)
    yield Limit(f"QR with logo, unread of {_CARDS:,} random cards", len(drawn), at_most=0)
    yield Limit("the same, blurred and tilted", len(seen), at_most=0)


def _link(length: int) -> str:
    start = "https://receipts.example.com/r/"
    return start + secrets.token_urlsafe(length)[: length - len(start)]


def _library_svg(link: str) -> str:
    code: QRCode[SvgPathImage] = QRCode(error_correction=0, image_factory=SvgPathImage)
    code.add_data(link)
    code.make()
    return code.make_image().to_string().decode()


def _timed(make: Callable[[str], str], link: str, into: list[float]) -> str:
    start = time.perf_counter()
    made = make(link)
    into.append(time.perf_counter() - start)
    return made
