"""One line of a vCard, taken apart: as the standards have it, and as programs write it."""

import binascii
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from cards.vcard_lines import clean

_NAME: Final = re.compile(r"\s*(?:([A-Za-z0-9_.-]+)\.)?([A-Za-z0-9_-]+)\s*")
# What stands before the first colon, or before a semicolon or a comma, that no quotes enclose.
_HEAD: Final = re.compile(rb'(?:[^":]|"[^"]*")*')
_PARAMETER: Final = re.compile(r'(?:[^";]|"[^"]*"|")+')
_PARAMETER_VALUE: Final = re.compile(r'"([^"]*)"|([^",]+)')
_CARETS: Final = {"^n": "\n", "^'": '"', "^^": "^"}
_CARET: Final = re.compile(r"\^[n'^]")
_ESCAPED: Final = re.compile(r"\\([nN\\;,:\"])")
_ENCODINGS: Final = frozenset({"QUOTED-PRINTABLE", "BASE64", "B", "8BIT", "7BIT"})
_LONGEST_HEAD: Final = 10_000
_MOST_PARAMETERS: Final = 50
# Of a structured value, and of what stands between commas in one of its fields.
_MOST_FIELDS: Final = 50
# Those that are text, and quick to read.
_CHARSET: Final = re.compile(
    r"utf-?8|us-ascii|latin-?1|iso-?8859-?\d{1,2}|(?:windows-|cp)125\d|koi8-[ru]|gbk?|gb2312|gb18030|big5|shift[_-]jis"
    r"|sjis|euc-(?:jp|kr|cn)|iso-2022-jp|mac-?roman|macintosh",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Property:
    """Names are in capitals, ``group`` and the values of TYPE in small letters.

    ``value`` is text that is still escaped, or base64; what it was encoded in otherwise is decoded.
    """

    name: str
    group: str
    parameters: Mapping[str, tuple[str, ...]]
    value: str

    @property
    def types(self) -> frozenset[str]:
        return frozenset(self.parameters.get("TYPE", ()))

    @property
    def is_base64(self) -> bool:
        return _is_base64(self.parameters)

    @property
    def text(self) -> str:
        return unescaped(self.value)

    @property
    def fields(self) -> list[list[str]]:
        """Of a structured value: its fields, each a list of what stands between commas."""
        return [_listed(each) for each in _split(self.value, ";")[:_MOST_FIELDS]]

    def first(self, *parameters: str) -> str:
        """Of the first of these that is given; empty where none is."""
        return next((values[0] for name in parameters if (values := self.parameters.get(name))), "")

    @property
    def preference(self) -> int:
        """1 for the one that is preferred most, 101 for one of which nothing is said."""
        told = self.first("PREF")
        if told.isascii() and told.isdigit():
            return min(max(int(told[:4]), 1), 100)
        return 1 if "pref" in self.types else 101


def parsed(line: bytes) -> Property | None:
    """None where the line is no property."""
    # No further than a head may reach: the expression takes a hundred octets for each that it passes.
    head = _HEAD.match(line, 0, _LONGEST_HEAD + 1)
    end = head.end() if head and line[head.end() : head.end() + 1] == b":" else line.find(b":")
    told = _decoded(line[:end]) if 0 < end <= _LONGEST_HEAD else ""
    name = _NAME.match(told)
    if name is None or told[name.end() : name.end() + 1] not in ("", ";"):
        return None
    parameters = _parameters(told[name.end() :])
    value = _value(line[end + 1 :], parameters)
    return Property(name[2].upper().replace("_", "-"), (name[1] or "").lower(), parameters, value)


def unescaped(value: str) -> str:
    """Clean text. A backslash that escapes nothing stands for itself."""
    return clean(_ESCAPED.sub(_meant, value) if "\\" in value else value)


def _meant(escaped: re.Match[str]) -> str:
    return "\n" if escaped[1] in "nN" else escaped[1]


def _listed(value: str) -> list[str]:
    return [told for each in _split(value, ",")[:_MOST_FIELDS] if (told := unescaped(each))]


def _split(value: str, separator: str) -> list[str]:
    """At separators before which no odd number of backslashes stands."""
    pieces = [""]
    for position, part in enumerate(value.split(separator)):
        if position and (len(pieces[-1]) - len(pieces[-1].rstrip("\\"))) % 2:
            pieces[-1] += separator + part
        elif position:
            pieces.append(part)
        else:
            pieces[0] = part
    return pieces


def _parameters(told: str) -> dict[str, tuple[str, ...]]:
    """A value without a name, as version 2.1 has it, is a type or an encoding."""
    found: dict[str, tuple[str, ...]] = {}
    for each in _PARAMETER.findall(told)[:_MOST_PARAMETERS]:
        name, is_named, values = each.partition("=")
        name = name.strip().upper()
        if not is_named:
            name, values = "ENCODING" if name in _ENCODINGS else "TYPE", each
        found[name] = found.get(name, ()) + tuple(_parameter_values(name, values))
    return found


def _parameter_values(name: str, values: str) -> Iterator[str]:
    """One in quotes may hold several types: ``TYPE="work,voice"`` (RFC 6350 section 5)."""
    for quoted, bare in _PARAMETER_VALUE.findall(values)[:_MOST_PARAMETERS]:
        told = clean(_CARET.sub(lambda found: _CARETS[found[0]], quoted or bare))
        if name == "TYPE":
            yield from filter(None, (each.strip() for each in told.lower().split(",")))
        elif told:
            yield told.upper() if name == "ENCODING" else told


def _is_base64(parameters: Mapping[str, tuple[str, ...]]) -> bool:
    return not {"B", "BASE64"}.isdisjoint(parameters.get("ENCODING", ()))


def _value(raw: bytes, parameters: Mapping[str, tuple[str, ...]]) -> str:
    if _is_base64(parameters):
        return raw.decode("ascii", "ignore")
    declared = "".join(parameters.get("CHARSET", ())[:1])
    charset = [declared] if _CHARSET.fullmatch(declared) else []
    if "QUOTED-PRINTABLE" in parameters.get("ENCODING", ()):
        return _decoded(binascii.a2b_qp(raw), *charset)
    # The whole file may have been written anew in UTF-8 since the line was.
    return _decoded(raw, "utf-8", *charset)


def _decoded(raw: bytes, *charsets: str) -> str:
    """In the first charset that it can be in. Every octet means something in Latin-1."""
    for charset in (*charsets, "utf-8", "cp1252"):
        try:
            return raw.decode(charset)
        except (UnicodeError, LookupError):
            continue
    return raw.decode("latin-1")
