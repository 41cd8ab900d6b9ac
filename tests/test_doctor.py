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
from sqlalchemy import Engine
from typer.testing import CliRunner

from accounts import signing_keys
from cli import checks, checks_database, doctor
from cli.main import app
from cli.verdict import Check, Verdict
from infra import jobs, lettering, secrets
from infra.jobs import Tally
from infra.settings import Data, Settings
from infra.storage import open_storage
from kernel.clock import utc_now
from tests.support.shops import Shops

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


def files_below(folder: Path) -> set[Path]:
    return set(folder.rglob("*"))


@on_sqlite
def test_before_the_first_start_it_makes_nothing_and_nothing_is_broken(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.delenv("COUNTERFOIL_DATABASE_URL")
    monkeypatch.setenv("COUNTERFOIL_DATA_DIR", str(tmp_path / "new" / "data"))
    monkeypatch.setenv("COUNTERFOIL_MAIL_OUTBOX", str(tmp_path / "new" / "outbox"))
    monkeypatch.setenv("COUNTERFOIL_MAIL_FROM", "receipts@shop.example")
    before = files_below(tmp_path)
    found = examined()
    assert {what: each for what, each in found.items() if each.state == "FAIL"} == {}
    assert "none yet" in found["secret key"].says
    assert files_below(tmp_path) == before


@on_sqlite
def test_what_is_there_stays_as_it_is(tmp_path: Path) -> None:
    open_storage(Data(data_dir=tmp_path / "data"))
    secrets.box(Data(data_dir=tmp_path / "data"))
    before = files_below(tmp_path)
    examined()
    assert files_below(tmp_path) == before


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


@pytest.fixture
def merchants(engine: Engine, shops: Shops) -> Engine:
    """Two, with a signing key each that the service of the settings can open."""
    with engine.begin() as conn:
        signing_keys.ensure(conn, sealer=secrets.box(Settings().data))
    return engine


def another_key(monkeypatch: pytest.MonkeyPatch) -> Fernet:
    key = Fernet.generate_key()
    monkeypatch.setenv("COUNTERFOIL_SECRET_KEY", key.decode())
    return Fernet(key)


def test_signing_keys_that_no_longer_open_are_found_until_there_is_a_new_one(
    merchants: Engine, shops: Shops, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert verdict(checks_database.own_keys) == Verdict("ok", "each merchant's can be read")
    sealer = another_key(monkeypatch)
    found = verdict(checks_database.own_keys)
    assert (found.state, "those of linden-rye, moor were sealed" in found.says) == ("FAIL", True)
    with merchants.begin() as conn:
        signing_keys.rotate(conn, shops.linden, sealer=sealer, now=utc_now())
    assert "those of moor were sealed" in verdict(checks_database.own_keys).says
    with merchants.begin() as conn:
        signing_keys.rotate(conn, shops.moor, sealer=sealer, now=utc_now())
    found = verdict(checks_database.own_keys)
    assert (found.state, "2 older ones" in found.says) == ("ok", True)


@on_sqlite
def test_a_secret_key_that_is_lost_is_found_by_what_it_sealed(merchants: Engine, tmp_path: Path) -> None:
    (tmp_path / "data" / "secret.key").unlink()
    assert verdict(checks_database.own_keys).state == "FAIL"
    assert not (tmp_path / "data" / "secret.key").exists()


@on_sqlite
def test_a_newest_signing_key_that_does_not_open_is_told(merchants: Engine, shops: Shops) -> None:
    with merchants.begin() as conn:
        signing_keys.rotate(conn, shops.linden, sealer=Fernet(Fernet.generate_key()), now=utc_now())
    found = verdict(checks_database.own_keys)
    assert (found.state, "the newest of linden-rye" in found.says) == ("warn", True)


@on_sqlite
def test_figures_of_a_public_service_that_nobody_may_read_are_told(monkeypatch: pytest.MonkeyPatch) -> None:
    assert verdict(checks.metrics) == Verdict("ok", "told to this machine")
    monkeypatch.setenv("COUNTERFOIL_BASE_URL", "https://receipts.test")
    assert verdict(checks.metrics).do.startswith("set COUNTERFOIL_METRICS_TOKEN")
    monkeypatch.setenv("COUNTERFOIL_METRICS_TOKEN", "a-token-of-sixteen-or-more")
    assert verdict(checks.metrics).state == "ok"


@on_sqlite
def test_visitors_who_all_seem_to_come_from_a_proxy_are_told(monkeypatch: pytest.MonkeyPatch) -> None:
    assert verdict(checks.visitors).state == "ok"
    monkeypatch.setenv("COUNTERFOIL_BASE_URL", "https://receipts.test")
    found = verdict(checks.visitors)
    assert (found.state, "21st contact" in found.says) == ("warn", True)
    monkeypatch.setenv("COUNTERFOIL_TRUSTED_PROXIES", "1")
    assert verdict(checks.visitors).state == "ok"


@on_postgresql
def test_connections_that_are_nearly_used_up_are_told(monkeypatch: pytest.MonkeyPatch) -> None:
    assert "connections are open" in verdict(checks_database.server).says
    monkeypatch.setattr(checks_database, "_NEARLY_ALL", 0)
    assert verdict(checks_database.server).state == "warn"


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
def test_letters_that_no_picture_could_show_are_found(monkeypatch: pytest.MonkeyPatch) -> None:
    assert verdict(checks.installed_fonts).state == "ok"
    monkeypatch.setattr(lettering, "has_shaping", lambda: False)
    found = verdict(checks.installed_fonts)
    assert (found.state, found.do) == ("FAIL", "on Debian: apt-get install libfribidi0")


@on_sqlite
def test_a_pdf_is_made_to_see_that_it_can_and_nothing_of_it_stays(tmp_path: Path) -> None:
    before = files_below(tmp_path)
    assert verdict(checks.pdf).says.startswith("renders")
    assert files_below(tmp_path) == before
