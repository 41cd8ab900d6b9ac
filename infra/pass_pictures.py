"""Pictures of passes, each in three sizes: of a brand, and of a person."""

from collections.abc import Callable
from functools import lru_cache
from io import BytesIO
from typing import Any, Final

from PIL import Image, ImageDraw, ImageFont, ImageOps

# In points; a file is so many pixels, and two and three times as many.
_ICON: Final = (29, 29)
_LOGO: Final = (160, 50)
_THUMBNAIL: Final = (90, 90)
_SCALES: Final = {"": 1, "@2x": 2, "@3x": 3}
_CLEAR: Final = (0, 0, 0, 0)
# The share of a square that its letter's height takes.
_LETTER: Final = 0.62
# A slip with a torn edge, in sixteenths: for names that begin with a letter that the font lacks.
_SLIP: Final = ((3, 2), (13, 2), (13, 14), (11, 12.5), (9, 14), (7, 12.5), (5, 14), (3, 12.5))

Images = dict[str, bytes]


@lru_cache(maxsize=32)
def of_brand(logo: bytes | None, name: str, ground: str, ink: str) -> Images:
    """``icon`` and ``logo``: the brand's own, else the first letter of its name. Colours are ``#rrggbb``.

    Takes some hundredths of a second for a logo, so it is remembered.
    """
    if logo is None:
        return _sizes("icon", _ICON, _letter(name, ground, ink)) | _sizes("logo", (50, 50), _letter(name, ground, ink))
    picture = _opened(logo)
    return _sizes("icon", _ICON, lambda size: _framed(picture, size)) | _sizes("logo", _LOGO, _within(picture))


@lru_cache(maxsize=32)
def of_person(photo: bytes) -> Images:
    """``thumbnail``, square."""
    picture = _opened(photo)
    return _sizes("thumbnail", _THUMBNAIL, lambda size: ImageOps.fit(picture, size, Image.Resampling.LANCZOS))


def _sizes(name: str, points: tuple[int, int], draw: Callable[[tuple[int, int]], Image.Image]) -> Images:
    width, height = points
    return {f"{name}{mark}.png": _png(draw((width * scale, height * scale))) for mark, scale in _SCALES.items()}


def _within(picture: Image.Image) -> Callable[[tuple[int, int]], Image.Image]:
    return lambda size: ImageOps.contain(picture, size, Image.Resampling.LANCZOS)


def _framed(picture: Image.Image, size: tuple[int, int]) -> Image.Image:
    """All of it, in the middle of a clear square."""
    return ImageOps.pad(picture, size, Image.Resampling.LANCZOS, color=_CLEAR)


def _letter(name: str, ground: str, ink: str) -> Callable[[tuple[int, int]], Image.Image]:
    first = next((each for each in name if each.isalnum()), "").upper()

    def draw(size: tuple[int, int]) -> Image.Image:
        square = Image.new("RGB", size, ground)
        pen, side = ImageDraw.Draw(square), size[0]
        if first.isascii() and first:
            font: Any = ImageFont.load_default(side * _LETTER)
            pen.text((side / 2, side / 2), first, ink, font, anchor="mm")
        else:
            pen.polygon([(x * side / 16, y * side / 16) for x, y in _SLIP], ink)
        return square

    return draw


def _opened(data: bytes) -> Image.Image:
    """What was made by us: it was checked when it was uploaded."""
    picture = Image.open(BytesIO(data), formats=("PNG", "JPEG", "WEBP"))
    return picture.convert("RGBA" if picture.has_transparency_data else "RGB")


def _png(picture: Image.Image) -> bytes:
    out = BytesIO()
    picture.save(out, "PNG")
    return out.getvalue()
