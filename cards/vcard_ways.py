"""How somebody is reached, as lines of a vCard: telephone, email, addresses, accounts, links."""

from collections.abc import Callable, Iterable
from typing import Final, TypeVar
from urllib.parse import quote

from cards.face import Face, Way
from cards.names import country_name
from cards.profile import Address, Email, Phone
from cards.vcard_lines import Lines, Parameter, fields, one_line, parameter, text, token, url

_PHONES: Final = {
    "work": "WORK,VOICE",
    "mobile": "CELL,VOICE",
    "home": "HOME,VOICE",
    "fax": "WORK,FAX",
    "other": "VOICE,OTHER",
}
_PLACES: Final = {"work": "WORK", "home": "HOME", "other": "OTHER"}
_WORK: Final[Parameter] = ("TYPE", "WORK")
Kinded = TypeVar("Kinded", Phone, Email)


def add_ways(lines: Lines, face: Face, language: str, booking: str) -> None:
    """``booking`` is what the link for an appointment is called."""
    for phone, parameters in _ranked(lines, face.phones, lambda each: _PHONES.get(each.kind, "VOICE")):
        lines.labelled("TEL", text(phone.number), phone.label or "", *parameters)
    start = "" if lines.is_four else "INTERNET,"
    for email, parameters in _ranked(lines, face.emails, lambda each: start + _PLACES.get(each.kind, "OTHER")):
        lines.labelled("EMAIL", text(email.address), email.label or "", *parameters)
    _add_addresses(lines, face, language)
    for way in face.socials:
        _add_social(lines, way)
    for way in face.messengers:
        _add_messenger(lines, way)
    for way in face.links:
        lines.labelled("URL", url(way.url), way.name, _WORK)
    lines.labelled("URL", url(face.booking_url), booking, _WORK)


def _ranked(
    lines: Lines, told: Iterable[Kinded], types: Callable[[Kinded], str]
) -> Iterable[tuple[Kinded, tuple[Parameter, ...]]]:
    """The first is the one that is preferred."""
    for position, each in enumerate(told):
        kinds, first = types(each), position == 0
        if lines.is_four:
            yield each, (("TYPE", kinds.lower()), ("PREF", "1" if first else ""))
        else:
            yield each, (("TYPE", kinds + ",PREF" if first else kinds),)


def _add_addresses(lines: Lines, face: Face, language: str) -> None:
    """The store is where who gives no other place at work is found."""
    for each in face.addresses:
        _add_address(lines, each, _PLACES.get(each.kind, "OTHER"), each.label or "", language)
    if face.shop and face.shop.address and all(each.kind != "work" for each in face.addresses):
        _add_address(lines, face.shop.address, "WORK", face.shop.name, language)


def _add_address(lines: Lines, address: Address, kind: str, label: str, language: str) -> None:
    street = "\n".join(one_line(each) for each in address.lines)
    country = country_name(address.country, language) if address.country else ""
    told = fields("", "", street, address.city or "", address.region or "", address.postal_code or "", country)
    lines.labelled("ADR", told, label, ("TYPE", kind))


def _add_social(lines: Lines, way: Way) -> None:
    """As Apple has it, and as a link, which all others have."""
    handle, address = parameter(way.handle), url(way.url)
    if lines.is_four:
        lines.add("SOCIALPROFILE", address, ("SERVICE-TYPE", parameter(way.name)), ("USERNAME", handle))
    else:
        lines.add("X-SOCIALPROFILE", address, ("TYPE", token(way.key)), ("X-USER", handle))
    lines.labelled("URL", address, way.name, _WORK)


def _add_messenger(lines: Lines, way: Way) -> None:
    """``x-apple:`` is how Apple writes a handle at a service that has no scheme of its own."""
    service, handle = parameter(way.name), "".join(one_line(way.handle).split()).removeprefix("@")
    if lines.is_four:
        named = (("SERVICE-TYPE", service), ("USERNAME", parameter(handle)))
        lines.add("IMPP", url(way.url), *named, ("TYPE", "work"))
    else:
        account = "x-apple:" + quote(handle.encode(), safe="@:+._~-") if handle else url(way.url)
        lines.add("IMPP", account, ("X-SERVICE-TYPE", service), _WORK)
    lines.labelled("URL", url(way.url), way.name, _WORK)
