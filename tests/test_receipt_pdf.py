"""The PDF of a receipt: a slip and a sheet that say what the page says, to everybody, on any printer."""

import re
import xml.etree.ElementTree as ET
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from io import BytesIO
from pathlib import Path
from typing import Any

import pypdf
import pypdfium2
import pytest
import zxingcpp
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageDraw
from structlog.testing import capture_logs

from accounts.find import BrandLook
from api import forms
from api.paper import sheet
from infra.pdf import Page, PdfPool, PdfUnavailable
from infra.static import FOLDER
from infra.storage import Folder, content_key, open_storage
from receipts.records import ReceiptRecord
from receipts.shapes import ReceiptView
from receipts.view import view
from tests.support.records import BREAD, COFFEE, INDIRANAGAR, JUMEIRAH, SILK, TOKEN, record, related

BASE = "https://receipts.linden-rye.example"
URL = f"{BASE}/r/{TOKEN}"
POINTS_A_MM = 72 / 25.4
PLAIN = {"issued_at": BREAD["issued_at"], "currency": "EUR"}
MANY = [{"id": str(at), "name": f"Article {at:03}", "total": "1.00"} for at in range(1, 201)]
HUGE = {
    "lines": [
        {"id": "1", "name": "A ship", "quantity": "3", "unit_price": "999999999999.99", "total": "9999999999999.99"}
    ],
    "total": "9999999999999.99",
    "taxes": [{"rate": "19", "net": "8403361344537.81", "tax": "1596638655462.18", "gross": "9999999999999.99"}],
    "payments": [{"method": "bank_transfer", "amount": "9999999999999.99"}],
}
SCRIPTS = [
    {"id": "1", "name": "Καφές ελληνικός σκέτος", "total": "2.20"},
    {"id": "2", "name": "Борщ український", "total": "7.80"},
    {"id": "3", "name": "मसाला डोसा", "total": "1.00"},
    {"id": "4", "name": "قهوة عربية", "total": "1.00"},
    {"id": "5", "name": "Żurek, Phở đặc biệt", "total": "1.00"},
]
CASES = {
    "de": (record(BREAD), "de"),
    "en": (record(BREAD), "en"),
    "hi": (record(SILK, issuer=INDIRANAGAR, number="KS/2026-27/1184"), "hi"),
    "ar": (record(COFFEE, issuer=JUMEIRAH, number="٢٠٤٨"), "ar"),
    "scripts": (record(PLAIN | {"lines": SCRIPTS, "total": "13.00"}), "fr"),
    "huge": (record(PLAIN | HUGE), "es"),
    "nothing": (record(PLAIN | {"total": "0.00"}), "en"),
}
PAGES: tuple[Page, ...] = ("roll", "a4")
every_case = pytest.mark.parametrize("case", CASES)
every_page = pytest.mark.parametrize("page", PAGES)


@pytest.fixture(scope="module")
def pool(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PdfPool]:
    with PdfPool(fonts=tmp_path_factory.mktemp("fonts"), static=FOLDER, seconds=60) as pool:
        yield pool


@pytest.fixture(scope="module")
def storage(tmp_path_factory: pytest.TempPathFactory) -> Folder:
    return open_storage((tmp_path_factory.mktemp("objects")).as_uri())


@pytest.fixture(scope="module")
def look(storage: Folder) -> BrandLook:
    """A green brand: white on green is its logo."""
    picture = Image.new("RGB", (256, 256), "#1f5c47")
    ImageDraw.Draw(picture).ellipse((60, 60, 196, 196), fill="white")
    out = BytesIO()
    picture.save(out, "PNG")
    key = content_key("logos", out.getvalue(), suffix=".png")
    storage.put(key, out.getvalue())
    return BrandLook(
        id="brd_01",
        name="Linden & Rye",
        colour="#1f5c47",
        languages=("de", "en"),
        website="https://linden-rye.example",
        support_email="hallo@linden-rye.example",
        support_phone="+49 30 5550 1234",
        support_url=None,
        return_text={"de": "Umtausch innerhalb von 30 Tagen.", "en": "Exchange within 30 days."},
        logo_key=key,
    )


@pytest.fixture
def made(pool: PdfPool, storage: Folder, look: BrandLook) -> "Maker":
    return Maker(pool, storage, look)


class Maker:
    """Makes PDFs as the routes do."""

    def __init__(self, pool: PdfPool, storage: Folder, look: BrandLook) -> None:
        self.pool, self.storage, self.look = pool, storage, look

    def __call__(self, of: ReceiptRecord, page: Page = "roll", *, language: str = "en", copy: bool = False) -> bytes:
        parts: dict[str, Any] = {"pool": self.pool, "storage": self.storage, "base_url": BASE}
        return forms.pdf(of, self.look, language=language, page=page, copy=copy, **parts)


def pages_of(pdf: bytes) -> list[str]:
    return [page.get_textpage().get_text_range() for page in pypdfium2.PdfDocument(pdf)]


def text_of(pdf: bytes) -> str:
    """In one line, without marks of direction; a word that was broken is whole again."""
    text = re.sub("[\u200e\u200f\u2066-\u2069\ufffe\x02]", "", "\n".join(pages_of(pdf)))
    return re.sub(r"\s+", " ", text)


def size_of(pdf: bytes) -> tuple[float, float]:
    """Width and height of the first page in millimetres."""
    box = pypdf.PdfReader(BytesIO(pdf)).pages[0].mediabox
    return float(box.width) / POINTS_A_MM, float(box.height) / POINTS_A_MM


def pictures_of(pdf: bytes, scale: float = 4) -> list[Image.Image]:
    return [page.render(scale=scale).to_pil().convert("RGB") for page in pypdfium2.PdfDocument(pdf)]


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
def test_paper_says_what_the_page_says(made: Maker, case: str, page: Page) -> None:
    of, language = CASES[case]
    said = text_of(made(of, page, language=language))
    # A word may be broken; and of an Arabic one, the letters are read back in the order in which they are drawn.
    whole, letters = said.replace(" ", ""), {letters_of(word) for word in said.split()}

    assert [each for each in words_of(of, language) if each not in whole and letters_of(each) not in letters] == []


@every_page
@every_case
def test_no_letter_is_missing_and_nothing_is_loaded_from_elsewhere(
    made: Maker, case: str, page: Page, tmp_path: Path
) -> None:
    of, language = CASES[case]
    made.storage = open_storage((tmp_path / "fresh").as_uri())

    with capture_logs() as logs:
        assert "no letters for" not in text_of(made(of, page, language=language))
    assert logs == []


def test_a_letter_that_no_font_has_is_told_on_the_paper(made: Maker) -> None:
    unassigned = {"id": "1", "name": "Tea \u0378", "total": "1.00"}
    with capture_logs() as logs:
        said = text_of(made(record(PLAIN | {"lines": [unassigned], "total": "1.00"})))

    assert "This machine has no letters for: Signs." in said
    assert [each["event"] for each in logs] == ["pdf incomplete"]


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
def test_its_codes_can_be_read(made: Maker, page: Page) -> None:
    codes = [{"type": "ean13", "value": "4006381333931"}, {"type": "code128", "value": "لا"}]
    pictures = pictures_of(made(record(BREAD | {"barcodes": codes}), page))

    assert {code.text for picture in pictures for code in zxingcpp.read_barcodes(picture)} >= {
        URL,
        "000417",
        BREAD["fiscal"]["qr"],
        "4006381333931",
        "لا",
    }


def test_a_fiscal_text_too_long_for_a_code_is_printed_as_text(made: Maker) -> None:
    too_long = "ж" * 2000

    assert too_long in text_of(made(record(BREAD | {"fiscal": {"qr": too_long}}))).replace(" ", "")


def test_fiscal_lines_and_the_terminals_slip_are_printed_as_they_came(made: Maker) -> None:
    paid = [BREAD["payments"][0] | {"text": ["** KUNDENBELEG **", "A    B"]}, BREAD["payments"][1]]
    html = html_of(made, record(BREAD | {"payments": paid}))

    assert "** KUNDENBELEG **\nA    B</p>" in html
    assert "TSE-Transaktion 18812\nStart 17:41:32 Ende 17:42:10</p>" in html


@every_page
def test_a_gift_receipt_shows_no_price_no_tender_and_no_tax(made: Maker, page: Page) -> None:
    said = text_of(made(record(BREAD | {"flags": ["gift"]}), page))

    assert "Gift receipt" in said
    assert "Bread knife" in said
    assert not re.search(r"\d[.,]\d\d\b|€|EUR|Visa|MwSt|Total|Payment", said)


@every_page
@pytest.mark.parametrize(
    "of, mark",
    [
        (record(BREAD | {"flags": ["training"]}), "Training"),
        (record(BREAD | {"flags": ["copy"]}), "Copy"),
        (record(BREAD | {"kind": "refund"}, original=related("sale", 3062)), "Refund"),
        (record(BREAD, amendments=(related("void", 3062),)), "Cancelled"),
    ],
    ids=["training", "copy", "refund", "void"],
)
def test_what_is_not_an_ordinary_receipt_says_so_on_every_page(
    made: Maker, of: ReceiptRecord, mark: str, page: Page
) -> None:
    assert all(mark in each for each in pages_of(made(of, page)))


def test_a_copy_that_is_asked_for_is_marked(made: Maker) -> None:
    assert "This is a copy of the receipt." in text_of(made(record(BREAD), copy=True))


@every_page
def test_what_came_back_stands_on_the_receipt(made: Maker, page: Page) -> None:
    said = text_of(made(record(BREAD, amendments=(related("refund", 2490),)), page))

    assert "Refund 000418" in said
    assert "−€24.90" in said
    assert "€24.90 of €30.62 went back." in said


@every_page
def test_arabic_runs_from_the_right(made: Maker, page: Page) -> None:
    text = pypdfium2.PdfDocument(made(CASES["ar"][0], page, language="ar"))[0].get_textpage()

    assert left_of(text, "58.50") < left_of(text, "Mastercard")


def test_the_slip_is_black_and_white_whatever_the_logo_and_the_sheet_has_the_brands_colour(made: Maker) -> None:
    assert not has_colour(pictures_of(made(record(BREAD), "roll"))[0])
    assert has_colour(pictures_of(made(record(BREAD), "a4"))[0])


def test_it_is_made_once_and_then_served_without_the_engine(made: Maker) -> None:
    with ThreadPoolExecutor(4) as threads:
        pdfs = set(threads.map(lambda _: made(record(BREAD), language="fr"), range(4)))
    made.pool = PdfPool(fonts=Path("nowhere"), static=FOLDER)
    made.pool.close()

    assert pdfs == {made(record(BREAD), language="fr")}


def test_another_language_page_mark_or_a_refund_makes_another_pdf(made: Maker) -> None:
    plain, refunded = record(BREAD), record(BREAD, amendments=(related("refund", 2490),))
    pdfs = [made(plain), made(plain, language="de"), made(plain, "a4"), made(plain, copy=True), made(refunded)]

    assert len(set(pdfs)) == len(pdfs)


def test_a_new_return_text_makes_another_pdf(made: Maker) -> None:
    before = made(record(BREAD))
    made.look = replace(made.look, return_text={"en": "Exchange within 60 days."})

    assert "60 days" in text_of(made(record(BREAD)))
    assert "30 days" in text_of(before)


def test_without_the_engine_the_answer_is_a_clear_503_and_nothing_is_kept(made: Maker) -> None:
    with PdfPool(fonts=Path("nowhere"), static=FOLDER) as closed:
        pass
    working, made.pool = made.pool, closed

    with pytest.raises(PdfUnavailable) as refused:
        made(record(BREAD), language="es")
    assert refused.value.status == 503
    made.pool = working
    assert made(record(BREAD), language="es").startswith(b"%PDF")


@given(name=st.text(min_size=1, max_size=30).filter(lambda text: text.isprintable()))
@settings(max_examples=25)
def test_any_name_makes_well_formed_markup(storage: Folder, look: BrandLook, name: str) -> None:
    line = {"id": "1", "name": name, "total": "1.00"}
    of = record(PLAIN | {"lines": [line], "total": "1.00", "fiscal": {"lines": [name], "values": {name: name}}})

    for page in PAGES:
        html = sheet(of, look, storage=storage, url=URL, language="ar", page=page, copy=False).html
        assert name in "".join(ET.fromstring(html).itertext())  # noqa: S314 - our own


def html_of(made: Maker, of: ReceiptRecord) -> str:
    return sheet(of, made.look, storage=made.storage, url=URL, language="en", page="roll", copy=False).html


def words_of(of: ReceiptRecord, language: str) -> Iterator[str]:
    """What the view says, in words without spaces and marks: how lines are broken is the paper's own."""
    for text in strings(view(of, language=language)):
        yield from re.sub("[\u200e\u200f\u2066-\u2069]", "", text).replace("\u00a0", " ").split()


def letters_of(word: str) -> str:
    return "".join(sorted(re.sub(r"\W", "", word)))


NOT_TOLD = {
    *("token", "kind", "id", "url", "language", "direction", "content_language", "iso", "method", "qr", "figure"),
    *("brand", "place", "type", "tone", "time", "date"),
}


def strings(part: Any) -> Iterator[str]:
    """Every text that the view has for a reader."""
    if isinstance(part, tuple):
        for each in part:
            yield from strings(each)
    elif isinstance(part, str):
        yield part
    elif hasattr(part, "__slots__"):
        # A table of no lines has no head.
        headless = {"item_count", "currency"} if isinstance(part, ReceiptView) and not part.items else set()
        for name in part.__slots__:
            if name not in NOT_TOLD | headless:
                yield from strings(getattr(part, name))


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
