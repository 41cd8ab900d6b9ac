"""Reading vCards of any version and make, for imports. What cannot be taken is told, line by line.

We read by ourselves: vobject refuses a file for one odd line, and cuts links and loses pictures in silence.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from pydantic import ValidationError

from accounts.refusals import said
from cards import vcard_take_accounts, vcard_take_person, vcard_take_ways
from cards.profile import Profile
from cards.vcard_lines import one_line
from cards.vcard_property import Property, parsed, unescaped
from cards.vcard_taken import Taken
from cards.vcard_unfolding import (
    MOST_BYTES,
    MOST_CARDS,
    MOST_LINES,
    MOST_LINES_OF_A_FILE,
    RawCard,
    as_utf_8,
    lines_of,
    raw_cards,
)

_LONGEST_VALUE: Final = 100_000
# Of the name of a property, which is cut further where it is taken.
_LONGEST_LABEL: Final = 200
_TAKERS: Final[Mapping[str, Callable[[Taken, Property], None]]] = {
    **vcard_take_person.TAKERS,
    **vcard_take_ways.TAKERS,
    **vcard_take_accounts.TAKERS,
}
# After the rest, since they depend on it.
_LAST: Final = ("ROLE", "URL")
_NAME_PARTS: Final = ("prefix", "given", "additional", "family", "suffix")
_OF_THE_FORMAT: Final = frozenset({"VERSION", "PRODID", "PROFILE", "BEGIN", "END", "X-ABLABEL", "X-ABADR"})
_NO_PLACE: Final = "a card has no place for it"
_WHY: Final = {
    "LOGO": "the brand's logo is on its cards",
    "LABEL": "is an address as it is printed; ADR is what is taken",
    "KEY": "a card has no place for keys",
    "AGENT": "is somebody else",
    **dict.fromkeys(("UID", "REV", "SOURCE", "CLASS", "X-ABUID", "CLIENTPIDMAP"), "says nothing of the person"),
}


@dataclass(frozen=True, slots=True)
class Reading:
    """Of one card. Without ``profile``, ``reason`` says why; ``photo`` is a file of whatever kind it had in it.

    ``lost`` is a line for each property that was not taken, with the reason; after a hundred, how many more there are.
    """

    profile: Profile | None
    reason: str = ""
    photo: bytes | None = None
    lost: tuple[str, ...] = ()


def read(data: bytes) -> list[Reading]:
    """All cards of a file, in their order: at least one reading, and never an exception."""
    if len(data) > MOST_BYTES:
        return [Reading(None, f"The file has more than {MOST_BYTES // 1_000_000} MB.")]
    octets = as_utf_8(data)
    if lines_of(octets) > MOST_LINES_OF_A_FILE:
        return [Reading(None, f"The file has more than {MOST_LINES_OF_A_FILE:,} lines.")]
    found: list[Reading] = []
    for raw in raw_cards(octets):
        if len(found) == MOST_CARDS:
            return [*found, Reading(None, f"The file has more than {MOST_CARDS:,} cards; the rest was not read.")]
        found.append(_reading(raw))
    return found or [Reading(None, "This is no vCard: no line says BEGIN:VCARD.")]


def _reading(raw: RawCard) -> Reading:
    told = [(number, parsed(line)) for number, line in enumerate(raw.lines, start=2)]
    properties = [each for _, each in told if each]
    taken = Taken(_grouped(properties, "X-ABLABEL"), _grouped(properties, "X-ABADR"))
    for number in (number for number, each in told if each is None):
        taken.note(f"line {number}: is no property")
    for each in sorted(properties, key=lambda each: each.name in _LAST):
        _take(taken, each)
    taken.lost += _beside(taken, raw)
    return _made(taken)


def _take(taken: Taken, told: Property) -> None:
    taker = _TAKERS.get(told.name)
    if told.name in _OF_THE_FORMAT or not told.value.strip(" ;,\t"):
        return
    if taker is None:
        taken.lose(told, _WHY.get(told.name, _NO_PLACE))
    elif len(told.value) > _LONGEST_VALUE and told.name != "PHOTO":
        taken.lose(told, f"has more than {_LONGEST_VALUE:,} characters")
    else:
        taker(taken, told)


def _grouped(properties: Iterable[Property], name: str) -> dict[str, str]:
    """The values of ``name`` by their groups, no more of each than a label needs."""
    of_that_name = (each for each in properties if each.name == name and each.group)
    return {each.group: one_line(unescaped(each.value[:_LONGEST_LABEL])) for each in of_that_name}


def _beside(taken: Taken, raw: RawCard) -> Iterator[str]:
    if taken.untold:
        yield f"and {taken.untold:,} more"
    if raw.agents:
        yield f"AGENT: {_WHY['AGENT']}"
    if raw.unread:
        yield f"{raw.unread:,} lines after the first {MOST_LINES:,} were not read"
    if not raw.is_closed:
        yield "END: is missing; the file may have been cut off"


def _made(taken: Taken) -> Reading:
    content = taken.content()
    if "name" in content and content["name"] == _composed(content):
        # The whole says no more than the parts.
        del content["name"]
    if not content.get("name") and not _composed(content):
        content["name"] = _stand_in(taken, content)
    try:
        profile = Profile.model_validate({key: value for key, value in content.items() if value})
    except ValidationError as error:
        why = said(error.errors(include_url=False, include_input=False)[0])
        return Reading(None, f"The card {why}.", taken.photo, tuple(taken.lost))
    return Reading(profile, "", taken.photo, tuple(taken.lost))


def _composed(content: Mapping[str, Any]) -> str:
    return " ".join(content[part] for part in _NAME_PARTS if part in content)


def _stand_in(taken: Taken, content: Mapping[str, Any]) -> str:
    """What a phone shows of a card without a name; empty where there is nothing."""
    emails = [each.address.partition("@")[0] for each in content.get("emails", ())]
    numbers = [each.number for each in content.get("phones", ())]
    known = (content.get("nickname"), content.get("organisation"), *emails, *numbers)
    name = next(filter(None, known), "")
    if name:
        taken.lost.append("FN: is missing; what else is known stands in its place")
    return str(name)
