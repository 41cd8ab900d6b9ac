"""Migrations lead from nothing to the tables of the code, on both databases."""

import shutil
import subprocess
import sys
import time
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Connection, Engine, inspect, text

from infra import database
from infra.database import connect, draft_migration, is_current, migrate
from infra.settings import ROOT
from kernel.errors import Conflict
from pos.all_tables import METADATA
from tests.support import postgres
from tests.support.inside import Person
from tests.support.sales import coffee


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
        assert compare_metadata(context, METADATA) == []


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
    for table in METADATA.sorted_tables:
        unique = {constraint["name"] for constraint in found.get_unique_constraints(table.name)}
        foreign = {constraint["name"] for constraint in found.get_foreign_keys(table.name)}
        named = {str(constraint.name) for constraint in table.constraints}
        assert unique | foreign <= named, table.name
        assert found.get_pk_constraint(table.name)["name"] in named


def test_every_table_below_a_merchant_names_it() -> None:
    tables = {table.name for table in METADATA.sorted_tables if "merchant_id" not in table.columns}
    # How far the clock has come with the receipts of all merchants is below none.
    assert tables == {"merchants", "referral_runs"}


WIDER = """
import sqlalchemy as sa
from alembic import op

revision, down_revision = "9999", "{newest}"


def upgrade():
    with op.batch_alter_table("receipts") as receipts:
        receipts.alter_column("currency", type_=sa.String(9), existing_type=sa.String(3), existing_nullable=False)
    {also}
"""


@pytest.fixture
def versions(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of the migrations, to which a test may add its own."""
    shutil.copytree(ROOT / "migrations", tmp_path / "migrations", ignore=shutil.ignore_patterns("__pycache__"))
    monkeypatch.setattr(database, "ROOT", tmp_path)
    return tmp_path / "migrations" / "versions"


def add_migration(versions: Path, also: str = "pass") -> None:
    newest = max(path.name for path in versions.glob("*.py"))[:4]
    (versions / "9999_wider.py").write_text(WIDER.format(newest=newest, also=also))


def test_a_column_of_a_filled_table_can_be_altered(
    owner: Person, engine: Engine, database_url: str, versions: Path
) -> None:
    sale = owner.post("/v1/receipts", coffee() | {"external_id": "1", "shopper": {"email": "a@shop.example"}})
    refund = coffee() | {"kind": "refund", "original": {"id": sale.json()["id"]}}
    assert owner.post("/v1/receipts", refund).status_code == 201
    add_migration(versions)
    migrate(database_url)
    assert is_current(engine)
    currency = next(each for each in inspect(engine).get_columns("receipts") if each["name"] == "currency")
    assert getattr(currency["type"], "length", None) == 9
    assert len(owner.get("/v1/receipts").json()["receipts"]) == 2


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_a_migration_that_leaves_rows_pointing_at_nothing_is_undone_and_named(
    owner: Person, engine: Engine, database_url: str, versions: Path
) -> None:
    assert owner.post("/v1/receipts", coffee()).status_code == 201
    add_migration(versions, also="op.execute('DELETE FROM stores')")
    with pytest.raises(Conflict, match="rows of api_keys, receipts, staff_members, tills would point"):
        migrate(database_url)
    assert not is_current(engine)
    with engine.connect() as conn:
        assert conn.scalar(text("SELECT count(*) FROM stores"))


def test_foreign_keys_hold_again_after_a_migration(sqlite_url: str) -> None:
    migrate(sqlite_url)
    engine = connect(sqlite_url)
    with engine.connect() as conn:
        assert conn.scalar(text("PRAGMA foreign_keys")) == 1
    engine.dispose()


@pytest.mark.parametrize("empty_url", ["postgresql"], indirect=True)
def test_two_that_migrate_at_once_do_it_once(empty: Engine, empty_url: str) -> None:
    """Both are held at the first table until both are there. Without the lock, one fails: the table exists."""
    command = [sys.executable, "-c", "import sys; from infra.database import migrate; migrate(sys.argv[1])", empty_url]
    with empty.connect() as conn:
        conn.execute(text("CREATE TABLE alembic_version (version_num VARCHAR(32) NOT NULL)"))
        both = [subprocess.Popen(command, cwd=ROOT, stderr=subprocess.PIPE, text=True) for _ in range(2)]
        with empty.connect() as watching:
            until(
                watching,
                "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'",
                2,
            )
        conn.rollback()
    ends = [(each.communicate(timeout=60)[1], each.returncode) for each in both]
    assert [code for _, code in ends] == [0, 0], ends
    assert is_current(empty)


def until(conn: Connection, query: str, wanted: int) -> None:
    deadline = time.monotonic() + 30
    while conn.scalar(text(query)) != wanted:
        conn.rollback()
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_a_draft_leads_from_the_newest_migration_to_the_tables_of_the_code(versions: Path) -> None:
    first = min(versions.glob("*.py"))
    first.write_text(first.read_text().replace('sa.Column("hint", sa.String(length=16), nullable=False),\n', "", 1))
    drafted = draft_migration("Show how a key begins")
    assert drafted.name.endswith("_show_how_a_key_begins.py")
    assert drafted.parent == versions
    assert 'sa.Column("hint"' in drafted.read_text().replace("'", '"')
