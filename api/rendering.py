"""Threads for what takes long to make, apart from those in which everybody else's work is done."""

from collections.abc import Callable
from typing import TypeVar

from anyio import CapacityLimiter, to_thread

from kernel.errors import Unavailable

Made = TypeVar("Made")


class Rendering:
    """At most ``threads`` things are made at once, and ``waiting`` more wait for their turn.

    Whoever waits here takes no thread from those who ask for a key or write a sale.
    """

    def __init__(self, *, threads: int, waiting: int) -> None:
        self._limiter = CapacityLimiter(threads)
        self._most = threads + waiting
        self._asked = 0

    async def run(self, make: Callable[[], Made]) -> Made:
        """What ``make`` gives. Raises :class:`Unavailable` at once where too many wait already."""
        if self._asked >= self._most:
            raise Unavailable("Too many ask for this just now. Please try again.", retry_after=3)
        self._asked += 1
        try:
            return await to_thread.run_sync(make, limiter=self._limiter)
        finally:
            self._asked -= 1
