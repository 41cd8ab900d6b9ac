"""The codes that a sale brings along: drawn as it wants them, or as text where no code holds them."""

from io import BytesIO
from typing import Any

import pypdfium2
import pytest
import weasyprint
import zxingcpp

from kernel.errors import Invalid
from receipts.codes import code_svg
from receipts.view import view
from tests.support.inside import Person, on_sqlite
from tests.support.records import BREAD, record
from tests.support.sales import coffee

EAN = "4006381333931"


def with_codes(*codes: dict[str, str]) -> dict[str, Any]:
    return BREAD | {"barcodes": list(codes)}


def read(svg: str | None) -> tuple[str, str]:
    """The kind of the code in a picture, and its text."""
    assert svg is not None
    page = "<style>@page { size: 700px 700px; margin: 10px } svg { width: 680px }</style>"
    pdf = weasyprint.HTML(string=page + svg).write_pdf()
    [code] = zxingcpp.read_barcodes(pypdfium2.PdfDocument(BytesIO(pdf))[0].render(scale=2).to_pil())
    return code.format.name, code.text


@pytest.mark.parametrize(
    "code, kind",
    [
        ({"type": "qr", "value": EAN}, "QRCode"),
        ({"type": "code128", "value": EAN}, "Code128"),
        ({"type": "ean13", "value": EAN}, "EAN13"),
        ({"type": "code128", "value": "VOUCHER-" * 7}, "QRCode"),
        ({"type": "code128", "value": "قسيمة"}, "QRCode"),
        ({"type": "qr", "value": "😀" * 500}, "QRCode"),
    ],
    ids=["qr", "code128", "ean13", "long", "no ASCII", "longest"],
)
def test_a_code_is_drawn_as_the_sale_wants_or_else_as_a_qr_code(code: dict[str, str], kind: str) -> None:
    of = record(with_codes(code))
    [shown] = view(of, language="en").codes

    assert read(code_svg(of.content, "0")) == (kind, code["value"])
    assert shown.type == {"QRCode": "qr", "Code128": "code128", "EAN13": "ean13"}[kind]


def test_twelve_digits_of_an_ean_get_their_check_digit() -> None:
    of = record(with_codes({"type": "ean13", "value": EAN[:12]}))

    assert read(code_svg(of.content, "0")) == ("EAN13", EAN)


@pytest.mark.parametrize(
    "value, expected",
    [("4006381333932", "last digit should be 1"), ("40063813339", "twelve digits"), ("ABC", "twelve digits")],
)
def test_what_is_no_ean_is_refused_with_what_would_be_right(value: str, expected: str) -> None:
    with pytest.raises(Invalid) as refused:
        record(with_codes({"type": "ean13", "value": value}))

    [error] = refused.value.errors
    assert error.pointer == "/barcodes/0/value"
    assert expected in error.detail
    assert value not in error.detail


@pytest.mark.parametrize("name", ["1", "-1", "00", "²", "x", "9" * 5000, "fiscal"])
def test_there_is_no_other_code(name: str) -> None:
    of = record(with_codes({"value": "1"}) | {"fiscal": {"lines": ["signed"]}})

    assert code_svg(of.content, name) is None


@on_sqlite
@pytest.mark.parametrize("fiscal", ["V0;till-3;" + "x" * 1900, "ж" * 2000], ids=["held", "too long"])
def test_every_picture_of_the_page_is_there_and_what_none_holds_is_text(owner: Person, fiscal: str) -> None:
    codes = [{"value": "V" * 60, "label": "Voucher"}, {"type": "ean13", "value": EAN}]
    link = owner.post("/v1/receipts", coffee(barcodes=codes, fiscal={"qr": fiscal})).json()["url"]
    page = owner.get(link).text
    named = [name for name in ("fiscal", "0", "1") if f"/codes/{name}.svg" in page]

    assert [owner.get(f"{link}/codes/{name}.svg").status_code for name in named] == [200] * len(named)
    assert ("fiscal" in named) == (fiscal not in page)
