"""``counterfoil verify``: the same as the page, at a terminal, and without the installation."""

import json
import shutil
import sqlite3
import threading
from contextlib import closing
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest
from typer.testing import CliRunner

from accounts import signing_keys
from cli.main import app
from cli.verify_keys import trusted_keys
from infra import database
from infra.settings import Settings
from tests.support.inside import Inside, Person, on_sqlite
from tests.support.presented import pdf_with, sold
from tests.support.sales import refund
from tests.support.shops import Shops

PAGES = (
    "cannot tell: this PDF carries a genuine receipt, but its pages can be edited without a trace."
    " Rely on what stands below, and compare."
)


def run(settings: Settings, *words: str, **changes: str) -> tuple[int, str]:
    env = {
        "COUNTERFOIL_BASE_URL": settings.server.address(),
        "COUNTERFOIL_DATABASE_URL": settings.data.where_database(),
        "COUNTERFOIL_DATA_DIR": str(settings.data.data_dir),
    }
    done = CliRunner().invoke(app, ["verify", *words], env=env | changes)
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
    offline, genuine = replace_data(settings, nowhere), tmp_path / "receipt.json"
    genuine.write_bytes(document)
    assert run(offline, str(genuine), "--keys", str(keys))[0] == 0
    status, said = run(offline, str(genuine), "--keys", str(keys), "--json")
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


@on_sqlite
def test_a_pdf_is_genuine_only_where_its_pages_are_ours_too(
    owner: Person, stranger: Person, settings: Settings, tmp_path: Path, fonts: Path
) -> None:
    shutil.copytree(fonts, settings.data.data_dir / "fonts", dirs_exist_ok=True)
    receipt, document = sold(owner)
    ours, blank, keys = tmp_path / "ours.pdf", tmp_path / "blank.pdf", tmp_path / "jwks.json"
    ours.write_bytes(stranger.get(f"/r/{receipt['token']}.pdf").content)
    blank.write_bytes(pdf_with(document))
    keys.write_bytes(stranger.get("/.well-known/jwks.json").content)
    assert run(settings, str(ours))[0] == 0
    for words in ([str(blank)], [str(blank), "--keys", str(keys)], [str(ours), "--keys", str(keys)]):
        status, said = run(settings, *words)
        assert (status, said.splitlines()[0]) == (2, PAGES)
        assert "total: 3.20 EUR" in said


@on_sqlite
def test_a_link_or_its_token_is_told(owner: Person, settings: Settings, tmp_path: Path) -> None:
    receipt, _ = sold(owner)
    for link in (f"https://receipts.test/r/{receipt['token']}.pdf?lang=de", receipt["token"]):
        status, said = run(settings, link)
        assert (status, said.splitlines()[0]) == (0, "genuine: the link leads to a receipt that is kept here")
        assert "total: 3.20 EUR" in said
    for link in ("https://receipts.test/r/AAAAAAAAbbbbbbbbCCCCCC", f"https://elsewhere.test/r/{receipt['token']}"):
        assert run(settings, link) == (2, "cannot tell: there is no receipt behind this link\n")
    assert run(settings, f"https://receipts.test/r/{receipt['token']}", "--keys", "none")[0] == 2


@on_sqlite
def test_a_distrusted_key_proves_nothing_that_our_records_do_not_say(
    owner: Person, stranger: Person, inside: Inside, settings: Settings, shops: Shops, tmp_path: Path
) -> None:
    _, document = sold(owner)
    file, keys, house = tmp_path / "receipt.json", tmp_path / "jwks.json", inside.app.state.house
    file.write_bytes(document)
    kid = json.loads(document)["signature"]["kid"]
    with house.engine.begin() as conn:
        signing_keys.distrust(conn, shops.linden, kid, sealer=house.sealer, now=datetime.now(UTC))
    keys.write_bytes(stranger.get("/.well-known/jwks.json").content)
    status, said = run(settings, str(file))
    assert (status, "our own records say the same" in said, "total: 3.20 EUR" in said) == (2, True, True)
    alone = run(settings, str(file), "--keys", str(keys))
    assert alone == (1, "not proved: it is signed with a key that is no longer trusted\n")


@on_sqlite
def test_no_trouble_looks_like_a_forgery(owner: Person, settings: Settings, tmp_path: Path) -> None:
    _, document = sold(owner)
    file, keys, large = tmp_path / "receipt.json", tmp_path / "jwks.json", tmp_path / "large.json"
    file.write_bytes(document)
    keys.write_text('{"keys": [], "distrusted": 5}')
    large.write_bytes(document + b" " * 1_000_000)
    newer = tmp_path / "newer.db"
    with closing(sqlite3.connect(newer)) as made, made:
        made.execute("CREATE TABLE alembic_version (version_num VARCHAR(32) NOT NULL)")
        made.execute("INSERT INTO alembic_version VALUES ('9999')")
    for words, env in (
        ([str(file), "--keys", str(keys)], {}),
        ([str(large)], {}),
        ([str(tmp_path)], {}),
        ([str(file)], {"COUNTERFOIL_BASE_URL": "nonsense"}),
        ([str(file)], {"COUNTERFOIL_DATABASE_URL": f"sqlite:///{newer}"}),
        ([str(file)], {"COUNTERFOIL_DATABASE_URL": "postgresql+psycopg://nobody@127.0.0.1:1/none"}),
    ):
        status, said = run(settings, *words, **env)
        assert (status, said[:12], said.count("\n")) == (2, "cannot tell:", 1), (words, env)


@on_sqlite
def test_a_database_that_is_not_up_to_date_is_no_forgery(
    owner: Person, settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, document = sold(owner)
    file = tmp_path / "receipt.json"
    file.write_bytes(document)
    monkeypatch.setattr(database, "is_current", lambda _engine: False)
    assert run(settings, str(file)) == (2, "cannot tell: The database is not up to date. Run: counterfoil migrate\n")


def test_keys_come_over_https_or_from_this_machine() -> None:
    for address in ("http://receipts.test/jwks.json", "ftp://receipts.test/jwks.json", "HTTP://10.0.0.1/jwks.json"):
        with pytest.raises(ValueError, match="https"):
            trusted_keys(address)


class Keys(BaseHTTPRequestHandler):
    """A key set, one that is too long, and somebody who leads elsewhere."""

    def do_GET(self) -> None:
        body = b'{"keys": []}' if self.path == "/jwks.json" else b" " * 5_000_001
        self.send_response(302 if self.path == "/away" else 200)
        if self.path == "/away":
            self.send_header("Location", "http://receipts.test/jwks.json")
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


def test_no_address_leads_to_keys_from_elsewhere_or_to_half_of_them() -> None:
    with HTTPServer(("127.0.0.1", 0), Keys) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        address = f"http://127.0.0.1:{server.server_port}"
        assert trusted_keys(f"{address}/jwks.json") == {}
        with pytest.raises(ValueError, match="https"):
            trusted_keys(f"{address}/away")
        with pytest.raises(ValueError, match="more than"):
            trusted_keys(f"{address}/large")
        server.shutdown()
