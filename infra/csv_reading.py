"""Tables out of CSV files as people have them, of any spreadsheet, encoding and delimiter."""

import codecs
import csv
import io
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import ClassVar, Final

from infra.csv_text import told
from kernel.errors import Invalid, TooLarge

MOST_ROWS: Final = 5_000
MOST_COLUMNS: Final = 500
_DELIMITERS: Final = (",", ";", "\t")
_MARKS: Final = ((codecs.BOM_UTF8, "utf-8"), (codecs.BOM_UTF16_LE, "utf-16-le"), (codecs.BOM_UTF16_BE, "utf-16-be"))
# By which Excel tells itself the delimiter.
_SEPARATOR: Final = "sep="


class UnreadableTable(Invalid):
    slug: ClassVar[str] = "unreadable-table"
    title: ClassVar[str] = "The table cannot be read"


@dataclass(frozen=True, slots=True)
class Line:
    """``number`` is as a spreadsheet counts: the head is 1. There are as many cells as columns; ``is_longer`` where the
    file had more, as it has where quotes are missing around a cell."""

    number: int
    cells: tuple[str, ...]
    is_longer: bool = False


@dataclass(frozen=True, slots=True)
class CsvTable:
    head: tuple[str, ...]
    lines: tuple[Line, ...]


def read(data: bytes, *, knows: Callable[[str], bool], most: int = MOST_ROWS) -> CsvTable:
    """``knows`` tells whether it knows a column by its name. Empty lines are left out.

    Raises :class:`UnreadableTable`, or :class:`TooLarge` beyond ``most`` rows.
    """
    text = decoded(data)
    first, _, rest = text.partition("\n")
    told_delimiter = first.rstrip("\r")[len(_SEPARATOR) :]
    if first.lower().startswith(_SEPARATOR) and told_delimiter in _DELIMITERS:
        return _table(rest, told_delimiter, most, before=1)
    return _table(text, _delimiter(text, knows), most)


def decoded(data: bytes) -> str:
    """By its mark; else UTF-16 where every other byte is zero, UTF-8 where it is valid, and what Windows writes."""
    for mark, encoding in _MARKS:
        if data.startswith(mark):
            return data[len(mark) :].decode(encoding, errors="replace")
    start = data[:1000]
    if start.count(0) * 3 > len(start):
        return data.decode("utf-16-le" if start[1:2] == b"\x00" else "utf-16-be", errors="replace")
    try:
        return data.decode()
    except UnicodeDecodeError:
        return data.decode("cp1252", errors="replace")


def _delimiter(text: str, knows: Callable[[str], bool]) -> str:
    """That by which most columns of the head are known, and then most are parted."""
    return max(_DELIMITERS, key=lambda each: _promise(text, each, knows))


def _promise(text: str, delimiter: str, knows: Callable[[str], bool]) -> tuple[int, int]:
    try:
        head = next(_records(text, delimiter), (0, []))[1]
    except UnreadableTable:
        return 0, 0
    return sum(map(knows, head)), len(head)


def _table(text: str, delimiter: str, most: int, before: int = 0) -> CsvTable:
    records = ((number + before, cells) for number, cells in _records(text, delimiter) if any(map(str.strip, cells)))
    _, head = next(records, (0, []))
    while head and not head[-1].strip():
        head.pop()
    if not head:
        raise UnreadableTable("The file holds no table: a first row with the names of its columns is expected")
    if len(head) > MOST_COLUMNS:
        raise UnreadableTable(f"The table has more than {MOST_COLUMNS} columns")
    lines: list[Line] = []
    for number, cells in records:
        if len(lines) == most:
            raise TooLarge(f"The table has more than {most:,} rows; send it in parts")
        lines.append(_line(number, cells, len(head)))
    return CsvTable(tuple(map(str.strip, head)), tuple(lines))


def _line(number: int, cells: list[str], width: int) -> Line:
    fitted = [*cells, *[""] * (width - len(cells))][:width]
    return Line(number, tuple(map(told, fitted)), any(map(str.strip, cells[width:])))


def _records(text: str, delimiter: str) -> Iterator[tuple[int, list[str]]]:
    """Each with its number, as a spreadsheet counts: a line break in quotes makes no row."""
    lines = _Lines(text)
    reader = csv.reader(lines, delimiter=delimiter)
    number = 0
    while True:
        begin = lines.count
        try:
            cells = next(reader, None)
        except csv.Error:
            raise UnreadableTable(
                f"Line {begin + 1} holds quotes that are not closed, or a cell that is too long"
            ) from None
        if cells is None:
            return
        number += 1
        if lines.is_over and lines.count - begin > 1 and lines.quotes % 2:
            raise UnreadableTable(f"Quotes that are opened in line {begin + 1} are never closed")
        lines.quotes = 0
        yield number, cells


class _Lines:
    """The lines of a text, however they end, with what was read of them since the last record."""

    def __init__(self, text: str) -> None:
        self._lines = io.StringIO(text, newline="")
        self.count = self.quotes = 0
        self.is_over = False

    def __iter__(self) -> "_Lines":
        return self

    def __next__(self) -> str:
        line = self._lines.readline()
        if not line:
            self.is_over = True
            raise StopIteration
        self.count += 1
        self.quotes += line.count('"')
        return line
