"""What the pages of cards are given, and those on which staff edit theirs."""

from dataclasses import dataclass

from api.contexts import BrandView, Page


@dataclass(frozen=True, slots=True)
class Way:
    """Something to tap on a card. ``icon`` is one of templates/icons.html or templates/networks.html, ``target`` what a
    tap is counted as; ``text`` may run in either direction."""

    icon: str
    text: str
    url: str
    target: str
    note: str = ""


@dataclass(frozen=True, slots=True)
class Day:
    """``number`` is 1 for Monday to 7; ``hours`` is empty where the store is closed."""

    number: int
    name: str
    hours: str


@dataclass(frozen=True, slots=True)
class CardView:
    """The person as the page tells them. ``texts_in`` is the language of what the person wrote, where it is not the
    page's; ``places`` lead to a map."""

    name: str
    initials: str
    pronouns: str
    role: str
    organisation: str
    description: str
    texts_in: str
    contacts: tuple[Way, ...]
    places: tuple[Way, ...]
    days: tuple[Day, ...]
    timezone: str
    socials: tuple[Way, ...]
    messengers: tuple[Way, ...]
    links: tuple[Way, ...]
    languages: str
    hobbies: tuple[str, ...]
    comma: str


@dataclass(frozen=True, slots=True)
class CardLinks:
    """``page`` is absolute. ``photo``, ``pkpass`` and ``google`` are empty where there is none of them."""

    page: str
    path: str
    vcf: str
    qr: str
    photo: str
    preview: str
    pkpass: str = ""
    google: str = ""


@dataclass(frozen=True, slots=True)
class ExchangeForm:
    """In which a visitor leaves their contact. ``values`` and ``errors`` are by field: name, email, phone,
    organisation, note, consent. ``consent`` is what they agree to; ``form_id`` makes one form sent twice one contact.
    """

    values: dict[str, str]
    errors: dict[str, str]
    form_id: str
    consent: str
    version: str
    privacy_url: str
    is_left: bool = False


@dataclass(frozen=True, slots=True)
class ServedBy:
    """Who served, on the stub of a receipt. ``tags`` are the source and receipt of its links, ``rate`` takes a score
    from 1 to 5, and is empty where none is taken; ``score`` is 0 where none was given."""

    name: str
    initials: str
    role: str
    photo: str
    url: str
    vcf: str
    beacon: str
    tags: str
    rate: str
    score: int


@dataclass(frozen=True, slots=True)
class CardPage(Page):
    """``tags`` are the source and receipt of the link that was followed, to be handed on by the form."""

    card: CardView
    brand: BrandView
    links: CardLinks
    exchange: ExchangeForm
    tags: dict[str, str]


@dataclass(frozen=True, slots=True)
class Choice:
    value: str
    label: str


@dataclass(frozen=True, slots=True)
class Field:
    """One field of a form. ``kind`` is an input's type, or ``area`` or ``choice``."""

    name: str
    label: str
    value: str
    kind: str = "text"
    choices: tuple[Choice, ...] = ()
    hint: str = ""
    error: str = ""


@dataclass(frozen=True, slots=True)
class FieldGroup:
    """Fields that belong together, in rows: one for each telephone, say, and an empty one for another. ``error`` is of
    the whole group."""

    legend: str
    rows: tuple[tuple[Field, ...], ...]
    is_locked: bool = False
    is_folded: bool = False
    error: str = ""


@dataclass(frozen=True, slots=True)
class InvitePage(Page):
    """A member of staff edits their own card. ``fixed`` is what the brand has set, as name and value."""

    brand: BrandView
    name: str
    initials: str
    photo: str
    card_url: str
    tools: tuple[Way, ...]
    has_photo_field: bool
    photo_error: str
    groups: tuple[FieldGroup, ...]
    fixed: tuple[tuple[str, str], ...]
    until: str
    is_saved: bool
    has_errors: bool
    is_outdated: bool
    version: str


@dataclass(frozen=True, slots=True)
class SignaturePage(Page):
    """A card at the end of an email. ``html_url`` shows it by itself; ``html`` and ``text`` are what is copied."""

    html_url: str
    text_url: str
    html: str
    text: str
