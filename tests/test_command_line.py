"""Whoever types a command that cannot work is told why in a line, and what to do."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support import forge, postgres

NOWHERE = "postgresql://nobody@127.0.0.1:1/nothing"
COMMANDS = [["merchants", "create", "corner-shop"], ["serve"]]


@pytest.fixture
def refused(tmp_path: Path) -> Callable[..., str]:
    """What a command says that ends with a failure."""

    def refused(*words: str, **env: str) -> str:
        given = {name: value for name, value in os.environ.items() if not name.startswith("COUNTERFOIL_")}
        process = forge.begin(words, env=given | env, log=tmp_path / "said")
        process.join(60)
        said = (tmp_path / "said").read_text()
        assert process.exitcode == 1, said
        assert "Traceback" not in said
        return said

    return refused


@pytest.mark.parametrize("words", COMMANDS, ids=" ".join)
def test_a_database_that_does_not_answer_is_named(
    refused: Callable[..., str], words: list[str], tmp_path: Path
) -> None:
    said = refused(*words, COUNTERFOIL_DATABASE_URL=NOWHERE, COUNTERFOIL_DATA_DIR=str(tmp_path))
    assert said.startswith("The database cannot be used: ")
    assert "Connection refused" in said


@pytest.mark.parametrize("words", COMMANDS, ids=" ".join)
def test_a_database_without_tables_is_to_be_migrated_first(
    refused: Callable[..., str], words: list[str], tmp_path: Path, postgresql: postgres.Server
) -> None:
    name = f"counterfoil_empty_{os.getpid()}"
    url = postgresql.create(name)
    try:
        said = refused(*words, COUNTERFOIL_DATABASE_URL=url, COUNTERFOIL_DATA_DIR=str(tmp_path))
    finally:
        postgresql.drop(name)
    assert said == "The database is not up to date. Run: counterfoil migrate\n"


@pytest.mark.parametrize("words", COMMANDS, ids=" ".join)
def test_a_folder_that_cannot_be_made_is_named(refused: Callable[..., str], words: list[str], tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    said = refused(*words, COUNTERFOIL_DATA_DIR=str(tmp_path / "file" / "data"))
    assert said.endswith(f": {tmp_path}/file/data\n")


def test_a_setting_that_cannot_be_right_is_named(refused: Callable[..., str]) -> None:
    said = refused("serve", COUNTERFOIL_BASE_URL="receipts.example.com")
    assert said.splitlines()[1].startswith("COUNTERFOIL_BASE_URL: must be http(s)://")
