"""Logos for paper: ink where the logo is, paper around it."""

from io import BytesIO

import pytest
from PIL import Image, ImageDraw

from infra.monochrome import black_on_white, in_grey, on_white


def a_logo(ground: str | tuple[int, ...], disc: str, *, bar: str | None = None) -> bytes:
    picture = Image.new("RGBA", (200, 100), ground)
    draw = ImageDraw.Draw(picture)
    draw.ellipse((20, 20, 80, 80), fill=disc)
    if bar:
        draw.rectangle((100, 40, 180, 60), fill=bar)
    out = BytesIO()
    picture.save(out, "PNG")
    return out.getvalue()


def printed(png: bytes) -> Image.Image:
    ink = black_on_white(png)
    assert ink is not None
    return Image.open(BytesIO(ink))


def share_of_ink(picture: Image.Image) -> float:
    return picture.convert("L").histogram()[0] / (picture.width * picture.height)


@pytest.mark.parametrize(
    "logo",
    [
        a_logo("#1f5c47", "white"),
        a_logo("white", "#1f5c47"),
        a_logo("#ffe9a8", "#7a4a12"),
        a_logo((0, 0, 0, 0), "white"),
        a_logo((0, 0, 0, 0), "#e02020"),
    ],
    ids=["white on green", "green on white", "brown on cream", "white on nothing", "red on nothing"],
)
def test_the_mark_is_black_on_white_and_fills_its_picture_whatever_its_colours(logo: bytes) -> None:
    picture = printed(logo)

    assert {tone for _, tone in picture.getcolors() or ()} == {0, 255}
    assert abs(picture.width - picture.height) < 8
    assert 0.7 < share_of_ink(picture) < 0.85  # a disc in its square
    assert picture.getpixel((0, 0)) == 255


def test_a_light_colour_beside_a_dark_one_is_printed_too() -> None:
    picture = printed(a_logo("white", "#e02020", bar="#f0c040"))

    assert picture.width > 2 * picture.height
    assert picture.getpixel((picture.width - 10, picture.height // 2)) == 0


def test_a_picture_of_one_colour_is_no_logo() -> None:
    assert black_on_white(a_logo("#1f5c47", "#1f5c47")) is None


def test_on_the_sheet_it_keeps_its_colours_over_white_and_is_no_larger_than_asked() -> None:
    picture = Image.open(BytesIO(on_white(a_logo((0, 0, 0, 0), "#1f5c47"), 100)))

    assert (picture.mode, picture.size) == ("RGB", (100, 50))
    assert picture.getpixel((0, 0)) == (255, 255, 255)
    assert picture.getpixel((25, 25)) == (0x1F, 0x5C, 0x47)


def test_a_code_of_one_bit_a_pixel_becomes_grey_and_stays_the_same() -> None:
    out = BytesIO()
    Image.frombytes("1", (8, 1), b"\xaa").save(out, "PNG")
    grey = Image.open(BytesIO(in_grey(out.getvalue())))

    assert grey.mode == "L"
    assert [grey.getpixel((x, 0)) for x in range(8)] == [255, 0] * 4
