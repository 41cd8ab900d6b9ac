"""Wallets are set up whole or not at all, and doctor says what phones would refuse."""

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from cli import checks_wallet
from infra.settings import Server, Settings, Wallet, explain
from kernel.clock import utc_now
from tests.support.authority import Authority, Files, authority, files
from tests.support.google_wallet import Google


@pytest.fixture(scope="module")
def made() -> Authority:
    return authority()


def verdict(wallet: Wallet, base_url: str = "https://receipts.test") -> tuple[str, str]:
    found = checks_wallet.apple(Settings(server=Server(base_url=base_url), wallet=wallet))
    assert bool(found.do) == (found.state != "ok")
    return found.state, found.says


def test_without_any_file_there_are_no_wallets_and_doctor_names_what_they_need() -> None:
    assert verdict(Wallet())[0] == "ok"
    assert "COUNTERFOIL_APPLE_TEAM_ID" in verdict(Wallet())[1]
    assert "COUNTERFOIL_GOOGLE_WALLET_ISSUER" in checks_wallet.google(Settings()).says


def test_half_a_wallet_is_refused_with_what_is_missing(made: Authority, tmp_path: Path) -> None:
    with pytest.raises(ValidationError) as error:
        Wallet(apple_pass_certificate=tmp_path / "pass.pem", apple_team_id="TEAM123456")
    lacking = ("PASS_KEY", "WWDR_CERTIFICATE", "PASS_TYPE")
    names = ", ".join(f"COUNTERFOIL_APPLE_{name}" for name in lacking)
    assert explain(error.value) == f"{names}: must be set with the others of that wallet"
    with pytest.raises(ValidationError, match="COUNTERFOIL_GOOGLE_WALLET_ISSUER"):
        Wallet(google_wallet_key=tmp_path / "google.json")


@pytest.mark.parametrize(
    "values",
    [
        {"apple_team_id": "team"},
        {"apple_pass_type": "com.example"},
        {"apple_push_url": "api.push.apple.com"},
        {"google_wallet_issuer": "me"},
        {"google_wallet_url": "ftp://x"},
    ],
)
def test_what_cannot_be_right_is_refused(values: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        Wallet(**values)


def test_a_wallet_that_is_right_is_told_with_its_end(made: Authority, tmp_path: Path) -> None:
    state, says = verdict(files(made, tmp_path).settings())
    assert (state, says[:40]) == ("ok", "passes of pass.test.counterfoil, team TE")


def wrong_team(made: Authority, folder: Path) -> Files:
    return files(made, folder, made.pass_certificate(team="OTHER12345"))


def wrong_type(made: Authority, folder: Path) -> Files:
    return files(made, folder, made.pass_certificate(pass_type="pass.other"))


def expired(made: Authority, folder: Path) -> Files:
    now = utc_now()
    past = made.pass_certificate(begins=now - timedelta(days=9), ends=now - timedelta(days=1))
    return files(made, folder, past)


def not_yet(made: Authority, folder: Path) -> Files:
    return files(made, folder, made.pass_certificate(begins=utc_now() + timedelta(days=2)))


def wrong_key(made: Authority, folder: Path) -> Files:
    kept = files(made, folder)
    (folder / "pass.key").write_bytes(made.root.key_pem())
    return kept


def wrong_chain(made: Authority, folder: Path) -> Files:
    return files(authority(), folder, made.pass_certificate())


def no_certificate(made: Authority, folder: Path) -> Files:
    kept = files(made, folder)
    (folder / "pass.pem").write_text("-----BEGIN CERTIFICATE-----\nnone")
    return kept


def in_der(made: Authority, folder: Path) -> Files:
    kept = files(made, folder)
    (folder / "pass.pem").write_bytes((folder / "wwdr.cer").read_bytes())
    return kept


def no_file(made: Authority, folder: Path) -> Files:
    kept = files(made, folder)
    (folder / "wwdr.cer").unlink()
    return kept


def sealed(made: Authority, folder: Path) -> Files:
    return files(made, folder, password="a password that is not set")


@pytest.mark.parametrize(
    "set_up, said",
    [
        (wrong_team, "the certificate is not of team TEAM123456"),
        (wrong_type, "the certificate is not for pass.test.counterfoil"),
        (expired, "the certificate has expired"),
        (not_yet, "the certificate is not valid yet"),
        (wrong_key, "the key is not that of the certificate"),
        (wrong_chain, "the certificate was not issued by the WWDR certificate that is set"),
        (no_certificate, "holds no certificate in PEM"),
        (in_der, "holds no certificate in PEM"),
        (no_file, "cannot be read (No such file or directory)"),
        (sealed, "holds no PEM key that this password opens"),
    ],
)
def test_what_phones_would_refuse_is_told(
    made: Authority, tmp_path: Path, set_up: Callable[[Authority, Path], Files], said: str
) -> None:
    state, says = verdict(set_up(made, tmp_path).settings())
    assert state == "FAIL"
    assert said in says


def test_a_certificate_that_ends_soon_is_worth_a_look(made: Authority, tmp_path: Path) -> None:
    soon = made.pass_certificate(ends=utc_now() + timedelta(days=20))
    state, says = verdict(files(made, tmp_path, soon).settings())
    assert (state, says.partition(" on ")[0]) == ("warn", "a certificate expires")


def test_a_sealed_key_is_opened_by_its_password(made: Authority, tmp_path: Path) -> None:
    kept = files(made, tmp_path, password="open sesame")
    assert verdict(kept.settings(apple_pass_key_password="open sesame"))[0] == "ok"


def test_passes_that_never_change_are_worth_a_look(made: Authority, tmp_path: Path) -> None:
    state, says = verdict(files(made, tmp_path).settings(), base_url="http://receipts.test")
    assert (state, says) == ("warn", "passes never change: phones ask https addresses only")


def test_googles_account_is_told_and_a_file_that_is_none_too(tmp_path: Path) -> None:
    with Google() as google:
        wallet = google.settings(tmp_path)
    assert checks_wallet.google(Settings(wallet=wallet)).state == "ok"
    (tmp_path / "google.json").write_text("{}")
    assert checks_wallet.google(Settings(wallet=wallet)).state == "FAIL"
