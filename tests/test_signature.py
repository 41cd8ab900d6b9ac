"""A card at the end of an email: what mail programs keep, to be read by day and by night."""

import re
import xml.etree.ElementTree as ET
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cards.signature import Signature, signature
from infra.theme import contrast, on_either
from tests.support.faces import emma
from tests.support.sitters import ARABIC
from tests.test_templates import LOOK

BASE = "https://receipts.test"
PHOTO = f"{BASE}/c/8Jv1mQWc0aYf3sRkT5xZpA/photo.jpg"


def emmas(colour: str = "#1f5c47", photo: str = PHOTO) -> Signature:
    return signature(emma(), replace(LOOK, colour=colour), photo_url=photo, base_url=BASE)


def tree(html: str) -> ET.Element:
    """As XML, which says that every tag is closed where it should be."""
    return ET.fromstring(html.replace("<br>", "<br/>").replace('"></td>', '"/></td>'))  # noqa: S314 - our own


def test_it_says_who_writes_and_how_to_reach_them() -> None:
    for form in (emmas().html, emmas().text):
        for said in ("Dr. Emma Lind", "Head baker · Bakery · Linden", "+49 30 5550 1234", "emma@linden-rye.example"):
            assert said in form
        assert f"{BASE}/c/8Jv1mQWc0aYf3sRkT5xZpA?s=email" in form


def test_the_text_starts_as_programs_know_signatures() -> None:
    assert emmas().text.startswith("-- \nDr. Emma Lind\n")


def test_a_number_keeps_its_order_among_arabic() -> None:
    arabic = signature(emma(language="ar"), LOOK, photo_url="", base_url=BASE)

    assert "\n\u2068+49 30 5550 1234\u200e\u2069\n" in arabic.text
    assert "\nemma@linden-rye.example\n" in arabic.text
    assert "\u2068" not in emmas().text


def test_all_style_is_in_the_line_and_nothing_comes_from_elsewhere() -> None:
    root = tree(emmas().html)

    assert not [element.tag for element in root.iter() if element.tag in ("style", "link", "script")]
    assert not [element for element in root.iter() if "class" in element.attrib or "id" in element.attrib]
    assert [element.attrib["src"] for element in root.iter("img")] == [PHOTO]
    assert all(re.match("(tel|mailto|https):", link.attrib["href"]) for link in root.iter("a"))


def test_without_a_photo_there_is_no_picture() -> None:
    assert "<img" not in emmas(photo="").html


@given(st.from_regex("#[0-9a-f]{6}", fullmatch=True))
def test_every_brand_s_colour_is_read_on_white_and_on_black(colour: str) -> None:
    assert min(contrast(on_either(colour), "#ffffff"), contrast(on_either(colour), "#000000")) >= 4.5


def test_every_colour_in_it_is_read_on_both() -> None:
    for colour in set(re.findall("#[0-9a-f]{6}", emmas("#123456").html)) - {"#ffffff"}:
        assert min(contrast(colour, "#ffffff"), contrast(colour, "#000000")) >= 4.5


def test_it_runs_from_the_right_where_its_language_does() -> None:
    html = signature(emma(language="ar", given=ARABIC["given"]), LOOK, photo_url=PHOTO, base_url=BASE).html

    assert 'dir="rtl"' in html
    assert "border-right:3px" in html
    assert "border-left" not in html


@pytest.mark.parametrize("name", ['<b onclick="x">', "\"'&<>", "</td></table>"])
def test_what_a_card_says_is_never_markup(name: str) -> None:
    html = signature(emma(name=name), LOOK, photo_url=PHOTO, base_url=BASE).html

    assert name in "".join(tree(html).itertext())
    assert "onclick" not in {attribute for element in tree(html).iter() for attribute in element.attrib}
