"""How much memory a server takes: at rest, with a day's receipts, with their pages, and with two days more."""

import os
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Final

from bench.fill import Shop, filled
from bench.load import whole
from bench.questions import QUESTIONS, Client, calling
from bench.table import Limit, Row
from tests.support import postgres

_RECEIPTS: Final = 10_000
_PAGES: Final = 1_000
_PDFS: Final = 20
_CLIENTS: Final = 8
_MOST: Final = 200
# So much more may be taken by twice as many receipts again: what is above would be a leak.
_FLAT: Final = 10
# Seconds in which a server that was just started settles.
_REST: Final = 5


def rows(_seconds: float) -> Iterator[Row]:
    with tempfile.TemporaryDirectory() as folder:
        yield from _of("SQLite", f"sqlite:///{folder}/shop.db", Path(folder))
        url = postgres.start(owner=os.getpid(), durable=True).create("memory")
        yield from _of("PostgreSQL", url, Path(folder))


def _of(database: str, url: str, folder: Path) -> Iterator[Row]:
    shop = filled(url, _PAGES)
    with whole({"COUNTERFOIL_DATA_DIR": str(folder / database), "COUNTERFOIL_DATABASE_URL": url}) as server:
        time.sleep(_REST)
        yield _taken(f"memory of a server on {database}, at rest", _bytes(server.pid))
        _together(shop, server.address, _RECEIPTS, _post)
        first = _bytes(server.pid)
        yield _taken(f"the same, after {_RECEIPTS:,} receipts", first)
        _together(shop, server.address, _PAGES, lambda client, at: client.ask("GET", f"/r/{shop.token(at)}"))
        _together(shop, server.address, _PDFS, lambda client, at: client.ask("GET", f"/r/{shop.token(at)}.pdf"))
        with_pages = _bytes(server.pid)
        yield _taken(f"the same, after {_PAGES:,} pages and {_PDFS} PDFs", with_pages)
        _together(shop, server.address, _RECEIPTS * 2, _post)
        more = (_bytes(server.pid) - with_pages) / 1e6
        yield Limit(f"the same, more after {_RECEIPTS * 2:,} receipts more", round(more, 1), at_most=_FLAT, unit="MB")
        yield Limit("its PDF process", round(sum(map(_bytes, _children(server.pid))) / 1e6), at_most=_MOST, unit="MB")


def _taken(what: str, size: int) -> Limit:
    return Limit(what, round(size / 1e6), at_most=_MOST, unit="MB")


def _post(client: Client, _at: int) -> None:
    QUESTIONS["accept a sale"](client)


def _together(shop: Shop, address: str, times: int, act: Callable[[Client, int], object]) -> None:
    """Do it so many times, by some clients at once."""
    numbers = iter(range(times))

    def some() -> None:
        with calling(shop, address) as client:
            while (at := next(numbers, None)) is not None:
                act(client, at)

    with ThreadPoolExecutor(_CLIENTS) as clients:
        for done in [clients.submit(some) for _ in range(_CLIENTS)]:
            done.result()


def _bytes(pid: int) -> int:
    """What is in memory of a process (Linux)."""
    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE")


def _children(pid: int) -> list[int]:
    return [
        int(child) for task in Path(f"/proc/{pid}/task").iterdir() for child in (task / "children").read_text().split()
    ]
