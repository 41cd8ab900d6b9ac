"""Learning in a process of its own: no server or worker carries numpy, and a lesson that grows too large ends alone.

Rows go over a line in batches, then a lesson comes back as columns. The child ends with whoever started it.
"""

import os
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from itertools import islice
from multiprocessing.connection import Connection
from pathlib import Path
from threading import Event, Timer
from typing import Any, Final

import orjson

from engagement.offers.lesson import Aim, Lesson, Neighbours, Popular, Row
from infra.child_environment import child_environment

_ROOT: Final = Path(__file__).resolve().parents[2]
_BATCH: Final = 5_000
_MB: Final = 1024 * 1024
_MOST_BYTES: Final = 1024 * _MB
_TUNING: Final = re.compile("(OPENBLAS|OMP|MKL)_[A-Z0-9_]+")
TOO_LARGE: Final = 3
"""The child's exit status where it would need more memory than it may."""


class LearningFailed(Exception):
    """Its words say why, and what helps."""


def learn(
    rows: Iterable[Row],
    *,
    seed: int = 0,
    aim: Aim = "next",
    seconds: float = 1800,
    memory_mb: int = 2048,
    told: Callable[[str], object] = lambda _step: None,
) -> Lesson:
    """Read all ``rows`` and learn from them; the same rows and ``seed`` give the same lesson. An offer is for what is
    bought next, so that decides where it is known (:func:`learning.best`).

    ``told`` hears in a few words what is being done. ``seconds`` count from when the last row was read. Raises
    :class:`LearningFailed` where it takes longer, needs more than ``memory_mb``, or numpy is missing.
    """
    with _child(str(memory_mb * _MB), str(seed), aim) as (process, line), _explained(process, seconds) as begin:
        for batch in _batches(rows):
            if not _is_taken(line, batch):
                break
        begin()
        while (said := orjson.loads(line.recv_bytes(_MOST_BYTES))).get("step"):
            told(said["step"])
        if "error" in said:
            raise LearningFailed(said["error"])
        return _taken(said, line)


def _batches(rows: Iterable[Row]) -> Iterator[bytes]:
    """The last is empty."""
    waiting = iter(rows)
    while batch := list(islice(waiting, _BATCH)):
        yield orjson.dumps(batch, default=tuple)
    yield b""


def _is_taken(line: "Connection[Any, Any]", batch: bytes) -> bool:
    """False where the child has ended; it may have said why."""
    try:
        line.send_bytes(batch)
    except BrokenPipeError:
        return False
    return True


def _taken(said: dict[str, Any], line: "Connection[Any, Any]") -> Lesson:
    """The words came as JSON; columns come after them as bytes."""
    found = Neighbours(said["items"])
    for column in (found.item, found.other, found.score, found.receipts):
        column.frombytes(line.recv_bytes(_MOST_BYTES))
    return Lesson(found, [Popular(*each) for each in said["popular"]], said["report"])


@contextmanager
def _child(*asked: str) -> "Iterator[tuple[subprocess.Popen[bytes], Connection[Any, Any]]]":
    """``asked`` are its arguments after the socket."""
    ours, theirs = socket.socketpair()
    with theirs:
        process = subprocess.Popen(  # noqa: S603 - our own module
            [sys.executable, "-m", "engagement.offers.learning_child", str(theirs.fileno()), *asked],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            pass_fds=[theirs.fileno()],
            cwd=_ROOT,
            env=_environment(),
            start_new_session=True,
        )
    line: Connection[Any, Any] = Connection(ours.detach())
    try:
        yield process, line
    finally:
        process.kill()
        process.wait()
        line.close()


def _environment() -> dict[str, str]:
    """One processor, since a second one would be taken from tills; unless whoever runs it says otherwise."""
    asked = {name: os.environ[name] for name in os.environ if _TUNING.fullmatch(name)}
    return child_environment() | {"OPENBLAS_NUM_THREADS": "1"} | asked


@contextmanager
def _explained(process: "subprocess.Popen[bytes]", seconds: float) -> Iterator[Callable[[], None]]:
    """What is yielded starts the clock. A child that is late is killed, which ends any wait for it."""
    late = Event()

    def stop() -> None:
        late.set()
        process.kill()

    timer = Timer(seconds, stop)
    timer.daemon = True
    try:
        yield timer.start
    except (EOFError, OSError):
        if late.is_set():
            raise LearningFailed(f"it took longer than {seconds:g} seconds; take fewer receipts") from None
        if process.wait() in (TOO_LARGE, -signal.SIGABRT):
            raise LearningFailed("it takes more memory than it may; take fewer receipts") from None
        raise LearningFailed("the process that learned ended; try again") from None
    finally:
        timer.cancel()
