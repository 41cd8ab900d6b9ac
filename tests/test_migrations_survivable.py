"""While an upgrade rolls, the previous release works on the new tables: a migration adds, and takes away but indexes.

What is to go is first no longer used by a release, and dropped by the next one, named in ``CONTRACTED``.
"""

import re
from collections.abc import Callable, Iterator
from io import StringIO
from pathlib import Path
from typing import Any, Final

import pytest
import sqlalchemy as sa
from alembic.migration import MigrationContext
from alembic.operations import Operations
from alembic.script import ScriptDirectory

from infra.settings import ROOT

SCRIPTS: Final = {script.revision: script for script in ScriptDirectory(str(ROOT / "migrations")).walk_revisions()}
LATER: Final = sorted(SCRIPTS.keys() - {"0001"})
# Revision → what it takes away, in the words of its SQL, which the release before it does not use any more.
CONTRACTED: Final[dict[str, tuple[str, ...]]] = {}
HARMLESS: Final = (
    r"CREATE TABLE ",
    r"CREATE INDEX ",
    # A query that used it becomes slower until the servers are new, and not wrong.
    r"DROP INDEX ",
)


def statements(change: Callable[[Operations], None]) -> list[str]:
    """What a change would say to PostgreSQL, one line each."""
    said = StringIO()
    context = MigrationContext.configure(dialect_name="postgresql", opts={"as_sql": True, "output_buffer": said})
    with Operations.context(context) as op:
        change(op)
    return [" ".join(each.split()) for each in said.getvalue().split(";") if each.strip()]


def breaking(said: list[str]) -> Iterator[str]:
    """Those after which the previous release would fail."""
    made: set[str] = set()
    for statement in said:
        if (table := re.match(r"CREATE TABLE (\w+)", statement)) is not None:
            made.add(table[1])
        if not is_harmless(statement, made):
            yield statement


def is_harmless(statement: str, made: set[str]) -> bool:
    on = re.match(r"(?:ALTER TABLE|CREATE (?:UNIQUE )?INDEX \w+ ON) (\w+)", statement)
    if on is not None and on[1] in made:
        return True
    if (added := re.match(r"ALTER TABLE \w+ ADD COLUMN (.*)", statement)) is not None:
        # Whoever does not know the column leaves it out.
        return "NOT NULL" not in added[1] or " DEFAULT " in added[1]
    return any(re.match(pattern, statement) for pattern in HARMLESS)


@pytest.mark.parametrize("revision", LATER)
def test_the_previous_release_survives_a_migration(revision: str) -> None:
    found = list(breaking(statements(lambda _op: SCRIPTS[revision].module.upgrade())))
    assert found == list(CONTRACTED.get(revision, ()))


def alter(**change: Any) -> Callable[[Operations], None]:
    return lambda op: op.alter_column("receipts", "number", **change)


@pytest.mark.parametrize(
    "change",
    [
        lambda op: op.drop_column("receipts", "number"),
        lambda op: op.drop_table("receipts"),
        lambda op: op.rename_table("receipts", "slips"),
        lambda op: op.add_column("receipts", sa.Column("colour", sa.String(9), nullable=False)),
        lambda op: op.create_unique_constraint("uq", "receipts", ["number"]),
        lambda op: op.create_index("ix", "receipts", ["number"], unique=True),
        lambda op: op.create_check_constraint("ck", "receipts", "total > 0"),
        lambda op: op.create_foreign_key("fk", "receipts", "stores", ["store_id"], ["id"]),
        lambda op: op.execute("UPDATE receipts SET number = 1"),
        alter(nullable=False),
        alter(type_=sa.Integer()),
        alter(new_column_name="no"),
    ],
)
def test_what_would_break_it_is_found(change: Callable[[Operations], None]) -> None:
    assert len(list(breaking(statements(change)))) == 1


@pytest.mark.parametrize(
    "change",
    [
        lambda op: op.create_table("slips", sa.Column("id", sa.Integer(), nullable=False)),
        lambda op: op.add_column("receipts", sa.Column("colour", sa.String(9), nullable=True)),
        lambda op: op.add_column("receipts", sa.Column("copies", sa.Integer(), nullable=False, server_default="0")),
        lambda op: op.create_index("ix", "receipts", ["number"]),
        lambda op: op.drop_index("ix", "receipts"),
    ],
)
def test_what_only_adds_or_takes_an_index_away_is_let_through(change: Callable[[Operations], None]) -> None:
    assert list(breaking(statements(change))) == []


def test_every_migration_is_looked_at() -> None:
    files = {path.name[:4] for path in Path(ROOT / "migrations" / "versions").glob("0*.py")}
    assert files == {"0001", *LATER}
