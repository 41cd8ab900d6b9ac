"""What every answer carries, what asks nothing of the disk, and settings that would mislead."""

import os
import re
import threading
from io import BytesIO
from pathlib import Path
from urllib.parse import quote

import pytest
from PIL import Image
from pydantic import ValidationError
from structlog.testing import capture_logs

from api import health, hooks
from api.app import create_app
from infra.folder import open_folder
from infra.settings import Server, Settings, misspelt
from tests.support.inside import Inside, Person, on_sqlite
from tests.support.sales import coffee

RECEIPTS = "/v1/receipts"


@on_sqlite
def test_an_answer_to_an_unforeseen_error_is_as_private_as_any_other(
    stranger: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(_house: object) -> None:
        raise RuntimeError("a fault of ours")

    monkeypatch.setattr(health, "_look", fails)
    answer = stranger.ask("GET", "/readyz")
    assert answer.status_code == 500
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.headers["referrer-policy"] == "no-referrer"
    assert answer.headers["x-request-id"]
    assert "fault" not in answer.text


@on_sqlite
def test_asking_whether_the_service_is_ready_writes_nothing(stranger: Person, tmp_path: Path) -> None:
    before = sorted(path.stat().st_mtime_ns for path in tmp_path.rglob("*"))
    assert stranger.ask("GET", "/readyz").json() == {"status": "ready"}
    assert sorted(path.stat().st_mtime_ns for path in tmp_path.rglob("*")) == before


@on_sqlite
def test_a_process_that_writes_no_more_receipts_is_not_ready(inside: Inside, stranger: Person) -> None:
    inside.run(inside.app.state.house.writer.stop())
    answer = stranger.get("/readyz")
    assert answer.status_code == 503
    assert "started again" in answer.json()["detail"]
    assert stranger.get("/healthz").status_code == 200


@on_sqlite
def test_a_start_that_fails_half_way_leaves_no_thread_behind(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(_house: object) -> None:
        raise RuntimeError("no sweeping today")

    monkeypatch.setattr(hooks, "sweeping", fails)
    starting = Inside(create_app(settings))
    with pytest.raises(RuntimeError, match="no sweeping"):
        starting.__enter__()
    assert "group-commit" not in {thread.name for thread in threading.enumerate()}
    starting.close()


TOKEN = "Zm9yZ2V0LW1lLW5vdC0wMQ"


@on_sqlite
@pytest.mark.parametrize(
    "path", ["/r/{}", "//r/{}", "/r//{}.pdf", "/r/{}/qr.svg", "/v1//receipts/{}", "/shop/r/{}", "/R/{}", "/r {}"]
)
def test_no_log_holds_a_token_wherever_it_stands(inside: Inside, path: str) -> None:
    with capture_logs() as logged:
        inside.run(inside.client.get(f"http://receipts.test{path.format(TOKEN)}"))
    (line,) = [each for each in logged if each["event"] == "request"]
    assert TOKEN not in line["path"]
    assert "…" in line["path"]


@on_sqlite
@pytest.mark.parametrize("code", ["7K3M-9QTX-2WHD", "7k3m9qtx2whd", "SPA.20%/OFF", "rwd_MOOR", "two\nlines"])
@pytest.mark.parametrize("path", ["/v1/rewards/{}", "/v1/rewards/{}/redeem", "//shop/v1/rewards//{}/rollback"])
def test_no_log_holds_the_code_of_a_prize(inside: Inside, path: str, code: str) -> None:
    address = f"http://receipts.test{path.format(quote(code, safe='/'))}"
    with capture_logs() as logged:
        inside.run(inside.client.post(address))
    (line,) = [each for each in logged if each["event"] == "request"]
    assert not any(part in line["path"] for part in re.split(r"[./\n]", code))
    assert line["path"].endswith(path.replace("//", "/").format("…"))


@on_sqlite
def test_a_log_holds_the_id_of_a_reward(owner: Person) -> None:
    path = f"/v1/rewards/rwd_{'0' * 26}/void"
    with capture_logs() as logged:
        owner.post(path, {})
    assert [each["path"] for each in logged if each["event"] == "request"] == [path]


@on_sqlite
def test_a_log_holds_the_id_of_a_receipt(owner: Person) -> None:
    path = f"{RECEIPTS}/{owner.post(RECEIPTS, coffee()).json()['id']}"
    with capture_logs() as logged:
        owner.get(path)
    assert [each["path"] for each in logged if each["event"] == "request"] == [path]


@on_sqlite
@pytest.mark.parametrize("path", ["/v1/receipts/Zm9yZ2V0LW1lLW5vdC0wMQ/", "/v1/keys/", "/r/Zm9yZ2V0LW1lLW5vdC0wMQ/"])
def test_an_address_with_one_slash_too_many_is_not_sent_elsewhere(owner: Person, path: str) -> None:
    answer = owner.ask("PUT" if "receipts" in path else "GET", path, json=coffee(), headers={"Host": "evil.example"})
    assert answer.status_code == 404
    assert "location" not in answer.headers


def test_a_folder_that_takes_no_objects_is_not_writable(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = open_folder(tmp_path)
    assert folder.is_writable()
    monkeypatch.setattr(os, "access", lambda *_: False)
    assert not folder.is_writable()


@on_sqlite
def test_a_sale_that_names_an_original_is_refused_since_its_kind_was_forgotten(owner: Person) -> None:
    answer = owner.post(RECEIPTS, coffee() | {"original": {"number": "1"}})
    assert answer.status_code == 422
    assert [error["pointer"] for error in answer.json()["errors"]] == ["/original"]


@on_sqlite
def test_a_misspelt_member_is_named_in_our_own_words(owner: Person) -> None:
    answer = owner.post(RECEIPTS, coffee() | {"totl": "1.00"})
    assert answer.json()["errors"] == [
        {"pointer": "/totl", "detail": "is not known here; check its spelling, or leave it out"}
    ]


@on_sqlite
def test_a_card_number_is_not_repeated_even_as_the_name_of_a_member(owner: Person) -> None:
    answer = owner.post(RECEIPTS, coffee() | {"4111111111111111": "1"})
    assert answer.status_code == 422
    assert "4111111111111111" not in answer.text


@on_sqlite
def test_codes_in_sizes_of_the_readers_choice_do_not_fill_the_disk(owner: Person, tmp_path: Path) -> None:
    picture = BytesIO()
    Image.new("RGB", (64, 64), "#1f5c47").save(picture, "PNG")
    owner.ask("PUT", "/v1/brands/linden-rye/logo", content=picture.getvalue())
    url = owner.post(RECEIPTS, coffee()).json()["qr"]["png_url"]
    for wish in ("", "&size=300", "&size=301", "&margin=2"):
        assert owner.ask("GET", f"{url}?variant=logo{wish}").status_code == 200
    assert len([path for path in tmp_path.rglob("*.png") if "qr" in path.parts]) == 1


def test_a_base_url_with_a_path_is_refused() -> None:
    with pytest.raises(ValidationError, match="host name of their own"):
        Server(base_url="https://shop.example/receipts")


def test_a_setting_that_nobody_reads_is_found_by_its_name() -> None:
    assert misspelt(["COUNTERFOIL_BASEURL", "COUNTERFOIL_BASE_URL", "PATH"]) == ["COUNTERFOIL_BASEURL"]


def test_what_commands_and_tests_read_is_not_misspelt() -> None:
    assert misspelt(["COUNTERFOIL_HOOK_SECRET", "COUNTERFOIL_TEST_DATABASE_URL"]) == []


@on_sqlite
def test_the_other_forms_are_offered_in_the_language_of_the_page_and_as_copies_of_a_copy(owner: Person) -> None:
    url = owner.post(RECEIPTS, coffee()).json()["url"]
    path = f"/r/{url.rpartition('/')[2]}"
    page = owner.ask("GET", f"{path}?lang=en&copy=1").text
    assert f'href="{path}.pdf?lang=en&amp;copy=1" download' in page
