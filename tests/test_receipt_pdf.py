"""The PDF of a receipt says what the page says, to everybody."""

import re
import xml.etree.ElementTree as ET
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import zxingcpp
from hypothesis import given, settings
from hypothesis import strategies as st
from structlog.testing import capture_logs

from infra.folder import open_folder
from infra.pdf import Page
from receipts.paper import sheet
from receipts.records import ReceiptRecord
from receipts.shapes import ReceiptView
from receipts.view import view
from tests.support.paper import CASES, PAGES, PLAIN, URL, Maker, every_case, every_page, pages_of, pictures_of, text_of
from tests.support.records import BREAD, record, related


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
    made.storage = open_folder(tmp_path / "fresh")

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


@given(name=st.text(min_size=1, max_size=30).filter(lambda text: text.isprintable()))
@settings(max_examples=25)
def test_any_name_makes_well_formed_markup(printer: Maker, name: str) -> None:
    line = {"id": "1", "name": name, "total": "1.00"}
    of = record(PLAIN | {"lines": [line], "total": "1.00", "fiscal": {"lines": [name], "values": {name: name}}})

    for page in PAGES:
        html = sheet(of, printer.look, logo=printer.logo, url=URL, language="ar", page=page, copy=False).html
        assert name in "".join(ET.fromstring(html).itertext())  # noqa: S314 - our own


def html_of(made: Maker, of: ReceiptRecord) -> str:
    return sheet(of, made.look, logo=made.logo, url=URL, language="en", page="roll", copy=False).html


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
