"""A migrated database for commands that work on it directly."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import Connection, Engine

from infra import database, schema
from infra.settings import Settings


@contextmanager
def opened(*, to_read: bool = False) -> Iterator[Engine]:
    """The database of the settings, up to date; the embedded one is made where it is missing."""
    url = Settings().data.where_database()
    engine = database.connect(url)
    try:
        # To see whether tables of jobs are to be made it would wait for who writes; to read ours takes none of them.
        if url.startswith("sqlite") and not (to_read and database.is_current(engine)):
            schema.bring_up_to_date(url)
        require_current(engine)
        yield engine
    finally:
        engine.dispose()


def require_current(engine: Engine) -> None:
    """End with what to do where the tables are not those of this version."""
    if not database.is_current(engine):
        sys.exit("The database is not up to date. Run: counterfoil migrate")


@contextmanager
def looking() -> Iterator[Connection]:
    """The same for who only reads, and waits for nobody who writes."""
    with opened(to_read=True) as engine, database.reading(engine) as connection:
        yield connection


@contextmanager
def transaction() -> Iterator[Connection]:
    """One transaction on the database of the settings, committed at the end."""
    with opened() as engine, engine.begin() as connection:
        yield connection
