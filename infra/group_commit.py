"""Many small writes, one commit: a thread takes what waits, does it in one transaction, and answers all together.

A synced commit costs about as much for fifty receipts as for one. The price is that a batch can fail as a whole; it is
then done again, one by one, so that only the culprit fails. The work must therefore bear repetition.
"""

import asyncio
import queue
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from time import perf_counter
from typing import Generic, TypeVar

import structlog
from sqlalchemy import Connection, Engine
from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from infra import metrics
from infra.tracing import span
from infra.trouble import is_disk_full, kind
from kernel.errors import Problem, Unavailable

Item = TypeVar("Item")
Answer = TypeVar("Answer")
Work = Callable[[Connection, Sequence[Item]], Sequence[Answer | Problem]]

_log = structlog.get_logger()
# PostgreSQL's deadlock_detected and serialization_failure: the other transaction has won, and is over.
_LOST_TO_ANOTHER = ("40P01", "40001")


@dataclass(frozen=True, slots=True)
class _Waiting(Generic[Item, Answer]):
    item: Item
    future: "asyncio.Future[Answer | Problem]"
    since: float = field(default_factory=perf_counter)


class GroupCommit(Generic[Item, Answer]):
    """``work(connection, items)`` gives one answer for each item, in order; a :class:`Problem` is an answer too."""

    def __init__(self, engine: Engine, work: Work[Item, Answer], *, most: int = 128, waiting: int = 4096) -> None:
        self._engine = engine
        self._work = work
        self._most = most
        self._queue: queue.Queue[_Waiting[Item, Answer] | None] = queue.Queue(waiting)
        self._thread = threading.Thread(target=self._run, name="group-commit", daemon=True)
        self._loop: asyncio.AbstractEventLoop | None = None

    def start(self) -> None:
        """Call within the event loop that will submit."""
        self._loop = asyncio.get_running_loop()
        self._thread.start()

    async def stop(self) -> None:
        """Finish all that was submitted, then end."""
        await asyncio.to_thread(self._queue.put, None)
        await asyncio.to_thread(self._thread.join)

    async def submit(self, item: Item) -> Answer | Problem:
        """The answer, once it is committed. Raises :class:`Unavailable` where too much waits."""
        return (await self.submit_all([item]))[0]

    async def submit_all(self, items: Sequence[Item]) -> list[Answer | Problem]:
        loop = asyncio.get_running_loop()
        # All or none: who is told to come again must not find half of it done. Only this thread adds to the queue.
        if self._queue.qsize() + len(items) > self._queue.maxsize:
            raise Unavailable("Too many receipts are waiting to be written", retry_after=1)
        waiting: list[_Waiting[Item, Answer]] = [_Waiting(item, loop.create_future()) for item in items]
        for each in waiting:
            self._queue.put_nowait(each)
        return list(await asyncio.gather(*(each.future for each in waiting)))

    @property
    def is_alive(self) -> bool:
        """Whether somebody takes what is submitted."""
        return self._thread.is_alive()

    def _run(self) -> None:
        while (first := self._queue.get()) is not None:
            batch, is_last = self._gather(first)
            self._do(batch)
            if is_last:
                return

    def _gather(self, first: _Waiting[Item, Answer]) -> tuple[list[_Waiting[Item, Answer]], bool]:
        batch = [first]
        while len(batch) < self._most:
            try:
                waiting = self._queue.get_nowait()
            except queue.Empty:
                break
            if waiting is None:
                return batch, True
            batch.append(waiting)
        metrics.COMMIT_QUEUE.set(self._queue.qsize())
        return batch, False

    def _do(self, batch: Sequence[_Waiting[Item, Answer]]) -> None:
        """Whoever is answered is answered at once: nobody waits for the others to be tried again."""
        try:
            with metrics.committing(len(batch), perf_counter() - batch[0].since):
                answers = self._in_one_transaction([waiting.item for waiting in batch])
            self._answer(batch, answers)
        except Exception as error:
            if len(batch) == 1 or not _is_of_one_item(error):
                self._answer(batch, [self._translated(error)] * len(batch))
                return
            _log.warning("batch_failed", size=len(batch), error=type(error).__name__)
            for waiting in batch:
                self._do([waiting])

    def _in_one_transaction(self, items: Sequence[Item]) -> Sequence[Answer | Problem]:
        with span("commit", items=len(items)), self._engine.begin() as connection:
            return self._work(connection, items)

    def _translated(self, error: Exception) -> Exception:
        if isinstance(error, DBAPIError | PoolTimeout):
            # The driver's message holds the values; only its kind may be logged.
            _log.error("write_failed", error=kind(error))
            if is_disk_full(error):
                return Unavailable("The database's disk is full: its operator must make room", retry_after=30)
            return Unavailable("The database did not take the receipt; send it again", retry_after=2)
        _log.error("write_failed", exc_info=error)
        return error

    def _answer(self, batch: Sequence[_Waiting[Item, Answer]], answers: Sequence[Answer | Problem | Exception]) -> None:
        assert self._loop is not None
        if not self._loop.is_closed():
            self._loop.call_soon_threadsafe(_resolve, [waiting.future for waiting in batch], answers)


def _is_of_one_item(error: Exception) -> bool:
    """Whether the others may pass without the one that failed. A database that is locked or gone fails them all alike,
    and each would wait for it again."""
    if isinstance(error, PoolTimeout):
        return False
    if not isinstance(error, DBAPIError):
        return True
    is_deadlock = getattr(error.orig, "sqlstate", None) in _LOST_TO_ANOTHER
    return is_deadlock or not (error.connection_invalidated or isinstance(error, OperationalError | InterfaceError))


def _resolve(
    futures: Sequence["asyncio.Future[Answer | Problem]"], answers: Sequence[Answer | Problem | Exception]
) -> None:
    for future, answer in zip(futures, answers, strict=True):
        if future.done():
            continue
        if isinstance(answer, Exception) and not isinstance(answer, Problem):
            future.set_exception(answer)
        else:
            future.set_result(answer)
