"""What was taken of one vCard so far, and what could not be."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from pydantic import BaseModel, TypeAdapter, ValidationError

from accounts.fields import LanguageTag, Name, Short, Text, WebAddress
from accounts.refusals import said
from cards.networks import MESSENGERS, NETWORKS, address_of
from cards.profile import Messenger, Social
from cards.vcard_lines import one_line
from cards.vcard_property import Property

_MOST: Final = 20
_MOST_LOST: Final = 100
ONCE: Final = "stands there more than once; the first was taken"
_NAME, _SHORT = TypeAdapter[str](Name), TypeAdapter[str](Short)
_TEXTS: Final[Mapping[str, TypeAdapter[str]]] = {
    **dict.fromkeys(("name", "given", "additional", "family", "nickname", "title"), _NAME),
    **dict.fromkeys(("department", "organisation", "hobbies"), _NAME),
    **dict.fromkeys(("prefix", "suffix", "pronouns"), _SHORT),
    "description": TypeAdapter[str](Text),
    "booking_url": TypeAdapter[str](WebAddress),
    "languages": TypeAdapter[str](LanguageTag),
}


@dataclass(slots=True)
class Taken:
    """``labels`` and ``countries`` are by group; a list's parts stand with how much each is preferred.

    ``lost`` are the first hundred lines on what was lost; ``untold`` counts the rest.
    """

    labels: Mapping[str, str]
    countries: Mapping[str, str]
    fields: dict[str, Any] = field(default_factory=dict)
    parts: dict[str, list[tuple[int, Any]]] = field(default_factory=dict)
    photo: bytes | None = None
    lost: list[str] = field(default_factory=list)
    untold: int = 0

    def lose(self, told: Property, why: str) -> None:
        self.note(f"{told.name[:40]}: {why}")

    def note(self, what: str) -> None:
        if len(self.lost) < _MOST_LOST:
            self.lost.append(what)
        else:
            self.untold += 1

    def put(self, told: Property, name: str, value: str) -> None:
        """A field that a card has once. What is empty is nothing, and what is said twice is said."""
        if not value or self.fields.get(name) == value:
            return
        if name in self.fields:
            self.lose(told, ONCE)
        elif value := self.text(told, name, value):
            self.fields[name] = value

    def text(self, told: Property, name: str, value: str) -> str:
        """Checked; empty where a card cannot say it."""
        try:
            return _TEXTS[name].validate_python(value if name == "description" else one_line(value))
        except ValidationError as error:
            self.lose(told, _why(error))
            return ""

    def add(self, told: Property, name: str, part: type[BaseModel], **values: Any) -> None:
        """A part of a list of parts, once."""
        try:
            made = part.model_validate({key: value for key, value in values.items() if value})
        except ValidationError as error:
            self.lose(told, _why(error))
        else:
            self._append(told, name, made)

    def add_text(self, told: Property, name: str, value: str) -> None:
        if value and (value := self.text(told, name, value)):
            self._append(told, name, value)

    def _append(self, told: Property, name: str, part: Any) -> None:
        there = self.parts.setdefault(name, [])
        mark = _mark(part)
        if any(_mark(each) == mark for _, each in there):
            return
        if len(there) < _MOST:
            there.append((told.preference, part))
        else:
            self.lose(told, f"a card has at most {_MOST} of them")

    def label(self, told: Property) -> str:
        return self.labels.get(told.group, "") if told.group else ""

    def has_account_at(self, address: str) -> bool:
        accounts = (*self.parts.get("socials", ()), *self.parts.get("messengers", ()))
        return any(_mark(each) == address for _, each in accounts)

    def content(self) -> dict[str, Any]:
        """For a profile: what is preferred first, else as it came."""
        ranked = {name: sorted(parts, key=lambda each: each[0]) for name, parts in self.parts.items()}
        return self.fields | {name: [part for _, part in parts] for name, parts in ranked.items()}


def _mark(part: Any) -> Any:
    """Equal for what leads to the same place."""
    if isinstance(part, Social):
        return part.url or address_of(NETWORKS[part.network], part.handle or "")
    if isinstance(part, Messenger):
        return part.url or address_of(MESSENGERS[part.app], part.handle or "")
    if isinstance(part, BaseModel):
        return part.model_dump(exclude={"kind", "label"})
    return part


def _why(error: ValidationError) -> str:
    return said(error.errors(include_url=False, include_input=False)[0])
