"""How far a long command has come, in one line on a terminal, and nowhere else."""

import sys
import time
from typing import Final

_EVERY: Final = 0.2  # seconds
_MB: Final = 1_000_000


class Progress:
    """``total`` and what is :meth:`done` are in the same ``unit``."""

    def __init__(self, unit: str, total: int) -> None:
        self._unit, self._total = unit, total
        self._done = self._bytes = 0
        self._began = time.monotonic()
        self._said = 0.0
        self._is_shown = sys.stderr.isatty()

    def done(self, count: int, size: int = 0) -> None:
        """``count`` more; ``size`` is in bytes, where that says something."""
        self._done += count
        self._bytes += size
        if self._is_shown and time.monotonic() - self._said > _EVERY:
            self._said = time.monotonic()
            self._write(self._line())

    def end(self) -> None:
        if self._is_shown:
            self._write("")

    def _line(self) -> str:
        rate = self._done / max(time.monotonic() - self._began, 0.001)
        left = max(self._total - self._done, 0) / max(rate, 0.001)
        size = f", {self._bytes // _MB:,} MB" if self._bytes else ""
        return f"{self._done:,} of {self._total:,} {self._unit}{size}, {left:.0f} s left"

    @staticmethod
    def _write(line: str) -> None:
        sys.stderr.write(f"\r\x1b[K{line}")
        sys.stderr.flush()
