"""A slip's PDF through the pool, against the plain ``HTML(string=…).write_pdf()`` of the same slip with whole fonts."""

import statistics
import tempfile
import time
from base64 import b64encode
from collections.abc import Callable, Iterator
from pathlib import Path

from weasyprint import HTML

from bench.slip import LINK, STYLE, slip
from bench.table import Ratio, Row
from infra import qr
from infra.pdf import PdfPool

_NAIVE_PAGE = "@page { size: 80mm 400mm; margin: 4mm } html { font-family: Inter, 'Noto Sans', sans-serif }"


def rows(seconds: float) -> Iterator[Row]:
    """Slips a second of each way, for one caller. The markup and the style are the same.

    Ours has its QR code at one pixel a module, and is tagged (PDF/UA); the naive has an ordinary PNG and no tags.
    """
    code, large = qr.png(LINK, scale=1), qr.png(LINK)
    naive = slip(style=_NAIVE_PAGE + STYLE, code=f"data:image/png;base64,{b64encode(large).decode()}")
    page = slip()
    with tempfile.TemporaryDirectory() as fonts, PdfPool(fonts=Path(fonts), static=Path("static")) as pool:
        ours, other = _turn_about(
            seconds,
            lambda: pool.render(page, page="roll", css=STYLE, files={"qr.png": code}),
            lambda: HTML(string=naive).write_pdf(),
        )
    yield Ratio("PDF of a slip : naive WeasyPrint with whole fonts", 1 / ours, 1 / other, at_least=1.8)


def _turn_about(seconds: float, *ways: Callable[[], object]) -> list[float]:
    """The median seconds of each way. A turn is ten runs after one that does not count: it warms a process up."""
    times: list[list[float]] = [[] for _ in ways]
    end = time.perf_counter() + seconds
    while time.perf_counter() < end:
        for way, taken in zip(ways, times, strict=True):
            way()
            taken.extend(_timed(way) for _ in range(10))
    return [statistics.median(taken) for taken in times]


def _timed(way: Callable[[], object]) -> float:
    start = time.perf_counter()
    way()
    return time.perf_counter() - start
