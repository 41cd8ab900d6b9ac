"""The tests' own ground: databases that nobody else writes in, and no server left behind."""

import signal
import subprocess
import time
from pathlib import Path

import psycopg
import pytest
from sqlalchemy import create_engine, inspect

from infra.database import Base
from tests.support import postgres


def test_a_test_gets_a_migrated_database(database_url: str) -> None:
    engine = create_engine(database_url)
    tables = inspect(engine).get_table_names()
    engine.dispose()
    assert "alembic_version" in tables
    assert set(Base.metadata.tables) <= set(tables)


@pytest.mark.parametrize("ending", [signal.SIGTERM, signal.SIGKILL])
def test_the_server_ends_with_its_owner(ending: signal.Signals) -> None:
    with subprocess.Popen(["sleep", "60"]) as owner:
        server = postgres.start(owner=owner.pid)
        psycopg.connect(server.url.set(drivername="postgresql").render_as_string()).close()
        owner.send_signal(ending)
    folder = Path(str(server.url.query["host"]))
    deadline = time.monotonic() + 30
    while folder.exists() and time.monotonic() < deadline:
        time.sleep(0.02)
    assert not folder.exists()
