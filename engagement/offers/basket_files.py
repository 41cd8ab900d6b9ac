"""Files of baskets: one line of a receipt a line (CSV, TSV, Parquet), or one basket a line."""

import csv
import gzip
import re
import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal, InvalidOperation
from itertools import islice
from pathlib import Path
from typing import IO, Any, Final, Literal

from engagement.offers import basket_dates
from engagement.offers.basket_columns import Field, UnknownColumn, items_of_a_line, named, recognised
from engagement.offers.basket_dates import UnreadableDate
from engagement.offers.lesson import Row

Form = Literal["auto", "long", "baskets"]
_SAMPLE: Final = 5_000
_DELIMITERS: Final = "\t;|,"
_MOST_CELL: Final = 10_000_000


class UnreadableBaskets(ValueError):
    """Its words say what is wrong, and what helps."""


@dataclass(slots=True)
class Reading:
    """How a file is to be read, and what came of it. ``items`` are those that count, by their keys' beginning."""

    columns: Mapping[Field, str] = field(default_factory=dict)
    form: Form = "auto"
    items: "re.Pattern[str] | None" = None
    lines: int = 0
    left_out: int = 0
    said: str = ""
    """How it was read, for people."""


def rows(file: Path, reading: Reading) -> Iterator[Row]:
    """Lines without a basket or an item, with a quantity or price that is not above 0, and of other items are left out.

    Without a basket's number, what a customer bought on one date is a basket. Raises :class:`UnreadableBaskets`.
    """
    try:
        with file.open("rb") as opened:
            start = opened.read(4)
        yield from _parquet(file, reading) if start == b"PAR1" else _text(file, start, reading)
    except UnknownColumn as error:
        raise UnreadableBaskets(str(error)) from None
    except (csv.Error, UnicodeError, EOFError, OSError, zlib.error) as error:
        raise UnreadableBaskets(f"it cannot be read: {error}") from None


def _text(file: Path, start: bytes, reading: Reading) -> Iterator[Row]:
    csv.field_size_limit(_MOST_CELL)
    with _opened(file, start) as stream:
        sample = list(islice(stream, _SAMPLE))
    delimiter = max(_DELIMITERS, key=lambda sign: sum(sign in line for line in sample))
    if not any(delimiter in line for line in sample):
        delimiter = " "
    known = [each for each in csv.reader(sample, delimiter=delimiter) if each]
    if not known:
        raise UnreadableBaskets("it is empty")

    def records() -> Iterator[list[str]]:
        with _opened(file, start) as stream:
            yield from filter(None, csv.reader(stream, delimiter=delimiter))

    yield from _shaped(records, known, reading)


def _opened(file: Path, start: bytes) -> IO[str]:
    """What is not UTF-8 keeps its bytes: a name in another encoding is still a name."""
    encoding = "utf-16" if start[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8-sig"
    if start[:2] == b"\x1f\x8b":
        return gzip.open(file, "rt", encoding=encoding, errors="surrogateescape", newline="")
    return file.open(encoding=encoding, errors="surrogateescape", newline="")


def _shaped(records: Callable[[], Iterator[list[str]]], known: list[list[str]], reading: Reading) -> Iterator[Row]:
    """``known`` are the first of the records."""
    found = recognised(known[0])
    numbered = items_of_a_line(known[0])
    has_header = bool(numbered) or len(found) > 1 or (bool(reading.columns) and _is_named(reading, known[0]))
    header = known[0] if has_header else None
    widths = {len(each) for each in known[has_header:]}
    is_long = reading.form == "long" or bool(reading.columns)
    if reading.form == "auto" and not is_long:
        is_long = (has_header and not numbered) or (not has_header and widths <= {2, 3} and len(widths) == 1)
    first = int(has_header)
    if not is_long:
        reading.said = "a basket a line"
        yield from _baskets(islice(records(), first, None), numbered, reading)
        return
    places = (found if header else {}) | named(reading.columns, header, max(map(len, known)))
    if not header and not reading.columns:
        places = {"basket": 0, "item": 1}
        if widths == {3}:
            places["date"] = 2
            _refuse_unknown_header(known)
    yield from _long(lambda: islice(records(), first, None), places, header, reading)


def _refuse_unknown_header(known: Sequence[Sequence[str]]) -> None:
    """Names that :func:`recognised` does not know would be taken for the first record."""
    read = basket_dates.reader(record[2] for record in known)
    with suppress(UnreadableDate):
        read(known[0][2])
        return
    asked = "which column is what? Say --basket, --item and --date, or --format baskets where a line is one"
    raise UnreadableBaskets(f"{asked}; there are: {', '.join(known[0])}")


def _is_named(reading: Reading, header: Sequence[str]) -> bool:
    return any(name in header for name in reading.columns.values() if not name.isdecimal())


def _baskets(records: Iterator[list[str]], places: list[int], reading: Reading) -> Iterator[Row]:
    for number, record in enumerate(records):
        cells = [record[place] for place in places if place < len(record)] if places else record
        for cell in cells:
            if item := cell.strip():
                reading.lines += 1
                if reading.items is None or reading.items.match(item):
                    yield Row(str(number), item, number)
                else:
                    reading.left_out += 1


def _long(
    records: Callable[[], Iterator[Sequence[Any]]],
    places: Mapping[Field, int],
    header: Sequence[str] | None,
    reading: Reading,
) -> Iterator[Row]:
    """``records`` begins anew each time."""
    if "item" not in places or not ({"basket"} <= set(places) or {"customer", "date"} <= set(places)):
        there = f"there are: {', '.join(header)}" if header else "there is no header"
        raise UnreadableBaskets(f"which column is the basket, and which the item? Say --basket and --item; {there}")
    names = header or [f"column {number}" for number in range(1, max(places.values()) + 2)]
    reading.said = ", ".join(f"{field} from {names[at]}" for field, at in places.items())
    instant = _instants(records, places)
    for number, record in enumerate(records()):
        reading.lines += 1
        row = _row(record, places, instant, number)
        if row is None or (reading.items is not None and not reading.items.match(row.item)):
            reading.left_out += 1
        else:
            yield row


def _row(
    record: Sequence[Any], places: Mapping[Field, int], instant: Callable[[Sequence[Any], int], int], number: int
) -> Row | None:
    def cell(name: Field) -> str | None:
        at = places.get(name)
        value = record[at] if at is not None and at < len(record) else None
        return None if value is None or value != value else str(value).strip() or None

    item, customer = cell("item"), cell("customer")
    basket = cell("basket") if "basket" in places else customer and f"{customer}\n{cell('date')}"
    if not item or not basket or not (_is_above_0(cell("quantity")) and _is_above_0(cell("price"))):
        return None
    return Row(basket, item, instant(record, number), customer, cell("store"))


def _is_above_0(text: str | None) -> bool:
    """So is what is no number: nothing is known against it."""
    try:
        return text is None or Decimal(text.replace(",", ".")) > 0
    except InvalidOperation:
        return True


def _instants(
    records: Callable[[], Iterator[Sequence[Any]]], places: Mapping[Field, int]
) -> Callable[[Sequence[Any], int], int]:
    """When a record was; without a date, records come in their order."""
    at, clock = places.get("date"), places.get("time")
    if at is None:
        return lambda _record, number: number
    known: dict[str, int] = {}

    def written(record: Sequence[Any]) -> str:
        value = record[at] if at < len(record) else ""
        text = value.isoformat() if isinstance(value, date) else str(value)
        moment = str(record[clock]) if clock is not None and clock < len(record) else ""
        return f"{text} {moment}" if ":" in moment and ":" not in text else text

    read = basket_dates.reader(map(written, records()))

    def instant(record: Sequence[Any], number: int) -> int:
        text = written(record)
        if text not in known:
            try:
                known[text] = read(text)
            except UnreadableDate as error:
                raise UnreadableBaskets(f"record {number + 1}: {str(error)!r} is no date that can be read") from None
        return known[text]

    return instant


def _parquet(file: Path, reading: Reading) -> Iterator[Row]:
    try:
        # Only who reads such a file needs it.
        from pyarrow import ArrowException, parquet
    except ImportError:
        raise UnreadableBaskets("Parquet needs another package: pip install pyarrow, or save it as CSV") from None
    try:
        opened = parquet.ParquetFile(file)
        header = list(opened.schema_arrow.names)
        places = recognised(header) | named(reading.columns, header, len(header))
        kept = sorted(set(places.values()))
        narrow = {name: kept.index(at) for name, at in places.items()}
        columns = [header[at] for at in kept]
        yield from _long(lambda: _records(opened, columns), narrow, columns, reading)
    except ArrowException as error:
        raise UnreadableBaskets(f"it cannot be read: {error}") from None


def _records(opened: Any, columns: list[str]) -> Iterator[tuple[Any, ...]]:
    for batch in opened.iter_batches(columns=columns):
        yield from zip(*(column.to_pylist() for column in batch.columns), strict=True)
