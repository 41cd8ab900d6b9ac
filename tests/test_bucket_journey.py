"""A shop whose objects lie in a bucket, on a day when the bucket goes away and comes back."""

import shutil
import time
from asyncio import run_coroutine_threadsafe
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path

import httpx
import pytest
from PIL import Image

from infra import s3
from infra.pdf import PdfPool
from infra.settings import Data, Server, Settings
from tests.support import s3 as support
from tests.support.inside import Inside, Person, on_sqlite
from tests.support.paper import pictures_of, text_of
from tests.support.s3 import Gate
from tests.support.sales import coffee

PAUSE = 0.5


@pytest.fixture
def read_seconds() -> float:
    return 1


@pytest.fixture
def gate(monkeypatch: pytest.MonkeyPatch, read_seconds: float) -> Iterator[Gate]:
    for name, value in support.ENVIRONMENT.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(s3, "READ_SECONDS", read_seconds)
    monkeypatch.setattr(s3, "PAUSE", PAUSE)
    gate = Gate(support.store().host, support.store().port)
    yield gate
    gate.be("shut")


@pytest.fixture
def bucket() -> str:
    return support.store().bucket()


@pytest.fixture
def link_seconds() -> int:
    return 0


@pytest.fixture
def settings(gate: Gate, bucket: str, database_url: str, tmp_path: Path, fonts: Path, link_seconds: int) -> Settings:
    """Fonts that were cut already: it takes seconds, and is not what this is about."""
    shutil.copytree(fonts, tmp_path / "data" / "fonts")
    objects = support.settings(bucket, gate.url) | {"s3_link_seconds": link_seconds}
    return Settings(
        Data(data_dir=tmp_path / "data", database_url=database_url, **objects),
        Server(base_url="https://receipts.test"),
    )


def put_logo(owner: Person, colour: str = "#aa00aa") -> httpx.Response:
    out = BytesIO()
    Image.new("RGB", (64, 64), colour).save(out, "PNG")
    headers = {"Content-Type": "image/png"}
    return owner.ask("PUT", "/v1/brands/linden-rye/logo", content=out.getvalue(), headers=headers)


def kept(bucket: str, kind: str) -> list[str]:
    found = support.store().client.list_objects_v2(Bucket=bucket, Prefix=f"shop/{kind}/")
    return [each["Key"] for each in found.get("Contents", ())]


def shows_logo(pdf: bytes) -> bool:
    """Whether the first logo is on the paper: nothing else of the brand has its colour."""
    drawn = (page.getcolors(1 << 24) or () for page in pictures_of(pdf, 2))
    return any(colour == (0xAA, 0x00, 0xAA) for colours in drawn for _, colour in colours)


@on_sqlite
def test_a_bucket_goes_away_and_comes_back_and_nobody_starts_anything(
    owner: Person, stranger: Person, gate: Gate, bucket: str
) -> None:
    assert put_logo(owner).status_code == 204
    first, second = (owner.post("/v1/receipts", coffee()).json()["url"] for _ in range(2))
    before = stranger.get(f"{first}.pdf", format="a4")
    assert shows_logo(before.content)
    assert [len(kept(bucket, kind)) for kind in ("logos", "pdf")] == [1, 1]

    gate.be("shut")
    assert stranger.get(first).status_code == 200
    assert owner.post("/v1/receipts", coffee()).status_code == 201
    for link in (first, second):
        answer = stranger.get(f"{link}.pdf", format="a4")
        assert answer.status_code == 200
        assert "Linden & Rye" in text_of(answer.content)
        assert not shows_logo(answer.content)
    refused = put_logo(owner, "red")
    assert (refused.status_code, refused.headers["retry-after"]) == (503, "5")
    assert refused.json()["type"] == "urn:counterfoil:problem:storage-down"
    assert stranger.get("/readyz").json() == {"status": "ready", "storage": "down"}

    gate.be("open")
    time.sleep(PAUSE)
    assert stranger.get("/readyz").json() == {"status": "ready"}
    assert stranger.get(f"{first}.pdf", format="a4").content == before.content
    assert shows_logo(stranger.get(f"{second}.pdf", format="a4").content)
    assert len(kept(bucket, "pdf")) == 2
    assert put_logo(owner, "red").status_code == 204


@on_sqlite
def test_a_broken_logo_is_left_out_of_page_code_and_pdf_until_it_is_put_again(
    owner: Person, stranger: Person, bucket: str
) -> None:
    put_logo(owner)
    link = owner.post("/v1/receipts", coffee()).json()["url"]
    (logo,) = kept(bucket, "logos")
    support.store().client.put_object(Bucket=bucket, Key=logo, Body=b"spoilt")
    page, code = stranger.get(link), stranger.get(f"{link}/qr.svg", variant="logo")
    pdf = stranger.get(f"{link}.pdf", format="a4")

    assert [each.status_code for each in (page, code, pdf)] == [200, 200, 200]
    assert not shows_logo(pdf.content)
    assert "<image" not in code.text
    assert stranger.get(f"/media/{logo.removeprefix('shop/').replace('.png', '.webp')}").status_code == 404
    put_logo(owner)
    assert shows_logo(stranger.get(f"{link}.pdf", format="a4").content)
    assert "<image" in stranger.get(f"{link}/qr.svg", variant="logo").text


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """What a PDF says does not matter here."""
    monkeypatch.setattr(PdfPool, "render", lambda *_, **__: b"%PDF-")


@on_sqlite
@pytest.mark.usefixtures("quick")
@pytest.mark.parametrize("link_seconds", [60])
def test_a_pdf_that_is_kept_is_given_away_by_the_bucket_where_that_is_wanted(
    owner: Person, stranger: Person, gate: Gate, link_seconds: int
) -> None:
    link = owner.post("/v1/receipts", coffee()).json()["url"]
    assert stranger.get(f"{link}.pdf").content == b"%PDF-"
    answer = stranger.get(f"{link}.pdf")

    assert (answer.status_code, answer.content) == (307, b"")
    assert answer.headers["cache-control"] == "private, no-store"
    assert answer.headers["referrer-policy"] == "no-referrer"
    assert answer.headers["location"].startswith(gate.url)
    assert f"X-Amz-Expires={link_seconds}" in answer.headers["location"]
    assert httpx.get(answer.headers["location"]).content == b"%PDF-"
    others = [stranger.get(f"{link}{form}").status_code for form in ("", ".txt", ".json", "/qr.svg")]
    assert [*others, stranger.ask("HEAD", f"{link}.pdf").status_code] == [200, 200, 200, 200, 200]
    gate.be("shut")
    assert stranger.get(f"{link}.pdf").content == b"%PDF-"


@on_sqlite
@pytest.mark.usefixtures("quick")
@pytest.mark.parametrize("read_seconds", [60])
def test_a_silent_bucket_keeps_nobody_else_waiting(
    owner: Person, inside: Inside, gate: Gate, read_seconds: float
) -> None:
    """Forty ask for a PDF, and so many threads there are for everybody."""
    link = owner.post("/v1/receipts", coffee()).json()["url"]
    gate.be("silent")
    crowd = [run_coroutine_threadsafe(inside.client.get(f"{link}.pdf"), inside._loop) for _ in range(40)]
    began = time.monotonic()
    assert owner.put("/v1/staff/jonas", {"name": "Jonas"}).status_code == 204
    assert owner.post("/v1/receipts", coffee()).status_code == 201

    assert time.monotonic() - began < read_seconds / 2
    gate.be("shut")
    assert {each.result(30).status_code for each in crowd} <= {200, 503}
