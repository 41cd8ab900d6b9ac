"""Counterfoil in processes of their own, as an operator runs it."""

import json
import os
import signal
import socket
import time
from collections.abc import Mapping
from multiprocessing.context import ForkServerProcess
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self

import httpx

from tests.support import forge

# What a process may run first. It starts no PDF process, which takes seconds of a processor.
NO_PDF: Final = "from infra.pdf import PdfPool; PdfPool.warm = lambda _: None\n"
# It looks for dead workers ten times as often: less to wait for.
IMPATIENT: Final = "from infra import runner; runner._LOOK = 1.0\n"


class Program:
    """One command of ``counterfoil``. It may be killed and started again; its data stays.

    ``env`` holds settings. ``first`` is Python that the process runs before anything else.
    """

    def __init__(
        self, folder: Path, database_url: str, *arguments: str, env: Mapping[str, str] | None = None, first: str = ""
    ) -> None:
        self.folder = folder
        self.log = folder / f"{arguments[0]}-{id(self):x}.log"
        self.env = {
            "COUNTERFOIL_DATA_DIR": str(folder),
            "COUNTERFOIL_DATABASE_URL": database_url,
            "COUNTERFOIL_BASE_URL": "https://receipts.test",
        } | dict(env or {})
        self.first = first
        self._arguments = arguments
        self._process: ForkServerProcess | None = None
        self._log_starts = 0

    def start(self) -> None:
        """Returns when it does its work."""
        self.begin()
        self.wait_until_ready()

    def begin(self) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        self.log.touch()
        self._log_starts = self.log.stat().st_size
        self._process = forge.begin(self._arguments, env=dict(os.environ) | self.env, log=self.log, first=self.first)

    def wait_until_ready(self) -> None:
        deadline = time.monotonic() + 60
        while not self._is_ready():
            if not self.is_alive or time.monotonic() > deadline:
                raise RuntimeError(f"It did not start:\n{self.log.read_text()}")
            time.sleep(0.05)

    @property
    def is_alive(self) -> bool:
        return self._process is not None and self._process.is_alive()

    def said(self) -> str:
        """What it wrote since it was started last."""
        return self.log.read_bytes()[self._log_starts :].decode()

    def _is_ready(self) -> bool:
        return '"worker_started"' in self.said()

    def kill(self) -> None:
        """As the kernel does when memory runs out: nothing is finished, nobody is told."""
        assert self.end(signal.SIGKILL) == -signal.SIGKILL

    def end(self, how: signal.Signals = signal.SIGTERM) -> int:
        """How it ended."""
        assert self._process is not None
        assert self._process.pid is not None
        os.kill(self._process.pid, how)
        self._process.join(30)
        assert self._process.exitcode is not None, f"It did not end:\n{self.said()}"
        return self._process.exitcode

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self.is_alive:
            self.kill()


class Served(Program):
    """``counterfoil serve`` on a free port."""

    def __init__(self, folder: Path, database_url: str, *options: str, **how: Any) -> None:
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        super().__init__(folder, database_url, "serve", "--port", str(self.port), *options, **how)

    def _is_ready(self) -> bool:
        try:
            return httpx.get(f"{self.url}/readyz").status_code == 200
        except httpx.TransportError:
            return False

    def stop(self) -> None:
        """As an operator does: what is under way is finished first."""
        assert self.end(signal.SIGTERM) == -signal.SIGTERM


class Worker(Program):
    """``counterfoil worker``."""

    def name(self) -> str:
        """That of the slot that it holds."""
        started = next(line for line in self.said().splitlines() if '"worker_started"' in line)
        return str(json.loads(started)["worker"])

    def __init__(self, folder: Path, database_url: str, **how: Any) -> None:
        super().__init__(folder, database_url, "worker", **how)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
