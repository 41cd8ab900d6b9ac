"""What the columns of somebody's table are for, by their names or as they were asked to be taken."""

import unicodedata
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from kernel.errors import FieldError, Invalid

# A column that is mapped to nothing is left out.
_NOTHING: Final = ("", "-")


@dataclass(frozen=True, slots=True)
class Fault:
    """Why a row is refused: a pointer into the body of what it is of, and the column of the file that it came from."""

    pointer: str
    detail: str
    column: str | None = None


def fault(error: FieldError, columns: Mapping[str, str]) -> Fault:
    """By the column that the field, or what it stands in, was taken from; ``columns`` are by pointer."""
    pointer = error.pointer
    while pointer and pointer not in columns:
        pointer = pointer.rpartition("/")[0]
    return Fault(error.pointer, error.detail, columns.get(pointer))


@dataclass(frozen=True, slots=True)
class Fields:
    """What a table may tell. ``field_of`` knows the field that a column is for by its name, ``is_field`` whether there
    is such a field; ``no_field`` says what would be right."""

    field_of: Callable[[str], str | None]
    is_field: Callable[[str], bool]
    no_field: str

    def knows(self, column: str) -> bool:
        return self.field_of(column) is not None


def mapped(head: Iterable[str], asked: Mapping[str, str], fields: Fields) -> list[str | None]:
    """The field of each column. ``asked`` goes before what a column's name says.

    Raises :class:`Invalid` where it names a column that is not there, or a field that there is none.
    """
    wanted = {plain(column): path for column, path in asked.items()}
    names = {plain(each) for each in head}
    if unknown := [column for column in asked if plain(column) not in names]:
        there = ", ".join(each[:60] for each in head)[:1000]
        raise Invalid(errors=[FieldError("query:map", f"names {len(unknown)} unknown columns; there are: {there}")])
    if not all(path in _NOTHING or fields.is_field(path) for path in asked.values()):
        raise Invalid(errors=[FieldError("query:map", fields.no_field)])
    taken = [wanted.get(plain(each), fields.field_of(each)) for each in head]
    return [None if path in _NOTHING else path for path in taken]


def plain(name: str) -> str:
    """In one case, without marks and what stands between words."""
    bare = unicodedata.normalize("NFKD", name).casefold()
    kept = "".join(each if each.isalnum() else "" if unicodedata.combining(each) else " " for each in bare)
    return " ".join(kept.split())
