"""A PostgreSQL of the test's own, which may be killed and started again on the same data."""

import os
import signal
import subprocess
import time
from pathlib import Path
from types import TracebackType
from typing import Self

from tests.support import keeper, postgres


class OwnPostgres:
    """Commits reach the disk. It ends with the block."""

    def __init__(self) -> None:
        self._owner = subprocess.Popen(["sleep", "1000000"])
        self.server = postgres.start(owner=self._owner.pid, durable=True)
        self._folder = Path(str(self.server.url.query["host"]))
        self._again: subprocess.Popen[bytes] | None = None

    def kill(self) -> None:
        """As when the machine runs out of memory."""
        pid = self._pid()
        self._command = Path(f"/proc/{pid}/cmdline").read_bytes().rstrip(b"\0").split(b"\0")
        os.kill(pid, signal.SIGKILL)
        if self._again is not None:
            self._again.wait()

    def start(self) -> None:
        """Returns when it takes connections: it first waits for what is left of the killed one to end."""
        data, deadline = self._folder / "data", time.monotonic() + 60
        while not (self._is_running() and keeper.ready(data)):
            assert time.monotonic() < deadline, (self._folder / "log").read_text()
            if not self._is_running():
                with (self._folder / "log").open("ab") as log:
                    how = keeper.unprivileged(self._folder)
                    self._again = subprocess.Popen(self._command, stdout=log, stderr=log, **how)
            time.sleep(0.1)

    def _is_running(self) -> bool:
        return self._again is not None and self._again.poll() is None and self._pid() == self._again.pid

    def _pid(self) -> int:
        return int((self._folder / "data" / "postmaster.pid").read_text().partition("\n")[0])

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._again is not None:
            self._again.send_signal(signal.SIGQUIT)
            self._again.wait(30)
        self._owner.kill()
        self._owner.wait()
