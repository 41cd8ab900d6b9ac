"""What a card says of a member of staff, as it is written down: pure data, checked."""

from typing import Annotated, Any, Final, Literal, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints, model_validator

from accounts.fields import (
    Country,
    DeliverableAddress,
    Language,
    LanguageTag,
    Name,
    PhoneNumber,
    Short,
    Text,
    WebAddress,
)
from cards.networks import MESSENGERS, NETWORKS, App, Network
from kernel.locale import base_language

Kind = Literal["work", "mobile", "home", "fax", "other"]
Place = Literal["work", "home", "other"]
# What an account is called at its network: no spaces, no address.
_HANDLE: Final = r"^@?[^\s@/?#\x00-\x1f\x7f<>\"]+(@[^\s@/?#\x00-\x1f\x7f<>\"]+)?$"
Handle = Annotated[str, StringConstraints(min_length=1, max_length=200, pattern=_HANDLE)]
# The same, or a telephone number as people write it.
NumberOrHandle = Annotated[str, StringConstraints(min_length=1, max_length=200, pattern=_HANDLE.replace(r"\s", ""))]
_MOST: Final = 20
_NAME: Final = {"name", "prefix", "given", "additional", "family", "suffix"}


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Phone(_Part):
    number: PhoneNumber
    kind: Kind = "work"
    label: Short | None = None


class Email(_Part):
    address: DeliverableAddress
    kind: Place = "work"
    label: Short | None = None


class Address(_Part):
    lines: list[Name] = Field([], max_length=6)
    postal_code: Short | None = None
    city: Name | None = None
    region: Name | None = None
    country: Country | None = None
    kind: Place = "work"
    label: Short | None = None

    @model_validator(mode="after")
    def _says_something(self) -> Self:
        if not (self.lines or self.postal_code or self.city or self.region or self.country):
            raise ValueError("names no place; at least one of lines, postal_code, city, region, country is needed")
        return self


class Link(_Part):
    url: WebAddress
    label: Short | None = None


class _Account(_Part):
    handle: NumberOrHandle | None = None
    url: WebAddress | None = None

    @model_validator(mode="after")
    def _leads_somewhere(self) -> Self:
        if (self.handle is None) == (self.url is None):
            raise ValueError("needs either a handle or a url")
        return self


class Social(_Account):
    """An account at a network: its ``handle``, from which the address is made, or its ``url``."""

    network: Network
    handle: Handle | None = None

    @model_validator(mode="after")
    def _has_an_address(self) -> Self:
        if self.url is None and not NETWORKS[self.network].address:
            raise ValueError("needs a url: this network has no address that could be made of a handle")
        return self


class Messenger(_Account):
    """How to write to somebody: a ``handle`` (WhatsApp, Signal and Viber take a telephone number), or a ``url``."""

    app: App

    @model_validator(mode="after")
    def _can_be_reached(self) -> Self:
        if self.handle is not None and MESSENGERS[self.app].by_number and sum(map(str.isdigit, self.handle)) < 7:
            raise ValueError("needs the telephone number with its country code as handle; +493055501234 would be one")
        return self


class Words(_Part):
    """What is said in another language; what is not given is as in the card's own."""

    name: Name | None = None
    pronouns: Short | None = None
    title: Name | None = None
    department: Name | None = None
    organisation: Name | None = None
    description: Text | None = None
    hobbies: list[Name] | None = Field(None, max_length=_MOST)


def _known_once(tags: list[str]) -> list[str]:
    if len({base_language(tag) + tag for tag in tags}) < len(tags):
        raise ValueError("names a language twice; each belongs there once")
    return tags


class Profile(_Part):
    """All that a card can say. Either `name` or `given` or `family` is needed."""

    name: Name | None = Field(None, description="The whole name as it is shown. Default: made of its parts.")
    prefix: Short | None = Field(None, description="Before the name, such as Dr.")
    given: Name | None = None
    additional: Name | None = Field(None, description="Middle names.")
    family: Name | None = None
    suffix: Short | None = Field(None, description="After the name, such as PhD or Jr.")
    nickname: Name | None = None
    pronouns: Short | None = None
    title: Name | None = Field(None, description="What the person does here, such as Baker.")
    department: Name | None = None
    organisation: Name | None = Field(None, description="Default: the brand's template's, then the brand's name.")
    description: Text | None = Field(None, description="What the person does and knows, in a few sentences.")
    hobbies: list[Name] = Field([], max_length=_MOST)
    languages: Annotated[list[LanguageTag], AfterValidator(_known_once)] = Field(
        [], max_length=_MOST, description="Those that the person speaks, best first, as BCP 47 tags."
    )
    phones: list[Phone] = Field([], max_length=_MOST)
    emails: list[Email] = Field([], max_length=_MOST)
    addresses: list[Address] = Field([], max_length=_MOST)
    links: list[Link] = Field([], max_length=_MOST)
    socials: list[Social] = Field([], max_length=_MOST)
    messengers: list[Messenger] = Field([], max_length=_MOST)
    booking_url: WebAddress | None = Field(None, description="Where an appointment with the person can be made.")
    language: Language | None = Field(None, description="That of all this. Default: the brand's first.")
    translations: dict[Language, Words] = {}

    @model_validator(mode="after")
    def _has_a_name(self) -> Self:
        if not self.full_name():
            raise ValueError("names nobody; name, given or family is needed")
        return self

    def name_in(self, language: str) -> str:
        """The whole name, as it is written in ``language`` where it is written in it at all."""
        words = self.translations.get(base_language(language))  # type: ignore[call-overload]
        return (words and words.name) or self.full_name()

    def full_name(self) -> str:
        parts = (self.prefix, self.given, self.additional, self.family, self.suffix)
        return (self.name or " ".join(part for part in parts if part)).strip()


def name_alone(profile: Profile) -> Profile:
    """The same person, of whom nothing else is said."""
    return Profile.model_validate(profile.model_dump(include=_NAME, exclude_defaults=True))


def read(stored: str) -> Profile:
    return Profile.model_validate_json(stored)


def write(profile: Profile) -> str:
    return profile.model_dump_json(exclude_defaults=True)


def plain(profile: Profile) -> dict[str, Any]:
    """As the API shows it: without what is not given."""
    return profile.model_dump(mode="json", exclude_none=True)
