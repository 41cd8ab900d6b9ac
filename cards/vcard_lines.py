"""Lines of a vCard: values cleaned, escaped and folded, so that no field can become a property of its own."""

import re
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import quote

# Octets in a line, without its end (RFC 2426 section 2.6, RFC 6350 section 3.2).
_LONGEST: Final = 75
_FOLD: Final = "\r\n "
_BREAKS: Final = re.compile("\r\n|[\n\r\x0b\x0c\x85\u2028\u2029]")
# Controls, lone surrogates, what turns the direction of all that follows (UAX 9), and what is no character.
_DROPPED: Final = re.compile("[\x00-\x08\x0e-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ufeff\ufffe\uffff\ud800-\udfff]")
_ESCAPES: Final = str.maketrans({"\\": "\\\\", ";": "\\;", ",": "\\,", "\n": "\\n"})
_NO_URL: Final = re.compile(r"[\s\"<>\\^`{|}]")
_NO_TOKEN: Final = re.compile("[^a-z0-9-]+")
_QUOTED: Final = re.compile("[,;:]")

# A parameter's name, and its value as it is to be written.
Parameter = tuple[str, str]


def clean(value: str) -> str:
    """Text whose only controls are line breaks, each ``\\n``."""
    # Nothing that is dropped is printable, and most values are.
    if value.isprintable():
        return value.strip()
    return _DROPPED.sub("", _BREAKS.sub("\n", value.replace("\t", " "))).strip()


def one_line(value: str) -> str:
    return " ".join(clean(value).split("\n")) if not value.isprintable() else value.strip()


def text(value: str) -> str:
    """One line of text, escaped."""
    return one_line(value).translate(_ESCAPES)


def paragraphs(value: str) -> str:
    """Text that may have several lines, escaped."""
    return clean(value).translate(_ESCAPES)


def fields(*values: str) -> str:
    """A structured value, its line breaks kept; empty where all of its fields are."""
    escaped = [paragraphs(each) for each in values]
    return ";".join(escaped) if any(escaped) else ""


def url(value: str) -> str:
    """Not escaped, since a URL is no text. What no URL may hold is written in percent."""
    return _NO_URL.sub(lambda found: quote(found[0]), one_line(value))


def parameter(value: str) -> str:
    """Neither a quote nor a caret, which RFC 6868 gives a meaning, can stand in one."""
    told = one_line(value).replace('"', "").replace("^", "")
    return f'"{told}"' if _QUOTED.search(told) else told


def token(value: str) -> str:
    """For a value that is one of a list, such as a type."""
    return _NO_TOKEN.sub("", value.lower())[:40]


def folded(line: str) -> str:
    """In pieces of at most 75 octets, none of which ends inside a character."""
    if line.isascii():
        if len(line) <= _LONGEST:
            return line
        pieces = [line[:_LONGEST]]
        pieces += [line[at : at + _LONGEST - 1] for at in range(_LONGEST, len(line), _LONGEST - 1)]
        return _FOLD.join(pieces)
    octets = line.encode()
    return line if len(octets) <= _LONGEST else _FOLD.join(_pieces(octets))


def _pieces(octets: bytes) -> list[str]:
    pieces, start, room = [], 0, _LONGEST
    while start < len(octets):
        end = min(start + room, len(octets))
        # The octets of a character after its first are 10xxxxxx.
        while end < len(octets) and octets[end] & 0xC0 == 0x80:
            end -= 1
        pieces.append(octets[start:end].decode())
        start, room = end, _LONGEST - 1
    return pieces


@dataclass(slots=True)
class Lines:
    """A card's lines as they come, folded. ``added`` is each property's name and its line."""

    is_four: bool
    added: list[tuple[str, str]] = field(default_factory=list)
    _groups: int = 0

    def add(self, name: str, value: str, *parameters: Parameter, group: str = "") -> None:
        """``value`` is written already. Where it is empty, so is the property, and there is none."""
        if value:
            told = "".join([f";{key}={each}" for key, each in parameters if each])
            self.added.append((name, folded(f"{group}{name}{told}:{value}")))

    def labelled(self, name: str, value: str, label: str, *parameters: Parameter) -> None:
        """With a name of its own, as Apple writes it: both lines in a group."""
        if not value or not (told := text(label)):
            return self.add(name, value, *parameters)
        self._groups += 1
        group = f"item{self._groups}."
        self.add(name, value, *parameters, group=group)
        self.add("X-ABLabel", told, group=group)
        return None
