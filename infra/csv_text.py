"""Tables as CSV that spreadsheets open as they are meant: UTF-8 with its mark, CRLF, and no cell that is a formula."""

import codecs
import csv
import io
import re
from collections.abc import Iterable, Sequence
from typing import Final

# What a spreadsheet would run (https://owasp.org/www-community/attacks/CSV_Injection).
_BEGINS: Final = ("=", "+", "-", "@", "\t", "\r")
_AS_TEXT: Final = "'"
# Begins like a formula, and is none: amounts come as decimal strings.
_NUMBER: Final = re.compile(r"-[0-9]+(\.[0-9]+)?")


def csv_text(head: Sequence[str], rows: Iterable[Sequence[object]]) -> bytes:
    """A cell that begins like a formula gets an apostrophe before it, by which spreadsheets know text; numbers stay
    numbers, in digits too, and None is empty."""
    out = io.StringIO(newline="")
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow([_cell(each) for each in head])
    writer.writerows([_cell(each) for each in row] for row in rows)
    return codecs.BOM_UTF8 + out.getvalue().encode()


def told(cell: str) -> str:
    """What stood in a cell before :func:`csv_text` wrote it."""
    return cell[1:] if cell[:1] == _AS_TEXT and _runs(cell) else cell


def _cell(value: object) -> object:
    if value is None:
        return ""
    return _AS_TEXT + value if isinstance(value, str) and _runs(value) and not _NUMBER.fullmatch(value) else value


def _runs(text: str) -> bool:
    """Also where apostrophes are before it already, so that reading takes away no more than writing added."""
    return text.lstrip(_AS_TEXT).startswith(_BEGINS)
