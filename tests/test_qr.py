"""QR codes: the symbol is the standard's, the pictures are small, and a reader reads each of them."""

import random
import string
import xml.etree.ElementTree as ET
from io import BytesIO

import pypdfium2
import pytest
import weasyprint
import zxingcpp
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageDraw
from qrcode.main import QRCode

from infra import qr

URL = "https://receipts.example.com/r/Zm9vYmFyYmF6cXV4MTIzNA"
LEVELS = {"L": 1, "M": 0, "Q": 3, "H": 2}
SVG = "{http://www.w3.org/2000/svg}"

texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=120) | st.text("0123456789A", min_size=30)


def read(picture: Image.Image) -> list[str]:
    return [code.text for code in zxingcpp.read_barcodes(picture)]


def opened(png: bytes) -> Image.Image:
    return Image.open(BytesIO(png))


def drawn(svg: str, ground: str = "white") -> Image.Image:
    """The SVG as an engine draws it that is not ours."""
    style = f"@page {{ size: 400px; margin: 0; background: {ground} }} svg {{ width: 400px; height: 400px }}"
    pdf = weasyprint.HTML(string=f"<style>{style}</style>{svg}").write_pdf()
    picture: Image.Image = pypdfium2.PdfDocument(pdf)[0].render(scale=1.5).to_pil()
    return picture


def a_logo(width: int = 300, height: int = 120) -> bytes:
    logo = Image.new("RGBA", (width, height), (0, 0, 0, 0))
    ImageDraw.Draw(logo).rounded_rectangle((0, 0, width - 1, height - 1), height // 4, fill=(180, 20, 60, 255))
    out = BytesIO()
    logo.save(out, "PNG")
    return out.getvalue()


def a_link(length: int, seed: int) -> str:
    start = "https://receipts.example.com/r/"
    return start + "".join(random.Random(seed).choices(string.ascii_letters + string.digits, k=length - len(start)))


@settings(deadline=None)
@given(text=texts, ecc=st.sampled_from(["L", "M", "Q", "H"]))
def test_the_symbol_equals_the_library_s_module_by_module(text: str, ecc: qr.Ecc) -> None:
    library = QRCode(error_correction=LEVELS[ecc])
    library.add_data(text)
    library.make()

    assert qr.matrix(text, ecc) == tuple("".join("1" if dark else "0" for dark in row) for row in library.modules)


@pytest.mark.parametrize("length", [1, 20, 60, 120, 250, 600, 1200, 2331])
def test_short_and_long_texts_are_read_back(length: int) -> None:
    text = "Räksmörgås "[: max(1, length // 2)] + "x" * length
    text = text.encode()[:length].decode(errors="ignore")

    assert read(opened(qr.png(text, scale=4))) == [text]


def test_a_text_that_no_symbol_holds_is_refused_with_the_limit() -> None:
    with pytest.raises(qr.TextTooLong, match="2,331 bytes"):
        qr.matrix("x" * 2332, "M")


@pytest.mark.parametrize("length", [46, 60, 75])
def test_the_svg_of_a_link_is_at_most_2500_bytes(length: int) -> None:
    assert max(len(qr.svg(a_link(length, seed))) for seed in range(40)) <= 2500


@pytest.mark.parametrize("margin", [2, 4])
@pytest.mark.parametrize("seed", range(3))
def test_the_svg_is_read_back_as_another_engine_draws_it(seed: int, margin: int) -> None:
    link = a_link(50 + 10 * seed, seed)

    assert read(drawn(qr.svg(link, margin=margin))) == [link]


def test_the_svg_brings_its_own_white_ground_for_dark_pages() -> None:
    picture = drawn(qr.svg(URL), ground="black")

    assert picture.getpixel((20, 20)) == (255, 255, 255)
    assert read(picture) == [URL]


def test_the_svg_says_what_it_is_and_needs_no_style() -> None:
    root = ET.fromstring(qr.svg(URL, size=180, title="Receipt <42> & more"))  # noqa: S314 - our own

    assert (root.get("role"), root.get("width"), root.get("height")) == ("img", "180", "180")
    assert root.findtext(f"{SVG}title") == "Receipt <42> & more"
    assert [part.tag for part in root] == [f"{SVG}title", f"{SVG}path", f"{SVG}path"]
    assert not any("style" in part.attrib or "id" in part.attrib for part in root.iter())


def test_the_png_has_one_bit_a_pixel_and_stays_small() -> None:
    png = qr.png(URL, scale=8)

    assert opened(png).mode == "1"
    assert len(png) < 1000


def test_the_png_has_exactly_the_size_asked_for() -> None:
    picture = opened(qr.png(URL, size=513))

    assert picture.size == (513, 513)
    assert read(picture) == [URL]


def test_a_size_smaller_than_the_code_is_refused_with_the_least() -> None:
    with pytest.raises(qr.SizeTooSmall, match="at least 41 pixels"):
        qr.png(URL, size=40)


@pytest.mark.parametrize("shape", [(300, 120), (64, 64), (40, 200), (900, 60)])
@pytest.mark.parametrize("ecc", ["M", "Q", "H"])
def test_a_code_with_a_logo_is_read_back_in_both_forms(ecc: qr.Ecc, shape: tuple[int, int]) -> None:
    logo = a_logo(*shape)

    assert read(opened(qr.png(URL, ecc=ecc, logo=logo))) == [URL]
    assert read(drawn(qr.svg(URL, ecc=ecc, logo=logo))) == [URL]


def test_a_logo_lies_in_the_middle_on_white() -> None:
    picture = opened(qr.png(URL, logo=a_logo(64, 64), size=400))

    assert picture.getpixel((200, 200)) == (180, 20, 60)


def test_a_logo_that_hides_the_code_is_made_smaller(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(qr, "_SHARES", (0.45, 0.05))

    assert read(opened(qr.png(URL, logo=a_logo(64, 64)))) == [URL]


def test_a_logo_that_hides_the_code_at_every_size_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(qr, "_SHARES", (0.45,))

    with pytest.raises(qr.LogoHidesCode):
        qr.png(URL, logo=a_logo(64, 64))
