"""Threads for what takes long to make, apart from those in which everybody else's work is done."""

from collections.abc import Callable
from typing import TypeVar

from anyio import CapacityLimiter, to_thread
from prometheus_client import Gauge

from kernel.errors import Unavailable

Made = TypeVar("Made")


class Rendering:
    """At most ``threads`` things are made at once, and ``waiting`` more wait for their turn.

    Whoever waits here takes no thread from those who ask for a key or write a sale. ``asked`` shows how many there are.
    """

    def __init__(self, *, threads: int, waiting: int, asked: Gauge | None = None) -> None:
        self._limiter = CapacityLimiter(threads)
        self._most = threads + waiting
        self._asked = 0
        self._gauge = asked

    async def run(self, make: Callable[[], Made]) -> Made:
        """What ``make`` gives. Raises :class:`Unavailable` at once where too many wait already."""
        if self._asked >= self._most:
            raise Unavailable("Too many ask for this just now. Please try again.", retry_after=3)
        self._count(1)
        try:
            return await to_thread.run_sync(make, limiter=self._limiter)
        finally:
            self._count(-1)

    def _count(self, more: int) -> None:
        self._asked += more
        if self._gauge is not None:
            self._gauge.inc(more)
