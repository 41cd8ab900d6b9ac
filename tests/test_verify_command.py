"""``counterfoil verify``: the same as the page, at a terminal, and without the installation."""

import json
from pathlib import Path

from typer.testing import CliRunner

from cli.main import app
from infra.settings import Settings
from tests.support.inside import Person, on_sqlite
from tests.support.presented import pdf_with, sold
from tests.support.sales import refund


def run(settings: Settings, *words: str) -> tuple[int, str]:
    env = {
        "COUNTERFOIL_DATABASE_URL": settings.data.where_database(),
        "COUNTERFOIL_DATA_DIR": str(settings.data.data_dir),
    }
    done = CliRunner().invoke(app, ["verify", *words], env=env)
    return done.exit_code, done.output


def test_the_command_says_the_same_as_the_page(owner: Person, settings: Settings, tmp_path: Path) -> None:
    receipt, document = sold(owner)
    owner.post("/v1/receipts", refund(receipt["id"], "1.20"))
    file = tmp_path / "receipt.json"
    file.write_bytes(document)
    status, said = run(settings, str(file))
    assert (status, said.splitlines()[0]) == (0, "genuine: nothing in it was changed")
    assert "merchant: Linden & Rye" in said
    assert "refunded: 1.20 EUR" in said
    file.write_bytes(document.replace(b"3.20", b"9.20"))
    assert run(settings, str(file)) == (1, "not genuine: it is not what was signed\n")


@on_sqlite
def test_the_command_needs_nothing_but_the_keys(
    owner: Person, stranger: Person, settings: Settings, tmp_path: Path
) -> None:
    _, document = sold(owner)
    keys, pdf, nowhere = tmp_path / "jwks.json", tmp_path / "receipt.pdf", tmp_path / "nowhere"
    keys.write_bytes(stranger.get("/.well-known/jwks.json").content)
    pdf.write_bytes(pdf_with(document))
    offline = replace_data(settings, nowhere)
    status, said = run(offline, str(pdf), "--keys", str(keys))
    assert status == 0
    assert "The pages of a PDF can be edited" in said
    status, said = run(offline, str(pdf), "--keys", str(keys), "--json")
    assert (status, json.loads(said)["state"], json.loads(said)["total"]) == (0, "genuine", "3.20 EUR")
    assert not nowhere.exists()
    keys.write_bytes(stranger.get("/.well-known/moor/jwks.json").content)
    assert run(offline, str(pdf), "--keys", str(keys))[0] == 1


def replace_data(settings: Settings, folder: Path) -> Settings:
    """The settings of an installation that has nothing yet."""
    data = settings.data.model_copy(update={"data_dir": folder, "database_url": None})
    return Settings(data, settings.server)


@on_sqlite
def test_where_nothing_can_be_told_the_status_is_two(owner: Person, settings: Settings, tmp_path: Path) -> None:
    _, document = sold(owner)
    genuine, printed, text = tmp_path / "receipt.json", tmp_path / "printed.pdf", tmp_path / "letter.txt"
    genuine.write_bytes(document)
    printed.write_bytes(pdf_with())
    text.write_text("Dear all")
    elsewhere = replace_data(settings, tmp_path / "elsewhere")
    for words in ([str(printed)], [str(text)], [str(tmp_path / "none")], [str(genuine), "--keys", str(text)]):
        status, said = run(settings, *words)
        assert (status, said[:11]) == (2, "cannot tell"), words
    assert run(elsewhere, str(genuine))[0] == 2
