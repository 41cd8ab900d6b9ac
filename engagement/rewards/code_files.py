"""Files of codes that come from elsewhere: one a line, or a CSV file with a column of them. Pure."""

import codecs
import csv
import io
from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from engagement.rewards.definition import MOST_SLOTS
from engagement.rewards.keys import tidied
from infra.csv_text import told
from kernel.errors import BadRequest, FieldError, Invalid

_LONGEST: Final = 64
# What heads the column of the codes; the first for sure.
_HEADS: Final = ("code", "codes", "voucher", "coupon")
# So many faults are told at once.
_WRONG: Final = 20


def read(data: bytes) -> dict[int, str]:
    """The codes by their lines in the file, from 1. The first line may name the columns; where several could be that of
    the codes, it is called ``code``. Empty lines are left out.

    Raises :class:`BadRequest` where it is no such text, and :class:`Invalid` with the lines at fault where it holds no
    code or too many, where one is there twice or cannot be one, or where nothing tells which column holds them.
    """
    lines = list(_lines(data))
    heads = [each.lower() for each in lines[0][1]] if lines else []
    named = [at for at, each in enumerate(heads) if each in _HEADS]
    column = heads.index(_HEADS[0]) if _HEADS[0] in heads else named[0] if len(named) == 1 else None
    if column is None:
        _refuse_columns(lines)
    at, rows = (0, lines) if column is None else (column, lines[1:])
    found = {line: row[at] if len(row) > at else "" for line, row in rows}
    wrong = list(_wrong(found))
    if wrong:
        raise Invalid(errors=wrong[:_WRONG])
    return found


def _lines(data: bytes) -> Iterator[tuple[int, list[str]]]:
    try:
        text = data.removeprefix(codecs.BOM_UTF8).decode()
    except UnicodeDecodeError:
        raise BadRequest("The codes must be UTF-8, one a line") from None
    delimiter = next((each for each in (";", "\t") if each in text.partition("\n")[0]), ",")
    rows = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
    try:
        for row in rows:
            if any(row):
                yield rows.line_num, [told(each).strip() for each in row]
    except csv.Error:
        raise BadRequest("The codes must be one a line, or a column of a CSV file") from None


def _refuse_columns(lines: Sequence[tuple[int, Sequence[str]]]) -> None:
    line = next((line for line, row in lines if any(row[1:])), None)
    if line is not None:
        raise Invalid(
            errors=[FieldError(f"/{line}", "has several columns: call that of the codes `code`, in a first line")]
        )


def _wrong(codes: Mapping[int, str]) -> Iterator[FieldError]:
    if not codes:
        yield FieldError("", "must hold a code at least")
    if len(codes) > MOST_SLOTS:
        yield FieldError("", f"must hold at most {MOST_SLOTS} codes")
        return
    first: dict[str, int] = {}
    for line, code in codes.items():
        tidy = tidied(code)
        if not code:
            yield FieldError(f"/{line}", "has no code")
        elif len(tidy) > _LONGEST or not tidy.isprintable() or _is_no_segment(tidy):
            detail = f"must be a code of at most {_LONGEST} printable characters, and have no slash"
            yield FieldError(f"/{line}", detail)
        elif first.setdefault(tidy, line) != line:
            yield FieldError(f"/{line}", f"is the code of line {first[tidy]} again")


def _is_no_segment(code: str) -> bool:
    """A code is part of an address when it is looked up, where these would lead elsewhere."""
    return "/" in code or not code.strip(".")
