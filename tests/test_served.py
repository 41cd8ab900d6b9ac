"""How the shopper's answers travel: compressed for who can read it, revalidated, and made once."""

from io import BytesIO

import brotli
import pytest
from PIL import Image
from starlette.requests import Request

from api import page_cache, pages
from api.page_cache import Rendered
from api.served import respond
from infra import images, static
from kernel.ids import new_token
from tests.support.inside import Person, on_sqlite
from tests.support.sales import coffee

PAGE = Rendered(b"<p>thank you</p>" * 100, "text/html")
SCRIPT = static.url("receipt.js")


def asked(**headers: str) -> Request:
    raw = [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()]
    return Request({"type": "http", "method": "GET", "headers": raw})


@pytest.mark.parametrize(
    "accepted, coding",
    [
        ("gzip, br", "br"),
        ("GZIP;q=0.5", "gzip"),
        ("br;q=0, gzip", "gzip"),
        ("gzip;q=0.0", None),
        ("gzip; q=0.000, br ; q=0", None),
        ("gzip;q=no", None),
        ("gzip;level=9;q=1", "gzip"),
        ("", None),
    ],
)
def test_an_answer_is_packed_as_the_reader_can_unpack_it(accepted: str, coding: str | None) -> None:
    assert respond(asked(accept_encoding=accepted), PAGE).headers.get("content-encoding") == coding


def test_the_tag_is_weak_since_it_names_every_packing() -> None:
    tags = {respond(asked(accept_encoding=coding), PAGE).headers["etag"] for coding in ("br", "gzip", "")}

    [tag] = tags
    assert tag.startswith('W/"')


@pytest.mark.parametrize("known", [PAGE.etag, PAGE.etag.removeprefix("W/"), f'"other", {PAGE.etag}', "*"])
def test_a_reader_who_has_it_is_not_sent_it_again(known: str) -> None:
    assert respond(asked(if_none_match=known), PAGE).status_code == 304


def test_a_reader_who_has_another_is_sent_it() -> None:
    assert respond(asked(if_none_match='W/"other"'), PAGE).status_code == 200


@on_sqlite
def test_our_own_files_are_packed_and_named_once(stranger: Person, monkeypatch: pytest.MonkeyPatch) -> None:
    first = stranger.ask("GET", SCRIPT, headers={"Accept-Encoding": "br"})
    monkeypatch.setattr(page_cache, "blake2b", None)
    monkeypatch.setattr(page_cache, "brotli", None)
    again = stranger.ask("GET", SCRIPT, headers={"Accept-Encoding": "br"})

    assert first.headers["etag"] == again.headers["etag"]
    found = static.find(SCRIPT)
    assert found
    assert found.brotli
    assert int(again.headers["content-length"]) == len(found.brotli)
    assert brotli.decompress(found.brotli) == again.content


def a_logo(size: tuple[int, int] = (512, 256)) -> bytes:
    out = BytesIO()
    Image.merge("RGB", [Image.effect_noise(size, 200)] * 3).save(out, "PNG")
    return out.getvalue()


@on_sqlite
def test_a_page_shows_a_small_logo_that_is_made_once(owner: Person, monkeypatch: pytest.MonkeyPatch) -> None:
    assert owner.ask("PUT", "/v1/brands/linden-rye/logo", content=a_logo()).status_code == 204
    page = owner.get(owner.post("/v1/receipts", coffee()).json()["url"]).text
    address = page.partition('src="/media/')[2].partition('"')[0]
    first = owner.get(f"/media/{address}")
    monkeypatch.setattr(pages, "images", None)

    assert first.headers["content-type"] == "image/webp"
    assert len(first.content) <= 12_000
    assert owner.get(f"/media/{address}").content == first.content


@on_sqlite
def test_an_email_shows_the_logo_as_the_png_that_every_mail_program_reads(owner: Person, stranger: Person) -> None:
    assert owner.ask("PUT", "/v1/brands/linden-rye/logo", content=a_logo()).status_code == 204
    [key] = [brand["logo_key"] for brand in owner.get("/v1/brands").json()["brands"] if brand["logo_key"]]
    found = stranger.get(f"/media/{key}")

    assert found.headers["content-type"] == "image/png"
    assert found.content.startswith(b"\x89PNG")


@on_sqlite
@pytest.mark.parametrize("name", ["ab/" + "0" * 64, "../secret", "ab/.."])
@pytest.mark.parametrize("form", ["webp", "png", "svg"])
def test_there_is_no_other_logo(stranger: Person, name: str, form: str) -> None:
    assert stranger.get(f"/media/logos/{name}.{form}").status_code == 404


@on_sqlite
def test_others_write_while_a_logo_is_read(owner: Person, monkeypatch: pytest.MonkeyPatch) -> None:
    others: list[int] = []
    read = images.logo

    def slowly(data: bytes) -> bytes:
        others.append(owner.put("/v1/staff/jonas", {"name": "Jonas"}).status_code)
        return read(data)

    monkeypatch.setattr(images, "logo", slowly)
    assert owner.ask("PUT", "/v1/brands/linden-rye/logo", content=a_logo()).status_code == 204
    assert others == [204]


@on_sqlite
def test_a_logo_of_no_brand_is_not_even_read(owner: Person, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(images, "logo", None)

    assert owner.ask("PUT", "/v1/brands/nobody/logo", content=a_logo()).status_code == 404


@on_sqlite
@pytest.mark.parametrize("form", [".pdf", ".txt", ".json"])
def test_a_browser_that_asks_for_a_form_too_early_is_told_that_it_is_on_its_way(stranger: Person, form: str) -> None:
    address = f"/r/{new_token()}{form}"
    page = stranger.ask("GET", address, headers={"Accept": "text/html,*/*;q=0.8"})
    problem = stranger.ask("GET", address, headers={"Accept": "application/pdf"})

    assert (page.status_code, page.headers["content-type"]) == (202, "text/html; charset=utf-8")
    assert "on its way" in page.text
    assert (problem.status_code, problem.headers["content-type"]) == (404, "application/problem+json")


@on_sqlite
def test_a_browser_with_no_link_at_all_is_told_that_there_is_nothing(stranger: Person) -> None:
    page = stranger.ask("GET", "/r/short.pdf", headers={"Accept": "text/html"})

    assert page.status_code == 404
    assert "There is nothing here" in page.text
