"""Which workers live: each holds a lock of its own for as long as it does, however it ends.

The lock is the operating system's (SQLite: all workers are on one machine) or PostgreSQL's, which frees it when its
holder's connection ends. Whoever gets hold of another's lock knows that the other is dead, or, on PostgreSQL, that it
was cut off a moment ago.
"""

import os
import re
from contextlib import suppress
from fcntl import LOCK_EX, LOCK_NB, flock
from pathlib import Path
from secrets import randbelow
from typing import Final, Protocol

from sqlalchemy import Connection, make_url, text
from sqlalchemy.exc import SQLAlchemyError

from infra.database import connect

# What an advisory lock can be named by; nobody draws the number of another.
_NUMBERS: Final = 2**31
# Any number does, if it is always the same.
_LOCKS: Final = 0x636F75
_NAME: Final = re.compile(r"worker-([0-9]{1,10})")
# A worker that lost its power says no goodbye: then the server asks, and frees the lock within half a minute.
_KEEPALIVE: Final = (
    "SET tcp_keepalives_idle = 10; SET tcp_keepalives_interval = 5; SET tcp_keepalives_count = 3; "
    "SET tcp_user_timeout = 20000"
)


class Slots(Protocol):
    """Numbered locks. Each is held until it is let go of, or its process dies."""

    # Whether who holds no lock is dead. A connection can be cut while its worker lives.
    is_certain: bool

    def take(self, number: int) -> bool:
        """Whether it is ours now; False where somebody else has it."""

    def let_go(self, number: int) -> None: ...

    def keep(self, number: int) -> bool:
        """Whether it is still ours, or ours again. Raises SQLAlchemyError while the database is away."""

    def living(self) -> int:
        """How many are held, by whomever."""

    def close(self) -> None: ...


def open_slots(url: str) -> Slots:
    database = make_url(url)
    return _Files(Path(f"{database.database}")) if database.get_backend_name() == "sqlite" else _Advisory(url)


def name(number: int) -> str:
    return f"worker-{number}"


def number_of(executor: str) -> int | None:
    found = _NAME.fullmatch(executor)
    return int(found[1]) if found else None


def take_new(slots: Slots) -> int:
    """A slot that nobody had before, now ours."""
    while True:
        number = randbelow(_NUMBERS)
        if slots.take(number):
            return number


class _Files:
    is_certain = True

    def __init__(self, database: Path) -> None:
        self._database = database
        self._held: dict[int, int] = {}

    def take(self, number: int) -> bool:
        try:
            handle = os.open(self._path(number), os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)
        except PermissionError:
            return False  # another user's, who may well live
        if not _is_locked(handle):
            os.close(handle)
            return False
        self._held[number] = handle
        return True

    def let_go(self, number: int) -> None:
        # Nobody takes a number a second time, so that nobody waits for this name.
        with suppress(FileNotFoundError):
            self._path(number).unlink()
        os.close(self._held.pop(number))

    def keep(self, number: int) -> bool:
        return number in self._held

    def living(self) -> int:
        return sum(_is_held(path) for path in self._database.parent.glob(f"{self._database.name}.worker-*.lock"))

    def close(self) -> None:
        for number in list(self._held):
            self.let_go(number)

    def _path(self, number: int) -> Path:
        return self._database.with_name(f"{self._database.name}.{name(number)}.lock")


def _is_locked(handle: int) -> bool:
    """Whether the lock is ours now."""
    try:
        flock(handle, LOCK_EX | LOCK_NB)
    except OSError:
        return False
    return True


def _is_held(path: Path) -> bool:
    try:
        handle = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError:
        return False
    except PermissionError:
        return True
    try:
        return not _is_locked(handle)
    finally:
        os.close(handle)


class _Advisory:
    is_certain = False

    def __init__(self, url: str) -> None:
        self._engine = connect(url, pool_size=1)
        self._connection: Connection | None = None

    def take(self, number: int) -> bool:
        return bool(self._ask("SELECT pg_try_advisory_lock(:of, :number)", number))

    def let_go(self, number: int) -> None:
        self._ask("SELECT pg_advisory_unlock(:of, :number)", number)

    def keep(self, number: int) -> bool:
        try:
            return self._is_ours(number)
        except SQLAlchemyError:
            # The connection was cut, and the lock went with it: at once another one, before somebody looks twice.
            return self._is_ours(number)

    def _is_ours(self, number: int) -> bool:
        held = (
            "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND pid = pg_backend_pid() "
            "AND classid = :of AND objid = :number"
        )
        return bool(self._ask(held, number)) or self.take(number)

    def living(self) -> int:
        held = (
            "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND classid = :of AND granted "
            "AND database = (SELECT oid FROM pg_database WHERE datname = current_database())"
        )
        return int(str(self._ask(held)))

    def close(self) -> None:
        if self._connection is not None:
            with suppress(SQLAlchemyError):
                self._connection.close()
        self._engine.dispose()

    def _ask(self, question: str, number: int = 0) -> object:
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
