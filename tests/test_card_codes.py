"""A card's photo and its QR codes, as its link serves them."""

from io import BytesIO
from typing import Any

import pytest
import zxingcpp
from PIL import Image
from sqlalchemy import Engine

from cards import manage
from cards.codes import offline_level
from cards.find import CardRecord
from infra import portraits, qr
from infra.storage import content_key
from tests.support.cards import a_card
from tests.support.codes import unread
from tests.support.inside import Inside
from tests.support.shops import OPENED, Shops

BASE = "https://receipts.test"


@pytest.fixture
def card(engine: Engine, shops: Shops) -> CardRecord:
    return a_card(engine, shops)


def with_photo(inside: Inside, engine: Engine, card: CardRecord) -> bytes:
    """The card has the photo from now on."""
    out = BytesIO()
    Image.effect_mandelbrot((900, 700), (-2, -1, 1, 1), 60).convert("RGB").save(out, "PNG")
    photo = portraits.portrait(out.getvalue())
    key = content_key("photos", photo, suffix=".jpg")
    inside.app.state.house.storage.put(key, photo)
    with engine.begin() as conn:
        manage.set_photo(conn, card, key, now=OPENED)
    return photo


def picture(data: bytes) -> Image.Image:
    return Image.open(BytesIO(data))


def said_by(data: bytes) -> str:
    return str(zxingcpp.read_barcodes(picture(data).convert("RGB"))[0].text)


@pytest.mark.parametrize("form, side, media", [("webp", 224, "image/webp"), ("jpg", 480, "image/jpeg")])
def test_a_photo_is_served_small(
    inside: Inside, engine: Engine, card: CardRecord, form: str, side: int, media: str
) -> None:
    with_photo(inside, engine, card)

    answers = [inside.request("GET", f"/c/{card.token}/photo.{form}?v=1") for _ in range(2)]

    assert [(each.status_code, each.headers["content-type"]) for each in answers] == [(200, media)] * 2
    assert picture(answers[0].content).size == (side, side)
    assert answers[0].content == answers[1].content
    assert len(answers[0].content) <= 0.2 * side * side


@pytest.mark.parametrize("form", ["webp", "jpg"])
def test_a_card_without_a_photo_has_none(inside: Inside, card: CardRecord, form: str) -> None:
    assert inside.request("GET", f"/c/{card.token}/photo.{form}").status_code == 404


@pytest.mark.parametrize("form", ["photo.webp", "photo.jpg", "qr.svg", "qr.png", "qr.png?variant=vcard"])
@pytest.mark.parametrize("state, status", [("paused", 404), ("revoked", 410)])
def test_what_a_link_led_to_goes_with_the_card(
    inside: Inside, engine: Engine, card: CardRecord, form: str, state: Any, status: int
) -> None:
    with_photo(inside, engine, card)
    before = inside.request("GET", f"/c/{card.token}/{form}").status_code
    with engine.begin() as conn:
        manage.set_state(conn, card, state, now=OPENED)

    assert (before, inside.request("GET", f"/c/{card.token}/{form}").status_code) == (200, status)


@pytest.mark.parametrize("asked, source", [("", "qr"), ("?s=nfc", "nfc"), ("?variant=logo&s=link", "link")])
def test_a_code_says_where_it_stood(inside: Inside, card: CardRecord, asked: str, source: str) -> None:
    answer = inside.request("GET", f"/c/{card.token}/qr.png{asked}")

    assert said_by(answer.content) == f"{BASE}/c/{card.token}?s={source}"


def test_an_offline_code_holds_the_contact_itself(inside: Inside, card: CardRecord) -> None:
    answer = inside.request("GET", f"/c/{card.token}/qr.png?variant=vcard")

    said = said_by(answer.content)
    assert said.startswith("BEGIN:VCARD\r\nVERSION:3.0\r\n")
    assert "Lind" in said
    assert f"{BASE}/c/{card.token}" in said


def test_a_long_contact_gives_way_to_larger_modules() -> None:
    assert (offline_level("BEGIN:VCARD"), offline_level("x" * 400), offline_level("x" * 2900)) == ("M", "L", "L")


@pytest.mark.parametrize(
    "asked", ["variant=gold", "s=wallet", "mm=19", "mm=201", "mm=30&size=300", "size=1", "margin=99"]
)
def test_a_wish_that_cannot_be_met_is_refused(inside: Inside, card: CardRecord, asked: str) -> None:
    for ending in ("svg", "png"):
        answer = inside.request("GET", f"/c/{card.token}/qr.{ending}?{asked}")
        assert answer.status_code == 422
        assert answer.json()["errors"][0]["pointer"].startswith("query:")


@pytest.mark.parametrize("mm", [25, 40, 63])
def test_a_code_for_print_has_its_size_in_millimetres_and_three_hundred_dots_an_inch(
    inside: Inside, card: CardRecord, mm: int
) -> None:
    svg = inside.request("GET", f"/c/{card.token}/qr.svg?mm={mm}").text
    png = picture(inside.request("GET", f"/c/{card.token}/qr.png?mm={mm}").content)

    assert f'width="{mm}mm" height="{mm}mm"' in svg
    dpi = png.info["dpi"][0]
    assert 300 <= dpi < 430
    assert png.width / dpi * 25.4 == pytest.approx(mm, abs=0.01)
    assert png.width % (len(qr.matrix(f"{BASE}/c/{card.token}?s=qr")) + 8) == 0


def test_a_code_whose_modules_would_run_together_in_print_is_refused_with_the_size_it_needs(
    inside: Inside, card: CardRecord
) -> None:
    modules = len(qr.matrix(f"{BASE}/c/{card.token}?s=qr")) + 2 * 12
    for ending in ("svg", "png"):
        answer = inside.request("GET", f"/c/{card.token}/qr.{ending}?mm=20&margin=12")
        assert answer.status_code == 422
        assert answer.json()["type"].endswith("qr-print-size")
        assert f"so {-(-modules // 2)} mm" in answer.json()["detail"]


def test_a_code_that_nobody_could_read_is_not_served() -> None:
    with pytest.raises(qr.TextTooLong):
        qr.prove("x" * 3000, "L")


def test_codes_with_a_logo_are_read_also_blurred_and_tilted() -> None:
    assert unread(40) == ([], [])


@pytest.mark.long
def test_a_thousand_codes_with_a_logo_are_read_also_blurred_and_tilted() -> None:
    assert unread(1000) == ([], [])
