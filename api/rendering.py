"""Threads for what takes long to make, apart from those in which everybody else's work is done."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
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
        with self.place():
            return await self.in_turn(make)

    @contextmanager
    def place(self) -> Iterator[None]:
        """For who asks, while they still send what it takes. Raises :class:`Unavailable` where there is none left."""
        if self._asked >= self._most:
            raise Unavailable("Too many ask for this just now. Please try again.", retry_after=3)
        self._count(1)
        try:
            yield
        finally:
            self._count(-1)

    async def in_turn(self, make: Callable[[], Made]) -> Made:
        """What ``make`` gives, for who has a :meth:`place`."""
        return await to_thread.run_sync(make, limiter=self._limiter)

    def _count(self, more: int) -> None:
        self._asked += more
        if self._gauge is not None:
            self._gauge.inc(more)
