"""QR SVG: how small, and how much faster than qrcode's ``SvgPathImage`` for links that neither has seen before."""

import secrets
import statistics
import time
from collections.abc import Callable
from typing import TypeVar

from qrcode.image.svg import SvgPathImage
from qrcode.main import QRCode

from infra import qr

T = TypeVar("T")
_LENGTHS = (46, 60, 75)


def svg(*, links: int = 150) -> dict[str, float]:
    """``ours_ms``, ``library_ms`` (medians, turn about in one run), ``ratio``, ``largest_bytes``, ``library_bytes``."""
    ours: list[float] = []
    library: list[float] = []
    sizes: list[tuple[int, int]] = []
    for number in range(links):
        link = _link(_LENGTHS[number % len(_LENGTHS)])
        mine = _timed(qr.svg, link, ours)
        theirs = _timed(_library_svg, link, library)
        sizes.append((len(mine), len(theirs)))
    ours_ms, library_ms = statistics.median(ours), statistics.median(library)
    return {
        "ours_ms": ours_ms,
        "library_ms": library_ms,
        "ratio": library_ms / ours_ms,
        "largest_bytes": max(mine for mine, _ in sizes),
        "library_bytes": statistics.median(theirs for _, theirs in sizes),
    }


def _link(length: int) -> str:
    start = "https://receipts.example.com/r/"
    return start + secrets.token_urlsafe(length)[: length - len(start)]


def _library_svg(link: str) -> bytes:
    code: QRCode[SvgPathImage] = QRCode(error_correction=0, image_factory=SvgPathImage)
    code.add_data(link)
    code.make()
    return code.make_image().to_string()


def _timed(make: Callable[[str], T], link: str, into: list[float]) -> T:
    start = time.perf_counter()
    made = make(link)
    into.append((time.perf_counter() - start) * 1000)
    return made
