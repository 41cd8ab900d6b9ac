"""What every test may ask for."""

import os
import shutil
import sqlite3
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest

from infra.database import migrate
from tests.support import postgres

# What a developer has set for a service of their own must not reach the tests.
for name in [name for name in os.environ if name.startswith("COUNTERFOIL_") and "_TEST_" not in name]:
    del os.environ[name]

WORKER = os.environ.get("PYTEST_XDIST_WORKER", "")


@pytest.fixture(scope="session")
def postgresql(tmp_path_factory: pytest.TempPathFactory) -> postgres.Server:
    """The PostgreSQL server of this run."""
    base = tmp_path_factory.getbasetemp()
    # A worker is a child of the run, and its temporary folder lies in the run's.
    return postgres.shared(base.parent, owner=os.getppid()) if WORKER else postgres.shared(base, owner=os.getpid())


@pytest.fixture(scope="session")
def migrated_postgresql(postgresql: postgres.Server) -> Iterator[str]:
    """The name of a PostgreSQL database with every table and no row, to be copied."""
    name = f"counterfoil_{uuid.uuid4().hex[:12]}"
    migrate(postgresql.create(name))
    yield name
    postgresql.drop(name)


@pytest.fixture(scope="session")
def migrated_sqlite(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A SQLite file with every table and no row, to be copied."""
    path = tmp_path_factory.mktemp("sqlite") / "migrated.db"
    migrate(f"sqlite:///{path}")
    with sqlite3.connect(path) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    connection.close()
    return path


@pytest.fixture
def sqlite_url(migrated_sqlite: Path, tmp_path: Path) -> str:
    """A SQLite database of the test's own, migrated and empty."""
    return f"sqlite:///{shutil.copyfile(migrated_sqlite, tmp_path / 'counterfoil.db')}"


@pytest.fixture
def postgresql_url(postgresql: postgres.Server, migrated_postgresql: str) -> Iterator[str]:
    """A PostgreSQL database of the test's own, migrated and empty."""
    name = f"{migrated_postgresql}_{uuid.uuid4().hex[:8]}"
    yield postgresql.create(name, template=migrated_postgresql)
    postgresql.drop(name)


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest) -> str:
    """The test runs twice: on SQLite and on PostgreSQL, each time in a migrated and empty database of its own."""
    url: str = request.getfixturevalue(f"{request.param}_url")
    return url
