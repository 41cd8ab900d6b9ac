"""Counterfoil in a process of its own, as an operator runs it."""

import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from types import TracebackType
from typing import Self

import httpx

from infra.settings import ROOT

_COMMAND = "from cli.main import main; main()"


class Served:
    """``counterfoil serve`` on a free port. It may be killed and started again; its data stays."""

    def __init__(self, folder: Path, database_url: str) -> None:
        self.folder = folder
        self.port = _free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.log = folder / f"server-{self.port}.log"
        self._env = os.environ | {
            "COUNTERFOIL_DATA_DIR": str(folder),
            "COUNTERFOIL_DATABASE_URL": database_url,
            "COUNTERFOIL_BASE_URL": "https://receipts.test",
        }
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Returns when it takes requests."""
        self.folder.mkdir(parents=True, exist_ok=True)
        command = [sys.executable, "-c", _COMMAND, "serve", "--port", str(self.port)]
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(command, cwd=ROOT, env=self._env, stdout=log, stderr=log)
        deadline = time.monotonic() + 30
        while not self._is_ready():
            if self._process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"The server did not start:\n{self.log.read_text()}")
            time.sleep(0.05)

    def _is_ready(self) -> bool:
        try:
            return httpx.get(f"{self.url}/readyz").status_code == 200
        except httpx.TransportError:
            return False

    def kill(self) -> None:
        """As the kernel does when memory runs out: nothing is finished, nobody is told."""
        self._end(signal.SIGKILL)

    def stop(self) -> None:
        """As an operator does: what is under way is finished first."""
        self._end(signal.SIGTERM)

    def _end(self, how: signal.Signals) -> None:
        assert self._process is not None
        self._process.send_signal(how)
        assert self._process.wait(30) == -how

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._process is not None and self._process.poll() is None:
            self.kill()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
