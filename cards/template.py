"""What a brand says on all of its cards, and what its staff may not change on theirs."""

from typing import Any, Final, Literal

from pydantic import BaseModel, ConfigDict, Field

from accounts.fields import Language, Name, Short, Text, WebAddress
from cards.profile import Link, Social

# What a member of staff edits by themselves, unless the brand locks it.
Editable = Literal[
    "name", "prefix", "given", "additional", "family", "suffix", "nickname", "pronouns", "title", "department",
    "description", "hobbies", "languages", "phones", "emails", "addresses", "links", "socials", "messengers",
    "booking_url", "translations", "photo",
]  # fmt: skip
CONSENT_VERSION: Final = "1"
_NAME_PARTS: Final = frozenset({"prefix", "given", "additional", "family", "suffix"})


class Template(BaseModel):
    """Of one brand. Its name, logo and colours stand on its cards in any case, and no member of staff changes them."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    organisation: Name | None = Field(None, description="On all cards, whatever they say. Default: the brand's name.")
    links: list[Link] = Field([], max_length=10, description="On all cards, before their own.")
    socials: list[Social] = Field([], max_length=10, description="The brand's, on all cards, after their own.")
    locked: list[Editable] = Field(
        ["title", "department"], description="What staff do not change by themselves; the API may."
    )
    organisation_in: dict[Language, Name] = Field({}, description="The organisation's name in other languages.")
    privacy_url: WebAddress | None = Field(None, description="Shown where a visitor leaves their contact.")
    consent: dict[Language, Text] = Field(
        {}, description="What a visitor consents to who leaves their contact, by language. Default: a text of ours."
    )
    consent_version: Short = Field(CONSENT_VERSION, description="Change it with the text: each contact keeps both.")


ORDINARY: Final = Template()


def read(stored: str | None) -> Template:
    return Template.model_validate_json(stored) if stored else ORDINARY


def on_cards(template: Template) -> dict[str, Any]:
    """What of it stands on cards, and so changes them: the rest is for who edits one or leaves a contact."""
    return template.model_dump(include={"organisation", "links", "socials", "organisation_in"})


def locked(template: Template) -> frozenset[str]:
    """The fields that staff do not change. A whole name is made of its parts and stands for them, so where it is locked
    they are, and where one of them is it is."""
    named = frozenset[str](template.locked)
    if "name" in named:
        return named | _NAME_PARTS
    return named | {"name"} if named & _NAME_PARTS else named
