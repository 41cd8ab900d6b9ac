"""Barcodes of receipt numbers: a reader reads each of them as another engine draws it."""

import pypdfium2
import pytest
import weasyprint
import zxingcpp
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from infra import barcode

NUMBERS = [
    "000417",
    "T3-20261121-000417",
    "1",
    "12345",
    "A1234B",
    "#1001",
    "0 0",
    "~`{|}",
    "98765432109876543210987654",
]


def read(svg: str | None) -> list[tuple[str, str]]:
    assert svg is not None
    page = "<style>@page { size: 700px 140px; margin: 10px } svg { width: 680px }</style>"
    pdf = weasyprint.HTML(string=page + svg).write_pdf()
    picture: Image.Image = pypdfium2.PdfDocument(pdf)[0].render(scale=2).to_pil()
    return [(code.format.name, code.text) for code in zxingcpp.read_barcodes(picture)]


@pytest.mark.parametrize("number", NUMBERS)
def test_a_receipt_number_is_read_back_as_code_128(number: str) -> None:
    assert read(barcode.code128_svg(number)) == [("Code128", number)]


@settings(deadline=None, max_examples=40)
@given(number=st.text(st.characters(min_codepoint=32, max_codepoint=126), min_size=1, max_size=20))
def test_any_short_printable_number_is_read_back(number: str) -> None:
    assert read(barcode.code128_svg(number)) == [("Code128", number)]


@pytest.mark.parametrize("number", ["", "Größe", "قسيمة", "one\ntwo", "x" * 25, "²²²²"])
def test_what_code_128_cannot_hold_or_a_phone_cannot_show_gives_none(number: str) -> None:
    assert barcode.code128_svg(number) is None


def test_a_valid_ean_becomes_an_ean_13() -> None:
    assert read(barcode.ean13_svg("4006381333931")) == [("EAN13", "4006381333931")]


@pytest.mark.parametrize("number", ["4006381333932", "400638133393", "40063813339311"])
def test_digits_that_are_no_ean_give_none(number: str) -> None:
    assert barcode.ean13_svg(number) is None


def test_the_svg_is_small_and_says_what_it_is() -> None:
    svg = barcode.code128_svg("T3-20261121-000417", height=48, title="Receipt <T3>")

    assert svg is not None
    assert "<title>Receipt &lt;T3&gt;</title>" in svg
    assert ' 48" role="img">' in svg
    assert len(svg) < 1000
