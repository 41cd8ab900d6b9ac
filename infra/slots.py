"""Which workers live: each holds a numbered slot for as long as it does, however it ends.

The lock is the operating system's (SQLite: all workers are on one machine) or PostgreSQL's, which frees it when its
holder's connection ends. Whoever gets hold of another's slot knows that the other is dead.
"""

import os
import re
from contextlib import suppress
from fcntl import LOCK_EX, LOCK_NB, flock
from typing import Final, Protocol

from sqlalchemy import Connection, make_url, text
from sqlalchemy.exc import SQLAlchemyError

from infra.database import connect

_MOST: Final = 1000
# Workers take the lowest free slot, so that few who died leave no wider gap.
_GAP: Final = 4
# Any number does, if it is always the same.
_LOCKS: Final = 0x636F75
_NAME: Final = re.compile(r"worker-([0-9]{1,4})")
# A worker that lost its power says no goodbye: then the server asks, and frees the slot after half a minute.
_KEEPALIVE: Final = "SET tcp_keepalives_idle = 10; SET tcp_keepalives_interval = 5; SET tcp_keepalives_count = 4"


class Slots(Protocol):
    """Numbered locks. Each is held until it is let go of, or its process dies."""

    def take(self, number: int) -> bool:
        """Whether it is ours now; False where somebody else has it."""

    def let_go(self, number: int) -> None: ...

    def keep(self, number: int) -> bool:
        """Whether it is still ours, or ours again. Raises SQLAlchemyError while the database is away."""

    def close(self) -> None: ...


def open_slots(url: str) -> Slots:
    database = make_url(url)
    return _Files(f"{database.database}.worker") if database.get_backend_name() == "sqlite" else _Advisory(url)


def name(number: int) -> str:
    return f"worker-{number}"


def number_of(executor: str) -> int | None:
    found = _NAME.fullmatch(executor)
    return int(found[1]) if found else None


def first_free(slots: Slots) -> int:
    """The lowest slot that nobody holds, now ours: who starts again soon takes up what it left."""
    for number in range(1, _MOST):
        if slots.take(number):
            return number
    raise RuntimeError(f"There are {_MOST} workers on this database already")


def living(slots: Slots) -> int:
    """How many workers live, as far as can be told: the search ends behind some slots that nobody holds."""
    count = free = 0
    for number in range(1, _MOST):
        if slots.take(number):
            slots.let_go(number)
            free += 1
        else:
            count, free = count + 1, 0
        if free == _GAP:
            break
    return count


class _Files:
    def __init__(self, prefix: str) -> None:
        self._prefix = prefix
        self._held: dict[int, int] = {}

    def take(self, number: int) -> bool:
        handle = os.open(f"{self._prefix}-{number}.lock", os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)
        try:
            flock(handle, LOCK_EX | LOCK_NB)
        except OSError:
            os.close(handle)
            return False
        self._held[number] = handle
        return True

    def let_go(self, number: int) -> None:
        os.close(self._held.pop(number))

    def keep(self, number: int) -> bool:
        return number in self._held

    def close(self) -> None:
        for number in list(self._held):
            self.let_go(number)


class _Advisory:
    def __init__(self, url: str) -> None:
        self._engine = connect(url, pool_size=1)
        self._connection: Connection | None = None

    def take(self, number: int) -> bool:
        return bool(self._ask("SELECT pg_try_advisory_lock(:of, :number)", number))

    def let_go(self, number: int) -> None:
        self._ask("SELECT pg_advisory_unlock(:of, :number)", number)

    def keep(self, number: int) -> bool:
        held = (
            "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND pid = pg_backend_pid() "
            "AND classid = :of AND objid = :number"
        )
        return bool(self._ask(held, number)) or self.take(number)

    def close(self) -> None:
        if self._connection is not None:
            with suppress(SQLAlchemyError):
                self._connection.close()
        self._engine.dispose()

    def _ask(self, question: str, number: int) -> object:
        try:
            return self._opened().scalar(text(question), {"of": _LOCKS, "number": number})
        except SQLAlchemyError:
            # Its locks went with it; the next question opens another.
            if self._connection is not None:
                self._connection.invalidate()
                self._connection.close()
                self._connection = None
            raise

    def _opened(self) -> Connection:
        if self._connection is None:
            connection = self._engine.connect().execution_options(isolation_level="AUTOCOMMIT")
            connection.exec_driver_sql(_KEEPALIVE)
            self._connection = connection
        return self._connection
