"""A mail server in a process of its own, which outlives what is killed beside it."""

import subprocess
import sys
import time
from collections import Counter
from pathlib import Path
from types import TracebackType
from typing import Self

from sqlalchemy import Engine, func, select

from infra.settings import ROOT
from notify.tables import Message


class MailProcess:
    """It makes durable what it accepts before it says so, and says so ``pause`` seconds later."""

    def __init__(self, folder: Path, *, pause: float = 0, port: int = 0) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._file = folder / "accepted"
        self._file.touch()
        self._start(port, pause)
        self.env = {
            "COUNTERFOIL_SMTP_URL": f"smtp://127.0.0.1:{self.port}",
            "COUNTERFOIL_MAIL_FROM": "receipts@receipts.test",
        }

    def _start(self, port: int, pause: float) -> None:
        command = [sys.executable, "-m", "tests.support.smtp", str(port), str(self._file), str(pause)]
        self._process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
        assert self._process.stdout is not None
        self.port = int(self._process.stdout.readline())

    def hurry(self) -> None:
        """From now on it says at once that it has a letter. To be asked while nobody sends it one."""
        self.close()
        self._start(self.port, 0)

    def accepted(self) -> list[tuple[str, str]]:
        """Message-ID and recipient of each letter, in order."""
        lines = self._file.read_text().splitlines()
        return [(message_id, recipient) for message_id, _, recipient in (line.partition("\t") for line in lines)]

    def recipients(self) -> set[str]:
        return {recipient for _, recipient in self.accepted()}

    def doubles(self) -> int:
        """How many letters were accepted though they had been before."""
        return sum(count - 1 for count in Counter(message_id for message_id, _ in self.accepted()).values())

    def wait_for(self, count: int, *, seconds: float = 60) -> None:
        """Until it has accepted so many letters."""
        deadline = time.monotonic() + seconds
        while len(self.accepted()) < count:
            assert time.monotonic() < deadline, f"{len(self.accepted())} of {count} letters"
            time.sleep(0.01)

    def close(self) -> None:
        self._process.kill()
        self._process.communicate()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def waiting(engine: Engine) -> int:
    """How many messages are not settled."""
    with engine.connect() as conn:
        return conn.scalar(select(func.count()).select_from(Message).where(Message.state == "waiting")) or 0


def wait_until_settled(engine: Engine, *, seconds: float = 60) -> float:
    """Seconds until no message waits."""
    began = time.monotonic()
    while left := waiting(engine):
        assert time.monotonic() < began + seconds, f"{left} messages wait after {seconds} seconds"
        time.sleep(0.05)
    return time.monotonic() - began


def tell(figures: str) -> None:
    """Figures of a run, shown with ``-s`` or ``-rP``."""
    print(figures)  # noqa: T201
