"""Tests get their PostgreSQL one after the other, and none finds what another left."""

from collections.abc import Iterator

import pytest
from sqlalchemy import Engine, create_engine, text
from sqlalchemy.exc import DBAPIError

from tests.support.emptied import Emptied
from tests.support.postgres import Server
from tests.support.shops import open_shops


@pytest.fixture
def databases(postgresql: Server, migrated_postgresql: str) -> Iterator[Emptied]:
    opened = Emptied(postgresql, migrated_postgresql)
    yield opened
    opened.close()


@pytest.fixture
def engines() -> Iterator[list[Engine]]:
    """To be closed when the test is over."""
    opened: list[Engine] = []
    yield opened
    for engine in opened:
        engine.dispose()


def engine_of(engines: list[Engine], url: str) -> Engine:
    engines.append(create_engine(url))
    return engines[-1]


def oid(engine: Engine) -> int:
    """Which database it is, whatever it is called."""
    with engine.connect() as conn:
        return int(conn.scalar(text("SELECT oid FROM pg_database WHERE datname = current_database()")) or 0)


def merchants(engine: Engine) -> int:
    with engine.connect() as conn:
        return int(conn.scalar(text("SELECT count(*) FROM merchants")) or 0)


def test_the_next_test_finds_no_row_in_the_same_database(databases: Emptied, engines: list[Engine]) -> None:
    with databases.one() as url:
        first = engine_of(engines, url)
        open_shops(first)
        before = oid(first)
    with databases.one() as url:
        second = engine_of(engines, url)
        assert (oid(second), merchants(second)) == (before, 0)
        with second.connect() as conn:
            assert conn.scalar(text("SELECT count(*) FROM alembic_version")) == 1


@pytest.mark.parametrize(
    "change",
    [
        "ALTER TABLE merchants ADD COLUMN mood text",
        "DROP INDEX ix_cards_merchant_id_id",
        "CREATE TABLE more (id integer)",
        "ANALYZE merchants",
        "UPDATE alembic_version SET version_num = '0001'",
        "CREATE FUNCTION one() RETURNS integer LANGUAGE sql AS 'SELECT 1'",
    ],
)
def test_a_database_that_a_test_has_changed_is_no_other_tests(
    databases: Emptied, engines: list[Engine], change: str
) -> None:
    with databases.one() as url:
        first = engine_of(engines, url)
        open_shops(first)
        before = oid(first)
        with first.begin() as conn:
            conn.execute(text(change))
    with databases.one() as url:
        assert oid(engine_of(engines, url)) != before


def test_what_a_test_forgot_to_end_reaches_no_later_one(databases: Emptied, engines: list[Engine]) -> None:
    with databases.one() as url:
        forgotten = engine_of(engines, url)
        assert merchants(forgotten) == 0
    with databases.one(), pytest.raises(DBAPIError):
        merchants(forgotten)
    with databases.one(), pytest.raises(DBAPIError, match="does not exist"):
        merchants(forgotten)
