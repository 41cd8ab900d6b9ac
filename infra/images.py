"""Logos that a merchant uploads: read with suspicion, made small, written anew.

The suspicion itself (:func:`checked`, :func:`upright`) serves the photos of ``infra/portraits.py`` too.
"""

from dataclasses import dataclass
from io import BytesIO
from typing import Final

from PIL import Image, ImageFile, ImageOps, UnidentifiedImageError

from kernel.errors import Invalid, TooLarge

_SIDE = 512
_SMALL_SIDE = 192  # four dots for each pixel of the box in which a page shows it
_SMALL_BYTES = 12_000
_LOSSES = ((192, 85), (192, 60), (192, 35), (96, 60), (96, 20))  # pixels a side and quality, in turn


@dataclass(frozen=True, slots=True)
class Limits:
    """Of an upload; ``enough`` is how many pixels a side are of any use.

    ``most_drafted`` pixels may be in a JPEG that its user decodes no larger than needed; 0 where it decodes all.
    """

    most_bytes: int
    most_pixels: int
    enough: int
    most_drafted: int = 0


_LOGO: Final = Limits(most_bytes=2_000_000, most_pixels=16_000_000, enough=_SIDE)


class NotAPicture(Invalid):
    slug, title = "not-a-picture", "The picture cannot be used"


class PictureTooLarge(TooLarge):
    slug, title = "picture-too-large", "The picture is too large"


def logo(data: bytes) -> bytes:
    """The logo in an uploaded PNG, JPEG or WebP file of at most 2 MB and 16 megapixels.

    A PNG without metadata, of at most 512 pixels a side; a smaller one keeps its size. Takes up to a second or two of
    a processor: keep it off the event loop. Raises :class:`NotAPicture` or :class:`PictureTooLarge`.
    """
    picture = _decoded(checked(data, _LOGO))
    picture.thumbnail((_SIDE, _SIDE), Image.Resampling.LANCZOS)
    return written(picture, "PNG", optimize=True)


def small(logo: bytes) -> bytes:
    """What :func:`logo` gave, for a page: a WebP of at most 192 pixels a side and about 12 KB.

    A flat logo loses nothing; a photo loses as much as it must. Takes some hundredths of a second.
    """
    picture = _decoded(checked(logo, _LOGO))
    picture.thumbnail((_SMALL_SIDE, _SMALL_SIDE), Image.Resampling.LANCZOS)
    made = written(picture, "WEBP", lossless=True, method=5)
    for side, quality in _LOSSES:
        if len(made) <= _SMALL_BYTES:
            break
        picture.thumbnail((side, side), Image.Resampling.LANCZOS)
        made = written(picture, "WEBP", quality=quality, alpha_quality=quality, method=5)
    return made


def checked(data: bytes, limits: Limits) -> Image.Image:
    """A PNG, JPEG or WebP file's header: nothing is decoded before its size is known. Raises as :func:`logo` does."""
    if len(data) > limits.most_bytes:
        raise PictureTooLarge(f"The file has {len(data):,} bytes; at most {limits.most_bytes:,} are accepted.")
    if data.lstrip()[:1] == b"<":
        raise NotAPicture("SVG is not accepted, because it can carry programs. Send a PNG, JPEG or WebP file.")
    try:
        picture = Image.open(BytesIO(data), formats=("PNG", "JPEG", "WEBP"))
    except UnidentifiedImageError:
        raise NotAPicture("This is not a PNG, JPEG or WebP file.") from None
    except (Image.DecompressionBombError, Image.DecompressionBombWarning):
        raise PictureTooLarge(_too_many_pixels(limits.most_pixels, limits)) from None
    except (OSError, SyntaxError, ValueError):
        raise NotAPicture("The file is damaged. Export it again as PNG, JPEG or WebP.") from None
    most = _most_pixels(picture, limits)
    if picture.width * picture.height > most:
        raise PictureTooLarge(_too_many_pixels(most, limits))
    if picture.format != "MPO" and getattr(picture, "is_animated", False):  # MPO: a JPEG beside its preview
        raise NotAPicture("The picture moves. Send one still picture.")
    return picture


def upright(picture: Image.Image) -> Image.Image:
    """The decoded pixels of what :func:`checked` gave, turned as its camera was held, eight bits a channel."""
    ImageFile.LOAD_TRUNCATED_IMAGES = False  # importing WeasyPrint switches it on for the whole process
    try:
        # In its place: a copy of what stands upright already would take as much again.
        ImageOps.exif_transpose(picture, in_place=True)
    except (OSError, SyntaxError, ValueError):
        raise NotAPicture("The file is damaged. Export it again as PNG, JPEG or WebP.") from None
    if picture.mode.startswith("I"):  # grey of 16 bits, which convert() would cut off at 255 instead of scaling
        return picture.point(lambda level: level * (1 / 256)).convert("L")
    return picture


def written(picture: Image.Image, form: str, **options: bool | int) -> bytes:
    """A file of ``form``, such as ``JPEG``, with Pillow's options."""
    out = BytesIO()
    picture.save(out, form, **options)
    return out.getvalue()


def _most_pixels(picture: Image.Image, limits: Limits) -> int:
    """A progressive JPEG is held whole, however small it is decoded."""
    is_drafted = picture.format in ("JPEG", "MPO") and not picture.info.get("progressive")
    return max(limits.most_pixels, limits.most_drafted) if is_drafted else limits.most_pixels


def _too_many_pixels(most: int, limits: Limits) -> str:
    return f"The picture has more than {most // 1_000_000} megapixels. {limits.enough} pixels a side are enough."


def _decoded(picture: Image.Image) -> Image.Image:
    """The pixels alone, upright, in RGB or RGBA."""
    turned = upright(picture)
    plain = turned.convert("RGBA" if turned.has_transparency_data else "RGB")
    plain.info.clear()
    return plain
