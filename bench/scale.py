"""``scripts/bench --scale``: whether things take as long with a million receipts as with ten thousand.

Both shops are open at once, each behind a server of its own, and are asked in turn by one client, so that whatever else
the machine does meets both alike. What counts is the ratio of the medians.
"""

import gc
import os
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from statistics import median
from typing import Final

from sqlalchemy import Engine, text

from bench.chores import CHORES, Chore
from bench.fill import Shop, filled
from bench.load import whole
from bench.questions import QUESTIONS, calling
from cli.progress import Progress
from infra.database import connect
from tests.support import postgres

SMALL: Final = 10_000
LARGE: Final = 1_000_000
_AT_MOST: Final = 1.3
_ROUNDS: Final = 200
_CHORE_ROUNDS: Final = 40
_NOT_COUNTED: Final = 4
# Of one question, in both shops together: should one take seconds, a few rounds tell.
_LONGEST: Final = 30.0

Times = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Growth:
    """Median seconds of one question, by database: in the small shop, and in the large."""

    what: str
    times: dict[str, Times]

    @property
    def holds(self) -> bool:
        return all(large / small <= _AT_MOST for small, large in self.times.values())

    def cells(self) -> list[str]:
        shown = [
            (f"{small * 1e3:.2f} ms", f"{large * 1e3:.2f} ms", f"{large / small:.2f}")
            for small, large in self.times.values()
        ]
        return [self.what, *(cell for cells in shown for cell in cells), "yes" if self.holds else "**no**"]


def measured(count: int) -> str:
    """A table of all questions on both databases, and what a receipt takes on the disk."""
    found: dict[str, dict[str, Times]] = {}
    sizes: list[str] = []
    with tempfile.TemporaryDirectory() as folder:
        for database, make in _databases(Path(folder)).items():
            small, large = filled(make(SMALL), SMALL), filled(make(count), count)
            sizes.append(f"{_bytes_of(large.url) / count / 1000:.1f} KB on {database}")
            for what, times in compared(small, large, Path(folder, database)):
                found.setdefault(what, {})[database] = times
    rows = [Growth(what, times) for what, times in found.items()]
    return f"{markdown(rows, count)}\n\nA receipt takes, with its indexes and what hangs on it, {' and '.join(sizes)}."


def _databases(folder: Path) -> dict[str, Callable[[int], str]]:
    """What makes the URL of a new database for so many receipts."""
    server = postgres.start(owner=os.getpid(), durable=True)
    return {
        "SQLite": lambda count: f"sqlite:///{folder}/shop-{count}.db",
        "PostgreSQL": lambda count: server.create(f"shop_{count}"),
    }


def compared(small: Shop, large: Shop, folder: Path) -> Iterator[tuple[str, Times]]:
    """Each question, and its median seconds in either shop."""
    with ExitStack() as opened:
        clients = []
        for shop in (small, large):
            env = {"COUNTERFOIL_DATA_DIR": str(folder / str(shop.count)), "COUNTERFOIL_DATABASE_URL": shop.url}
            server = opened.enter_context(whole(env))
            clients.append(opened.enter_context(calling(shop, server.address)))
        for what, ask in QUESTIONS.items():
            yield what, _in_turn(what, [partial(ask, client) for client in clients], _ROUNDS)
    with ExitStack() as opened:
        engines = [connect(shop.url) for shop in (small, large)]
        for engine in engines:
            opened.callback(engine.dispose)
        for what, chore in CHORES.items():
            acts = [partial(_undone, chore, *on) for on in zip(engines, (small, large), strict=True)]
            yield what, _in_turn(what, acts, _CHORE_ROUNDS)


def _in_turn(what: str, acts: Sequence[Callable[[], float]], rounds: int) -> Times:
    """Median seconds of two acts, done in turn, the first of them now the one and now the other."""
    taken: tuple[list[float], list[float]] = ([], [])
    progress, until = Progress(f"× {what}", rounds), time.monotonic() + _LONGEST
    gc.disable()
    for at in range(-_NOT_COUNTED, rounds):
        for which in ((0, 1), (1, 0))[at % 2]:
            seconds = acts[which]()
            if at >= 0:
                taken[which].append(seconds)
        progress.done(1)
        if at > _NOT_COUNTED and time.monotonic() > until:
            break
    gc.enable()
    progress.end()
    return median(taken[0]), median(taken[1])


def _undone(chore: Chore, engine: Engine, shop: Shop) -> float:
    with engine.connect() as conn:
        conn.begin()
        began = time.perf_counter()
        chore(conn, shop)
        taken = time.perf_counter() - began
        conn.rollback()
    return taken


def _bytes_of(url: str) -> int:
    engine = connect(url)
    pages = "page_count * page_size FROM pragma_page_count(), pragma_page_size()"
    size = "pg_database_size(current_database())" if engine.dialect.name == "postgresql" else pages
    with engine.connect() as conn:
        found = int(conn.scalar(text(f"SELECT {size}")) or 0)
    engine.dispose()
    return found


def markdown(rows: Sequence[Growth], count: int) -> str:
    columns = [(f"{name}, {SMALL:,}", f"{count:,}", "ratio") for name in rows[0].times]
    head = ["what", *(cell for cells in columns for cell in cells), f"all ≤ {_AT_MOST:g}"]
    lines = [f"| {' | '.join(head)} |", f"|---|{'---:|' * (len(head) - 2)}---|"]
    return "\n".join(lines + [f"| {' | '.join(row.cells())} |" for row in rows])
