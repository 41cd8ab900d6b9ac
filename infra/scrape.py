"""What ``/metrics`` answers: what all processes of a server counted, how they are, and what the database holds."""

import os
import shutil
import tempfile
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.metadata import version
from math import inf
from pathlib import Path
from platform import python_version
from typing import Final

import structlog
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.multiprocess import MultiProcessCollector, mark_process_dead
from sqlalchemy import Connection, Engine, text
from sqlalchemy.exc import SQLAlchemyError

from infra.database import reading
from infra.metrics import REGISTRY, Figure

_log = structlog.get_logger()
_FOLDER: Final = "PROMETHEUS_MULTIPROC_DIR"
_PATIENCE: Final = 1.0  # seconds; Prometheus gives a whole scrape ten
_TICKS: Final = os.sysconf("SC_CLK_TCK")
_PAGE: Final = os.sysconf("SC_PAGE_SIZE")


@dataclass(frozen=True, slots=True)
class Reading:
    """One value of a figure, with a label for each that the figure names."""

    figure: Figure
    labels: tuple[str, ...]
    value: float


Look = Callable[[Connection], Iterable[Reading]]
_looks: dict[str, Look] = {}


def at_scrape(look: Look) -> Look:
    """Ask ``look`` at each scrape. It gets a connection that only reads, and must answer from an index: it is called
    every few seconds by every server."""
    _looks[f"{look.__module__}.{look.__qualname__}"] = look
    return look


@contextmanager
def shared_folder() -> Iterator[None]:
    """Around the processes of one server: what they count lies in a folder that each can read. It must be there before
    they import the metrics, and goes with the server."""
    folder = tempfile.mkdtemp(prefix="counterfoil-metrics-")
    os.environ[_FOLDER] = folder
    try:
        yield
    finally:
        del os.environ[_FOLDER]
        shutil.rmtree(folder, ignore_errors=True)


class Scrape:
    """``engine`` is looked into by a thread of its own, which may hang without anybody waiting for it."""

    def __init__(self, engine: Engine, *, patience: float = _PATIENCE) -> None:
        self._engine = engine
        self._patience = patience
        self._lock = threading.Lock()
        self._asking: threading.Thread | None = None
        self._found: list[Metric] | None = None

    def text(self) -> bytes:
        """In Prometheus's text format 0.0.4. Takes as long as ``patience`` at most, whatever the database does."""
        registry = REGISTRY if (folder := _folder()) is None else _of_all(folder)
        found = self._looked()
        up = GaugeMetricFamily(
            "counterfoil_database_up",
            "1 where the database answered within a second. 0: it is away or overloaded; tills are told to come again.",
            value=0 if found is None else 1,
        )
        beside = CollectorRegistry()
        beside.register(_Given([up, _build(), *_processes(_pids(folder)), *(found or ())]))
        return generate_latest(registry) + generate_latest(beside)

    def close(self) -> None:
        """Give a look that is under way a moment to hand its connection back, before the engine goes."""
        if self._asking is not None:
            self._asking.join(2 * self._patience)

    def _looked(self) -> list[Metric] | None:
        with self._lock:
            if self._asking is None or not self._asking.is_alive():
                self._found = None
                self._asking = threading.Thread(target=self._ask, name="metrics", daemon=True)
                self._asking.start()
            asking = self._asking
        asking.join(self._patience)
        return self._found

    def _ask(self) -> None:
        try:
            with reading(self._engine) as conn:
                conn.execute(text("SELECT 1"))
                readings = [each for name, look in _looks.items() for each in _asked(name, look, conn)]
            self._found = _families(readings)
        except SQLAlchemyError as error:
            _log.warning("scrape_without_database", error=type(error).__name__)


class _Given:
    """A collector of what is there already."""

    def __init__(self, metrics: Sequence[Metric]) -> None:
        self._metrics = metrics

    def collect(self) -> Iterable[Metric]:
        return self._metrics


def _asked(name: str, look: Look, conn: Connection) -> list[Reading]:
    """A look that fails must not take the others with it."""
    try:
        return list(look(conn))
    except SQLAlchemyError as error:
        _log.warning("scrape_look_failed", look=name, error=type(error).__name__)
        return []


def _families(readings: Iterable[Reading]) -> list[Metric]:
    families: dict[Figure, GaugeMetricFamily] = {}
    for reading_ in readings:
        figure = reading_.figure
        family = families.setdefault(figure, GaugeMetricFamily(figure.name, figure.says, labels=figure.labels))
        family.add_metric(reading_.labels, reading_.value)
    return list(families.values())


def _build() -> Metric:
    says = "Always 1; its labels tell which version answers. Several during an upgrade; one after it."
    family = GaugeMetricFamily("counterfoil_build_info", says, labels=("version", "python"))
    family.add_metric((version("counterfoil"), python_version()), 1)
    return family


def _folder() -> Path | None:
    return Path(folder) if (folder := os.environ.get(_FOLDER)) else None


def _of_all(folder: Path) -> CollectorRegistry:
    for pid in _pids(folder):
        if not Path(f"/proc/{pid}").exists():
            mark_process_dead(pid, str(folder))  # type: ignore[no-untyped-call]
    registry = CollectorRegistry()
    MultiProcessCollector(registry, str(folder))  # type: ignore[no-untyped-call]
    return registry


def _pids(folder: Path | None) -> list[int]:
    """The processes that have counted something; their files are named ``counter_4711.db``."""
    if folder is None:
        return [os.getpid()]
    return sorted({int(path.stem.rpartition("_")[2]) for path in folder.glob("*.db")})


def _processes(pids: Iterable[int]) -> list[Metric]:
    memory = GaugeMetricFamily(
        "counterfoil_process_resident_memory_bytes",
        "Memory by process; what=pdf are its children. Grows without end: a fault of ours; restart, and tell us.",
        labels=("pid", "what"),
    )
    cpu = CounterMetricFamily(
        "counterfoil_process_cpu_seconds",
        "Processor time by process. Its rate near 1: the process is at its limit, start another.",
        labels=("pid", "what"),
    )
    files = GaugeMetricFamily(
        "counterfoil_process_open_fds",
        "Open files and sockets by process. Near process_max_fds: raise that; it counts each waiting client.",
        labels=("pid", "what"),
    )
    most = GaugeMetricFamily(
        "counterfoil_process_max_fds",
        "Files and sockets that a process may open. Below 4096: raise LimitNOFILE of systemd, ulimits of a container.",
        labels=("pid", "what"),
    )
    for pid, what in ((pid, what) for parent in pids for pid, what in _with_children(parent)):
        try:
            fields = Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2].split()
            opened = sum(1 for _ in Path(f"/proc/{pid}/fd").iterdir())
            limit = _most_files(Path(f"/proc/{pid}/limits").read_text())
        except OSError:  # ended meanwhile, or not on Linux
            continue
        # proc_pid_stat(5): fields 14 and 15 are its time in ticks, field 24 its pages; the first here is field 3.
        memory.add_metric((str(pid), what), int(fields[21]) * _PAGE)
        cpu.add_metric((str(pid), what), (int(fields[11]) + int(fields[12])) / _TICKS)
        files.add_metric((str(pid), what), opened)
        most.add_metric((str(pid), what), limit)
    return [memory, cpu, files, most]


def _most_files(limits: str) -> float:
    """The soft limit in the words of proc_pid_limits(5): ``Max open files  1024  4096  files``, or ``unlimited``."""
    soft = limits.partition("Max open files")[2].split()[0]
    return inf if soft == "unlimited" else float(soft)


def _with_children(pid: int) -> Iterator[tuple[int, str]]:
    yield pid, "main"
    for path in Path(f"/proc/{pid}/task").glob("*/children"):
        try:
            yield from ((int(child), "pdf") for child in path.read_text().split())
        except OSError:
            continue
