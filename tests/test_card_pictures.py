"""The pictures of a card: of the right size, with every name whole, and a code that is read."""

from functools import cache
from typing import Any

import pytest
import zxingcpp
from PIL import Image, ImageChops
from sqlalchemy import Engine

from cards import kept, manage, pictures
from cards.pictures import Sitter
from infra import lettering
from infra.scenery import Scene
from infra.theme import READABLE, contrast
from tests.support.cards import a_card
from tests.support.inside import Inside
from tests.support.shops import OPENED, Shops
from tests.support.sitters import EVERYBODY, opened, sitter

LINK = "https://receipts.test/c/8Jv1mQWc0aYf3sRkT5xZpA?s=qr"
everybody = pytest.mark.parametrize("name", EVERYBODY)


@cache
def backdrop(name: str) -> bytes:
    return pictures.backdrop(sitter(name), LINK)


def hex_of(pixel: Any) -> str:
    return "#{:02x}{:02x}{:02x}".format(*pixel)


@everybody
def test_the_preview_is_what_networks_ask_for(name: str) -> None:
    data = pictures.preview(sitter(name))

    assert opened(data).size == (1200, 630)
    assert len(data) < 300_000


@everybody
def test_the_backdrop_has_a_code_that_is_read_also_from_a_small_window(name: str) -> None:
    picture = opened(backdrop(name))

    assert picture.size == (1920, 1080)
    for seen in (picture, picture.resize((1280, 720), Image.Resampling.BILINEAR)):
        assert [code.text for code in zxingcpp.read_barcodes(seen)] == [LINK]


@pytest.mark.parametrize("name", ["plain", "long", "arabic"])
def test_who_stands_in_the_middle_of_the_backdrop_hides_nothing(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with_words = opened(backdrop(name))
    bare = without_words(monkeypatch, sitter(name))

    left, top, right, bottom = 640, 120, 1280, 1080
    changed = ImageChops.difference(with_words, bare).crop((left, top, right, bottom))
    assert max(changed.tobytes()) < 60


def without_words(monkeypatch: pytest.MonkeyPatch, of: Sitter) -> Image.Image:
    """The same picture, with nothing put or written on its ground."""
    with monkeypatch.context() as patch:
        patch.setattr(Scene, "put", lambda *_: None)
        patch.setattr(lettering, "draw", lambda *_: None)
        patch.setattr("infra.scenery.draw", lambda *_: None)
        return opened(pictures.backdrop(of, LINK))


@everybody
@pytest.mark.parametrize("form", ["preview", "backdrop"])
def test_no_text_reaches_the_edge_or_another(name: str, form: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every line's ink, as a rectangle, keeps clear of the picture's edges and of every other line."""
    boxes: list[tuple[float, float, float, float]] = []

    def noted(on: Any, line: lettering.Line, at: tuple[float, float], colour: str) -> None:
        boxes.append((at[0], at[1] - line.above, at[0] + line.width, at[1] + line.below))

    monkeypatch.setattr("infra.scenery.draw", noted)
    size = (1200, 630) if form == "preview" else (1920, 1080)
    if form == "preview":
        pictures.preview(sitter(name))
    else:
        pictures.backdrop(sitter(name), LINK)

    assert len(boxes) >= 2
    for left, top, right, bottom in boxes:
        assert left >= 40
        assert top >= 40
        assert right <= size[0] - 40
        assert bottom <= size[1] - 40
    for at, one in enumerate(boxes):
        for other in boxes[at + 1 :]:
            apart = one[2] <= other[0] or other[2] <= one[0] or one[3] <= other[1] or other[3] <= one[1]
            assert apart, (one, other)


@everybody
def test_words_can_be_read_on_their_ground(name: str) -> None:
    of = sitter(name)
    scene = pictures._scene(of, (1200, 630)).picture
    tones = {hex_of(scene.getpixel((x, y))) for x in range(0, 1200, 7) for y in range(0, 630, 7)}

    for colour in (of.palette.on_brand, of.palette.on_brand_soft):
        assert min(contrast(colour, tone) for tone in tones) >= READABLE - 0.05


def test_two_letters_stand_in_for_a_photo_but_one_where_they_would_join() -> None:
    assert [sitter(name).face.initials for name in ("pale", "arabic", "unbroken")] == ["EL", "م", "W"]


@pytest.mark.parametrize("form, size", [("preview.jpg", (1200, 630)), ("background.jpg", (1920, 1080))])
def test_a_card_s_link_serves_its_pictures(
    inside: Inside, engine: Engine, shops: Shops, form: str, size: tuple[int, int]
) -> None:
    card = a_card(engine, shops)
    first, again = (inside.request("GET", f"/c/{card.token}/{form}") for _ in range(2))

    assert (first.status_code, first.headers["content-type"]) == (200, "image/jpeg")
    assert opened(first.content).size == size
    assert first.content == again.content
    assert "private" in first.headers["cache-control"]


def test_pictures_are_kept_until_the_card_is_forgotten(inside: Inside, engine: Engine, shops: Shops) -> None:
    card = a_card(engine, shops)
    storage = inside.app.state.house.storage
    inside.request("GET", f"/c/{card.token}/preview.jpg")
    before = list(storage.keys(f"{kept.folder(card.token)}/"))
    kept.forget(storage, card.token)

    assert len(before) == 1
    assert list(storage.keys(f"{kept.folder(card.token)}/")) == []
    assert card.token not in before[0]


def test_a_changed_card_is_drawn_anew(inside: Inside, engine: Engine, shops: Shops) -> None:
    card = a_card(engine, shops)
    before = inside.request("GET", f"/c/{card.token}/preview.jpg").content
    with engine.begin() as conn:
        manage.put_profile(conn, card, card.profile.model_copy(update={"given": "Olga"}), now=OPENED)

    assert inside.request("GET", f"/c/{card.token}/preview.jpg").content != before


@pytest.mark.parametrize("form", ["preview.jpg", "background.jpg", "print.pdf"])
@pytest.mark.parametrize("state, status", [("paused", 404), ("revoked", 410)])
def test_pictures_go_with_the_card(
    inside: Inside, engine: Engine, shops: Shops, form: str, state: Any, status: int
) -> None:
    card = a_card(engine, shops)
    with engine.begin() as conn:
        manage.set_state(conn, card, state, now=OPENED)

    assert inside.request("GET", f"/c/{card.token}/{form}").status_code == status
