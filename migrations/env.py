"""Alembic's entry: the address comes from the caller, the tables from the code."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final, Literal

from alembic import context
from sqlalchemy import Connection

from infra.database import Instant, connect
from kernel.errors import Conflict
from pos.all_tables import METADATA

# Any number does, if it is always the same: two that migrate at once meet at it.
_LOCK: Final = 0x636F756E746572


def render_item(kind: str, item: object, _context: object) -> str | Literal[False]:
    """A migration must not depend on today's code: an instant is a plain integer there."""
    return "sa.BigInteger()" if kind == "type" and isinstance(item, Instant) else False


@contextmanager
def alone(connection: Connection) -> Iterator[None]:
    """One transaction that does all or nothing, while nobody else migrates; who comes second finds it done."""
    if connection.dialect.name == "sqlite":
        # To alter a table is to copy and drop it, which foreign keys would forbid; within a transaction they stay on.
        connection.connection.cursor().execute("PRAGMA foreign_keys=OFF")
        with connection.begin():
            yield
            require_whole(connection)
        return
    with connection.begin():
        # A copy of a large table takes its time, and so may waiting for another who migrates. Waiting for a table
        # that is in use may not: the queue behind it would be every request.
        connection.exec_driver_sql("SET LOCAL statement_timeout = 0")
        connection.exec_driver_sql("SET LOCAL lock_timeout = 0")
        connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({_LOCK})")
        connection.exec_driver_sql("SET LOCAL lock_timeout = '10s'")
        yield


def require_whole(connection: Connection) -> None:
    tables = sorted({row[0] for row in connection.exec_driver_sql("PRAGMA foreign_key_check")})
    if tables:
        raise Conflict(
            f"The database was left as it was: rows of {', '.join(tables)} would point at rows that are gone"
        )


def run() -> None:
    url = context.config.get_main_option("sqlalchemy.url")
    assert url is not None
    engine = connect(url)
    try:
        with engine.connect() as connection, alone(connection):
            # SQLite cannot alter a column in place: Alembic then copies the table.
            context.configure(
                connection=connection, target_metadata=METADATA, render_as_batch=True, render_item=render_item
            )
            with context.begin_transaction():
                context.run_migrations()
    finally:
        engine.dispose()


run()
