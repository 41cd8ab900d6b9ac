"""``counterfoil doctor`` names what is not well, and what helps."""

import json
import os
import resource
import time
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography.fernet import Fernet
from typer.testing import CliRunner

from cli import checks, checks_database, doctor
from cli.main import app
from cli.verdict import Check, Verdict
from infra import jobs
from infra.jobs import Tally
from infra.settings import Settings
from kernel.clock import utc_now

# What takes seconds has a test of its own.
SLOW = ("pdf", "fonts")


@pytest.fixture(autouse=True)
def _here(monkeypatch: pytest.MonkeyPatch, database_url: str, tmp_path: Path) -> None:
    monkeypatch.setenv("COUNTERFOIL_DATABASE_URL", database_url)
    monkeypatch.setenv("COUNTERFOIL_DATA_DIR", str(tmp_path / "data"))
    (tmp_path / "data").mkdir()
    quick = {what: check for what, check in doctor._CHECKS.items() if what not in SLOW}
    monkeypatch.setattr(doctor, "_CHECKS", quick)


on_sqlite = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
on_postgresql = pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)


def examined() -> dict[str, Verdict]:
    done = CliRunner().invoke(app, ["doctor", "--json"])
    found = {each.pop("what"): Verdict(**each) for each in json.loads(done.output)}
    assert done.exit_code == (1 if any(each.state == "FAIL" for each in found.values()) else 0)
    return found


def test_a_service_that_is_well_has_nothing_broken(database_url: str) -> None:
    broken = {what: each.says for what, each in examined().items() if each.state == "FAIL"}
    # The tests' own PostgreSQL promises nothing to the disk, and so shows that it would be seen.
    assert broken == ({"durability": "fsync is off"} if database_url.startswith("postgresql") else {})


def test_all_that_is_broken_says_what_helps(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COUNTERFOIL_BASEURL", "https://receipts.test")
    monkeypatch.setenv("COUNTERFOIL_BASE_URL", "http://receipts.test")
    monkeypatch.setattr(jobs, "is_prepared", lambda _engine: False)
    found = examined()
    assert found["settings"].says == "nobody reads COUNTERFOIL_BASEURL"
    assert "not https" in found["address"].says
    assert found["database"].do == "run: counterfoil migrate"
    assert all(each.do for each in found.values() if each.state != "ok")


@on_sqlite
def test_for_eyes_each_is_a_line_and_what_to_do_another(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor, "_CHECKS", {"mail": checks.mail, "settings": checks.names})
    done = CliRunner().invoke(app, ["doctor"])
    assert done.output.splitlines() == [
        "warn  mail: no way is set, so no receipt is sent",
        "      → set COUNTERFOIL_SMTP_URL and COUNTERFOIL_MAIL_FROM",
        "ok    settings: every name is known",
    ]
    assert done.exit_code == 0


@on_sqlite
def test_a_database_that_is_away_is_told_without_its_password(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COUNTERFOIL_DATABASE_URL", "postgresql://counterfoil:hunter2hunter2@127.0.0.1:1/none")
    found = examined()
    for what in ("database", "durability", "server", "clock", "jobs"):
        assert found[what].state == "FAIL"
    assert "hunter2" not in str(found)


def verdict(check: Check) -> Verdict:
    return check(Settings())


@on_sqlite
def test_a_secret_key_that_others_may_read_is_found(tmp_path: Path) -> None:
    path = tmp_path / "data" / "secret.key"
    path.write_bytes(Fernet.generate_key())
    path.chmod(0o644)
    assert verdict(checks.secret_key) == Verdict("FAIL", f"{path} can be read by others", f"chmod 600 {path}")
    path.chmod(0o600)
    assert verdict(checks.secret_key).state == "ok"


@on_postgresql
def test_a_clock_that_is_off_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    assert verdict(checks_database.clocks).state == "ok"
    real = time.time
    monkeypatch.setattr(time, "time", lambda: real() + 30)
    found = verdict(checks_database.clocks)
    assert found.state == "FAIL"
    assert "30.0 seconds" in found.says


@on_postgresql
def test_more_processes_than_the_database_has_connections_for_are_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COUNTERFOIL_WORKERS", "64")
    assert "raise max_connections" in verdict(checks_database.server).do


@on_sqlite
@pytest.mark.parametrize(
    "tally, state, said",
    [
        (lambda: Tally(waiting=3, oldest=utc_now() - timedelta(seconds=20)), "ok", "3 wait"),
        (lambda: Tally(waiting=3, oldest=utc_now() - timedelta(hours=1)), "FAIL", "one has waited 60 minutes"),
        (lambda: Tally(dead=2), "warn", "2 of deliver are dead"),
    ],
)
def test_jobs_that_nobody_does_are_found(
    monkeypatch: pytest.MonkeyPatch, tally: Callable[[], Tally], state: str, said: str
) -> None:
    monkeypatch.setattr(jobs, "tally", lambda _conn: {"deliver": tally()})
    found = verdict(checks_database.waiting_jobs)
    assert (found.state, said in found.says) == (state, True)


@on_sqlite
def test_a_full_disk_a_shut_folder_and_few_files_are_found(monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_folder: Path) -> Any:
        return type("Usage", (), {"free": 1_000_000})

    with monkeypatch.context() as patched:
        patched.setattr(checks, "disk_usage", full)
        assert "make room" in verdict(checks.disk).do
    with monkeypatch.context() as patched:
        patched.setattr(os, "access", lambda *_: False)
        assert "cannot be written" in verdict(checks.disk).says
    with monkeypatch.context() as patched:
        patched.setattr(resource, "getrlimit", lambda _: (256, 4096))
        assert verdict(checks.open_files).state == "warn"


@on_sqlite
def test_a_mail_server_that_is_away_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COUNTERFOIL_SMTP_URL", "smtp://127.0.0.1:1")
    monkeypatch.setenv("COUNTERFOIL_MAIL_FROM", "receipts@shop.example")
    assert verdict(checks.mail).state == "FAIL"


@on_sqlite
def test_a_pdf_is_made_to_see_that_it_can(monkeypatch: pytest.MonkeyPatch, fonts: Path) -> None:
    monkeypatch.setenv("COUNTERFOIL_DATA_DIR", str(fonts.parent))
    assert verdict(checks.pdf).says.startswith("renders")
