"""Plain text in columns: how wide text is in a fixed-width font, and how it is wrapped, paired and set right.

A column is one cell of a terminal or a till printer: wide East Asian letters and emoji take two (UAX 11), combining
marks and controls none. Devanagari's spacing vowel signs take one, as printers draw them.
"""

import re
import unicodedata
from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import Final

from kernel.locale import isolated

WIDTH: Final = 42
_NO_BREAK_SPACES: Final = "\u00a0\u202f"
_LEAST_LABEL: Final = 12  # columns; a narrower label is set on lines of its own
_GAP: Final = 2
_TOKENS: Final = re.compile(r" +|[^ ]+")
_EMOJI_STYLE, _JOINER, _NON_JOINER = "\ufe0f", "\u200d", "\u200c"
_VIRAMA: Final = 9  # the combining class of signs that tie a consonant to the next
_ISOLATES, _POP = "\u2066\u2067\u2068", "\u2069"
_RIGHT_TO_LEFT_MARK: Final = "\u200f"
_OVERRIDES: Final = dict.fromkeys(map(ord, "\u202a\u202b\u202c\u202d\u202e"))


def width(text: str) -> int:
    """How many columns ``text`` takes on one line."""
    if text.isascii():
        return len(text)
    total = base = 0
    for char in text:
        # A narrow sign in emoji style is wide, whatever controls stand between.
        taken = 2 - base if char == _EMOJI_STYLE and base else _width(char)
        total += taken
        if taken:
            base = 0 if char == " " else taken
    return total


@lru_cache(4096)
def _width(char: str) -> int:
    if unicodedata.category(char) in ("Mn", "Me", "Cf") and char != "\u00ad":
        return 0
    return 2 if unicodedata.east_asian_width(char) in "WF" else 1


def wrapped(text: str, columns: int = WIDTH, *, breaks: str = _NO_BREAK_SPACES) -> Iterator[str]:
    """Lines of at most ``columns``, without spaces at their ends; spaces within a line stay as they came.

    A word that is too long for a line is broken after one of ``breaks``, else between letters.
    """
    for paragraph in map(_printable, text.splitlines()):
        fits = width(paragraph) <= columns
        line = paragraph if fits else ""
        for token in () if fits else _TOKENS.findall(paragraph):
            *full, line = _joined(line, token, columns, breaks)
            yield from filter(None, (part.rstrip() for part in full))
        if line.strip():
            yield line.rstrip()


def _printable(text: str) -> str:
    """Without controls, and without the overrides that could show an amount backwards."""
    text = text.replace("\t", " ").translate(_OVERRIDES)
    return text if text.isprintable() else "".join(char for char in text if unicodedata.category(char) != "Cc")


def _joined(line: str, token: str, columns: int, breaks: str) -> list[str]:
    """``line`` with ``token`` behind it; all but the last of the lines that come out are finished."""
    if width(line) + width(token) <= columns:
        return [line + token]
    if token[0] == " ":
        return [line, ""] if line.strip() else [""]
    head = [line] if line.strip() else []
    return [*head, *_broken(token, columns, breaks)]


def _broken(word: str, columns: int, breaks: str) -> Iterator[str]:
    """The pieces of a word that may be too long for a line."""
    letters, start = list(_clusters(word)), 0
    while start < len(letters):
        end, room = start, columns
        while end < len(letters) and (end == start or width(letters[end]) <= room):
            room -= width(letters[end])
            end += 1
        if end < len(letters):
            end = next((at for at in range(end, start, -1) if letters[at - 1] in breaks), end)
        yield "".join(letters[start:end])
        start = end


def _clusters(text: str) -> Iterator[str]:
    """Letters with what belongs to them (after UAX 29, with consonants tied by a virama): never broken inside."""
    start = 0
    for at in range(1, len(text)):
        if not _belongs(text[at - 1], text[at]):
            yield text[start:at]
            start = at
    if text:
        yield text[start:]


def _belongs(before: str, char: str) -> bool:
    if unicodedata.category(char)[0] == "M" or char in (_JOINER, _NON_JOINER) or before == _JOINER:
        return True
    return unicodedata.combining(before) == _VIRAMA and unicodedata.category(char) == "Lo"


class Sheet:
    """Lines of plain text, :data:`WIDTH` columns wide at most, in one reading direction.

    Text stays in logical order. Where it could run against its neighbour it stands in an isolate (UAX 9), closed on the
    same line; in a right-to-left sheet each line starts with a mark that says so.
    """

    def __init__(self, direction: str) -> None:
        self._direction = direction
        self._lines: list[str] = []

    def text(self) -> str:
        return "".join(f"{line}\n" for line in self._lines)

    def rule(self, char: str = "-") -> None:
        """A line across the sheet; a second one in a row changes nothing."""
        if self._lines and self._lines[-1] != char * WIDTH:
            self._lines.append(char * WIDTH)

    def gap(self) -> None:
        if self._lines and self._lines[-1]:
            self._lines.append("")

    def write(self, text: str, *, indent: int = 0, breaks: str = _NO_BREAK_SPACES) -> None:
        for line in wrapped(text, WIDTH - indent, breaks=breaks):
            self._put(indent, line)

    def centre(self, text: str) -> None:
        for line in wrapped(text):
            self._put((WIDTH - width(line)) // 2, line)

    def pair(self, label: str, value: str, *, indent: int = 0) -> None:
        """The label from the start and its value against the end of the same line, or each on lines of its own."""
        values = list(wrapped(value))
        if len(values) != 1:
            self.write(label, indent=indent)
            return self.write(value, indent=indent + _GAP)
        room = WIDTH - indent - width(values[0]) - _GAP
        labels = list(wrapped(label, room)) if room >= min(_LEAST_LABEL, width(label)) else []
        if not labels:
            self.write(label, indent=indent)
        first, *others = labels or [""]
        self._put(indent, first, values[0])
        for line in others:
            self._put(indent, line)
        return None

    def row(self, cells: Sequence[str], widths: Sequence[int]) -> None:
        """A row of a table: the first cell from the start and wrapped, the others against the end of their columns."""
        first, *others = cells
        behind = [
            " " * (_GAP + room - width(cell)) + self._isolated(cell)
            for cell, room in zip(others, widths[1:], strict=True)
        ]
        lines = list(wrapped(first, widths[0])) or [""]
        padding = " " * (widths[0] - width(lines[0]))
        self._append(self._isolated(lines[0]) + padding + "".join(behind))
        for line in lines[1:]:
            self._put(0, line)

    def _put(self, indent: int, start: str, end: str = "") -> None:
        line = " " * indent + self._isolated(start)
        if end:
            line += " " * (WIDTH - width(line) - width(end)) + self._isolated(end)
        self._append(line)

    def _append(self, line: str) -> None:
        self._lines.append(_RIGHT_TO_LEFT_MARK + line if self._direction == "rtl" else line)

    def _isolated(self, text: str) -> str:
        return isolated(_balanced(text), self._direction)


def _balanced(text: str) -> str:
    """Every isolate closed, and none closed that was not opened: wrapping may have cut one in two."""
    if text.isascii():
        return text
    kept, depth = [], 0
    for char in text:
        if char == _POP and not depth:
            continue
        depth += (char in _ISOLATES) - (char == _POP)
        kept.append(char)
    return "".join(kept) + _POP * depth
