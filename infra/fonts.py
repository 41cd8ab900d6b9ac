"""Fonts for PDF: Inter and Noto Sans, cut down to one script each, once, into the data folder.

Small fonts are half of what makes PDF quick, and keep a receipt in English from carrying Arabic. Scripts are named by
their ISO 15924 codes, such as ``Arab``; ``Latn-more`` is what ``Latn`` leaves out. The installed fonts are found
through fontconfig's own programs, which come with Pango; where they are missing, no font is found.
"""

import subprocess
import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache, lru_cache
from hashlib import sha256
from io import BytesIO
from pathlib import Path
from typing import Any

import fontTools
from fontTools.unicodedata import script, script_name

from infra import files


@dataclass(frozen=True, slots=True)
class FontFace:
    """One weight (400 or 700) of one script's font, as a file of its own."""

    family: str
    weight: int
    path: Path


@dataclass(frozen=True, slots=True)
class Source:
    """Where a script's letters come from: the first family that is installed, and the code points taken from it."""

    families: tuple[str, ...]
    package: str
    ranges: tuple[tuple[int, int], ...]

    def holds(self, char: str) -> bool:
        return any(first <= ord(char) <= last for first, last in self.ranges)


_INTER = (("Inter", "Noto Sans"), "fonts-inter")
# Goes into every face: what Pango draws with the font of the letters around it.
_BETWEEN = ((0x20, 0x20), (0xA0, 0xA0), (0x200B, 0x200F), (0x25CC, 0x25CC))
# What nearly every receipt in a Latin script holds; the rest of Inter's Latin and its signs are a face of their own.
_LATIN = (
    (0x20, 0x7E),
    (0xA0, 0x17F),
    (0x18F, 0x192),
    (0x218, 0x21B),
    (0x259, 0x259),
    (0xE3F, 0xE3F),  # the baht sign
    (0x2000, 0x206F),
    (0x20A0, 0x20C0),  # currency signs
    (0x2116, 0x2122),
    (0x2190, 0x2193),
    (0x2212, 0x2212),
    (0x2605, 0x2605),
    (0x2713, 0x2713),
)
_MORE_LATIN = (
    (0x180, 0x36F),
    (0x1E00, 0x1EFF),
    (0x2070, 0x209F),
    (0x20C1, 0x22FF),
    (0x2460, 0x27BF),
    (0xFB00, 0xFB06),
    (0xFFFD, 0xFFFD),
)
_ARABIC = ((0x600, 0x6FF), (0x750, 0x77F), (0x8A0, 0x8FF), (0xFB50, 0xFDFF), (0xFE70, 0xFEFC))
_DEVANAGARI = ((0x900, 0x97F), (0x1CD0, 0x1CFA), (0xA8E0, 0xA8FF))

SOURCES = {
    "Latn": Source(*_INTER, _LATIN),
    "Latn-more": Source(*_INTER, _MORE_LATIN),
    "Grek": Source(*_INTER, ((0x370, 0x3FF), (0x1F00, 0x1FFF))),
    "Cyrl": Source(*_INTER, ((0x400, 0x52F), (0x1C80, 0x1C8F))),
    "Arab": Source(("Noto Sans Arabic",), "fonts-noto-core", _ARABIC),
    "Deva": Source(("Noto Sans Devanagari",), "fonts-noto-core", _DEVANAGARI),
}
_WEIGHTS = {400: "weight=80", 700: "weight=200"}  # CSS's numbers, fontconfig's
_NO_SCRIPT = ("Zyyy", "Zinh", "Zzzz")
_UNSEEN = ("Cc", "Cf", "Zs", "Zl", "Zp")


def scripts_of(text: str) -> frozenset[str]:
    """The scripts whose fonts ``text`` needs, those without a font of ours among them."""
    return frozenset(code for char in set(text) if (code := _script(char)))


@lru_cache(maxsize=4096)
def _script(char: str) -> str | None:
    if not is_seen(char):
        return None
    own = next((code for code, source in SOURCES.items() if source.holds(char)), None)
    return own or (None if script(char) in _NO_SCRIPT else script(char))


@lru_cache(maxsize=64)
def faces_for(scripts: frozenset[str], folder: Path) -> tuple[FontFace, ...]:
    """The faces for ``scripts`` and Latin (digits, currency signs), made in ``folder`` where they are not there yet.

    A script that has no font of ours, or whose font is not installed, is left out: the PDF takes what the machine has.
    Making one script's faces takes up to two seconds.
    """
    return tuple(
        FontFace(f"Counterfoil {code}", weight, _cut(code, weight, *installed, folder.resolve()))
        for code in SOURCES
        for weight in _WEIGHTS
        if code in scripts | {"Latn"} and (installed := _installed(code, weight))
    )


def absent() -> dict[str, str]:
    """The scripts whose font is not installed, by name (``Arabic``), and the Debian package that brings each."""
    return {
        script_name(code[:4]): source.package
        for code, source in SOURCES.items()
        if not all(_installed(code, weight) for weight in _WEIGHTS)
    }


def missing(text: str) -> dict[str, str]:
    """What would be squares: the letters of ``text`` that no font of this machine has, by script name (``Thai``).

    Emoji and other signs without a script are under ``Signs``.
    """
    found: dict[str, str] = {}
    for char in sorted(set(text)):
        if not _drawable(char):
            found[name_of(char)] = found.get(name_of(char), "") + char
    return found


def is_seen(char: str) -> bool:
    """Whether a letter leaves a mark; spaces, joiners and marks of direction do not."""
    return unicodedata.category(char) not in _UNSEEN


def file_of(char: str, weight: int) -> tuple[Path, int] | None:
    """The installed font that draws a letter, and which of those in its file; spaces and such are Latin's.

    A script without a font of ours takes what the machine has; None where that is nothing, and for emoji.
    """
    own = next((code for code, source in SOURCES.items() if source.holds(char)), None)
    if own is not None:
        return _installed(own, weight) if not is_seen(char) or ord(char) in _letters(own) else None
    return _stand_in(char, weight) if is_seen(char) and script(char) not in _NO_SCRIPT else None


@lru_cache(maxsize=4096)
def _stand_in(char: str, weight: int) -> tuple[Path, int] | None:
    own = ord(char)
    return next((face for face, held in _coverage(weight) if any(first <= own <= last for first, last in held)), None)


@cache
def _coverage(weight: int) -> tuple[tuple[tuple[Path, int], tuple[tuple[int, int], ...]], ...]:
    """The installed fonts, best first, with the code points of each; those that add none are left out.

    Asked for once: a process for each letter would make a name of three hundred Han letters take most of a minute.
    """
    answer = _ask("fc-match", "-s", "-f", "%{file}\t%{index}\t%{charset}\n", f"sans-serif:{_WEIGHTS[weight]}")
    told = (line.split("\t") for line in answer.splitlines())
    return tuple(((Path(file), int(index) & 0xFFFF), tuple(_ranges(charset))) for file, index, charset in told)


def _ranges(charset: str) -> Iterator[tuple[int, int]]:
    """As fontconfig writes them: ``20-7e a0``."""
    for each in charset.split():
        first, _, last = each.partition("-")
        yield int(first, 16), int(last or first, 16)


def name_of(char: str) -> str:
    """The name of a letter's script, or ``Signs``."""
    return "Signs" if script(char) in _NO_SCRIPT else script_name(script(char))


@lru_cache(maxsize=4096)
def _drawable(char: str) -> bool:
    if not is_seen(char) or any(source.holds(char) and ord(char) in _letters(code) for code, source in SOURCES.items()):
        return True
    return _stand_in(char, 400) is not None


@cache
def _letters(code: str) -> frozenset[int]:
    """What the installed font of a script has. fontconfig tells it, since a server need not carry fontTools (3 MB)."""
    installed = _installed(code, 400)
    if not installed:
        return frozenset()
    path, index = installed
    told = _ask("fc-query", "--index", str(index), "--format", "%{charset}", str(path))
    return frozenset(each for first, last in _ranges(told) for each in range(first, last + 1))


@cache
def _installed(code: str, weight: int) -> tuple[Path, int] | None:
    """The font's file, and which of the fonts in that file it is."""
    for family in SOURCES[code].families:
        answer = _ask(
            "fc-match", "-f", "%{family}\t%{file}\t%{index}", f"{family}:{_WEIGHTS[weight]}:slant=0:width=100"
        )
        names, _, place = answer.partition("\t")
        # fc-match always answers, with the nearest font there is.
        if family in names.split(","):
            file, _, index = place.partition("\t")
            return Path(file), int(index) & 0xFFFF
    return None


def _ask(*command: str) -> str:
    try:
        return subprocess.run(command, capture_output=True, text=True, timeout=30, check=False).stdout  # noqa: S603
    except FileNotFoundError:
        return ""


def _cut(code: str, weight: int, path: Path, index: int, folder: Path) -> Path:
    """The file with only that script in it. Its name changes with the font, the ranges and the tool."""
    source = path.read_bytes()
    recipe = repr((SOURCES[code].ranges, _BETWEEN, _features(), index, fontTools.version))
    digest = sha256(source + recipe.encode()).hexdigest()[:16]
    key = f"{code}-{weight}-{digest}{path.suffix.replace('ttc', 'ttf')}"
    if not (folder / key).exists():
        files.prepare(folder)
        with files.alone(folder, key):
            if not (folder / key).exists():
                files.write(folder, key, _subset(source, index, SOURCES[code].ranges))
    return folder / key


def _subset(source: bytes, index: int, ranges: Iterable[tuple[int, int]]) -> bytes:
    from fontTools import subset

    options = subset.Options(layout_features=_features(), hinting=False, notdef_outline=True, font_number=index)
    font: Any = subset.load_font(BytesIO(source), options)
    subsetter = subset.Subsetter(options)
    subsetter.populate(unicodes=[point for first, last in (*ranges, *_BETWEEN) for point in range(first, last + 1)])
    subsetter.subset(font)
    out = BytesIO()
    subset.save_font(font, out, options)
    return out.getvalue()


def _features() -> list[str]:
    """What shaping needs, and tabular digits. Without ``calt``: it costs time, and turns the letters of ``2x3``."""
    from fontTools import subset

    return sorted({*subset.Options._layout_features_default, "tnum"} - {"calt"})
