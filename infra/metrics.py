"""What the service counts of itself. Each metric's help says what to do when it looks bad.

A label is never taken from a request as it came: links are capabilities, and whoever invents paths or methods would
fill the memory. What a process counts is kept in it, or in files of a shared folder where ``serve --workers`` starts
several (``infra/scrape.py``).
"""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from time import perf_counter
from typing import Any, Final

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, disable_created_metrics
from sqlalchemy import Engine, event

from kernel.errors import Problem

disable_created_metrics()  # type: ignore[no-untyped-call]
REGISTRY: Final = CollectorRegistry()

_QUICK: Final = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)
_SLOW: Final = (0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 20.0, 60.0)
_SIZES: Final = (1, 2, 4, 8, 16, 32, 64, 128)
METHODS: Final = frozenset({"GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "PATCH"})


def _counter(name: str, says: str, *labels: str) -> Counter:
    return Counter(f"counterfoil_{name}", says, labels, registry=REGISTRY)


def _gauge(name: str, says: str, *labels: str) -> Gauge:
    # Of several processes the sum; what belonged to one that is dead is no longer in it.
    return Gauge(f"counterfoil_{name}", says, labels, registry=REGISTRY, multiprocess_mode="livesum")


def _histogram(name: str, says: str, *labels: str, buckets: Iterable[float]) -> Histogram:
    return Histogram(f"counterfoil_{name}", says, labels, registry=REGISTRY, buckets=tuple(buckets))


HTTP_REQUESTS: Final = _counter(
    "http_requests",
    "Requests answered. Many 5xx: look for level=error in the log. Many 401 or 403: a till's key was revoked or is"
    " bound to another store. Many 422: an integration sends what is not accepted; its answers name the fields.",
    *("route", "method", "status"),
)
HTTP_SECONDS: Final = _histogram(
    "http_request_seconds",
    "From the request's first byte to the answer's last. Slow everywhere: the processor is busy, start another server."
    " Slow on /v1/receipts alone: see commit_seconds. Slow on a PDF: see pdf_waiting.",
    "route",
    buckets=_QUICK,
)
RECEIPTS: Final = _counter(
    "receipts",
    "Sales sent by tills, by outcome. Many repeated: answers do not reach the tills, look at the proxy's time-outs."
    " Many refused: an integration sends what does not add up.",
    "outcome",
)
COMMIT_BATCH: Final = _histogram(
    "commit_batch_receipts",
    "Sales written by one commit. Always near 128 while commit_queue grows: the database is the limit.",
    buckets=_SIZES,
)
COMMIT_WAIT: Final = _histogram(
    "commit_wait_seconds",
    "How long the oldest sale of a batch waited before its transaction began. Above a second: tills notice; see"
    " commit_seconds.",
    buckets=_QUICK,
)
COMMIT_SECONDS: Final = _histogram(
    "commit_seconds",
    "One transaction of the intake, commit included. Above a tenth of a second: slow disk, distant database, or locks.",
    buckets=_QUICK,
)
COMMIT_QUEUE: Final = _gauge(
    "commit_queue",
    "Sales that wait for the next commit. Near 4096 tills are told 503: the database is too slow or gone.",
)
CACHE: Final = _counter(
    "page_cache",
    "Answers looked for in memory, by outcome. Few hits are no fault: most receipts are opened once.",
    *("cache", "outcome"),
)
PDF_RENDERS: Final = _counter(
    "pdf_renders",
    "PDFs by outcome. timeout: a page took longer than COUNTERFOIL_PDF_SECONDS. too-large: it needed more memory than"
    " COUNTERFOIL_PDF_MEMORY_MB. unavailable: a library is missing (run counterfoil doctor) or every process was busy"
    " (raise COUNTERFOIL_PDF_PROCESSES). failed: a fault of ours, see the log.",
    "outcome",
)
PDF_SECONDS: Final = _histogram(
    "pdf_seconds",
    "One render, its wait for a process included. Slow while pdf_waiting is low: the processor is busy.",
    buckets=_SLOW,
)
PDF_WAITING: Final = _gauge(
    "pdf_waiting",
    "Shoppers who wait for a PDF, those included whose PDF is being made. Often above COUNTERFOIL_PDF_PROCESSES: raise"
    " it, or start another server.",
)
STORAGE_ERRORS: Final = _counter(
    "storage_errors",
    "Objects that could not be read or written. Any: disk full, wrong rights, or the bucket is out of reach; run"
    " counterfoil doctor.",
    "where",
)
POOL_IN_USE: Final = _gauge(
    "database_connections_in_use",
    "Connections of the pools that are at work. Near 16 a process for long: slow queries, or requests pile up.",
)
JOBS_DONE: Final = _counter(
    "jobs",
    "Jobs ended, by kind and outcome. failed: it will be tried again. dead: it will not; see counterfoil_jobs_now.",
    *("kind", "outcome"),
)
JOB_SECONDS: Final = _histogram(
    "job_seconds", "One run of a job. Slow mail: the mail server is slow.", "kind", buckets=_SLOW
)
MAIL: Final = _counter(
    "mail",
    "Attempts to send a message, by outcome. deferred: the mail server says later, it is tried again. refused: the"
    " address or we are not wanted there; look at the answers in the log. failed: given up after two days.",
    "outcome",
)


@dataclass(frozen=True, slots=True)
class Figure:
    """A gauge that is read from the database when somebody asks, and so is the same from every process."""

    name: str
    says: str
    labels: tuple[str, ...] = ()


JOBS_NOW: Final = Figure(
    "counterfoil_jobs_now",
    "Jobs by queue and state (waiting, delayed, running, dead). dead: nobody tries them again; find out why, then retry"
    " them. waiting grows: start another worker.",
    ("queue", "state"),
)
OLDEST_JOB: Final = Figure(
    "counterfoil_jobs_oldest_waiting_seconds",
    "How long the oldest job that could run has waited. Minutes: no worker is alive, or too few are.",
    ("queue",),
)
MESSAGES: Final = Figure(
    "counterfoil_messages",
    "Messages by state. Many that wait or are deferred: the mail server is away or refuses us.",
    ("state",),
)
FIGURES: Final = (JOBS_NOW, OLDEST_JOB, MESSAGES)


@cache
def _of_request(route: str, method: str, status: int) -> tuple[Any, Any]:
    """Kept, since to look labels up costs more than to count. Bounded: routes are ours, methods are known."""
    return HTTP_REQUESTS.labels(route, method, f"{status // 100}xx"), HTTP_SECONDS.labels(route)


def request_done(route: str, method: str, status: int, seconds: float) -> None:
    """``route`` is a template, ``/r/{token}``, and never a path."""
    count, duration = _of_request(route, method if method in METHODS else "other", status)
    count.inc()
    duration.observe(seconds)


def receipts_answered(*, accepted: int = 0, repeated: int = 0, refused: int = 0) -> None:
    for outcome, number in (("accepted", accepted), ("repeated", repeated), ("refused", refused)):
        if number:
            RECEIPTS.labels(outcome).inc(number)


@contextmanager
def committing(size: int, waited: float) -> Iterator[None]:
    """Around one transaction of the intake; ``waited`` are the seconds that its oldest sale waited for it."""
    COMMIT_BATCH.observe(size)
    COMMIT_WAIT.observe(waited)
    with COMMIT_SECONDS.time():
        yield


def storage_failed(where: str) -> None:
    """``where`` is ``folder`` or ``bucket``, never a key."""
    STORAGE_ERRORS.labels(where).inc()


def jobs_done(kind: str, outcome: str, seconds: float) -> None:
    """``outcome`` is ``done``, ``failed`` (it will be tried again) or ``dead``."""
    JOBS_DONE.labels(kind, outcome).inc()
    JOB_SECONDS.labels(kind).observe(seconds)


def mail_sent(outcome: str) -> None:
    """``outcome`` is ``accepted``, ``deferred``, ``refused``, ``failed`` or ``bounced``."""
    MAIL.labels(outcome).inc()


@contextmanager
def rendering_pdf() -> Iterator[None]:
    """Around one render: ``made``, or how it was refused (``timeout``, ``too-large``, ``unavailable``, ``failed``)."""
    began, outcome = perf_counter(), "failed"
    try:
        yield
        outcome = "made"
    except Problem as problem:
        outcome = problem.slug.removeprefix("pdf-")
        raise
    finally:
        PDF_RENDERS.labels(outcome).inc()
        PDF_SECONDS.observe(perf_counter() - began)


def watch_pool(engine: Engine) -> None:
    """Count the connections of ``engine`` that are in use."""

    @event.listens_for(engine, "checkout")
    def taken(_connection: Any, _record: Any, _proxy: Any) -> None:
        POOL_IN_USE.inc()

    @event.listens_for(engine, "checkin")
    def given_back(_connection: Any, _record: Any) -> None:
        POOL_IN_USE.dec()
