"""People to be drawn: of every script and length, with and without what they may have."""

from collections.abc import Mapping
from functools import cache
from io import BytesIO
from typing import Any, Final

from PIL import Image, ImageDraw

from cards.pictures import Sitter
from infra.images import written
from infra.portraits import portrait
from tests.support.faces import SHOP, emma

LONG: Final = {
    "prefix": "Prof. Dr.",
    "given": "Maximilian-Alexander",
    "family": "von und zu Hohenstein-Lichtenberg-Sayn",
    "title": "Stellvertretende Leiterin der Abteilung für Qualitätssicherung und Kundenzufriedenheit",
    "department": "Donaudampfschifffahrtsgesellschaft",
}
ARABIC: Final = {
    "prefix": None,
    "given": "محمد عبد الرحمن",
    "family": "الخطيب (Sam)",
    "title": "خبير القهوة 3 العربية",
    "department": None,
}
HINDI: Final = {
    "prefix": None,
    "given": "प्रियंका",
    "family": "श्रीवास्तव",
    "title": "साड़ी विशेषज्ञ",
    "department": "रेशम",
}
UNBROKEN: Final = {"prefix": None, "given": "Wolfeschlegel" * 9, "family": None, "title": None, "department": None}
# Language, brand's colour, whether there is a photo and a logo, and what the profile says.
_CASES: Final[Mapping[str, tuple[str, str, bool, bool, dict[str, Any]]]] = {
    "plain": ("en", "#1f5c47", True, True, {}),
    "pale": ("en", "#f4d35e", False, True, {}),
    "white": ("de", "#ffffff", False, False, {}),
    "long": ("de", "#20232a", True, False, LONG),
    "arabic": ("ar", "#7a1f3d", False, True, ARABIC),
    "hindi": ("hi", "#b3261e", True, False, HINDI),
    "unbroken": ("en", "#0b57d0", True, True, UNBROKEN),
}
EVERYBODY: Final = tuple(_CASES)


def sitter(name: str) -> Sitter:
    language, colour, has_photo, has_logo, changes = _CASES[name]
    face = emma(language=language, shop=SHOP, **changes)
    return Sitter(face, colour, a_photo() if has_photo else None, a_mark() if has_logo else None)


@cache
def a_photo() -> bytes:
    picture = Image.new("RGB", (900, 1200), "#d9cbb8")
    pen = ImageDraw.Draw(picture)
    pen.ellipse((250, 150, 650, 650), fill="#e2b38f")
    pen.ellipse((100, 650, 800, 1500), fill="#f4f1ea")
    return portrait(written(picture, "PNG"))


@cache
def a_mark() -> bytes:
    """A logo without a ground of its own."""
    picture = Image.new("RGBA", (256, 256), (0, 0, 0, 0))
    pen = ImageDraw.Draw(picture)
    pen.ellipse((40, 20, 150, 200), fill="#1f5c47")
    pen.ellipse((110, 60, 220, 240), fill="#b8893b")
    return written(picture, "PNG")


def opened(data: bytes) -> Image.Image:
    return Image.open(BytesIO(data)).convert("RGB")
