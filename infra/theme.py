"""From a brand's one colour to a palette for day and night in which every text can be read.

Colours are moved in OKLCH (Björn Ottosson, "A perceptual color space for image processing", 2020), where a step of
lightness looks the same in every hue; contrast is WCAG 2.2's. Pairs that carry text are at least 4.5 : 1.
"""

import base64
import hashlib
from dataclasses import dataclass
from functools import lru_cache
from math import atan2, cos, hypot, sin
from typing import Final

READABLE: Final = 4.5
# A little more than asked for, so that rounding to eight bits cannot fall below.
_AIM: Final = 4.6
_WHITE, _BLACK = "#ffffff", "#000000"


@dataclass(frozen=True, slots=True)
class Palette:
    """Colours as ``#rrggbb``. ``on_brand`` is for text on ``brand``, ``accent`` for text on ``paper`` and ``soft``.

    ``engraving`` is for fine lines on ``brand`` that text may cross.
    """

    brand: str
    engraving: str
    on_brand: str
    on_brand_soft: str
    accent: str
    soft: str
    paper: str
    ground: str
    ink: str
    muted: str
    line: str


@dataclass(frozen=True, slots=True)
class Theme:
    """``css`` sets the palettes as custom properties; ``csp_hash`` lets that text stand in a page's ``<style>``."""

    light: Palette
    dark: Palette
    css: str
    csp_hash: str
    # A picture for the browser's tab, as the address of itself.
    icon: str


@lru_cache(maxsize=1024)
def theme(colour: str) -> Theme:
    """``colour`` is ``#rrggbb``, as a brand has it, in small or capital letters."""
    light, dark = _light(colour.lower()), _dark(colour.lower())
    css = f":root{{{_properties(light)}}}@media(prefers-color-scheme:dark){{:root{{{_properties(dark)}}}}}"
    return Theme(light, dark, css, csp_hash(css), _icon(light))


def csp_hash(text: str) -> str:
    """A source expression for an inline element with this text (Content Security Policy level 3, section 6.7.2)."""
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


def contrast(one: str, other: str) -> float:
    """WCAG's contrast ratio, from 1 to 21."""
    darker, lighter = sorted((_luminance(one), _luminance(other)))
    return (lighter + 0.05) / (darker + 0.05)


@lru_cache(maxsize=1024)
def on_either(colour: str) -> str:
    """``colour`` at the lightness at which it can be read on white as well as on black, with 4.5 : 1 on each."""
    _, chroma, hue = _oklch(colour.lower())
    steps = [_hex(step / 500, chroma, hue) for step in range(200, 400)]
    return max(steps, key=lambda each: min(contrast(each, _WHITE), contrast(each, _BLACK)))


def _light(colour: str) -> Palette:
    _, chroma, hue = _oklch(colour)
    paper, soft = "#fffdf9", _hex(0.955, min(chroma, 0.011), hue)
    # White on white would not be seen as a sheet of its own.
    lightness = min(_oklch(colour)[0], 0.93)
    brand = colour if lightness == _oklch(colour)[0] else _hex(lightness, chroma, hue)
    return Palette(
        **_on(brand),
        accent=_darkened(colour, paper, soft),
        soft=soft,
        paper=paper,
        ground=_hex(0.925, min(chroma, 0.012), hue),
        ink="#1c1a17",
        muted="#67625b",
        line="#e6e1d8",
    )


def _dark(colour: str) -> Palette:
    lightness, chroma, hue = _oklch(colour)
    paper = _hex(0.225, min(chroma, 0.01), hue)
    soft = _hex(0.285, min(chroma, 0.022), hue)
    brand = _hex(min(max(lightness, 0.3), 0.4), min(chroma, 0.11), hue)
    return Palette(
        **_on(brand),
        accent=_lightened(colour, paper, soft),
        soft=soft,
        paper=paper,
        ground=_hex(0.155, min(chroma, 0.008), hue),
        ink="#efece6",
        muted="#a8a49c",
        line=_hex(0.32, min(chroma, 0.01), hue),
    )


def _readable_on(ground: str) -> str:
    return _WHITE if contrast(_WHITE, ground) >= _AIM else _BLACK


def _on(brand: str) -> dict[str, str]:
    """The brand's ground and what stands on it."""
    text = _readable_on(brand)
    soft = _softened(text, brand)
    lines = (_mixed(brand, other, 0.09) for other in (text, _BLACK if text == _WHITE else _WHITE))
    engraving = next(line for line in lines if contrast(soft, line) >= READABLE)
    return {"brand": brand, "engraving": engraving, "on_brand": text, "on_brand_soft": soft}


def _softened(text: str, ground: str) -> str:
    """``text`` mixed with its ground as far as it can still be read, but never more than a fifth."""
    for share in (0.2, 0.16, 0.12, 0.08, 0.04):
        mixed = _mixed(text, ground, share)
        if contrast(mixed, ground) >= _AIM:
            return mixed
    return text


def _darkened(colour: str, *grounds: str) -> str:
    lightness, chroma, hue = _oklch(colour)
    return _first_readable([_hex(lightness * step / 50, chroma, hue) for step in range(50, 0, -1)], grounds)


def _lightened(colour: str, *grounds: str) -> str:
    lightness, chroma, hue = _oklch(colour)
    start = max(lightness, 0.72)
    return _first_readable(
        [_hex(start + (1 - start) * step / 50, min(chroma, 0.13), hue) for step in range(50)], grounds
    )


def _first_readable(candidates: list[str], grounds: tuple[str, ...]) -> str:
    """The candidate that has changed least; the last one stands for black or white."""
    readable = (each for each in candidates if all(contrast(each, ground) >= _AIM for ground in grounds))
    return next(readable, candidates[-1])


def _mixed(one: str, other: str, share: float) -> str:
    pairs = zip(_bytes(one), _bytes(other), strict=True)
    return "#" + "".join(f"{round(a * (1 - share) + b * share):02x}" for a, b in pairs)


def _bytes(colour: str) -> tuple[int, int, int]:
    red, green, blue = bytes.fromhex(colour[1:])
    return red, green, blue


def _linear(byte: int) -> float:
    part = byte / 255
    return part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4


def _luminance(colour: str) -> float:
    red, green, blue = map(_linear, _bytes(colour))
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def _oklch(colour: str) -> tuple[float, float, float]:
    """Lightness from 0 to 1, chroma from 0 to about 0.37, hue in radians."""
    red, green, blue = map(_linear, _bytes(colour))
    long = (0.4122214708 * red + 0.5363325363 * green + 0.0514459929 * blue) ** (1 / 3)
    medium = (0.2119034982 * red + 0.6806995451 * green + 0.1073969566 * blue) ** (1 / 3)
    short = (0.0883024619 * red + 0.2817188376 * green + 0.6299787005 * blue) ** (1 / 3)
    lightness = 0.2104542553 * long + 0.7936177850 * medium - 0.0040720468 * short
    a = 1.9779984951 * long - 2.4285922050 * medium + 0.4505937099 * short
    b = 0.0259040371 * long + 0.7827717662 * medium - 0.8086757660 * short
    return lightness, hypot(a, b), atan2(b, a)


def _hex(lightness: float, chroma: float, hue: float) -> str:
    """The nearest sRGB colour with this lightness and hue: chroma gives way where the screen has no such colour."""
    while chroma > 0.001 and not all(-0.0005 <= part <= 1.0005 for part in _rgb(lightness, chroma, hue)):
        chroma *= 0.95
    return "#" + "".join(f"{round(255 * _gamma(part)):02x}" for part in _rgb(lightness, chroma, hue))


def _rgb(lightness: float, chroma: float, hue: float) -> tuple[float, float, float]:
    a, b = chroma * cos(hue), chroma * sin(hue)
    long = (lightness + 0.3963377774 * a + 0.2158037573 * b) ** 3
    medium = (lightness - 0.1055613458 * a - 0.0638541728 * b) ** 3
    short = (lightness - 0.0894841775 * a - 1.2914855480 * b) ** 3
    return (
        4.0767416621 * long - 3.3077115913 * medium + 0.2309699292 * short,
        -1.2684380046 * long + 2.6097574011 * medium - 0.3413193965 * short,
        -0.0041960863 * long - 0.7034186147 * medium + 1.7076147010 * short,
    )


def _gamma(part: float) -> float:
    part = min(max(part, 0.0), 1.0)
    return 12.92 * part if part <= 0.0031308 else 1.055 * part ** (1 / 2.4) - 0.055


def _properties(palette: Palette) -> str:
    names = {name: name.replace("_", "-") for name in Palette.__slots__}
    return ";".join(f"--{css}:{getattr(palette, name)}" for name, css in names.items())


def _icon(palette: Palette) -> str:
    """A slip with a torn edge in the brand's colour."""
    brand, paper = palette.brand.replace("#", "%23"), palette.on_brand.replace("#", "%23")
    return (
        "data:image/svg+xml,%3Csvg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 16 16'%3E"
        f"%3Cpath fill='{brand}' d='M3 0h10v15l-2-1.5L9 15l-2-1.5L5 15l-2-1.5z'/%3E"
        f"%3Cpath stroke='{paper}' d='M5 4.5h6M5 7.5h4'/%3E%3C/svg%3E"
    )
