"""PDF through the pool, against the plain ``HTML(string=…).write_pdf()`` of the same slip with whole fonts."""

import re
import statistics
import tempfile
import time
from base64 import b64encode
from collections.abc import Callable, Iterator
from concurrent.futures import Executor, ThreadPoolExecutor
from functools import partial
from pathlib import Path

from weasyprint import HTML

from accounts import find as accounts_find
from bench.slip import LINK, STYLE, slip
from bench.table import Ratio, Row
from cli import demo_receipts, demo_shops
from infra import qr
from infra.database import connect, migrate
from infra.folder import open_folder
from infra.pdf import PdfPool
from kernel.clock import utc_now
from receipts import find
from receipts.paper import Sheet, sheet

# The naive way gets the quick table layout, which ours has from its base stylesheet.
_NAIVE_PAGE = """
@page { size: 80mm 600mm; margin: 4mm }
html { font-family: Inter, 'Noto Sans', sans-serif }
body, h1, h2, p { margin: 0 }
table { table-layout: fixed; width: 100%; border-spacing: 0 }
"""
_CALLERS, _AT_ONCE = 4, 8
_PICTURE = re.compile(r'src="([^"]+)"')


def rows(seconds: float) -> Iterator[Row]:
    """PDFs a second of each way, for one caller; then of two processes and of one, for several callers.

    The markup and the style are the same. Ours has its QR code at one pixel a module, and is tagged (PDF/UA); the
    naive has an ordinary PNG and no tags.
    """
    with tempfile.TemporaryDirectory() as name, PdfPool(fonts=Path(name), static=Path("static")) as pool:
        for what, made in {"a bare slip": _slip(), "the demo's receipt": _receipt(Path(name))}.items():
            ours, other = _turn_about(seconds, partial(_pooled, pool, made), partial(_naive, _whole(made)))
            label = f"PDF of {what} : naive WeasyPrint with whole fonts"
            yield Ratio(label, 1 / ours, 1 / other, at_least=1.8)
        yield _two_against_one(seconds, Path(name), made)


def _two_against_one(seconds: float, fonts: Path, made: Sheet) -> Row:
    """As many callers for both; turn about, so that both meet the same machine."""
    pools = [PdfPool(fonts=fonts, static=Path("static"), processes=processes) for processes in (2, 1)]
    with pools[0], pools[1], ThreadPoolExecutor(_CALLERS) as callers:
        two, one = _turn_about(seconds, *(partial(_all_at_once, callers, pool, made) for pool in pools))
    label = "PDF of the demo's receipt by 2 processes : by 1"
    return Ratio(label, _AT_ONCE / two, _AT_ONCE / one, at_least=1.7)


def _all_at_once(callers: Executor, pool: PdfPool, made: Sheet) -> None:
    for _ in callers.map(lambda _: _pooled(pool, made), range(_AT_ONCE)):
        pass


def _pooled(pool: PdfPool, made: Sheet) -> bytes:
    return pool.render(made.html, page="roll", css=made.css, files=made.files)


def _naive(html: str) -> object:
    return HTML(string=html).write_pdf()


def _whole(made: Sheet) -> str:
    """With style and pictures inside."""
    files = {**made.files, ("page.png" if "page.png" in made.files else "qr.png"): qr.png(LINK)}
    style = f"<style>{_NAIVE_PAGE}{made.css}</style></head>"
    return _PICTURE.sub(lambda found: f'src="{_data(found[1], files[found[1]])}"', made.html).replace("</head>", style)


def _data(name: str, data: bytes) -> str:
    kind = "image/svg+xml" if name.endswith(".svg") else "image/png"
    return f"data:{kind};base64,{b64encode(data).decode()}"


def _slip() -> Sheet:
    return Sheet(slip(), STYLE, {"qr.png": qr.png(LINK, scale=1)})


def _receipt(folder: Path) -> Sheet:
    """The first of the demo's receipts, in its own template."""
    url, storage, now = f"sqlite:///{folder / 'demo.db'}", open_folder(folder / "objects"), utc_now()
    migrate(url)
    engine = connect(url)
    with engine.begin() as conn:
        tokens = demo_receipts.put_all(conn, demo_shops.put_all(conn, storage, now=now), now=now)
        record = find.by_token(conn, tokens[""])
        assert record is not None
        look = accounts_find.brand_look(conn, record.merchant_id, record.brand_id)
    engine.dispose()
    logo = storage.get(look.logo_key) if look.logo_key else None
    return sheet(record, look, logo=logo, url=LINK, language="de", page="roll", copy=False)


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
