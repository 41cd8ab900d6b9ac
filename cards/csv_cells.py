"""Rows of a table as what they say of people: each column fills a field of a card."""

import re
from dataclasses import dataclass, field
from typing import Any, Final

from accounts.fields import SLUG
from cards.csv_names import LISTS, PLACES, field_of, is_field
from cards.entries import Entry
from cards.names import country_code
from infra.csv_columns import Fault, Fields
from infra.csv_reading import CsvTable, Line

_SEVERAL: Final = re.compile(r"[;\n|]+")
# Where a value holds no comma either.
_SEVERAL_WORDS: Final = re.compile(r"[,;\n|]+")
_BARE_HOST: Final = re.compile(r"[\w-]+(\.[\w-]+)+([/?#].*)?")
_SLUG: Final = re.compile(SLUG)


@dataclass(slots=True)
class _Told:
    """What a row says so far; ``columns`` by the pointer of the field."""

    content: dict[str, Any] = field(default_factory=dict)
    places: dict[str, str] = field(default_factory=dict)
    columns: dict[str, str] = field(default_factory=dict)
    lost: list[str] = field(default_factory=list)


FIELDS: Final = Fields(
    field_of,
    is_field,
    "names a field that cards do not have; title, phones.mobile, emails.work, socials.linkedin, addresses.work.city or "
    "translations.de.title would be some",
)


def entries(table: CsvTable, fields: list[str | None]) -> list[Entry]:
    return [_entry(line, table.head, fields) for line in table.lines]


def _entry(line: Line, head: tuple[str, ...], fields: list[str | None]) -> Entry:
    told = _Told()
    for column, path, cell in zip(head, fields, line.cells, strict=True):
        if path and (value := cell.strip()):
            _put(told, path, value, column)
    faults = [Fault("", "has more cells than the first row; one of them may need quotes around it")] * line.is_longer
    faults += [
        Fault(f"/{name}", "must be lower-case letters, digits, - and _, such as till-3", told.columns[f"/{name}"])
        for name, slug in told.places.items()
        if not _SLUG.fullmatch(slug)
    ]
    return Entry(
        row=line.number,
        content=told.content,
        staff=told.places.get("staff"),
        store=told.places.get("store"),
        brand=told.places.get("brand"),
        faults=tuple(faults),
        lost=tuple(told.lost),
        columns=told.columns,
    )


def _put(told: _Told, path: str, value: str, column: str) -> None:
    name, *rest = path.split(".")
    if name in PLACES:
        # Slugs are in lower case, numbers of employees often are not.
        _once(told, told.places, name, f"/{name}", value.lower(), column)
    elif name in LISTS:
        _add_all(told, name, value, column)
    elif name in _PARTS:
        for each in _split(value, _SEVERAL):
            _append(told, name, _part(name, rest[0], each), column)
    elif name == "addresses":
        _address(told, rest[0], rest[1], value, column)
    elif name == "translations":
        words = told.content.setdefault(name, {}).setdefault(rest[0], {})
        _once(told, words, rest[1], f"/translations/{rest[0]}/{rest[1]}", _words(rest[1], value), column)
    else:
        _once(told, told.content, name, f"/{name}", _said(name, value), column)


def _once(told: _Told, into: dict[str, Any], name: str, pointer: str, value: Any, column: str) -> None:
    if name not in into:
        into[name] = value
        told.columns[pointer] = column
    elif into[name] != value:
        told.lost.append(f"{column[:60]}: {told.columns[pointer][:60]} fills the same field, and was taken")


def _add_all(told: _Told, name: str, value: str, column: str) -> None:
    for each in _split(value, _SEVERAL if name == "links" else _SEVERAL_WORDS):
        _append(told, name, {"url": _web(each)} if name == "links" else each, column)


def _append(told: _Told, name: str, value: Any, column: str) -> None:
    values = told.content.setdefault(name, [])
    if value not in values:
        told.columns[f"/{name}/{len(values)}"] = column
        values.append(value)


_PARTS: Final = ("phones", "emails", "socials", "messengers")


def _part(name: str, kind: str, value: str) -> dict[str, str]:
    match name:
        case "phones":
            return {"number": value, "kind": kind}
        case "emails":
            return {"address": value.removeprefix("mailto:"), "kind": kind}
    is_link = "://" in value or ("/" in value and _BARE_HOST.fullmatch(value))
    account = {"url": _web(value)} if is_link else {"handle": value}
    return {"network" if name == "socials" else "app": kind} | account


def _address(told: _Told, kind: str, part: str, value: str, column: str) -> None:
    """All columns of one kind make one address."""
    addresses = told.content.setdefault("addresses", [])
    place = next((index for index, each in enumerate(addresses) if each["kind"] == kind), len(addresses))
    if place == len(addresses):
        addresses.append({"kind": kind})
    if part == "lines":
        addresses[place].setdefault("lines", []).extend(_split(value, re.compile(r"\n+")))
        told.columns.setdefault(f"/addresses/{place}/lines", column)
    else:
        said = (country_code(value) or value) if part == "country" else value
        _once(told, addresses[place], part, f"/addresses/{place}/{part}", said, column)


def _words(name: str, value: str) -> str | list[str]:
    return _split(value, _SEVERAL_WORDS) if name == "hobbies" else value


def _said(name: str, value: str) -> str:
    if name == "booking_url":
        return _web(value)
    # In whatever case it is written.
    return value.lower() if name == "language" else value


def _split(value: str, at: re.Pattern[str]) -> list[str]:
    return [each.strip() for each in at.split(value) if each.strip()]


def _web(value: str) -> str:
    """With the scheme that people leave out."""
    return f"https://{value}" if _BARE_HOST.fullmatch(value) else value
