"""``counterfoil cards``, as a person runs it."""

import base64
from pathlib import Path

import pytest
from sqlalchemy import Engine, func, select
from typer.testing import CliRunner, Result

from cards import find, invites
from cards.tables import Card
from cli.main import app
from infra import secrets
from infra.settings import Settings
from kernel.clock import utc_now
from tests.support.cards import a_card
from tests.support.pdf import a_square
from tests.support.shops import Shops

STAFF = "staff;name;Rufnummer;Schuhgröße\nemma;Emma Lind;+49 30 5550;39\nnoor;Noor;none;40\n"
MERCHANT = ("--merchant", "linden-rye")


@pytest.fixture(autouse=True)
def _settings(database_url: str, shops: Shops, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COUNTERFOIL_DATABASE_URL", database_url)
    monkeypatch.setenv("COUNTERFOIL_DATA_DIR", str(tmp_path / "data"))
    monkeypatch.setenv("COUNTERFOIL_BASE_URL", "https://receipts.test")


def run(*words: str) -> Result:
    return CliRunner().invoke(app, ["cards", *words])


@pytest.fixture
def staff(tmp_path: Path) -> str:
    path = tmp_path / "staff.csv"
    path.write_text(STAFF, encoding="cp1252")
    return str(path)


def cards(engine: Engine) -> int:
    with engine.connect() as conn:
        return conn.scalar(select(func.count()).select_from(Card)) or 0


def test_a_file_is_imported_with_a_line_for_each_row(staff: str, engine: Engine) -> None:
    done = run("import", staff, *MERCHANT, "--map", "Rufnummer=phones.mobile")
    lines = done.output.splitlines()
    assert done.exit_code == 1
    assert [line.split()[:2] for line in lines[:2]] == [["2", "created"], ["3", "refused"]]
    assert lines[2].strip() == "Rufnummer: is not a telephone number; +49 30 5550 1234 would be one"
    assert lines[3:] == ["Columns that were left out: Schuhgröße", "1 created, 1 refused"]
    assert cards(engine) == 1


def test_where_the_storage_fails_it_says_what_was_not_reached(tmp_path: Path, engine: Engine) -> None:
    photo = "PHOTO;ENCODING=b;TYPE=PNG:" + base64.b64encode(a_square("red")).decode()
    heads = [["BEGIN:VCARD", "VERSION:3.0", f"FN:P{number}"] for number in range(52)]
    people = [[*head, *[photo] * (head is heads[-1]), "END:VCARD", ""] for head in heads]
    file = tmp_path / "staff.vcf"
    file.write_text("".join("\r\n".join(each) for each in people), newline="")
    blocking = tmp_path / "data" / "objects" / "photos"
    blocking.parent.mkdir(parents=True)
    blocking.touch()
    done = run("import", str(file), *MERCHANT)
    assert (done.exit_code, done.output.splitlines()[-1]) == (1, "50 created, 2 refused")
    assert "the row: was not reached: The object storage" in done.output
    assert cards(engine) == 50


def test_a_dry_run_says_the_same_and_changes_nothing(staff: str, engine: Engine) -> None:
    done = run("import", staff, *MERCHANT, "--dry-run")
    assert done.exit_code == 0
    assert done.output.splitlines()[-1] == "Nothing was changed. It would be: 2 created"
    assert cards(engine) == 0


def test_vcards_are_known_by_what_is_in_them(tmp_path: Path, engine: Engine) -> None:
    path = tmp_path / "contacts"
    path.write_text("BEGIN:VCARD\nVERSION:3.0\nFN:Zoë\nEND:VCARD\n")
    assert run("import", str(path), *MERCHANT).output.splitlines()[-1] == "1 created"
    assert run("import", str(path), *MERCHANT).output.splitlines()[-1] == "1 unchanged"


def test_a_mapping_that_is_none_is_refused(staff: str) -> None:
    assert "Column=field" in run("import", staff, *MERCHANT, "--map", "Rufnummer").output


def test_cards_are_listed_with_their_addresses(engine: Engine, shops: Shops) -> None:
    assert run("list", *MERCHANT).output == "There is none.\n"
    card = a_card(engine, shops)
    (line,) = run("list", *MERCHANT).output.splitlines()
    assert line.split()[:4] == [card.id, "active", "emma", "mitte"]
    assert line.endswith(f"https://receipts.test/c/{card.token}")


@pytest.mark.parametrize("by", ["staff", "id"])
def test_a_link_is_printed_by_which_the_card_opens(engine: Engine, shops: Shops, by: str) -> None:
    card = a_card(engine, shops)
    done = run("invite", getattr(card, by), *MERCHANT)
    token = done.output.strip().removeprefix("https://receipts.test/i/")
    key = secrets.derived(Settings().data, invites.PURPOSE)
    with engine.connect() as conn:
        invited = invites.opened(conn, key, token, now=utc_now())
        assert invited
        assert invited.card == find.one(conn, shops.linden, card.id)


def test_nobody_is_invited_to_a_card_of_another_merchant(engine: Engine, shops: Shops) -> None:
    card = a_card(engine, shops)
    done = run("invite", card.id, "--merchant", "moor")
    assert done.exit_code != 0
