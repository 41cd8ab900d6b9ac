"""One child process that renders PDF, seen from its parent."""

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from fcntl import LOCK_EX, LOCK_NB, flock
from multiprocessing.connection import Connection
from pathlib import Path
from threading import Event, Timer
from typing import Any

from infra.child_environment import child_environment
from infra.pdf_child import TOO_LARGE, Job
from kernel.errors import Unavailable

_ROOT = Path(__file__).resolve().parent.parent
_START_SECONDS = 60  # to import WeasyPrint from a slow disk
_MOST_BYTES = 64_000_000
_TEMPORARY = "counterfoil-pdf-"
_YOUNG = 60  # seconds in which a folder may not be locked yet
_LIBRARIES = "apt-get install libpango-1.0-0 libpangoft2-1.0-0 libharfbuzz-subset0"


class PdfUnavailable(Unavailable):
    slug, title = "pdf-unavailable", "PDF is not available just now"


class PdfTimeout(Unavailable):
    slug, title = "pdf-timeout", "The PDF took too long"


class PdfTooLarge(Unavailable):
    slug, title = "pdf-too-large", "The PDF is too large to be made"


def tidy() -> None:
    """Remove the folders of children that were killed. Those in use are locked, by whatever process and user."""
    for folder in Path(tempfile.gettempdir()).glob(f"{_TEMPORARY}*"):
        with suppress(OSError):
            is_ours = not folder.is_symlink() and folder.stat().st_uid == os.geteuid()
            if is_ours and time.time() - folder.stat().st_mtime > _YOUNG:
                os.close(_held(str(folder)))
                shutil.rmtree(folder, ignore_errors=True)


def _held(folder: str) -> int:
    """A lock on the folder, until it is closed by all who have it. Raises BlockingIOError where another has one."""
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    try:
        flock(handle, LOCK_EX | LOCK_NB)
    except OSError:
        os.close(handle)
        raise
    return handle


def _environment(temporary: str) -> dict[str, str]:
    """The order of sets must not show in the bytes of a PDF; and what a killed child leaves must be found."""
    return child_environment() | {"PYTHONHASHSEED": "0", "TMPDIR": temporary}


class Child:
    """A running process and the line to it. Every Problem that it raises leaves it dead."""

    def __init__(self, fonts: str, static: str, memory: int) -> None:
        """``memory`` in bytes."""
        self._killed = False
        self._temporary = tempfile.mkdtemp(prefix=_TEMPORARY)
        self._lock = _held(self._temporary)
        ours, theirs = socket.socketpair()
        with theirs:
            command = [sys.executable, "-m", "infra.pdf_child", str(theirs.fileno()), str(memory), fonts, static]
            self._process = subprocess.Popen(  # noqa: S603 - our own module
                command,
                stdin=subprocess.PIPE,
                stdout=subprocess.DEVNULL,
                pass_fds=[theirs.fileno(), self._lock],
                cwd=_ROOT,
                env=_environment(self._temporary),
                start_new_session=True,
            )
        self._line: Connection[Job, Any] = Connection(ours.detach())

    def greeting(self) -> str | None:
        """Why this machine cannot make PDF, in one line; ``None`` where it can."""
        with self._limited(_START_SECONDS):
            reason = json.loads(self._line.recv_bytes(_MOST_BYTES)).get("reason")
        return f"PDF needs a library that is not here: {reason} (Debian: {_LIBRARIES})" if reason else None

    def ask(self, job: Job) -> tuple[dict[str, Any], bytes]:
        """The answer's header, and the PDF where the header has no ``error``."""
        with self._limited(job.seconds):
            self._line.send(job)
            header: dict[str, Any] = json.loads(self._line.recv_bytes(_MOST_BYTES))
            return header, b"" if "error" in header else self._line.recv_bytes(_MOST_BYTES)

    @contextmanager
    def _limited(self, seconds: float) -> Iterator[None]:
        """A kill ends any wait for the child, whatever hangs."""
        late = Event()

        def stop() -> None:
            late.set()
            self.kill()

        timer = Timer(seconds, stop)
        timer.start()
        try:
            yield
        except (EOFError, OSError):
            if late.is_set():
                raise PdfTimeout(f"It was stopped after {seconds:g} seconds.", retry_after=300) from None
            if self._process.wait() in (TOO_LARGE, -signal.SIGABRT):
                raise PdfTooLarge("It takes more memory than one PDF may.", retry_after=300) from None
            raise PdfUnavailable("The process that made it ended. Please try again.", retry_after=1) from None
        finally:
            timer.cancel()
            timer.join()

    def is_alive(self) -> bool:
        return not self._killed and self._process.poll() is None

    def kill(self) -> None:
        self._killed = True
        self._process.kill()

    def end(self) -> None:
        """Kill it and clear up after it. May be called again."""
        self.kill()
        self._process.communicate()
        self._line.close()
        if self._lock >= 0:
            os.close(self._lock)
            self._lock = -1
        shutil.rmtree(self._temporary, ignore_errors=True)
