"""Text in pictures fits where it belongs, is shaped, and never becomes squares."""

import pytest
import structlog
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageDraw

from infra import lettering
from infra.lettering import Fit, fitted, legible
from tests.support.sitters import ARABIC, HINDI

NARROW = Fit(300, most=60, least=20, lines=2)


def said(text: str, fit: Fit = NARROW) -> list[str]:
    return [line.text for line in fitted(text, fit)]


def ink(text: str, fit: Fit = NARROW) -> tuple[Image.Image, float]:
    """The first line as it is drawn, with room around it, and how wide it says it is."""
    [line, *_] = fitted(text, fit)
    canvas = Image.new("L", (1000, 300))
    lettering.draw(ImageDraw.Draw(canvas), line, (300, 150), "white")
    return canvas, line.width


def test_a_short_name_is_as_large_as_it_may_be() -> None:
    [line] = fitted("Emma", NARROW)

    assert (line.text, line.size) == ("Emma", 60)


def test_a_longer_one_is_smaller_or_takes_another_line() -> None:
    lines = fitted("Emma Lind of the rye bread", NARROW)

    assert [len(lines), " ".join(line.text for line in lines)] == [2, "Emma Lind of the rye bread"]
    assert 20 < lines[0].size < 60


@pytest.mark.parametrize("text", ["word " * 200, "Wolfeschlegelsteinhausen" * 5, "خبير القهوة " * 50, "विशेषज्ञ" * 50])
def test_what_is_too_long_ends_in_an_ellipsis(text: str) -> None:
    lines = fitted(text, NARROW)

    assert len(lines) <= 2
    assert lines[-1].text.endswith("…")
    assert all(line.width <= 300 for line in lines)


@given(text=st.text(max_size=80), width=st.integers(60, 500))
@settings(max_examples=80, deadline=None)
def test_no_text_is_wider_than_its_place(text: str, width: int) -> None:
    lines = fitted(text, Fit(width, most=40, least=20, lines=2))

    assert len(lines) <= 2
    assert all(line.width <= width for line in lines)


@pytest.mark.parametrize(
    "text", ["Emma Lind", "Ẑôë Ğÿ", ARABIC["given"], ARABIC["family"], HINDI["family"], "Καφές Борщ"]
)
def test_a_line_is_as_wide_as_it_says(text: str) -> None:
    canvas, width = ink(str(text))
    left, top, right, bottom = canvas.getbbox() or (0, 0, 0, 0)

    assert 300 - 8 <= left < 300 + 12
    assert right <= 300 + width + 8
    assert top > 0
    assert bottom < 300


def strokes(canvas: Image.Image) -> int:
    """In how many pieces, seen from left to right, something is written."""
    columns = [canvas.crop((x, 0, x + 1, canvas.height)).getbbox() is not None for x in range(canvas.width)]
    return sum(here and not before for before, here in zip([False, *columns], columns, strict=False))


def test_letters_of_arabic_are_joined() -> None:
    assert strokes(ink("محمد")[0]) == 1
    assert sum(strokes(ink(letter)[0]) for letter in "محمد") == 4


def test_two_scripts_in_a_line_stand_in_its_order() -> None:
    [from_the_right] = fitted("الخطيب (Sam)", Fit(900, most=60, least=20))
    [from_the_left] = fitted("Sam الخطيب GmbH", Fit(900, most=60, least=20))

    assert [run.text for run in from_the_right.runs] == ["(Sam)", "الخطيب "]
    assert [run.text for run in from_the_left.runs] == ["Sam ", "الخطيب", " ", "GmbH"]


def test_what_has_no_letter_here_is_left_out_and_told() -> None:
    with structlog.testing.capture_logs() as logs:
        assert legible("Emma 🌿\u200f\u0000 Lind") == "Emma Lind"

    assert [entry["scripts"] for entry in logs] == [["Signs"]]


def test_where_nothing_can_shape_them_letters_are_not_drawn_wrongly(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lettering, "has_shaping", lambda: False)

    assert legible("Emma محمد प्रियंका Борщ") == "Emma Борщ"


@pytest.mark.parametrize(
    "text, kept",
    [
        ("بيت الورد · دبي", ""),
        ("بيت الورد · Dubai", "Dubai"),
        ("Rose House · دبي", "Rose House"),
        ("Rose House · دبي · Dubai", "Rose House · Dubai"),
        ("(दुबई, भारत)", ""),
        ("Rose House · Dubai", "Rose House · Dubai"),
        ("·", "·"),
    ],
)
def test_what_is_left_out_takes_its_dot_with_it(text: str, kept: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lettering, "has_shaping", lambda: False)

    assert legible(text) == kept


def test_marks_are_not_torn_from_their_letters() -> None:
    """At every width, what is left of a word ends with a whole cluster of its letters."""
    whole = "क्षत्रिय" * 3
    clusters = list(lettering._clusters(whole))
    ends = {"".join(clusters[:count]) for count in range(len(clusters) + 1)}

    for width in range(40, 300, 7):
        [text] = said(whole, Fit(width, most=30, least=30))
        assert text.removesuffix("…") in ends
