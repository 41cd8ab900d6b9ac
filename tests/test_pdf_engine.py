"""PDF: what the pages hold."""

import re
import time
from collections.abc import Iterator
from io import BytesIO
from typing import Any

import pypdf
import pypdfium2
import pytest
import structlog
import zxingcpp
from PIL import ImageOps

from bench.slip import LINK, STYLE, slip
from infra.pdf import PdfFailed, PdfPool
from tests.support.pdf import POINTS_A_MM, QR, drawn, page, pids, sizes_of, text_of

SCRIPTS = {
    "Latin": "Crème brûlée, Żurek, Smørrebrød, Phở đặc biệt, 2 × ₹1,20,000.50",
    "Greek": "Ελληνικός καφές και γαλακτομπούρεκο",
    "Cyrillic": "Борщ український, Ћевапи са кајмаком",
    "Arabic": "قهوة عربية بالهيل مع التمر السكري",
    "Devanagari": "मसाला डोसा, क्षत्रिय ज्ञान, विद्यार्थी की टिकट, श्री कृष्ण",
}


def test_a_roll_is_80_mm_wide_and_ends_below_its_last_line(pool: PdfPool) -> None:
    pdf = pool.render(slip(), page="roll", css=STYLE, files=QR)
    ((width, height),) = sizes_of(pdf)
    picture = drawn(pdf)
    *_, last = ImageOps.invert(picture).getbbox() or (0,)

    assert width == pytest.approx(80 * POINTS_A_MM, abs=0.01)
    assert 3 <= (picture.height - last) / 2 / POINTS_A_MM <= 7
    assert 200 * POINTS_A_MM < height < 400 * POINTS_A_MM


def test_a_slip_without_lines_is_a_short_roll(pool: PdfPool) -> None:
    ((_, height),) = sizes_of(pool.render(page("<p>Total 0.00</p>"), page="roll"))

    assert height < 20 * POINTS_A_MM


def test_three_hundred_lines_stay_one_page(pool: PdfPool) -> None:
    pdf = pool.render(slip(times=22), page="roll", css=STYLE, files=QR)
    ((_, height),) = sizes_of(pdf)

    assert height < 14_400
    assert text_of(pdf).count("Sourdough loaf") == 22


def test_a_roll_longer_than_a_page_may_be_goes_on_over_pages_without_losing_a_line(pool: PdfPool) -> None:
    rows = "".join(f"<tr><th>Item {number}</th><td>1.00</td></tr>" for number in range(1500))
    pdf = pool.render(page(f"<table>{rows}</table>"), page="roll", css=STYLE)
    heights = [height for _, height in sizes_of(pdf)]

    assert len(heights) > 1
    assert max(heights) <= 14_400
    assert re.findall(r"Item (\d+)", text_of(pdf)) == [str(number) for number in range(1500)]


def test_a4_has_its_size_and_as_many_pages_as_it_needs(pool: PdfPool) -> None:
    pdf = pool.render(slip(times=8), page="a4", css=STYLE, files=QR)

    assert len(sizes_of(pdf)) > 1
    for size in sizes_of(pdf):
        assert size == pytest.approx((210 * POINTS_A_MM, 297 * POINTS_A_MM), abs=0.1)


@pytest.mark.parametrize("form", ["roll", "a4"])
def test_the_qr_code_on_the_paper_is_read_back(pool: PdfPool, form: Any) -> None:
    sheets = pypdfium2.PdfDocument(pool.render(slip(), page=form, css=STYLE, files=QR))
    codes = [code.text for sheet in sheets for code in zxingcpp.read_barcodes(sheet.render(scale=3).to_pil())]

    assert codes == [LINK]


@pytest.mark.parametrize("script", SCRIPTS)
def test_every_script_is_drawn_without_squares_and_read_back_as_written(pool: PdfPool, script: str) -> None:
    direction = "rtl" if script == "Arabic" else "ltr"
    body = f"<h1>{SCRIPTS[script]}</h1><p>{SCRIPTS[script]}</p>"
    with structlog.testing.capture_logs() as logs:
        pdf = pool.render(page(body, direction=direction), page="a4")

    assert text_of(pdf).split("\n")[:2] == [SCRIPTS[script]] * 2
    assert 0 not in glyphs_of(pdf)
    assert logs == []


def glyphs_of(pdf: bytes) -> set[int]:
    """Every glyph that the pages show; 0 is the square."""
    sheets: list[Any] = list(pypdf.PdfReader(BytesIO(pdf)).pages)
    content = b"".join(sheet.get_contents().get_data() for sheet in sheets)
    strings = re.findall(rb"<((?:[0-9a-f]{4})+)>", content)
    return {int(string[at : at + 4], 16) for string in strings for at in range(0, len(string), 4)}


def test_letters_that_no_font_has_are_logged_by_script_and_never_by_letter(pool: PdfPool) -> None:
    with structlog.testing.capture_logs() as logs:
        pdf = pool.render(page("<p>Tea \U0010fffd</p>"), page="roll")

    assert text_of(pdf).startswith("Tea")
    assert [(log["event"], log["scripts_without_font"]) for log in logs] == [("pdf incomplete", ["Signs"])]


def test_the_paper_is_tagged_titled_and_in_its_language(pool: PdfPool) -> None:
    pdf = pool.render(slip().replace('lang="en"', 'lang="de"'), page="roll", css=STYLE, files=QR)
    reader = pypdf.PdfReader(BytesIO(pdf))
    catalog: Any = reader.root_object
    metadata = catalog["/Metadata"].get_data()

    assert catalog["/MarkInfo"]["/Marked"]
    assert catalog["/Lang"] == "de"
    assert catalog["/ViewerPreferences"]["/DisplayDocTitle"]
    assert reader.metadata is not None
    assert reader.metadata.title == "Receipt 000417"
    assert b"pdfuaid:part" in metadata
    tags = list(tags_of(catalog["/StructTreeRoot"]))
    assert {"/H1", "/H2", "/Table", "/TR", "/TH", "/TD", "/P", "/Figure"} <= {tag["/S"] for tag in tags}
    assert [tag["/Alt"] for tag in tags if tag["/S"] == "/Figure"] == ["QR code of this receipt"]


def tags_of(node: Any) -> Iterator[Any]:
    below = node.get("/K", [])
    for child in below if isinstance(below, list) else [below]:
        found = child.get_object() if hasattr(child, "get_object") else child
        if isinstance(found, dict):
            if "/S" in found:
                yield found
            yield from tags_of(found)


def test_all_fonts_are_embedded_and_ours(pool: PdfPool) -> None:
    pdf = pool.render(page(f"<h1>{' '.join(SCRIPTS.values())}</h1><p>Ελληνικός</p>"), page="a4")
    sheet: Any = pypdf.PdfReader(BytesIO(pdf)).pages[0]
    fonts = [font.get_object()["/DescendantFonts"][0].get_object() for font in sheet["/Resources"]["/Font"].values()]

    assert len(fonts) >= 5
    for font in fonts:
        assert "Counterfoil" in font["/BaseFont"]
        assert {"/FontFile2", "/FontFile3"} & font["/FontDescriptor"].keys()


def test_right_to_left_puts_the_names_to_the_right(pool: PdfPool) -> None:
    body = "<table><tr><th>■</th><td></td></tr></table>"
    style = "th { text-align: start }"
    darkest = []
    for direction in ("ltr", "rtl"):
        picture = drawn(pool.render(page(body, direction=direction), page="roll", css=style)).convert("L")
        halves = [picture.crop((x, 0, x + picture.width // 2, picture.height)) for x in (0, picture.width // 2)]
        darkest.append(min((0, 1), key=lambda side: halves[side].getextrema()))

    assert darkest == [0, 1]


def test_the_same_input_gives_the_same_bytes_in_another_process(pool: PdfPool, own_pool: PdfPool) -> None:
    body = f"<h1>{' '.join(SCRIPTS.values())}</h1>"
    first = pool.render(page(body), page="a4", css=STYLE)
    time.sleep(1.1)

    assert own_pool.render(page(body), page="a4", css=STYLE) == first
    assert own_pool.render(slip(), page="roll", css=STYLE, files=QR) == pool.render(
        slip(), page="roll", css=STYLE, files=QR
    )


def test_html_that_is_not_well_formed_gives_the_same_text(pool: PdfPool) -> None:
    sloppy = slip().replace("/>", ">").replace("</td></tr>", "").replace("DOCTYPE", "doctype")

    assert text_of(pool.render(sloppy, page="roll", css=STYLE, files=QR)).split() == (
        text_of(pool.render(slip(), page="roll", css=STYLE, files=QR)).split()
    )


@pytest.mark.parametrize("html", ["<p>no head</p>", "<html lang='en'><p>no title</p></html>"])
def test_a_page_without_language_or_title_is_our_mistake_and_costs_no_child(own_pool: PdfPool, html: str) -> None:
    own_pool.render(page("<p>x</p>"), page="roll")
    before = pids(own_pool)
    with structlog.testing.capture_logs() as logs, pytest.raises(PdfFailed) as failed:
        own_pool.render(html, page="roll")

    assert failed.value.status == 500
    assert "lang" in logs[0]["error"]
    assert pids(own_pool) == before
