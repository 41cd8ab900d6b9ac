"""Files of staff, whatever kind they are, as what they say of each person."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from cards import csv_cells, vcard_reading
from cards.entries import Entry
from cards.vcard_reading import Reading
from infra import csv_columns, csv_reading
from infra.csv_columns import Fault

CSV: Final = "text/csv"
VCARD: Final = "text/vcard"
_BEGIN: Final = b"begin:vcard"


@dataclass(frozen=True, slots=True)
class StaffFile:
    """``columns`` are those of a table with the fields they fill; None for one that is left out."""

    entries: list[Entry]
    columns: tuple[tuple[str, str | None], ...] = ()


def kind_of(data: bytes) -> str:
    """Of a file whose kind nobody told."""
    return VCARD if _BEGIN in data[:1000].replace(b"\x00", b"").lower() else CSV


def read(data: bytes, kind: str, *, asked: Mapping[str, str]) -> StaffFile:
    """``asked`` maps columns of a table to fields. Raises :class:`kernel.errors.Invalid` for a table that is none, or a
    mapping that does not fit it, :class:`kernel.errors.TooLarge`."""
    if kind == VCARD:
        return StaffFile([_entry(place, each) for place, each in enumerate(vcard_reading.read(data), 1)])
    table = csv_reading.read(data, knows=csv_cells.FIELDS.knows)
    fields = csv_columns.mapped(table.head, asked, csv_cells.FIELDS)
    return StaffFile(csv_cells.entries(table, fields), tuple(zip(table.head, fields, strict=True)))


def _entry(place: int, reading: Reading) -> Entry:
    profile = reading.profile
    return Entry(
        row=place,
        content=profile.model_dump(exclude_defaults=True) if profile else {},
        photo=reading.photo,
        faults=() if profile else (Fault("", reading.reason),),
        lost=reading.lost,
    )
