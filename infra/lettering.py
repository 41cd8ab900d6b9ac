"""Text in pictures: in Inter and Noto, shaped, from either side, made small rather than cut off.

A line of several scripts is set in runs, one a font, in the order of its direction: what a name or a title needs, not
the whole of UAX 9. What this machine has no letters for is left out and told (:func:`legible`); no square is drawn.
"""

import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from itertools import groupby
from pathlib import Path
from typing import Final

import structlog
from PIL import ImageDraw, ImageFont, features

from infra import fonts

_log = structlog.get_logger(__name__)
_ELLIPSIS: Final = "…"
_STEP: Final = 0.94
# Between things that are told in one line.
_BETWEEN: Final = " · "
_JOINERS: Final = "\u200c\u200d"
_VIRAMA: Final = "\u094d"
# Scripts that look right letter by letter; every other needs libraqm and FriBiDi.
_UNSHAPED: Final = frozenset({"Latn", "Latn-more", "Grek", "Cyrl"})
_MIRRORED: Final = str.maketrans("()[]<>«»", ")(][><»«")


@dataclass(frozen=True, slots=True)
class Fit:
    """What a text may take: pixels of ``width``, ``lines``, and sizes from ``most`` down to ``least`` pixels."""

    width: int
    most: int
    least: int
    lines: int = 1
    weight: int = 400


@dataclass(frozen=True, slots=True)
class Run:
    text: str
    font: ImageFont.FreeTypeFont
    direction: str | None
    width: float
    # Of its ink, from the baseline downwards.
    top: float
    bottom: float


@dataclass(frozen=True, slots=True)
class Line:
    """Runs from left to right, as they are drawn; ``text`` as it is read."""

    text: str
    runs: tuple[Run, ...]
    size: int

    @property
    def width(self) -> float:
        return sum(run.width for run in self.runs)

    @property
    def above(self) -> float:
        """Over the baseline: a capital letter's height, or that of a letter with marks on it."""
        return max([0.73 * self.size, *(-run.top for run in self.runs)])

    @property
    def below(self) -> float:
        return max([0.22 * self.size, *(run.bottom for run in self.runs)])


def legible(text: str) -> str:
    """The text as it can be drawn here: composed, in one line, without what has no letter or cannot be shaped.

    Of things that dots stand between, one that is left out takes its dot with it.
    """
    composed = unicodedata.normalize("NFC", text)
    lacking = sorted({fonts.name_of(char) for char in composed if not _is_drawn(char)})
    if lacking:
        _log.warning("letters left out of a picture", scripts=lacking)
    return _BETWEEN.join(filter(None, map(_kept, composed.split(_BETWEEN))))


def _kept(part: str) -> str:
    """Where all letters are left out, so are the brackets and commas around them."""
    drawn = [char for char in part if _is_drawn(char)]
    kept = "".join(char if fonts.is_seen(char) or char in _JOINERS else " " for char in drawn)
    is_worth_it = len(drawn) == len(part) or any(map(str.isalnum, drawn))
    return " ".join(kept.split()) if is_worth_it else ""


def fitted(text: str, fit: Fit) -> tuple[Line, ...]:
    """The largest lines in which all of ``text`` fits; at the least size what is too much ends in an ellipsis."""
    text = legible(text)
    size = fit.most
    while True:
        said = _wrapped(text, fit, size, fit.width)
        if len(said) <= fit.lines and all(_line(each, fit.weight, size).width <= fit.width for each in said):
            return tuple(_line(each, fit.weight, size) for each in _balanced(said, fit, size))
        if size <= fit.least:
            return tuple(_ended(each, fit, size) for each in _first(said, fit.lines))
        size = max(int(size * _STEP), fit.least)


def draw(on: ImageDraw.ImageDraw, line: Line, at: tuple[float, float], colour: str) -> None:
    """With its left end and its baseline ``at``."""
    x, baseline = at
    for run in line.runs:
        on.text((x, baseline), run.text, fill=colour, font=run.font, anchor="ls", direction=run.direction)
        x += run.width


@lru_cache(maxsize=1)
def has_shaping() -> bool:
    """Whether Pillow found what it needs to join Arabic and stack Devanagari."""
    return bool(features.check_feature("raqm"))


def direction(text: str) -> str:
    """That of the first letter which has one."""
    first = next(filter(_is_strong, text), "")
    return "rtl" if first and unicodedata.bidirectional(first) != "L" else "ltr"


def _is_strong(char: str) -> bool:
    return unicodedata.bidirectional(char) in ("L", "R", "AL")


def _is_drawn(char: str) -> bool:
    if not fonts.is_seen(char):
        return True
    if not (has_shaping() or fonts.scripts_of(char) <= _UNSHAPED):
        return False
    return fonts.file_of(char, 400) is not None


def _wrapped(text: str, fit: Fit, size: int, width: float) -> list[str]:
    """By words, as many lines as it takes; a word too long for a line has one of its own."""
    lines: list[str] = []
    for word in text.split():
        longer = f"{lines[-1]} {word}" if lines else word
        if lines and _line(longer, fit.weight, size).width <= width:
            lines[-1] = longer
        else:
            lines.append(word)
    return lines


def _balanced(lines: list[str], fit: Fit, size: int) -> list[str]:
    """The same words in as many lines, which differ less in length."""
    best, width = lines, fit.width * _STEP
    while len(lines) > 1:
        narrower = _wrapped(" ".join(lines), fit, size, width)
        if len(narrower) > len(lines) or any(_line(each, fit.weight, size).width > width for each in narrower):
            break
        best, width = narrower, width * _STEP
    return best


def _first(lines: list[str], most: int) -> list[str]:
    """The last of them holds all that would come after it."""
    return [each for each in (*lines[: most - 1], " ".join(lines[most - 1 :])) if each]


def _ended(text: str, fit: Fit, size: int) -> Line:
    line = _line(text, fit.weight, size)
    clusters = list(_clusters(text))
    while line.width > fit.width and clusters:
        clusters.pop()
        line = _line("".join(clusters).rstrip() + _ELLIPSIS, fit.weight, size)
    return line


def _clusters(text: str) -> Iterator[str]:
    """Letters with their marks and what they are joined to, so that none is cut in two."""
    cluster = ""
    for char in text:
        is_more = unicodedata.category(char).startswith("M") or char in _JOINERS
        if cluster and not is_more and cluster[-1] not in (_VIRAMA, *_JOINERS):
            yield cluster
            cluster = ""
        cluster += char
    if cluster:
        yield cluster


@lru_cache(maxsize=2048)
def _line(text: str, weight: int, size: int) -> Line:
    base = direction(text)
    runs = [run for part, file in _parted(text, weight) for run in _runs(part, file, size, base)]
    return Line(text, tuple(runs if base == "ltr" else runs[::-1]), size)


def _runs(text: str, file: tuple[Path, int], size: int, base: str) -> Iterator[Run]:
    """A space after what runs against the line is the line's, and so is the side to which a bracket opens."""
    own = direction(text)
    if base == "rtl" and not any(map(_is_strong, text)):
        text = text.translate(_MIRRORED)
    body = text if own == base else text.rstrip()
    for part in filter(None, (body, text[len(body) :])):
        font, told = _font(*file, size), own if has_shaping() else None
        _, top, _, bottom = font.getbbox(part, direction=told, anchor="ls")
        yield Run(part, font, told, font.getlength(part, direction=told), top, bottom)


def _parted(text: str, weight: int) -> Iterator[tuple[str, tuple[Path, int]]]:
    """By font. What has none of its own, spaces and joiners, goes with the letter before it."""
    chosen: list[tuple[tuple[Path, int], str]] = []
    for char in text:
        file = chosen[-1][0] if chosen and not fonts.is_seen(char) else fonts.file_of(char, weight)
        if file is not None:
            chosen.append((file, char))
    for file, pairs in groupby(chosen, key=lambda pair: pair[0]):
        yield "".join(char for _, char in pairs), file


@lru_cache(maxsize=64)
def _font(path: Path, index: int, size: int) -> ImageFont.FreeTypeFont:
    return ImageFont.truetype(path, size, index=index)
