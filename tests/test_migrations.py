"""Migrations lead from nothing to the tables of the code, on both databases."""

import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Engine, inspect

import accounts.tables
import pos.tables
import receipts.tables
from infra.database import Base, connect, is_current, migrate
from tests.support import postgres

TABLES = (accounts.tables, pos.tables, receipts.tables)


@pytest.fixture(params=["sqlite", "postgresql"])
def empty_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The address of a database without a table."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path}/new/counterfoil.db"
        return
    server: postgres.Server = request.getfixturevalue("postgresql")
    name = f"empty_{uuid.uuid4().hex[:12]}"
    yield server.create(name)
    server.drop(name)


@pytest.fixture
def empty(empty_url: str) -> Iterator[Engine]:
    engine = connect(empty_url)
    yield engine
    engine.dispose()


def test_from_nothing_they_lead_to_the_tables_of_the_code(empty: Engine, empty_url: str) -> None:
    assert not is_current(empty)
    migrate(empty_url)
    assert is_current(empty)
    with empty.connect() as conn:
        context = MigrationContext.configure(conn, opts={"compare_type": True, "compare_server_default": True})
        assert compare_metadata(context, Base.metadata) == []


def test_once_they_are_done_they_change_nothing(empty: Engine, empty_url: str) -> None:
    migrate(empty_url)
    before = sorted(inspect(empty).get_table_names())
    migrate(empty_url)
    assert sorted(inspect(empty).get_table_names()) == before
    assert is_current(empty)


def test_constraints_have_the_names_of_the_code(empty: Engine, empty_url: str) -> None:
    """A later migration changes them by name, on both databases."""
    migrate(empty_url)
    found = inspect(empty)
    for table in Base.metadata.sorted_tables:
        unique = {constraint["name"] for constraint in found.get_unique_constraints(table.name)}
        foreign = {constraint["name"] for constraint in found.get_foreign_keys(table.name)}
        named = {str(constraint.name) for constraint in table.constraints}
        assert unique | foreign <= named, table.name
        assert found.get_pk_constraint(table.name)["name"] in named


def test_every_table_below_a_merchant_names_it() -> None:
    tables = {table.name for table in Base.metadata.sorted_tables if "merchant_id" not in table.columns}
    assert tables == {"merchants"}
