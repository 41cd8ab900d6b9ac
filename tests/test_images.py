"""Uploaded logos: what is good becomes small and clean, what is not is refused with a reason."""

import struct
import zlib
from contextlib import suppress
from io import BytesIO
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageDraw, ImageFile, PngImagePlugin

from infra import images
from kernel.errors import Problem

RED = (200, 30, 60)


def a_file(form: str, size: tuple[int, int] = (640, 320), mode: str = "RGB", **options: Any) -> bytes:
    picture = Image.new(mode, size, (0, 0, 0, 0) if mode == "RGBA" else RED)
    ImageDraw.Draw(picture).ellipse((size[0] // 4, 0, 3 * size[0] // 4, size[1]), fill=RED)
    out = BytesIO()
    picture.save(out, form, **options)
    return out.getvalue()


def png_claiming(width: int, height: int) -> bytes:
    """A few bytes that say they are a picture of this size."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", width, height, 8, 6, 0, 0, 0)
    rest = chunk(b"IDAT", zlib.compress(b"\0" * 1000)) + chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + rest


def opened(data: bytes) -> Image.Image:
    return Image.open(BytesIO(data))


@pytest.mark.parametrize("form", ["PNG", "JPEG", "WEBP"])
def test_a_large_logo_becomes_512_pixels_wide(form: str) -> None:
    assert opened(images.logo(a_file(form, (2000, 1000)))).size == (512, 256)


def test_a_small_logo_keeps_its_size() -> None:
    assert opened(images.logo(a_file("PNG", (90, 40)))).size == (90, 40)


def test_transparency_stays() -> None:
    logo = images.logo(a_file("PNG", mode="RGBA"))

    for form in (logo, images.small(logo)):
        assert opened(form).convert("RGBA").getpixel((0, 0))[3] == 0  # type: ignore[index]


def test_a_page_is_given_a_small_webp() -> None:
    small = images.small(images.logo(a_file("PNG", (2000, 1000))))

    assert opened(small).format == "WEBP"
    assert opened(small).size == (192, 96)


def test_a_flat_logo_loses_nothing_on_a_page() -> None:
    logo = images.logo(a_file("PNG", (90, 40)))

    assert opened(images.small(logo)).convert("RGB").tobytes() == opened(logo).tobytes()


@pytest.mark.parametrize("mode", ["RGB", "RGBA"])
def test_the_noisiest_logo_stays_light_enough_for_a_page(mode: str) -> None:
    noise = Image.merge(mode, [Image.effect_noise((512, 512), 200) for _ in mode])
    out = BytesIO()
    noise.save(out, "PNG")
    logo = images.logo(out.getvalue())

    assert len(logo) > 200_000
    assert len(images.small(logo)) <= 12_000


def test_no_metadata_is_kept() -> None:
    text = PngImagePlugin.PngInfo()
    text.add_text("Comment", "made by Emma")
    exif = Image.Exif()
    exif[0x010E] = "made by Emma"
    profile = b"\0" * 128 + b"made by Emma"
    logo = images.logo(a_file("PNG", pnginfo=text, exif=exif, icc_profile=profile, dpi=(300, 300)))

    for form in (logo, images.small(logo)):
        assert b"Emma" not in form
        assert not {"exif", "icc_profile", "dpi", "Comment"} & opened(form).info.keys()


def test_a_photo_taken_sideways_stands_upright() -> None:
    exif = Image.Exif()
    exif[0x0112] = 6

    assert opened(images.logo(a_file("JPEG", (300, 100), exif=exif))).size == (100, 300)


def test_grey_of_sixteen_bits_keeps_its_tone() -> None:
    out = BytesIO()
    Image.new("I;16", (4, 4), 0x8000).save(out, "PNG")

    assert opened(images.logo(out.getvalue())).getpixel((0, 0)) == (128, 128, 128)


@pytest.mark.parametrize(
    "data, reason",
    [
        (b"", "not a PNG, JPEG or WebP"),
        (b"GIF89a" + b"\0" * 40, "not a PNG, JPEG or WebP"),
        (b'<svg xmlns="http://www.w3.org/2000/svg"/>', "SVG is not accepted"),
        (b'\n <?xml version="1.0"?><svg/>', "SVG is not accepted"),
        (a_file("PNG")[:300], "damaged"),
        (a_file("JPEG")[:600], "damaged"),
        (png_claiming(200, 200), "damaged"),
        (b"x" * 2_000_001, "2,000,001 bytes; at most 2,000,000"),
        (png_claiming(4001, 4000), "more than 16 megapixels"),
        (png_claiming(10_000, 10_000), "more than 16 megapixels"),
        (png_claiming(60_000, 60_000), "more than 16 megapixels"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_cannot_be_a_logo_is_refused_with_the_reason(data: bytes, reason: str) -> None:
    with pytest.raises(Problem, match=reason) as refused:
        images.logo(data)

    assert 400 <= refused.value.status < 500


def test_half_a_file_is_refused_even_where_another_library_would_take_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ImageFile, "LOAD_TRUNCATED_IMAGES", True)

    with pytest.raises(images.NotAPicture, match="damaged"):
        images.logo(a_file("JPEG")[:600])


@pytest.mark.parametrize("form", ["PNG", "WEBP"])
def test_a_moving_picture_is_refused(form: str) -> None:
    frames = [Image.new("RGB", (8, 8), colour) for colour in ("red", "green")]
    out = BytesIO()
    frames[0].save(out, form, save_all=True, append_images=frames[1:])

    with pytest.raises(images.NotAPicture, match="moves"):
        images.logo(out.getvalue())


def test_a_phone_s_photo_with_a_second_picture_inside_is_taken() -> None:
    photo, preview = Image.new("RGB", (64, 64), RED), Image.new("RGB", (8, 8), RED)
    out = BytesIO()
    photo.save(out, "MPO", save_all=True, append_images=[preview])

    assert opened(images.logo(out.getvalue())).size == (64, 64)


@pytest.mark.filterwarnings("ignore::UserWarning")  # Pillow's, of broken EXIF
@settings(deadline=None)
@given(at=st.integers(0, 10_000), byte=st.integers(0, 255), form=st.sampled_from(["PNG", "JPEG", "WEBP"]))
def test_a_broken_byte_never_ends_in_anything_but_a_refusal(at: int, byte: int, form: str) -> None:
    data = bytearray(a_file(form, (60, 30)))
    data[at % len(data)] = byte

    with suppress(Problem):
        images.logo(bytes(data))
