"""The command line: merchants, keys and tables."""

import os
import sys
import time
from datetime import datetime
from pathlib import Path

import httpx
import pytest
from sqlalchemy import Engine, update

from accounts.keys import SCOPES
from accounts.tables import Merchant
from cli.main import main
from tests.support.inside import on_sqlite
from tests.support.server import NO_PDF, Served


@pytest.fixture(autouse=True)
def _here(monkeypatch: pytest.MonkeyPatch, database_url: str, tmp_path: Path) -> None:
    monkeypatch.setenv("COUNTERFOIL_DATABASE_URL", database_url)
    monkeypatch.setenv("COUNTERFOIL_DATA_DIR", str(tmp_path / "data"))


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> "Run":
    return Run(monkeypatch, capsys)


class Run:
    """Runs commands in this process."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
        self._monkeypatch = monkeypatch
        self._capsys = capsys

    def __call__(self, *words: str) -> str:
        """What a command that succeeds prints."""
        status, out, err = self.ended(*words)
        assert (status, err) == (0, "")
        return out

    def refused(self, *words: str) -> str:
        """What a command that fails says, in place of a traceback."""
        status, out, err = self.ended(*words)
        assert status not in (0, None)
        assert out == ""
        return str(status) if isinstance(status, str) else err

    def ended(self, *words: str) -> tuple[int | str | None, str, str]:
        self._monkeypatch.setattr(sys, "argv", ["counterfoil", *words])
        # A command keeps its files to itself; the tests after this one must not.
        mask = os.umask(0o022)
        with pytest.raises(SystemExit) as ended:
            main()
        os.umask(mask)
        out, err = self._capsys.readouterr()
        return ended.value.code, out, err


@pytest.fixture
def bakery(run: Run) -> None:
    run("merchants", "create", "linden-rye", "--name", "Linden & Rye")


def test_a_merchant_is_created_once(run: Run) -> None:
    assert "linden-rye is there." in run("merchants", "create", "linden-rye")
    assert run.refused("merchants", "create", "linden-rye") == "There is a merchant with this slug already"
    assert "/slug must be lower-case letters" in run.refused("merchants", "create", "Linden & Rye")


def test_merchants_are_listed(run: Run) -> None:
    assert run("merchants", "list") == "There is none.\n"
    run("merchants", "create", "linden-rye", "--name", "Linden & Rye")
    run("merchants", "create", "corner-shop")
    lines = [line.split("  ") for line in run("merchants", "list").splitlines()]
    assert [(slug, name) for slug, _, name in lines] == [("linden-rye", "Linden & Rye"), ("corner-shop", "corner-shop")]
    assert all(datetime.fromisoformat(created) for _, created, _ in lines)


@on_sqlite
@pytest.mark.usefixtures("bakery")
def test_lists_wait_for_nobody_who_writes(run: Run, engine: Engine) -> None:
    with engine.begin() as conn:
        conn.execute(update(Merchant).values(name="Linden"))
        assert "Linden & Rye" in run("merchants", "list")
        for what in ("keys", "signing-keys", "hooks"):
            run(what, "list", "--merchant", "linden-rye")


@pytest.mark.usefixtures("bakery")
def test_a_new_key_stands_alone_on_standard_output(run: Run) -> None:
    out = run("keys", "create", "--merchant", "linden-rye", "--scopes", "receipts:write,receipts:read")
    assert out.startswith("cf_live_")
    assert len(out.splitlines()) == 1
    assert out.strip() == out.removesuffix("\n")


@pytest.mark.usefixtures("bakery")
def test_keys_are_listed_without_themselves(run: Run) -> None:
    key = run("keys", "create", "--merchant", "linden-rye", "--scopes", "all", "--name", "Back office").strip()
    (line,) = run("keys", "list", "--merchant", "linden-rye").splitlines()
    key_id, hint, state, scopes, name = line.split("  ")
    assert key.startswith(hint.removesuffix("…"))
    assert key not in line
    assert (state, set(scopes.split(",")), name) == ("active", set(SCOPES), "Back office")
    assert run("keys", "revoke", "--merchant", "linden-rye", key_id) == f"{key_id} is revoked.\n"
    assert "revoked" in run("keys", "list", "--merchant", "linden-rye")


@pytest.mark.usefixtures("bakery")
@pytest.mark.parametrize(
    "words, said",
    [
        (["create", "--merchant", "nobody", "--scopes", "all"], "There is no merchant nobody; create one with:"),
        (["create", "--merchant", "linden-rye", "--scopes", "everything"], "/scopes must be one or more of"),
        (["create", "--merchant", "linden-rye", "--scopes", "all", "--store", "mitte"], "There is no such store"),
        (
            ["create", "--merchant", "linden-rye", "--scopes", "all", "--till", "till-1"],
            "--till needs --store beside it",
        ),
        (["create", "--merchant", "linden-rye"], "Missing option '--scopes'"),
        (["revoke", "--merchant", "linden-rye", "key_1"], "There is no such key"),
        (["list", "--merchant", "nobody"], "There is no merchant nobody"),
    ],
)
def test_what_cannot_be_done_is_said_in_a_line(run: Run, words: list[str], said: str) -> None:
    refusal = run.refused("keys", *words)
    assert said in refusal
    assert "Traceback" not in refusal


def test_tables_are_brought_up_to_date(run: Run) -> None:
    assert run("migrate") == "The database is up to date.\n"


@pytest.mark.usefixtures("bakery")
def test_a_key_that_is_revoked_beside_a_running_server_soon_opens_nothing(
    run: Run, tmp_path: Path, database_url: str
) -> None:
    key = run("keys", "create", "--merchant", "linden-rye", "--scopes", "receipts:read").strip()
    key_id = run("keys", "list", "--merchant", "linden-rye").split()[0]
    with (
        Served(tmp_path, database_url, first=NO_PDF) as server,
        httpx.Client(base_url=server.url, headers={"Authorization": f"Bearer {key}"}) as till,
    ):
        assert till.get("/v1/receipts").status_code == 200
        run("keys", "revoke", "--merchant", "linden-rye", key_id)
        time.sleep(1.1)
        assert till.get("/v1/receipts").status_code == 401


def test_a_server_answers_until_it_is_stopped(tmp_path: Path, database_url: str) -> None:
    with Served(tmp_path, database_url) as server:
        assert httpx.get(f"{server.url}/healthz").json() == {"status": "ok"}
        server.stop()
        with pytest.raises(httpx.ConnectError):
            httpx.get(f"{server.url}/healthz")
    assert "Traceback" not in server.log.read_text()
