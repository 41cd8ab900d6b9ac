"""A card as JSContact (RFC 9553), for programs."""

from collections.abc import Iterable, Mapping
from datetime import UTC
from typing import Any, Final

from cards.face import Face, Way
from cards.profile import Address, Email, Phone

_FEATURES: Final = {"work": ("voice",), "home": ("voice",), "mobile": ("mobile", "voice"), "fax": ("fax",)}
# RFC 9553 knows work as "work" and home as "private".
_CONTEXTS: Final = {"work": "work", "fax": "work", "home": "private"}


def jscontact(face: Face, *, photo_url: str = "") -> dict[str, Any]:
    """The Card object (section 2). What is not known is left out; ids of what there are several of are numbers."""
    told = {
        "@type": "Card",
        "version": "1.0",
        "uid": face.uid,
        "kind": "individual",
        "language": face.language,
        "updated": face.changed_at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "name": _name(face),
        "nicknames": _numbered([{"name": face.nickname}] if face.nickname else []),
        "speakToAs": {"pronouns": {"1": {"pronouns": face.pronouns}}} if face.pronouns else None,
        "organizations": _numbered(_organisation(face)),
        "titles": _numbered([{"name": face.title, "kind": "title"}] if face.title else []),
        "phones": _numbered(_preferred(_phone(each) for each in face.phones)),
        "emails": _numbered(_preferred(_email(each) for each in face.emails)),
        "addresses": _numbered(_addresses(face)),
        "onlineServices": _numbered(_service(each) for each in (*face.socials, *face.messengers)),
        "links": _numbered(_links(face)),
        "media": _numbered([{"kind": "photo", "uri": photo_url, "mediaType": "image/jpeg"}] if photo_url else []),
        "notes": _numbered([{"note": face.description}] if face.description else []),
        "personalInfo": _numbered({"kind": "hobby", "value": each} for each in face.hobbies),
        "preferredLanguages": _languages(face),
    }
    return {name: value for name, value in told.items() if value}


def _numbered(told: Iterable[Mapping[str, Any]]) -> dict[str, Mapping[str, Any]]:
    return {str(number): each for number, each in enumerate(told, start=1)}


def _preferred(told: Iterable[dict[str, Any]]) -> Iterable[dict[str, Any]]:
    for position, each in enumerate(told):
        yield each | ({} if position else {"pref": 1})


def _name(face: Face) -> dict[str, Any]:
    """By its parts in the order in which they are read, where they are known, and as a whole."""
    parts = {
        "title": face.prefix,
        "given": face.given,
        "given2": face.additional,
        "surname": face.family,
        "credential": face.suffix,
    }
    components = [{"kind": kind, "value": value} for kind, value in parts.items() if value]
    whole = {"full": face.name} if face.name else {}
    return whole | ({"components": components, "isOrdered": True} if face.has_parts else {})


def _organisation(face: Face) -> list[dict[str, Any]]:
    units = {"units": [{"name": face.department}]} if face.department else {}
    named = {"name": face.organisation} if face.organisation else {}
    return [named | units] if named or units else []


def _phone(phone: Phone) -> dict[str, Any]:
    features = dict.fromkeys(_FEATURES.get(phone.kind, ("voice",)), True)
    return {"number": phone.number, "features": features} | _placed(phone.kind, phone.label)


def _email(email: Email) -> dict[str, Any]:
    return {"address": email.address} | _placed(email.kind, email.label)


def _placed(kind: str, label: str | None) -> dict[str, Any]:
    context = {"contexts": {_CONTEXTS[kind]: True}} if kind in _CONTEXTS else {}
    return context | ({"label": label} if label else {})


def _addresses(face: Face) -> Iterable[dict[str, Any]]:
    for each in face.addresses:
        yield _address(each) | _placed(each.kind, None)
    if face.shop and face.shop.address and all(each.kind != "work" for each in face.addresses):
        yield _address(face.shop.address) | _placed("work", None)


def _address(address: Address) -> dict[str, Any]:
    """A line of ours may be anything from a street to a building; ``name`` is a street with its number.

    Unless it is said to count, the order of lines may be lost (RFC 9553 section 2.5.1).
    """
    parts = [("name", line) for line in address.lines]
    parts += [
        ("postcode", address.postal_code or ""),
        ("locality", address.city or ""),
        ("region", address.region or ""),
    ]
    components = [{"kind": kind, "value": value} for kind, value in parts if value]
    country = {"countryCode": address.country} if address.country else {}
    return ({"components": components, "isOrdered": True} if components else {}) | country


def _service(way: Way) -> dict[str, Any]:
    return {"service": way.name, "uri": way.url} | ({"user": way.handle} if way.handle else {})


def _links(face: Face) -> Iterable[dict[str, Any]]:
    """The card's own page first."""
    yield {"uri": face.url}
    for way in face.links:
        yield {"uri": way.url} | ({"label": way.name} if way.name else {})
    if face.booking_url:
        yield {"uri": face.booking_url, "label": "booking"}


def _languages(face: Face) -> dict[str, Any]:
    return {str(rank): {"language": tag, "pref": rank} for rank, tag in enumerate(face.languages, start=1)}
