"""A card's face in the reader's words, as its page shows it."""

from collections.abc import Iterator
from datetime import date, timedelta
from typing import Final
from urllib.parse import quote

from babel import Locale

from api.contexts_of_cards import CardView, Day, Way
from cards.face import Face, Shop
from cards.face import Way as Address
from cards.links import tel
from cards.names import language_name
from cards.profile import Address as Postal
from infra.i18n import Voice, later, voice
from kernel.locale import base_language

_MONDAY: Final = date(2026, 1, 5)
_DAYS: Final = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_MAP: Final = "https://www.openstreetmap.org/search?query="
_COMMAS: Final = {"ar": "، "}
_KINDS: Final = {
    "work": later("Work"),
    "mobile": later("Mobile"),
    "home": later("Home"),
    "fax": later("Fax"),
    "other": later("Other"),
}


def card_view(face: Face, *, own_language: str) -> CardView:
    """``own_language`` is the one in which the card is written."""
    words = voice(face.language)
    return CardView(
        name=face.name,
        initials=face.initials,
        pronouns=face.pronouns,
        role=face.role,
        organisation=face.organisation,
        description=face.description,
        texts_in="" if base_language(own_language) == face.language else own_language,
        contacts=tuple(_contacts(face, words)),
        places=tuple(_places(face, words)),
        days=_days(face.shop, words) if face.shop and face.shop.hours else (),
        timezone=face.shop.timezone if face.shop else "",
        socials=tuple(_account(each) for each in face.socials),
        messengers=(*_text_messages(face), *(_account(each) for each in face.messengers)),
        links=tuple(_links(face, words)),
        languages=_COMMAS.get(face.language, ", ").join(language_name(tag, face.language) for tag in face.languages),
        hobbies=face.hobbies,
        comma=_COMMAS.get(face.language, ", "),
    )


def _contacts(face: Face, words: Voice) -> Iterator[Way]:
    for phone in face.phones:
        note = phone.label or words.gettext(_KINDS[phone.kind])
        yield Way("print" if phone.kind == "fax" else "phone", phone.number, tel(phone.number), "phone", note)
    for email in face.emails:
        note = email.label or words.gettext(_KINDS[email.kind])
        yield Way("mail", email.address, f"mailto:{quote(email.address, safe='@')}", "email", note)


def _text_messages(face: Face) -> Iterator[Way]:
    """To the first mobile telephone (RFC 5724)."""
    for phone in [each for each in face.phones if each.kind == "mobile"][:1]:
        yield Way("sms", "SMS", tel(phone.number).replace("tel:", "sms:", 1), "sms", phone.number)


def _places(face: Face, words: Voice) -> Iterator[Way]:
    """Where to find the person: their own addresses, and the store in which they work."""
    for address in face.addresses:
        yield _place(address, address.label or words.gettext(_KINDS[address.kind]))
    if face.shop and face.shop.address:
        yield _place(face.shop.address, face.shop.name)


def _place(address: Postal, note: str) -> Way:
    told = in_one_line(address)
    return Way("pin", told, _MAP + quote(told), "place", note)


def in_one_line(address: Postal) -> str:
    city = " ".join(each for each in (address.postal_code, address.city) if each)
    return ", ".join(each for each in (*address.lines, city, address.region) if each) or address.country or ""


def _days(shop: Shop, words: Voice) -> tuple[Day, ...]:
    names = Locale.parse(words.locale).days["stand-alone"]["wide"]
    return tuple(
        Day(number + 1, names[(_MONDAY + timedelta(days=number)).weekday()], _told(shop.hours.get(day, [])))
        for number, day in enumerate(_DAYS)
    )


def _told(hours: list[str]) -> str:
    return ", ".join(each.replace("-", "–") for each in hours)


def _account(way: Address) -> Way:
    return Way(way.key, way.name, way.url, way.key, way.handle)


def _links(face: Face, words: Voice) -> Iterator[Way]:
    if face.booking_url:
        yield Way("calendar", words.gettext("Book an appointment"), face.booking_url, "booking")
    for link in face.links:
        yield Way("globe", link.name, link.url, "link")
