"""Uploaded photos of people: square, upright, in sRGB, and free of what a camera writes beside them."""

import struct
from contextlib import suppress
from inspect import getsource
from io import BytesIO
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageCms, ImageDraw

from infra import portraits
from infra.images import NotAPicture, PictureTooLarge, checked, upright
from tests.support.bounded import bounded
from tests.test_images import a_file, opened, png_claiming

RED, BLUE, GREEN = (210, 20, 30), (20, 40, 200), (20, 160, 60)
ORIENTATION, GPS, MAKER = 0x0112, 0x8825, 0x010F


def saved(picture: Image.Image, form: str, **options: Any) -> bytes:
    out = BytesIO()
    picture.save(out, form, **options)
    return out.getvalue()


def near(data: bytes, at: tuple[int, int], colour: tuple[int, ...]) -> bool:
    found = opened(data).convert("RGB").getpixel(at)
    assert isinstance(found, tuple)
    return all(abs(one - other) < 24 for one, other in zip(found, colour, strict=True))


def quartered(size: tuple[int, int] = (400, 400)) -> Image.Image:
    """Red above on the left; blue on the right of it; green below."""
    picture = Image.new("RGB", size, GREEN)
    draw = ImageDraw.Draw(picture)
    draw.rectangle((0, 0, size[0] // 2, size[1] // 2), fill=RED)
    draw.rectangle((size[0] // 2, 0, size[0], size[1] // 2), fill=BLUE)
    return picture


@pytest.mark.parametrize("form", ["PNG", "JPEG", "WEBP"])
def test_a_large_photo_becomes_640_pixels_square(form: str) -> None:
    photo = opened(portraits.portrait(a_file(form, (3000, 2000))))

    assert (photo.format, photo.mode, photo.size) == ("JPEG", "RGB", (640, 640))


def test_a_small_photo_is_cut_square_and_not_blown_up() -> None:
    assert opened(portraits.portrait(a_file("PNG", (300, 200)))).size == (200, 200)


def test_a_wide_photo_is_cut_to_its_middle() -> None:
    wide = Image.new("RGB", (1200, 400), GREEN)
    wide.paste(RED, (400, 0, 800, 400))

    photo = portraits.portrait(saved(wide, "PNG"))

    assert all(near(photo, at, RED) for at in [(5, 200), (395, 200)])


def test_a_tall_photo_keeps_more_of_its_upper_part() -> None:
    tall = Image.new("RGB", (400, 800), GREEN)
    tall.paste(RED, (0, 100, 400, 500))

    photo = portraits.portrait(saved(tall, "PNG"))

    assert all(near(photo, at, RED) for at in [(200, 5), (200, 395)])


@pytest.mark.parametrize("form", ["JPEG", "PNG", "WEBP"])
@pytest.mark.parametrize("turn", range(1, 9))
def test_a_photo_stands_upright_however_the_camera_was_held(form: str, turn: int) -> None:
    back = {
        2: Image.Transpose.FLIP_LEFT_RIGHT,
        3: Image.Transpose.ROTATE_180,
        4: Image.Transpose.FLIP_TOP_BOTTOM,
        5: Image.Transpose.TRANSPOSE,
        6: Image.Transpose.ROTATE_90,
        7: Image.Transpose.TRANSVERSE,
        8: Image.Transpose.ROTATE_270,
    }
    taken = quartered().transpose(back[turn]) if turn in back else quartered()
    exif = Image.Exif()
    exif[ORIENTATION] = turn

    photo = portraits.portrait(saved(taken, form, exif=exif))

    assert near(photo, (80, 80), RED)
    assert near(photo, (320, 80), BLUE)
    assert near(photo, (200, 320), GREEN)


def test_nothing_of_what_a_camera_writes_beside_is_kept() -> None:
    exif = Image.Exif()
    exif[MAKER] = "Camera of Emma"
    exif.get_ifd(GPS)[2] = (52.0, 31.0, 12.5)
    srgb = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    kept = saved(quartered(), "JPEG", exif=exif, icc_profile=srgb, comment=b"made by Emma", dpi=(300, 300))

    photo = portraits.portrait(kept)

    assert opened(kept).getexif().get_ifd(GPS)
    for form in (photo, portraits.for_vcard(photo), *(portraits.portrait_form(photo, f, 224) for f in ("webp", "jpg"))):
        assert b"Emma" not in form
        assert not {"exif", "icc_profile", "comment", "dpi", "xmp"} & opened(form).info.keys()
        assert not opened(form).getexif()


def test_a_wide_gamut_becomes_srgb() -> None:
    """In a profile whose red and blue have changed places, what is written as blue is seen as red."""
    swapped = bytearray(ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes())
    for at in range(132, 132 + 12 * struct.unpack_from(">I", swapped, 128)[0], 12):
        tag = bytes(swapped[at : at + 4])
        swapped[at : at + 4] = {b"rXYZ": b"bXYZ", b"bXYZ": b"rXYZ"}.get(tag, tag)

    photo = portraits.portrait(saved(Image.new("RGB", (100, 100), (0, 0, 255)), "PNG", icc_profile=bytes(swapped)))

    assert near(photo, (50, 50), (255, 0, 0))


def test_a_broken_profile_is_left_out() -> None:
    photo = portraits.portrait(saved(quartered(), "JPEG", icc_profile=b"\0" * 200))

    assert near(photo, (80, 80), RED)


@pytest.mark.parametrize("mode", ["RGBA", "LA", "P"])
def test_what_is_transparent_becomes_white(mode: str) -> None:
    picture = Image.new("RGBA", (100, 100), (0, 0, 0, 0))
    photo = portraits.portrait(saved(picture.convert(mode), "PNG", **({"transparency": 0} if mode == "P" else {})))

    assert near(photo, (50, 50), (255, 255, 255))


def test_a_photo_for_print_keeps_its_colours() -> None:
    photo = portraits.portrait(saved(quartered().convert("CMYK"), "JPEG"))

    assert near(photo, (80, 80), RED)
    assert near(photo, (320, 80), BLUE)


@pytest.mark.parametrize(
    "picture, tone",
    [
        (Image.new("I;16", (80, 80), 0x8000), (128, 128, 128)),
        (Image.new("L", (80, 80), 90), (90, 90, 90)),
        (Image.new("1", (80, 80), 1), (255, 255, 255)),
        (Image.new("RGB", (80, 80), RED).convert("P", palette=Image.Palette.ADAPTIVE), RED),
    ],
    ids=["16 bits", "grey", "1 bit", "palette"],
)
def test_every_kind_of_pixel_keeps_its_tone(picture: Image.Image, tone: tuple[int, ...]) -> None:
    assert near(portraits.portrait(saved(picture, "PNG")), (40, 40), tone)


@pytest.mark.parametrize(
    "data, reason",
    [
        (b"", "not a PNG, JPEG or WebP"),
        (b'<svg xmlns="http://www.w3.org/2000/svg"/>', "SVG is not accepted"),
        (a_file("JPEG")[:600], "damaged"),
        (a_file("WEBP")[:200], "damaged"),
        (a_file("PNG")[:300], "damaged"),
        (b"x" * 8_000_001, "8,000,001 bytes; at most 8,000,000"),
        (png_claiming(4001, 4000), "more than 16 megapixels"),
        (png_claiming(60000, 60000), "more than 16 megapixels"),
        (a_file("WEBP", save_all=True, append_images=[Image.new("RGB", (640, 320))]), "moves"),
    ],
    ids=["empty", "svg", "cut jpeg", "cut webp", "cut png", "heavy", "large", "bomb", "animated"],
)
def test_what_is_no_photo_is_refused_with_the_reason(data: bytes, reason: str) -> None:
    with pytest.raises((NotAPicture, PictureTooLarge), match=reason):
        portraits.portrait(data)


NEEDED = "from io import BytesIO\nfrom typing import Any\nfrom PIL import Image\n"
DRAWN = """
from infra import portraits
from kernel.errors import TooLarge
data = {data}
try:
    print(len(portraits.portrait(data)) > 0)
except TooLarge as problem:
    print(problem.detail[:40])
"""


@pytest.mark.parametrize(
    "data, told",
    [
        ('saved(Image.new("RGB", (4000, 4000)), "PNG")', "True"),
        ('saved(Image.new("RGB", (4000, 4000)), "WEBP", method=0)', "True"),
        ('saved(Image.new("L", (8000, 5000)), "JPEG")', "True"),
        ('saved(Image.new("L", (8001, 5000)), "JPEG")', "The picture has more than 40 megapixels."),
        ('saved(Image.new("L", (8000, 5000)), "JPEG", progressive=True)', "The picture has more than 16 megapixels."),
        ('saved(Image.new("1", (8000, 5000)), "PNG")', "The picture has more than 16 megapixels."),
        ('saved(Image.new("P", (8000, 5000)), "WEBP", lossless=True, method=0)', "The picture has more than 16 megapi"),
    ],
    ids=["png", "webp", "jpeg", "large jpeg", "progressive", "large png", "large webp"],
)
def test_no_photo_takes_much_memory(data: str, told: str) -> None:
    program = f"{NEEDED}{getsource(saved)}{DRAWN.replace('{data}', data)}"
    assert bounded(program, seconds=60, megabytes=1_000).startswith(told)


def test_what_stands_upright_is_not_held_twice() -> None:
    picture = checked(a_file("PNG"), portraits._UPLOAD)

    assert upright(picture) is picture


@given(data=st.binary(max_size=300), head=st.sampled_from([a_file("PNG")[:60], a_file("JPEG")[:200], b"RIFF"]))
@settings(max_examples=100)
def test_no_bytes_do_more_than_be_refused(data: bytes, head: bytes) -> None:
    made = b""
    with suppress(NotAPicture, PictureTooLarge):
        made = portraits.portrait(head + data)

    assert not made or opened(made).format == "JPEG"


@given(side=st.integers(1, 700), noise=st.integers(0, 255), colour=st.tuples(*[st.integers(0, 255)] * 3))
@settings(max_examples=25, deadline=None)
def test_no_photo_is_too_heavy_for_a_contact_or_a_page(side: int, noise: int, colour: tuple[int, int, int]) -> None:
    bands = [Image.effect_noise((side, side), noise + 1) for _ in colour]
    picture = Image.blend(Image.merge("RGB", bands), Image.new("RGB", (side, side), colour), 0.3)
    photo = portraits.portrait(saved(picture, "PNG"))

    assert len(portraits.for_vcard(photo)) <= 24_000
    assert "progression" not in opened(portraits.for_vcard(photo)).info
    assert len(portraits.portrait_form(photo, "webp", 224)) <= 10_100
    assert opened(portraits.portrait_form(photo, "jpg", 224)).size == (min(side, 224),) * 2
