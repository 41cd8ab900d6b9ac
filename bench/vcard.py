"""vCards: how many of ours in a second, against bare vobject serialising a card with the same lines."""

import statistics
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from functools import partial
from typing import Any

import vobject
from vobject.vcard import Address, Name

from bench.table import Ratio, Row
from cards.face import Face, Source, face
from cards.profile import Profile
from cards.template import Template
from cards.vcard import vcard

_PAGE = "https://receipts.example.com/c/8Jv1mQWc0aYf3sRkT5xZpA"
_EMMA = Profile.model_validate(
    {
        "prefix": "Dr.", "given": "Emma", "family": "Lind", "title": "Bäckermeisterin", "department": "Backstube",
        "description": "Sourdough by day, croissants by night; call me for a tour of the bakery.",
        "languages": ["de", "en"],
        "phones": [{"number": "+49 30 5550 1234"}, {"number": "+49 151 1234567", "kind": "mobile"}],
        "emails": [{"address": "emma@linden-rye.example"}],
        "addresses": [{"lines": ["Torstraße 112"], "postal_code": "10119", "city": "Berlin", "country": "DE"}],
        "links": [{"url": "https://linden-rye.example/emma", "label": "My breads"}],
        "socials": [{"network": "linkedin", "handle": "emma-lind"}, {"network": "instagram", "handle": "emma"}],
        "messengers": [{"app": "whatsapp", "handle": "+49 151 1234567"}],
    }
)  # fmt: skip


def rows(seconds: float) -> Iterator[Row]:
    """Turn about, with a photo of 20 KB and without: ours from the face each time, vobject's from a card put together
    before, so that only its writing counts, and from scratch."""
    for what, photo in (("vCard", None), ("vCard with photo", b"\xff\xd8" + bytes(20_000))):
        ours, theirs = partial(_ours, photo), partial(_theirs, photo)
        mine, written, made = _medians(seconds / 2, ours, _card(photo).serialize, theirs)
        yield Ratio(f"{what} : vobject's serialize() alone", mine, written, at_least=0.7)
        yield Ratio(f"{what} : vobject, put together and serialised", mine, made, at_least=0.7)


def _ours(photo: bytes | None) -> bytes:
    return vcard(_face(), photo=photo)


def _theirs(photo: bytes | None) -> object:
    return _card(photo).serialize()


def _medians(seconds: float, *ways: Callable[[], object]) -> list[float]:
    """How often a second each can be done."""
    took: list[list[float]] = [[] for _ in ways]
    end = time.perf_counter() + seconds
    while time.perf_counter() < end:
        for way, times in zip(ways, took, strict=True):
            start = time.perf_counter()
            way()
            times.append(time.perf_counter() - start)
    return [1 / statistics.median(times) for times in took]


def _face() -> Face:
    source = Source("crd_01", _EMMA, Template(), "Linden & Rye", "de", None, datetime(2026, 11, 28, 9, 30, tzinfo=UTC))
    return face(source, url=_PAGE, language="de")


def _card(photo: bytes | None) -> Any:
    """The lines of ours, as vobject's manual has them put together."""
    told, card = _face(), vobject.vCard()
    name = Name(family=told.family, given=told.given, prefix=told.prefix)
    where = Address(street="Torstraße 112", city="Berlin", code="10119", country="Deutschland")
    ways = [(way.url, way.name) for way in (*told.socials, *told.messengers, *told.links)]
    for key, value, types in (
        ("n", name, ()), ("fn", told.name, ()), ("org", [told.organisation, told.department], ()),
        ("title", told.title, ()), ("uid", told.uid, ()), ("rev", "2026-11-28T09:30:00Z", ()),
        ("prodid", "-//Counterfoil//Cards//EN", ()), ("source", f"{told.url}.vcf", ()), ("url", told.url, ("WORK",)),
        ("note", f"{told.description}\n\nLanguages: Deutsch, Englisch", ()), ("adr", where, ("WORK",)),
        *[("lang", tag, ()) for tag in told.languages],
        *[("tel", phone.number, ("WORK", "VOICE")) for phone in told.phones],
        *[("email", email.address, ("INTERNET", "WORK")) for email in told.emails],
        *[("x-socialprofile", way.url, (way.key,)) for way in told.socials],
        *[("impp", way.handle, ("WORK",)) for way in told.messengers],
    ):  # fmt: skip
        _add(card, key, value, types)
    for number, (url, label) in enumerate(ways, start=1):
        _add(card, "url", url, ("WORK",), f"item{number}")
        _add(card, "x-ablabel", label, (), f"item{number}")
    if photo:
        _add(card, "photo", photo, ("JPEG",)).encoding_param = "B"
    return card


def _add(card: Any, key: str, value: Any, types: tuple[str, ...], group: str | None = None) -> Any:
    line = card.add(key, group)
    line.value = value
    if types:
        line.type_paramlist = list(types)
    return line
