"""``counterfoil products``, as a person runs it."""

from pathlib import Path

import pytest
from sqlalchemy import Engine, func, select
from typer.testing import CliRunner, Result

from cli.main import app
from engagement.offers.tables import Product
from kernel.errors import Invalid
from tests.support.shops import Shops

LIST = "Nr;Bezeichnung;Preis;Regal\nA;Äpfel;2,99;1\nB;Brot;viel;2\n"


@pytest.fixture(autouse=True)
def _settings(database_url: str, shops: Shops, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COUNTERFOIL_DATABASE_URL", database_url)
    monkeypatch.setenv("COUNTERFOIL_DATA_DIR", str(tmp_path / "data"))


def run(tmp_path: Path, text: str, *words: str) -> Result:
    file = tmp_path / "products.csv"
    file.write_text(text, encoding="cp1252")
    return CliRunner().invoke(app, ["products", "import", str(file), "--merchant", "linden-rye", *words])


def count(engine: Engine) -> int:
    with engine.connect() as conn:
        return conn.scalar(select(func.count()).select_from(Product)) or 0


def test_a_file_is_imported_with_a_line_for_each_row(tmp_path: Path, engine: Engine) -> None:
    done = run(tmp_path, LIST, "--map", "Nr=sku", "--currency", "EUR")
    lines = done.output.splitlines()
    assert (done.exit_code, count(engine)) == (1, 1)
    assert [line.split() for line in lines[:2]] == [["2", "created", "A"], ["3", "refused", "B"]]
    assert lines[2].strip() == "Preis: is not an amount; 5.40 would be one"
    assert lines[3:] == ["Columns that were left out: Regal", "1 created, 1 refused"]


def test_a_dry_run_changes_nothing_and_says_so(tmp_path: Path, engine: Engine) -> None:
    done = run(tmp_path, "sku,name\nA,It\n", "--dry-run")
    assert (done.exit_code, count(engine)) == (0, 0)
    assert done.output.splitlines()[-1] == "Nothing was changed. It would be: 1 created"


@pytest.mark.parametrize("told", ["eur", "ABC"])
def test_a_currency_that_there_is_not_is_refused_before_any_row(tmp_path: Path, engine: Engine, told: str) -> None:
    done = run(tmp_path, "sku,name,price\nA,It,1\n", "--currency", told)
    assert isinstance(done.exception, Invalid)
    assert (done.exception.errors[0].pointer, count(engine)) == ("query:currency", 0)


def test_a_mapping_is_column_and_field(tmp_path: Path) -> None:
    assert "--map takes Column=field, not Nr" in run(tmp_path, LIST, "--map", "Nr").output
