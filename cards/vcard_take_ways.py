"""How somebody is reached, from the properties of a vCard: telephone, email, addresses, links."""

import re
import unicodedata
from collections.abc import Callable, Mapping
from typing import Final
from urllib.parse import unquote

from cards.links import host
from cards.names import country_code
from cards.profile import Address, Email, Link, Phone
from cards.vcard_lines import one_line, url
from cards.vcard_property import Property
from cards.vcard_take_accounts import take_linked_account
from cards.vcard_taken import Taken

_LONGEST_LABEL: Final = 64
# Characters at a number's end in which an extension stands: tried at each of many blanks, it would take minutes.
_LONGEST_EXTENSION: Final = 20
_MOST_LINES: Final = 6
# What programs call a telephone or a place, beside what the standards do.
_KINDS: Final = {
    "fax": "fax", "workfax": "fax", "homefax": "fax", "otherfax": "fax",
    "cell": "mobile", "mobile": "mobile", "iphone": "mobile", "pcs": "mobile", "car": "mobile", "apple watch": "mobile",
    "work": "work", "main": "work", "office": "work", "business": "work", "company": "work",
    "home": "home", "other": "other",
}  # fmt: skip
_RANK: Final = ("fax", "mobile", "work", "home", "other")
_NAMED: Final = {"pager": "Pager", "modem": "Modem", "bbs": "BBS", "textphone": "Textphone", "homefax": "Home"}
_APPLE: Final = re.compile(r"_\$!<(.*?)>!\$_")
_NO_LABELS: Final = frozenset({"homepage", "profile", "email", "e-mail", "phone", "url", "website"})
_EXTENSION: Final = re.compile(r"(?:;ext=|[ ,;]*(?:ext?\.?|x|#) ?)(\d{1,10})$", re.IGNORECASE)
_DASHES: Final = re.compile("[\u2010-\u2015\u2212\uff0d]")
_BARE_HOST: Final = re.compile(r"[\w-]+(\.[\w-]+)*\.[^\W\d_]{2,}([/?#:].*)?", re.DOTALL)
BOOKINGS: Final = frozenset({"book an appointment", "booking", "appointment", "appointments", "termin buchen"})


def _take_phone(taken: Taken, told: Property) -> None:
    label, kind = _label_and_kind(taken, told)
    number, extension = _number(told.text)
    if extension and len(f"{label} ext. {extension}") <= _LONGEST_LABEL:
        label = f"{label} ext. {extension}".strip()
    if number:
        taken.add(told, "phones", Phone, number=number, kind=kind, label=label)


def _number(value: str) -> tuple[str, str]:
    """As it is written, in plain digits and hyphens, without what stands before or behind a ``tel:`` address."""
    told = one_line(value)
    if told.lower().startswith(("tel:", "callto:")):
        told = unquote(told.partition(":")[2])
    extension = _EXTENSION.search(told, max(len(told) - _LONGEST_EXTENSION, 0))
    told = told[: extension.start()] if extension else told.partition(";")[0]
    plain = "".join(_plain(each) for each in _DASHES.sub("-", told))
    return plain.strip(), extension[1] if extension else ""


def _plain(char: str) -> str:
    if char.isascii():
        return char
    digit = unicodedata.digit(char, None)
    return str(digit) if digit is not None else " " if char.isspace() else char


def _take_email(taken: Taken, told: Property) -> None:
    label, kind = _label_and_kind(taken, told)
    address = one_line(told.text)
    if address.lower().startswith("mailto:"):
        address = unquote(address[7:].partition("?")[0])
    if address:
        taken.add(told, "emails", Email, address=address, kind=_place(kind), label=label)


def _take_address(taken: Taken, told: Property) -> None:
    label, kind = _label_and_kind(taken, told)
    fields = [*told.fields, *([[]] * 7)]
    lines = [one for values in fields[:3] for each in values for one in each.split("\n") if one.strip()]
    city, region, code, country = (one_line(" ".join(values)) for values in fields[3:7])
    if any(fields[7:]) and not lines:
        lines = [one_line(each) for values in fields[7:] for each in values]
    known = country_code(country or taken.countries.get(told.group, ""))
    if country and known is None:
        taken.lose(told, "its country is not known by that name; the rest was taken")
    lines = [*lines[: _MOST_LINES - 1], *filter(None, [", ".join(lines[_MOST_LINES - 1 :])])]
    if lines or city or region or code or known:
        where = {"city": city, "region": region, "postal_code": code, "country": known, "lines": lines}
        taken.add(told, "addresses", Address, **where, kind=_place(kind), label=label)


def _take_link(taken: Taken, told: Property) -> None:
    label = _own_label(taken, told)
    address = url(told.text)
    if address and _BARE_HOST.fullmatch(address):
        address = f"https://{address}"
    if label.casefold() in BOOKINGS:
        return taken.put(told, "booking_url", address)
    if not address or taken.has_account_at(address) or take_linked_account(taken, told, address, label):
        return None
    return taken.add(told, "links", Link, url=address, label="" if label == host(address) else label)


def _label_and_kind(taken: Taken, told: Property) -> tuple[str, str]:
    """A label that only names a kind is one."""
    label = _own_label(taken, told)
    plain = label.casefold()
    kinds = {_KINDS[each] for each in told.types if each in _KINDS}
    if plain in _KINDS:
        kinds.add(_KINDS[plain])
        label = _NAMED.get(plain, "")
    named = next((_NAMED[each] for each in sorted(told.types) if each in _NAMED), "")
    return label or named, next((kind for kind in _RANK if kind in kinds), "other")


def _own_label(taken: Taken, told: Property) -> str:
    """Of Apple's, the word in the brackets (``_$!<Home>!$_``). A long one is cut: it is only a name."""
    label = one_line(_APPLE.sub(r"\1", taken.label(told)))[:_LONGEST_LABEL].strip()
    return "" if label.casefold() in _NO_LABELS else label


def _place(kind: str) -> str:
    return kind if kind in ("work", "home") else "other"


TAKERS: Final[Mapping[str, Callable[[Taken, Property], None]]] = {
    "TEL": _take_phone,
    "EMAIL": _take_email,
    "ADR": _take_address,
    "URL": _take_link,
}
