"""The form in which a member of staff edits their card: a profile as rows of text fields, and back.

A field is called ``title``, ``phones.0.number`` or ``translations.de.title``. A row in which nothing stands is none.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from cards.networks import MESSENGERS, NETWORKS
from cards.profile import Profile
from infra.i18n import later

_SPARE: Final = 1  # empty rows for more
_MOST_ROWS: Final = 20
_PLACES: Final = {"work": later("Work"), "home": later("Home"), "other": later("Other")}
_KINDS: Final = {"work": later("Work"), "mobile": later("Mobile"), "home": later("Home"), "fax": later("Fax"),
                 "other": later("Other")}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Cell:
    """One field of a row; ``choices`` are its values with their names."""

    name: str
    label: str
    kind: str = "text"
    choices: Mapping[str, str] | None = None


@dataclass(frozen=True, slots=True)
class Rows:
    """A list of the profile."""

    name: str
    legend: str
    cells: tuple[Cell, ...]

    def is_written(self, fields: Mapping[str, str], number: int) -> bool:
        """Whether anything but a choice, which is always made, stands in this row."""
        return any(
            fields.get(f"{self.name}.{number}.{cell.name}", "").strip() for cell in self.cells if not cell.choices
        )


# Legends, and below each its rows.
SINGLE: Final = (
    (
        later("Name"),
        (("given", "family"), ("pronouns", "nickname"), ("prefix", "suffix"), ("additional", "name")),
    ),
    (
        later("What you do"),
        (("title", "department"), ("description",), ("hobbies", "languages"), ("booking_url",)),
    ),
)
LABELS: Final = {
    "prefix": later("Before the name"),
    "given": later("First name"),
    "additional": later("Middle names"),
    "family": later("Last name"),
    "suffix": later("After the name"),
    "name": later("Whole name, if written otherwise"),
    "nickname": later("Nickname"),
    "pronouns": later("Pronouns"),
    "title": later("Title"),
    "department": later("Department"),
    "description": later("About you"),
    "hobbies": later("Hobbies"),
    "languages": later("Languages that you speak"),
    "booking_url": later("Where appointments are made"),
}
HINTS: Final = {
    "hobbies": later("One on each line"),
    "languages": later("As codes, best first: en, de, tr"),
    "booking_url": "https://…",
}
# Kept as lists, written with this between. A hobby may hold a comma, and none a line break.
_BETWEEN: Final = {"hobbies": "\n", "languages": ", "}
_SPLIT: Final = {"hobbies": re.compile(r"\n"), "languages": re.compile("[,،]")}
TRANSLATED: Final = ("name", "title", "department", "description", "hobbies")
_LABEL: Final = Cell("label", later("Label"))
ROWS: Final = (
    Rows(
        "phones",
        later("Telephone"),
        (Cell("kind", later("Kind"), "choice", _KINDS), Cell("number", later("Number"), "tel"), _LABEL),
    ),
    Rows(
        "emails",
        later("Email"),
        (Cell("kind", later("Kind"), "choice", _PLACES), Cell("address", later("Address"), "email"), _LABEL),
    ),
    Rows(
        "messengers",
        later("Messengers"),
        (
            Cell("app", later("App"), "choice", {key: each.name for key, each in MESSENGERS.items()}),
            Cell("account", later("Number, name or link")),
        ),
    ),
    Rows(
        "socials",
        later("Social networks"),
        (
            Cell("network", later("Network"), "choice", {key: each.name for key, each in NETWORKS.items()}),
            Cell("account", later("Name or link")),
        ),
    ),
    Rows("links", later("Links"), (Cell("label", later("What it says")), Cell("url", later("Address"), "url"))),
    Rows(
        "addresses",
        later("Addresses"),
        (
            Cell("kind", later("Kind"), "choice", _PLACES),
            Cell("lines", later("Street and number"), "area"),
            Cell("postal_code", later("Postal code")),
            Cell("city", later("City")),
            Cell("region", later("Region")),
            Cell("country", later("Country, as DE or IN")),
            _LABEL,
        ),
    ),
)


def filled(profile: Profile) -> dict[str, str]:
    """The fields with what the profile has in them."""
    plain = profile.model_dump(mode="json", exclude_none=True)
    fields = {name: _line(name, plain[name]) for name in LABELS if name in plain}
    for rows in ROWS:
        for number, row in enumerate(plain[rows.name]):
            fields |= {f"{rows.name}.{number}.{name}": _line(name, value) for name, value in _flat(row).items()}
    for language, words in plain["translations"].items():
        fields |= {f"translations.{language}.{name}": _line(name, value) for name, value in words.items()}
    return fields


def count_rows(fields: Mapping[str, str], rows: Rows) -> int:
    """Those that are filled, and spare ones."""
    used = [number for number in range(_MOST_ROWS) if rows.is_written(fields, number)]
    return min(_MOST_ROWS, (used[-1] + 1 if used else 0) + _SPARE)


def told(fields: Mapping[str, str]) -> frozenset[str]:
    """Which parts of the profile a form speaks of at all: a part that it leaves out stays as it is."""
    return frozenset(name.partition(".")[0] for name in fields)


def compact(fields: Mapping[str, str]) -> dict[str, str]:
    """The same fields without rows that are none, so that numbers of rows are those of the profile."""
    kept = {name: value.strip() for name, value in fields.items() if name in LABELS or name.startswith("translations.")}
    for rows in ROWS:
        written = [number for number in range(_MOST_ROWS) if rows.is_written(fields, number)]
        for new, old in enumerate(written):
            for cell in rows.cells:
                kept[f"{rows.name}.{new}.{cell.name}"] = fields.get(f"{rows.name}.{old}.{cell.name}", "").strip()
    return kept


def changes(
    fields: Mapping[str, str], before: Profile, offered: Sequence[str], open_: frozenset[str]
) -> dict[str, Any]:
    """What the compact fields ask for, for :func:`cards.invites.edit`: only of what is ``open_`` to the person.

    ``offered`` are the languages of the form's translations.
    """
    asked: dict[str, Any] = {name: _told(name, fields.get(name, "")) for name in LABELS if name in open_}
    asked |= {rows.name: list(_rows(fields, rows)) for rows in ROWS if rows.name in open_}
    if "translations" in open_:
        asked["translations"] = _translations(fields, before, offered, open_)
    return asked


def _translations(
    fields: Mapping[str, str], before: Profile, offered: Sequence[str], open_: frozenset[str]
) -> dict[str, Any]:
    """Those before, with what the form may say of them in its stead."""
    plain = before.model_dump(mode="json", exclude_none=True)["translations"]
    for language in offered:
        words = dict(plain.get(language, {}))
        for name in TRANSLATED:
            if name in open_:
                words[name] = _told(name, fields.get(f"translations.{language}.{name}", ""))
        plain[language] = {name: value for name, value in words.items() if value}
    return {language: words for language, words in plain.items() if words}


def _rows(fields: Mapping[str, str], rows: Rows) -> Iterator[dict[str, Any]]:
    number = 0
    while rows.is_written(fields, number):
        told = {cell.name: fields.get(f"{rows.name}.{number}.{cell.name}", "") for cell in rows.cells}
        yield _deep({name: value for name, value in told.items() if value})
        number += 1


def _flat(row: Mapping[str, Any]) -> dict[str, Any]:
    """An account is one field, whether it is a handle or an address."""
    known = dict(row)
    if "handle" in known or ("url" in known and ("network" in known or "app" in known)):
        known["account"] = known.pop("handle", None) or known.pop("url", "")
    return known


def _deep(row: dict[str, str]) -> dict[str, Any]:
    deep: dict[str, Any] = dict(row)
    if "account" in deep:
        account = deep.pop("account")
        deep["url" if "://" in account else "handle"] = account
    if "lines" in deep:
        deep["lines"] = [line.strip() for line in deep["lines"].splitlines() if line.strip()]
    return deep


def _told(name: str, value: str) -> Any:
    if name in _BETWEEN:
        return [each.strip() for each in _SPLIT[name].split(value) if each.strip()]
    return value.replace("\r\n", "\n").strip() or None


def _line(name: str, value: Any) -> str:
    return _BETWEEN.get(name, "\n").join(map(str, value)) if isinstance(value, list) else str(value)
