"""A migrated database for commands that work on it directly."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import Connection, Engine

from infra import database, schema
from infra.settings import Settings


@contextmanager
def opened() -> Iterator[Engine]:
    """The database of the settings, up to date; the embedded one is made where it is missing."""
    url = Settings().data.where_database()
    if url.startswith("sqlite"):
        schema.bring_up_to_date(url)
    engine = database.connect(url)
    try:
        require_current(engine)
        yield engine
    finally:
        engine.dispose()


def require_current(engine: Engine) -> None:
    """End with what to do where the tables are not those of this version."""
    if not database.is_current(engine):
        sys.exit("The database is not up to date. Run: counterfoil migrate")


@contextmanager
def transaction() -> Iterator[Connection]:
    """One transaction on the database of the settings, committed at the end."""
    with opened() as engine, engine.begin() as connection:
        yield connection
