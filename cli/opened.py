"""A migrated database for commands that work on it directly."""

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import Connection

from infra import database
from infra.settings import Settings


@contextmanager
def transaction() -> Iterator[Connection]:
    """One transaction on the database of the settings, committed at the end; the embedded one is made where missing."""
    url = Settings().data.where_database()
    if url.startswith("sqlite"):
        database.migrate(url)
    engine = database.connect(url)
    try:
        with engine.begin() as connection:
            yield connection
    finally:
        engine.dispose()
