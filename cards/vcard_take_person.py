"""Who somebody is, from the properties of a vCard."""

import binascii
import re
from collections.abc import Callable, Mapping
from typing import Final

from cards.vcard_lines import one_line
from cards.vcard_property import Property
from cards.vcard_taken import ONCE, Taken
from kernel.locale import LANGUAGES, base_language

_PARTS: Final = ("family", "given", "additional", "prefix", "suffix")
_LONGEST_NOTE: Final = 2000
_MOST_PHOTO_BYTES: Final = 8_000_000
_DATA_URL: Final = re.compile(r"data:[^,]{0,200};base64\\?,", re.IGNORECASE)
_NO_BASE64: Final = re.compile(r"[^A-Za-z0-9+/]+")


def _take_name(taken: Taken, told: Property) -> None:
    """Also a second surname and a generation (RFC 9554), which repeat themselves in the first parts."""
    fields = told.fields
    if any(name in taken.fields for name in _PARTS):
        return taken.lose(told, ONCE)
    for name, values in zip(_PARTS, fields, strict=False):
        taken.put(told, name, (", " if name == "suffix" else " ").join(values))
    known = " ".join(value for values in fields[:5] for value in values)
    if any(value not in known for values in fields[5:] for value in values):
        taken.lose(told, "has more than five parts; these were taken")
    return None


def _take_organisation(taken: Taken, told: Property) -> None:
    name, *units = [", ".join(values) for values in told.fields]
    taken.put(told, "organisation", name)
    taken.put(told, "department", ", ".join(filter(None, units)))


def _take_role(taken: Taken, told: Property) -> None:
    if "title" in taken.fields and taken.fields["title"] != one_line(told.text):
        return taken.lose(told, "a card has one title, and TITLE was taken")
    return taken.put(told, "title", told.text)


def _take_nickname(taken: Taken, told: Property) -> None:
    names = [taken.fields.pop("nickname", ""), ", ".join(value for values in told.fields for value in values)]
    taken.put(told, "nickname", ", ".join(filter(None, dict.fromkeys(names))))


def _take_note(taken: Taken, told: Property) -> None:
    notes = [taken.fields.pop("description", ""), told.text]
    whole = "\n\n".join(filter(None, dict.fromkeys(notes)))
    if len(whole) > _LONGEST_NOTE:
        taken.lose(told, f"was cut after {_LONGEST_NOTE:,} characters")
    taken.put(told, "description", whole[:_LONGEST_NOTE].rstrip())


def _take_own_language(taken: Taken, told: Property) -> None:
    """That in which the card is written."""
    base = base_language(told.text)
    if base in LANGUAGES:
        taken.fields.setdefault("language", base)
    elif base:
        taken.lose(told, "is a language that cards are not written in")


def _take_photo(taken: Taken, told: Property) -> None:
    """Octets of whatever it is: who keeps it looks."""
    value = told.value.strip()
    if found := _DATA_URL.match(value):
        value = value[found.end() :].replace("%2B", "+").replace("%2F", "/").replace("%3D", "")
    elif not told.is_base64:
        return taken.lose(told, "is only linked; send the file itself") if value else None
    if taken.photo is not None:
        return taken.lose(told, ONCE)
    encoded = _NO_BASE64.sub("", value)
    if len(encoded) > _MOST_PHOTO_BYTES * 4 // 3:
        return taken.lose(told, f"has more than {_MOST_PHOTO_BYTES // 1_000_000} MB")
    # One character too many carries no octet.
    encoded = encoded[: len(encoded) - (len(encoded) % 4 == 1)]
    taken.photo = binascii.a2b_base64(encoded + "=" * (-len(encoded) % 4)) or None
    return None if taken.photo or not value else taken.lose(told, "is no picture")


TAKERS: Final[Mapping[str, Callable[[Taken, Property], None]]] = {
    "FN": lambda taken, told: taken.put(told, "name", one_line(told.text)),
    "N": _take_name,
    "NICKNAME": _take_nickname,
    "ORG": _take_organisation,
    "TITLE": lambda taken, told: taken.put(told, "title", one_line(told.text)),
    "ROLE": _take_role,
    "NOTE": _take_note,
    "PRONOUNS": lambda taken, told: taken.put(told, "pronouns", one_line(told.text)),
    "X-PRONOUNS": lambda taken, told: taken.put(told, "pronouns", one_line(told.text)),
    "LANG": lambda taken, told: taken.add_text(told, "languages", one_line(told.text)),
    "LANGUAGE": _take_own_language,
    "HOBBY": lambda taken, told: taken.add_text(told, "hobbies", one_line(told.text)),
    "INTEREST": lambda taken, told: taken.add_text(told, "hobbies", one_line(told.text)),
    "PHOTO": _take_photo,
}
