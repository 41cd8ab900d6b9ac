"""The PDF of a receipt: how a slip and a sheet are laid out, for eyes and for ears."""

from collections.abc import Iterator
from io import BytesIO
from typing import Any

import pypdf
import pypdfium2
from PIL import Image

from infra.pdf import Page
from tests.support.paper import CASES, MANY, PLAIN, Maker, every_case, every_page, pages_of, pictures_of
from tests.support.pdf import POINTS_A_MM
from tests.support.records import BREAD, record


def test_a_slip_is_80_mm_wide_and_as_high_as_what_it_says(made: Maker) -> None:
    short, long = made(record(PLAIN | {"total": "0.00"})), made(record(PLAIN | {"lines": MANY, "total": "200.00"}))

    assert [round(size_of(pdf)[0]) for pdf in (short, long)] == [80, 80]
    assert [len(pages_of(pdf)) for pdf in (short, long)] == [1, 1]
    assert size_of(short)[1] < 200
    assert size_of(long)[1] > 800


def test_a_slip_ends_soon_after_its_last_line(made: Maker) -> None:
    [picture] = pictures_of(made(record(BREAD)), 1)
    ink = picture.convert("L").point(lambda tone: 255 * (tone < 200)).getbbox()

    assert ink is not None
    assert picture.height - ink[3] < 6 * POINTS_A_MM


def test_a_sheet_is_a4_and_a_long_receipt_has_its_columns_and_number_on_every_page(made: Maker) -> None:
    pdf = made(record(PLAIN | {"lines": MANY, "total": "200.00"}), "a4")
    pages = pages_of(pdf)

    assert [round(side) for side in size_of(pdf)] == [210, 297]
    assert len(pages) > 3
    assert all(f"Receipt 000417 · {at} / {len(pages)}" in page for at, page in enumerate(pages, 1))
    assert all("Quantity" in page for page in pages if "Article" in page)
    assert all(f"Article {at:03}" in "".join(pages) for at in range(1, 201))


@every_page
@every_case
def test_it_is_tagged_for_those_who_listen(made: Maker, case: str, page: Page) -> None:
    of, language = CASES[case]
    reader = pypdf.PdfReader(BytesIO(made(of, page, language=language)))
    root: Any = reader.root_object
    about: Any = reader.metadata

    assert root["/MarkInfo"]["/Marked"]
    assert root["/Lang"] == language
    assert root["/ViewerPreferences"]["/DisplayDocTitle"]
    assert of.number in about["/Title"]
    assert b"pdfuaid:part" in root["/Metadata"].get_data()


@every_page
@every_case
def test_its_parts_are_named(made: Maker, case: str, page: Page) -> None:
    of, language = CASES[case]
    tree = list(elements(pypdf.PdfReader(BytesIO(made(of, page, language=language))).root_object["/StructTreeRoot"]))
    kinds = [str(each["/S"]) for each in tree]

    assert next(each for each in kinds if each.startswith("/H")) == "/H1"
    assert kinds.count("/H1") == 1
    assert all(each.get("/Alt") for each in tree if each["/S"] == "/Figure")
    assert kinds.count("/Figure") >= 2
    headers = {str(each["/ID"]) for each in tree if each["/S"] == "/TH"}
    cells = [each["/A"]["/Headers"] for each in tree if each["/S"] == "/TD"]
    assert all(cells)
    assert {str(name) for names in cells for name in names} <= headers


@every_page
def test_arabic_runs_from_the_right(made: Maker, page: Page) -> None:
    text = pypdfium2.PdfDocument(made(CASES["ar"][0], page, language="ar"))[0].get_textpage()

    assert left_of(text, "58.50") < left_of(text, "Mastercard")


def test_the_slip_is_black_and_white_whatever_the_logo_and_the_sheet_has_the_brands_colour(made: Maker) -> None:
    assert not has_colour(pictures_of(made(record(BREAD), "roll"))[0])
    assert has_colour(pictures_of(made(record(BREAD), "a4"))[0])


def size_of(pdf: bytes) -> tuple[float, float]:
    """Width and height of the first page in millimetres."""
    box = pypdf.PdfReader(BytesIO(pdf)).pages[0].mediabox
    return float(box.width) / POINTS_A_MM, float(box.height) / POINTS_A_MM


def elements(node: Any) -> Iterator[Any]:
    """The structure elements below ``node``, in reading order."""
    kids = node.get("/K", [])
    for each in kids if isinstance(kids, list) else [kids]:
        kid = each.get_object() if hasattr(each, "get_object") else each
        if isinstance(kid, dict) and "/S" in kid:
            yield kid
            yield from elements(kid)


def left_of(page: Any, text: str) -> float:
    found = page.search(text).get_next()
    return float(page.get_charbox(found[0])[0])


def has_colour(picture: Image.Image) -> bool:
    red, green, blue = (picture.getchannel(channel).tobytes() for channel in "RGB")
    return any(max(pixel) - min(pixel) > 30 for pixel in zip(red, green, blue, strict=True))
