"""A card as one reader gets it: in one language, with the brand's fixed parts in place. Every form starts here."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from cards.links import host
from cards.networks import MESSENGERS, NETWORKS, Service, address_of
from cards.profile import Address, Email, Messenger, Phone, Profile, Social, Words
from cards.template import Template
from kernel.locale import base_language

UNSAID: Final = Words()


@dataclass(frozen=True, slots=True)
class Way:
    """An address in the web with its name; ``key`` tells what it is: ``linkedin``, ``whatsapp``, ``link``."""

    key: str
    name: str
    url: str
    handle: str = ""


@dataclass(frozen=True, slots=True)
class Shop:
    """The store in which the person works. ``hours`` are by day from ``mon`` to ``sun``, each ``09:00-18:30``."""

    name: str
    address: Address | None
    phone: str
    timezone: str
    hours: dict[str, list[str]]


@dataclass(frozen=True, slots=True)
class Face:
    """What is not given is empty. ``uid`` is the card's id, ``url`` its page."""

    uid: str
    url: str
    language: str
    name: str
    prefix: str
    given: str
    additional: str
    family: str
    suffix: str
    nickname: str
    pronouns: str
    title: str
    department: str
    organisation: str
    description: str
    hobbies: tuple[str, ...]
    languages: tuple[str, ...]
    phones: tuple[Phone, ...]
    emails: tuple[Email, ...]
    addresses: tuple[Address, ...]
    links: tuple[Way, ...]
    socials: tuple[Way, ...]
    messengers: tuple[Way, ...]
    booking_url: str
    shop: Shop | None
    changed_at: datetime

    @property
    def role(self) -> str:
        return " · ".join(each for each in (self.title, self.department) if each)

    @property
    def initials(self) -> str:
        """Two letters that stand in for a photo; one in a script where they would be joined to a word."""
        parts = [self.given, self.family] if self.given and self.family else self.name.split()
        letters = "".join(part[:1] for part in (*parts[:1], *parts[1:][-1:])).upper()
        return letters if letters.isupper() else letters[:1]

    @property
    def has_parts(self) -> bool:
        """Whether the name is known by its parts, and not only as a whole."""
        return bool(self.given or self.family)


@dataclass(frozen=True, slots=True)
class Source:
    """What a face is made of. ``organisation`` is the brand's name, ``own_language`` its first language."""

    uid: str
    profile: Profile
    template: Template
    organisation: str
    own_language: str
    shop: Shop | None
    changed_at: datetime


def face(source: Source, *, url: str, language: str) -> Face:
    """In ``language`` as far as the card speaks it, else in its own."""
    profile, template = source.profile, source.template
    words = profile.translations.get(base_language(language), UNSAID)  # type: ignore[call-overload]
    return Face(
        uid=source.uid,
        url=url,
        language=language,
        name=profile.name_in(language),
        prefix=profile.prefix or "",
        given=profile.given or "",
        additional=profile.additional or "",
        family=profile.family or "",
        suffix=profile.suffix or "",
        nickname=profile.nickname or "",
        pronouns=words.pronouns or profile.pronouns or "",
        title=words.title or profile.title or "",
        department=words.department or profile.department or "",
        organisation=_organisation(source, words, language),
        description=words.description or profile.description or "",
        hobbies=tuple(profile.hobbies if words.hobbies is None else words.hobbies),
        languages=tuple(profile.languages),
        phones=tuple(profile.phones),
        emails=tuple(profile.emails),
        addresses=tuple(profile.addresses),
        links=_links(profile, template),
        socials=tuple(_social(each) for each in (*profile.socials, *template.socials)),
        messengers=tuple(_messenger(each) for each in profile.messengers),
        booking_url=profile.booking_url or "",
        shop=source.shop,
        changed_at=source.changed_at,
    )


def spoken(profile: Profile, own_language: str) -> tuple[str, ...]:
    """The languages that a card can be read in, its own first."""
    return tuple(dict.fromkeys((profile.language or own_language, *profile.translations)))


def _organisation(source: Source, words: Words, language: str) -> str:
    """The brand's word goes before the card's."""
    template = source.template
    translated: str | None = template.organisation_in.get(base_language(language))  # type: ignore[call-overload]
    said = translated or template.organisation
    return said or words.organisation or source.profile.organisation or source.organisation


def _links(profile: Profile, template: Template) -> tuple[Way, ...]:
    links = (*template.links, *profile.links)
    return tuple(Way("link", each.label or host(each.url), each.url) for each in links)


def _social(account: Social) -> Way:
    return _way(account.network, NETWORKS[account.network], account.handle, account.url)


def _messenger(account: Messenger) -> Way:
    return _way(account.app, MESSENGERS[account.app], account.handle, account.url)


def _way(key: str, service: Service, handle: str | None, url: str | None) -> Way:
    return Way(key, service.name, url or address_of(service, handle or ""), handle or "")
