"""Pictures of passes, each in three sizes: of a brand, and of a person."""

from collections import OrderedDict
from collections.abc import Callable, Hashable
from hashlib import sha256
from io import BytesIO
from threading import Lock
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

# Bytes of all pictures that are remembered: some dozen brands with logos.
_REMEMBERED: Final = 4_000_000

Images = dict[str, bytes]


class _Drawn:
    """Pictures by what they show; least recently used goes first. Any number of threads may use it."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._of: OrderedDict[Hashable, Images] = OrderedDict()
        self._bytes = 0

    def get(self, key: Hashable) -> Images | None:
        with self._lock:
            if key in self._of:
                self._of.move_to_end(key)
            return self._of.get(key)

    def keep(self, key: Hashable, images: Images) -> None:
        with self._lock:
            self._bytes += _bytes(images) - _bytes(self._of.pop(key, {}))
            self._of[key] = images
            while self._bytes > _REMEMBERED:
                self._bytes -= _bytes(self._of.popitem(last=False)[1])


_drawn: Final = _Drawn()


def of_brand(logo: bytes | None, name: str, ground: str, ink: str) -> Images:
    """``icon`` and ``logo``: the brand's own, else the first letter of its name. Colours are ``#rrggbb``.

    Takes some hundredths of a second for a logo, so it is remembered, under the logo's SHA-256.
    """
    key = (sha256(logo).digest(),) if logo is not None else (name, ground, ink)
    images = _drawn.get(key)
    if images is None:
        images = _of_brand(logo, name, ground, ink)
        _drawn.keep(key, images)
    return images


def _bytes(images: Images) -> int:
    return sum(map(len, images.values()))


def _of_brand(logo: bytes | None, name: str, ground: str, ink: str) -> Images:
    if logo is None:
        return _sizes("icon", _ICON, _letter(name, ground, ink)) | _sizes("logo", (50, 50), _letter(name, ground, ink))
    picture = _opened(logo)
    return _sizes("icon", _ICON, lambda size: _framed(picture, size)) | _sizes("logo", _LOGO, _within(picture))


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
