"""Photos of people: read with the same suspicion as logos, cut square, and free of all that a camera writes beside."""

from io import BytesIO
from typing import Final, Literal

from PIL import Image, ImageCms

from infra.images import Limits, checked, upright, written

_UPLOAD: Final = Limits(most_bytes=8_000_000, most_pixels=16_000_000, enough=640, most_drafted=40_000_000)
_SIDE: Final = 640
_VCARD_BYTES: Final = 24_000
# Pixels a side and quality, in turn.
_VCARD_LOSSES: Final = ((400, 80), (400, 65), (320, 65), (320, 50), (240, 50), (240, 35), (160, 35), (96, 30))
_QUALITIES: Final = (82, 74, 66, 58, 50, 40, 30, 20, 8, 2)
_BYTES_A_PIXEL: Final = 0.2  # 10 KB at 224 pixels a side
# Of what a tall picture has too much, so much is cut off above: faces are in the upper half.
_ABOVE: Final = 0.25

Form = Literal["webp", "jpg"]


def portrait(data: bytes) -> bytes:
    """The photo in an uploaded PNG, JPEG or WebP file of at most 8 MB and 16 megapixels, or 40 in a plain JPEG.

    A square JPEG in sRGB without metadata, of at most 640 pixels a side; what was transparent is white. Takes up to a
    second or two of a processor: keep it off the event loop. Raises :class:`infra.images.NotAPicture` or
    :class:`infra.images.PictureTooLarge`.
    """
    picture = checked(data, _UPLOAD)
    # A JPEG is decoded no larger than needed: a phone's photo would take a hundred megabytes.
    picture.draft(None, (2 * _SIDE, 2 * _SIDE))
    square = _square(upright(picture))
    square.thumbnail((_SIDE, _SIDE), Image.Resampling.LANCZOS)
    return _jpeg(_in_srgb(square), 85)


def for_vcard(portrait: bytes) -> bytes:
    """What :func:`portrait` gave as a JPEG of at most 24 KB, which phones take into their contacts."""
    picture = _opened(portrait)
    made = b""
    for side, quality in _VCARD_LOSSES:
        # Baseline: some phones' address books show no progressive picture.
        made = written(_at_most(picture, side), "JPEG", quality=quality, optimize=True)
        if len(made) <= _VCARD_BYTES:
            break
    return made


def portrait_form(portrait: bytes, form: Form, side: int) -> bytes:
    """What :func:`portrait` gave for a page, at most ``side`` pixels: about 10 KB at 224 of them, or less.

    A detailed photo loses as much as it must.
    """
    picture = _at_most(_opened(portrait), side)
    made = b""
    for quality in _QUALITIES:
        made = _jpeg(picture, quality) if form == "jpg" else written(picture, "WEBP", quality=quality, method=5)
        if len(made) <= _BYTES_A_PIXEL * side * side:
            break
    return made


def _opened(portrait: bytes) -> Image.Image:
    return Image.open(BytesIO(portrait), formats=("JPEG",)).convert("RGB")


def _at_most(picture: Image.Image, side: int) -> Image.Image:
    if picture.width <= side:
        return picture
    return picture.resize((side, side), Image.Resampling.LANCZOS)


def _jpeg(picture: Image.Image, quality: int) -> bytes:
    return written(picture, "JPEG", quality=quality, optimize=True, progressive=True)


def _square(picture: Image.Image) -> Image.Image:
    side = min(picture.size)
    left, top = (picture.width - side) // 2, int((picture.height - side) * _ABOVE)
    square = picture.crop((left, top, left + side, top + side))
    # What has a palette would be shrunk by dropping pixels.
    return square.convert("RGBA" if square.has_transparency_data else "RGB") if square.mode in "1PA" else square


def _in_srgb(picture: Image.Image) -> Image.Image:
    """On white, in the one colour space that everything shows alike, and the pixels alone."""
    profile = picture.info.get("icc_profile")
    if picture.has_transparency_data:
        picture = picture.convert("RGBA")
        picture = Image.alpha_composite(Image.new("RGBA", picture.size, "white"), picture).convert("RGB")
    plain = _translated(picture, profile) if profile else picture.convert("RGB")
    plain.info.clear()
    return plain


def _translated(picture: Image.Image, profile: bytes) -> Image.Image:
    """A profile that is broken, or of another kind than its pixels, is left out."""
    try:
        own, srgb = ImageCms.ImageCmsProfile(BytesIO(profile)), ImageCms.createProfile("sRGB")
        translated = ImageCms.profileToProfile(picture, own, srgb, outputMode="RGB")
    except (ImageCms.PyCMSError, OSError, ValueError):
        return picture.convert("RGB")
    return picture.convert("RGB") if translated is None else translated
