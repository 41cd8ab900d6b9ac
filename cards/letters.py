"""Letters to the member of staff on a card: a visitor left their contact; the card can be edited."""

import textwrap
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from urllib.parse import quote
from zoneinfo import ZoneInfo

from accounts.find import BrandLook
from cards.contacts import Contact
from cards.find import CardRecord
from cards.links import tel
from infra import pages
from infra.i18n import Voice, later, voice
from infra.letter_style import Styles, dressed, styles
from infra.theme import theme
from kernel.locale import isolated
from notify.letters import LONGEST_SUBJECT, Composed, one_line, short

_COLUMNS: Final = 72
_SOURCES: Final = {
    "qr": later("The QR code of your card"),
    "nfc": later("Your card by NFC"),
    "wallet": later("Your card in a wallet"),
    "receipt": later("Your card on a receipt"),
    "link": later("A link to your card"),
    "email": later("Your card in an email"),
}


@dataclass(frozen=True, slots=True)
class Row:
    """``link`` opens what ``value`` names; ``value`` may have several lines."""

    label: str
    value: str
    link: str = ""


@dataclass(frozen=True, slots=True)
class StaffLetter:
    """Every field is a variable of the template. ``name`` stands large, ``initial`` in for the logo."""

    language: str
    direction: str
    subject: str
    styles: Styles
    colour: str
    logo_url: str
    initial: str
    brand: str
    title: str
    name: str
    lead: str
    rows: tuple[Row, ...]
    button: Row | None
    why: str


def contact_letter(
    record: CardRecord, contact: Contact, *, base_url: str, language: str, receipt_number: str
) -> Composed:
    """``receipt_number`` is that of the receipt whose link the visitor followed; empty where there is none."""
    spoken = voice(language)
    name = one_line(contact.name)
    return staff_letter(
        record.look,
        spoken,
        base_url=base_url,
        subject=(later("%(name)s left you their contact"), name),
        title=spoken.gettext("New contact"),
        name=name,
        lead=spoken.gettext("Somebody who opened your card left their contact, so that you can get in touch."),
        rows=tuple(_of_contact(record, contact, spoken, receipt_number)),
        button=None,
        why=spoken.gettext("You get this email because your card has a form in which visitors leave their contact."),
    )


def invite_letter(record: CardRecord, *, url: str, expires_at: datetime, base_url: str, language: str) -> Composed:
    """``url`` opens the page on which the card is edited, until ``expires_at``."""
    spoken = voice(language)
    until = _moment(record, expires_at, spoken)
    return staff_letter(
        record.look,
        spoken,
        base_url=base_url,
        subject=(later("Your business card at %(name)s"), one_line(record.look.name)),
        title=spoken.gettext("Your business card"),
        name=one_line(record.profile.full_name()),
        lead=spoken.gettext("Look at your digital business card, and change on it what is yours to change."),
        rows=(Row(spoken.gettext("The link is valid until"), until),),
        button=Row(spoken.gettext("Edit your card"), url, url),
        why=spoken.gettext("Whoever has the link can edit your card: do not hand this email on."),
    )


def staff_letter(
    look: BrandLook,
    spoken: Voice,
    *,
    base_url: str,
    subject: tuple[str, str],
    title: str,
    name: str,
    lead: str,
    rows: tuple[Row, ...],
    button: Row | None,
    why: str,
) -> Composed:
    """``subject`` is a text with ``%(name)s`` in it, and that name: a long one is shortened. ``name`` stands large,
    ``why`` says at the end why somebody gets it."""
    page = StaffLetter(
        language=spoken.language,
        direction=spoken.direction,
        subject=_subject(spoken, *subject),
        styles=styles(look.colour),
        colour=theme(look.colour).light.accent,
        logo_url=f"{base_url}/media/{look.logo_key}" if look.logo_key else "",
        initial=look.name[:1].upper(),
        brand=look.name,
        title=title,
        name=name,
        lead=lead,
        rows=rows,
        button=button,
        why=why,
    )
    html = pages.render("email/staff.html", page, spoken.language)
    html = dressed(html, colour=look.colour, direction=spoken.direction)
    return Composed(page.subject, html, "\n".join(_text(page)) + "\n", spoken.language)


def _subject(spoken: Voice, message: str, name: str) -> str:
    """A long name gives way to the words around it."""

    def written(name: str) -> str:
        return spoken.gettext(message) % {"name": isolated(name, spoken.direction)}

    over = len(written(name)) - LONGEST_SUBJECT
    return written(short(name, max(len(name) - over, 1)))


def _of_contact(record: CardRecord, contact: Contact, spoken: Voice, receipt_number: str) -> Iterator[Row]:
    words = spoken.gettext
    if contact.email:
        yield Row(words("Email"), contact.email, f"mailto:{quote(contact.email, safe='@')}")
    if contact.phone:
        yield Row(words("Telephone"), contact.phone, tel(contact.phone))
    told = (
        (words("Organisation"), one_line(contact.organisation or "")),
        (words("Message"), contact.note or ""),
        (words("How they came"), words(_SOURCES.get(contact.source, _SOURCES["link"]))),
        (words("Receipt"), one_line(receipt_number)),
        (words("When"), _moment(record, contact.left_at, spoken)),
        (words("What they agreed to"), contact.consent_text),
    )
    yield from (Row(label, value) for label, value in told if value)


def _moment(record: CardRecord, moment: datetime, spoken: Voice) -> str:
    return spoken.formats.moment(moment, ZoneInfo(record.shop.timezone if record.shop else "UTC")).text


def _text(page: StaffLetter) -> Iterator[str]:
    yield from (*_wrapped(page.title), *_wrapped(page.name), "", *_wrapped(page.lead))
    for row in page.rows:
        yield from ("", f"{row.label}:", *(line for part in row.value.split("\n") for line in _wrapped(part)))
    if page.button:
        yield from ("", f"{page.button.label}:", page.button.link)
    yield from ("", "--", *_wrapped(page.why))


def _wrapped(text: str) -> list[str]:
    return textwrap.wrap(text, _COLUMNS, break_long_words=False, break_on_hyphens=False) or [""]
