"""Whatever colour a brand has, its page can be read by day and by night."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from infra.theme import READABLE, Palette, contrast, csp_hash, theme

COLOURS = st.integers(0, 0xFFFFFF).map(lambda number: f"#{number:06x}")
EXTREMES = ["#000000", "#ffffff", "#ffff00", "#ff0000", "#0000ff", "#00ff00", "#777777", "#1f5c47"]


def pairs(palette: Palette) -> dict[str, float]:
    """The contrast of every text with what it stands on."""
    texts = {
        "brand": ("on_brand", "on_brand_soft"),
        "engraving": ("on_brand", "on_brand_soft"),
        "paper": ("ink", "muted", "accent"),
        "soft": ("ink", "muted", "accent"),
        "ground": ("ink", "muted"),
    }
    return {
        f"{text} on {ground}": contrast(getattr(palette, text), getattr(palette, ground))
        for ground, those in texts.items()
        for text in those
    }


def unreadable(colour: str) -> dict[str, float]:
    found = theme(colour)
    both = {"light": found.light, "dark": found.dark}
    return {
        f"{name}: {pair}": ratio
        for name, palette in both.items()
        for pair, ratio in pairs(palette).items()
        if ratio < READABLE
    }


@given(colour=COLOURS)
def test_every_text_can_be_read_on_its_ground(colour: str) -> None:
    assert unreadable(colour) == {}


@pytest.mark.parametrize("colour", EXTREMES)
def test_the_most_awkward_colours_can_be_read_too(colour: str) -> None:
    assert unreadable(colour) == {}


def test_contrast_is_that_of_wcag() -> None:
    assert contrast("#000000", "#ffffff") == pytest.approx(21)
    assert contrast("#777777", "#ffffff") == pytest.approx(4.478, abs=0.001)


@pytest.mark.parametrize("colour", ["#1f5c47", "#8a1c4a", "#ffd500"])
def test_by_day_a_brand_shows_its_own_colour(colour: str) -> None:
    assert theme(colour).light.brand == colour


def test_a_white_brand_is_not_lost_on_white_paper() -> None:
    light = theme("#ffffff").light
    assert contrast(light.brand, light.paper) > 1.1


@given(colour=COLOURS)
def test_by_night_nothing_large_is_bright(colour: str) -> None:
    dark = theme(colour).dark
    assert all(contrast(large, "#000000") < 3 for large in (dark.brand, dark.paper, dark.soft, dark.ground))


@given(colour=COLOURS)
def test_the_styles_set_both_palettes_and_nothing_else(colour: str) -> None:
    css = theme(colour).css
    day, night = css.split("@media(prefers-color-scheme:dark)")
    assert set(re.findall(r"--([a-z-]+):#[0-9a-f]{6}", day)) == set(re.findall(r"--([a-z-]+):#[0-9a-f]{6}", night))
    assert re.fullmatch(r"[-a-z0-9#:;(){}@]+", css)


def test_the_styles_are_allowed_by_their_hash() -> None:
    # printf 'a{}' | openssl sha256 -binary | openssl base64
    assert csp_hash("a{}") == "'sha256-X1RutGBrXCt9KkSaXMK7tHftWiRscFHOhxsS8tv8hBk='"
    assert theme("#1f5c47").csp_hash == csp_hash(theme("#1f5c47").css)
