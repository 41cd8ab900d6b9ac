"""Logos that a merchant uploads: read with suspicion, made small, written anew."""

from io import BytesIO

from PIL import Image, ImageFile, ImageOps, UnidentifiedImageError

from kernel.errors import Invalid, TooLarge

_MOST_BYTES = 2_000_000
_MOST_PIXELS = 16_000_000
_SIDE = 512
_SMALL_SIDE = 192  # four dots for each pixel of the box in which a page shows it
_SMALL_BYTES = 12_000
_LOSSES = ((192, 85), (192, 60), (192, 35), (96, 60), (96, 20))  # pixels a side and quality, in turn


class NotAPicture(Invalid):
    slug, title = "not-a-picture", "The picture cannot be used"


class PictureTooLarge(TooLarge):
    slug, title = "picture-too-large", "The picture is too large"


def logo(data: bytes) -> bytes:
    """The logo in an uploaded PNG, JPEG or WebP file of at most 2 MB and 16 megapixels.

    A PNG without metadata, of at most 512 pixels a side; a smaller one keeps its size. Takes up to a second or two of
    a processor: keep it off the event loop. Raises :class:`NotAPicture` or :class:`PictureTooLarge`.
    """
    if len(data) > _MOST_BYTES:
        raise PictureTooLarge(f"The file has {len(data):,} bytes; at most {_MOST_BYTES:,} are accepted.")
    picture = _decoded(_opened(data))
    picture.thumbnail((_SIDE, _SIDE), Image.Resampling.LANCZOS)
    return _written(picture, "PNG", optimize=True)


def small(logo: bytes) -> bytes:
    """What :func:`logo` gave, for a page: a WebP of at most 192 pixels a side and about 12 KB.

    A flat logo loses nothing; a photo loses as much as it must. Takes some hundredths of a second.
    """
    picture = _decoded(_opened(logo))
    picture.thumbnail((_SMALL_SIDE, _SMALL_SIDE), Image.Resampling.LANCZOS)
    made = _written(picture, "WEBP", lossless=True, method=5)
    for side, quality in _LOSSES:
        if len(made) <= _SMALL_BYTES:
            break
        picture.thumbnail((side, side), Image.Resampling.LANCZOS)
        made = _written(picture, "WEBP", quality=quality, alpha_quality=quality, method=5)
    return made


def _opened(data: bytes) -> Image.Image:
    """The file's header. Nothing is decoded before its size is known."""
    if data.lstrip()[:1] == b"<":
        raise NotAPicture("SVG is not accepted, because it can carry programs. Send a PNG, JPEG or WebP file.")
    try:
        picture = Image.open(BytesIO(data), formats=("PNG", "JPEG", "WEBP"))
    except UnidentifiedImageError:
        raise NotAPicture("This is not a PNG, JPEG or WebP file.") from None
    except (Image.DecompressionBombError, Image.DecompressionBombWarning):
        raise PictureTooLarge(_too_many_pixels()) from None
    except (OSError, SyntaxError, ValueError):
        raise NotAPicture("The file is damaged. Export it again as PNG, JPEG or WebP.") from None
    if picture.width * picture.height > _MOST_PIXELS:
        raise PictureTooLarge(_too_many_pixels())
    if picture.format != "MPO" and getattr(picture, "is_animated", False):  # MPO: a JPEG beside its preview
        raise NotAPicture("The picture moves. Send one still picture.")
    return picture


def _too_many_pixels() -> str:
    return f"The picture has more than {_MOST_PIXELS // 1_000_000} megapixels. {_SIDE} pixels a side are enough."


def _decoded(picture: Image.Image) -> Image.Image:
    """The pixels alone, upright, in RGB or RGBA."""
    ImageFile.LOAD_TRUNCATED_IMAGES = False  # importing WeasyPrint switches it on for the whole process
    try:
        upright = ImageOps.exif_transpose(picture)
    except (OSError, SyntaxError, ValueError):
        raise NotAPicture("The file is damaged. Export it again as PNG, JPEG or WebP.") from None
    if upright.mode.startswith("I"):  # grey of 16 bits, which convert() would cut off at 255 instead of scaling
        upright = upright.point(lambda level: level * (1 / 256)).convert("L")
    plain = upright.convert("RGBA" if upright.has_transparency_data else "RGB")
    plain.info.clear()
    return plain


def _written(picture: Image.Image, form: str, **options: bool | int) -> bytes:
    out = BytesIO()
    picture.save(out, form, **options)
    return out.getvalue()
