"""JSON in its one canonical form (JSON Canonicalization Scheme, RFC 8785), and read without guessing.

Our documents hold strings, whole numbers, booleans, null, arrays and objects. Fractions do not occur in them, so they
are refused, and with them the only hard part of the scheme.
"""

import json
from collections.abc import Iterable
from json.encoder import encode_basestring
from typing import Any, Final, NoReturn

# Beyond these two systems may read two numbers (RFC 7493 section 2.2).
_LARGEST: Final = 2**53 - 1


def canonicalise(value: Any) -> bytes:
    """UTF-8 without white space, members in the order of their UTF-16 code units.

    Raises ValueError for what has no form here: a fraction, a number beyond 53 bits, half a surrogate pair, an object
    that is not JSON, and what is nested beyond measure.
    """
    try:
        return _written(value).encode()
    except RecursionError:
        raise ValueError("is nested too deeply") from None


def parse(text: str | bytes) -> Any:
    """The value of a JSON text that says each thing once.

    Raises ValueError for what is not JSON, for two members of one name (two readers could take two different ones),
    and for fractions, ``NaN`` and the like.
    """
    try:
        return json.loads(
            text, object_pairs_hook=_each_once, parse_float=_no_fraction, parse_constant=_no_fraction, parse_int=_whole
        )
    except RecursionError:
        raise ValueError("is nested too deeply") from None


def _written(value: Any) -> str:
    match value:
        case str():
            # Escapes exactly what ECMAScript does (RFC 8785 section 3.2.2.2).
            return encode_basestring(value)
        case dict():
            members = [f"{encode_basestring(name)}:{_written(value[name])}" for name in _in_order(value)]
            return "{" + ",".join(members) + "}"
        case list() | tuple():
            return "[" + ",".join(map(_written, value)) + "]"
        case True:
            return "true"
        case False:
            return "false"
        case None:
            return "null"
        case int() if abs(value) <= _LARGEST:
            return str(value)
    raise ValueError("holds what has no canonical form")


def _in_order(names: Iterable[Any]) -> list[str]:
    """By UTF-16 code units, which for ASCII is the order that Python has anyway."""
    if not all(isinstance(name, str) for name in names):
        raise ValueError("has a member whose name is not text")
    return sorted(names) if all(map(str.isascii, names)) else sorted(names, key=lambda name: name.encode("utf-16-be"))


def _each_once(members: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(members)
    if len(found) < len(members):
        raise ValueError("has two members of one name")
    return found


def _no_fraction(_text: str) -> NoReturn:
    raise ValueError("holds a number that is not whole")


def _whole(text: str) -> int:
    if len(text) > len(str(-_LARGEST)):
        raise ValueError("holds a number that is too large")
    # Read as zero, it would be written without its sign.
    return _no_fraction(text) if text == "-0" else int(text)
