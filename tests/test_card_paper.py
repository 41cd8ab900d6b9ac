"""Cards for a printer: the boxes that a print shop goes by, marks, and text that stays inside."""

from functools import cache
from io import BytesIO
from typing import Any

import pypdf
import pypdfium2
import pytest
import zxingcpp
from PIL import Image
from sqlalchemy import Engine

from cards import paper
from infra.pdf import Page, PdfPool
from tests.support.cards import a_card
from tests.support.inside import Inside, on_sqlite
from tests.support.paper import text_of
from tests.support.pdf import POINTS_A_MM
from tests.support.shops import Shops
from tests.support.sitters import EVERYBODY, sitter

LINK = "https://receipts.linden-rye.example/c/8Jv1mQWc0aYf3sRkT5xZpA?s=qr"
everybody = pytest.mark.parametrize("name", EVERYBODY)


@cache
def printed(pool: PdfPool, name: str = "plain", page: Page = "card", link: str = LINK) -> bytes:
    return paper.pdf(pool, sitter(name), link=link, website="https://www.linden-rye.example/", page=page)


def pages_of(pdf: bytes) -> list[Any]:
    return list(pypdf.PdfReader(BytesIO(pdf)).pages)


def in_mm(box: Any) -> tuple[float, float]:
    return float(box.width) / POINTS_A_MM, float(box.height) / POINTS_A_MM


def drawn(pdf: bytes, number: int, scale: float = 6) -> Image.Image:
    picture: Image.Image = pypdfium2.PdfDocument(pdf)[number].render(scale=scale).to_pil()
    return picture.convert("RGB")


def at_mm(picture: Image.Image, scale: float, x: float, y: float) -> Any:
    """The pixel so far from the card's corner; 8 mm of margin are around it."""
    return picture.getpixel((round((x + 8) * POINTS_A_MM * scale), round((y + 8) * POINTS_A_MM * scale)))


def test_a_card_has_a_front_and_a_back_with_the_boxes_of_a_print_shop(pool: PdfPool) -> None:
    sides = pages_of(printed(pool))

    assert len(sides) == 2
    for side in sides:
        assert in_mm(side.trimbox) == pytest.approx((85, 55), abs=0.1)
        assert in_mm(side.bleedbox) == pytest.approx((91, 61), abs=0.1)
        assert in_mm(side.mediabox) == pytest.approx((101, 71), abs=0.1)
        for edge in ("left", "bottom"):
            beyond = float(getattr(side.trimbox, edge)) - float(getattr(side.bleedbox, edge))
            assert beyond / POINTS_A_MM == pytest.approx(3, abs=0.1)


def test_marks_say_where_to_cut_and_art_ends_before_them(pool: PdfPool) -> None:
    back, brand = drawn(printed(pool), 1), (0x1F, 0x5C, 0x47)

    for x, y in ((42, -2.7), (42, 57.7), (-2.7, 20), (87.7, 20)):
        assert sum(abs(one - other) for one, other in zip(at_mm(back, 6, x, y), brand, strict=True)) < 60
    for x, y in ((30, -3.4), (30, 58.4), (-3.4, 15), (88.4, 15)):
        assert at_mm(back, 6, x, y) == (255, 255, 255)
    corner = round(8.5 * POINTS_A_MM * 6)
    assert min(back.convert("L").crop((0, 0, corner, corner)).tobytes()) < 40


@everybody
@pytest.mark.parametrize("page", ["card", "sheet"])
def test_no_text_comes_near_the_cut_or_another(pool: PdfPool, name: str, page: Page) -> None:
    pdf = printed(pool, name, page)
    words, trim = pypdfium2.PdfDocument(pdf)[0].get_textpage(), pages_of(pdf)[0].trimbox
    # From the corner of the first card of a sheet, or of the only one.
    x, y = (0, 0) if page == "card" else (15, 11)
    boxes = [words.get_rect(at) for at in range(words.count_rects())]
    points = [
        (left - float(trim.left), float(trim.top) - top, right - float(trim.left), float(trim.top) - bottom)
        for left, bottom, right, top in boxes
    ]
    lines = [[part / POINTS_A_MM - off for part, off in zip(each, (x, y, x, y), strict=True)] for each in points]
    own = [each for each in lines if each[0] < 85 and each[1] < 55]

    assert len(own) >= 5
    for left, top, right, bottom in own:
        assert min(left, top, 85 - right, 55 - bottom) >= 3.5
    for at, one in enumerate(own):
        for other in own[at + 1 :]:
            apart = [one[2] <= other[0], other[2] <= one[0], one[3] <= other[1], other[3] <= one[1]]
            assert any(apart), (one, other)


@everybody
def test_everything_that_is_said_can_be_taken_from_the_page(pool: PdfPool, name: str) -> None:
    said, face = text_of(printed(pool, name)), sitter(name).face

    assert face.emails[0].address in said
    if name in ("plain", "pale", "white"):
        assert face.name in said


@everybody
@pytest.mark.parametrize("page", ["card", "sheet"])
def test_every_code_on_paper_is_read(pool: PdfPool, name: str, page: Page) -> None:
    found = zxingcpp.read_barcodes(drawn(printed(pool, name, page), 0, scale=300 / 72))

    assert [code.text for code in found] == [LINK] * (1 if page == "card" else 10)


def test_a_long_address_does_not_make_modules_too_small_for_ink(pool: PdfPool) -> None:
    link = f"https://{'cards.' * 10}linden-rye.example/c/8Jv1mQWc0aYf3sRkT5xZpA?s=qr"
    [code] = zxingcpp.read_barcodes(drawn(printed(pool, link=link), 0))

    assert code.text == link
    assert code.ec_level == "L"


@everybody
def test_all_fonts_are_embedded(pool: PdfPool, name: str) -> None:
    fonts = [
        font.get_object()
        for side in pages_of(printed(pool, name))
        for font in side["/Resources"].get("/Font", {}).values()
    ]

    assert fonts
    for font in fonts:
        described = font["/DescendantFonts"][0].get_object()["/FontDescriptor"].get_object()
        assert {"/FontFile", "/FontFile2", "/FontFile3"} & set(described)


def test_a_sheet_holds_ten_cards_on_both_sides(pool: PdfPool) -> None:
    pdf = printed(pool, page="sheet")
    sides = pages_of(pdf)

    assert [in_mm(side.mediabox) for side in sides] == [pytest.approx((210, 297), abs=0.1)] * 2
    assert text_of(pdf).count("Dr. Emma Lind") == 10
    assert sides[1].extract_text().count("linden-rye.example") == 10


@pytest.mark.parametrize("x, y", [(15, 4), (100, 4), (110, 292), (195, 292), (7, 11), (7, 66), (203, 286)])
def test_a_sheet_is_cut_at_its_marks(pool: PdfPool, x: float, y: float) -> None:
    sheet = drawn(printed(pool, page="sheet"), 1, scale=8).convert("L")
    left, top = (round(measure * POINTS_A_MM * 8) - 1 for measure in (x, y))

    assert min(sheet.crop((left, top, left + 3, top + 3)).tobytes()) < 160


@on_sqlite
def test_the_link_serves_both_and_makes_each_once(inside: Inside, engine: Engine, shops: Shops) -> None:
    card = a_card(engine, shops)
    answers = [inside.request("GET", f"/c/{card.token}/print.pdf{asked}") for asked in ("", "", "?sheet=1")]

    assert [each.status_code for each in answers] == [200] * 3
    assert answers[0].content == answers[1].content
    assert answers[0].headers["content-disposition"] == 'inline; filename="emma-card.pdf"'
    assert in_mm(pages_of(answers[2].content)[0].mediabox)[1] == pytest.approx(297, abs=0.1)


@on_sqlite
def test_a_sheet_of_another_kind_is_refused(inside: Inside, engine: Engine, shops: Shops) -> None:
    card = a_card(engine, shops)

    assert inside.request("GET", f"/c/{card.token}/print.pdf?sheet=2").status_code == 422
