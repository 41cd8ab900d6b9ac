"""Whoever types a command that cannot work is told why in a line, and what to do."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support import postgres

NOWHERE = "postgresql://nobody@127.0.0.1:1/nothing"
COMMANDS = [["merchants", "create", "corner-shop"], ["serve"]]


def refused(*words: str, **env: str) -> str:
    """What a command says that ends with a failure."""
    command = [sys.executable, "-c", "from cli.main import main; main()", *words]
    given = {name: value for name, value in os.environ.items() if not name.startswith("COUNTERFOIL_")}
    done = subprocess.run(command, env=given | env, capture_output=True, text=True, timeout=60)
    assert done.returncode == 1, done.stderr
    assert "Traceback" not in done.stderr
    return done.stderr


@pytest.mark.parametrize("words", COMMANDS, ids=" ".join)
def test_a_database_that_does_not_answer_is_named(words: list[str], tmp_path: Path) -> None:
    said = refused(*words, COUNTERFOIL_DATABASE_URL=NOWHERE, COUNTERFOIL_DATA_DIR=str(tmp_path))
    assert said.startswith("The database cannot be used: ")
    assert "Connection refused" in said


@pytest.mark.parametrize("words", COMMANDS, ids=" ".join)
def test_a_database_without_tables_is_to_be_migrated_first(
    words: list[str], tmp_path: Path, postgresql: postgres.Server
) -> None:
    name = f"counterfoil_empty_{os.getpid()}"
    url = postgresql.create(name)
    try:
        said = refused(*words, COUNTERFOIL_DATABASE_URL=url, COUNTERFOIL_DATA_DIR=str(tmp_path))
    finally:
        postgresql.drop(name)
    assert said == "The database is not up to date. Run: counterfoil migrate\n"


@pytest.mark.parametrize("words", COMMANDS, ids=" ".join)
def test_a_folder_that_cannot_be_made_is_named(words: list[str], tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    said = refused(*words, COUNTERFOIL_DATA_DIR=str(tmp_path / "file" / "data"))
    assert said.endswith(f": {tmp_path}/file/data\n")


def test_a_setting_that_cannot_be_right_is_named() -> None:
    said = refused("serve", COUNTERFOIL_BASE_URL="receipts.example.com")
    assert said.splitlines()[1].startswith("COUNTERFOIL_BASE_URL: must be http(s)://")
