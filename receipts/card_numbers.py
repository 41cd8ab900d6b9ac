"""Refuse card numbers: PCI DSS lets a receipt carry the last four digits, and a full number not even stand in a log."""

import re
from collections.abc import Iterable, Iterator
from typing import Final

from kernel.errors import pointer_part

# Thirteen to nineteen digits (ISO/IEC 7812-1), of whatever script, in one piece …
_SOLID: Final = re.compile(r"(?<!\d)\d{13,40}(?!\d)")
# … or as they are embossed and typed, somewhere in a text; overlapping, since other numbers may stand before …
_BREAK: Final = r"[\s.\-\u2010-\u2015]{1,2}"
_EMBOSSED: Final = [
    re.compile(r"(?<!\d)(?=(" + groups.replace("_", _BREAK) + r")(?!\d))")
    for groups in (
        r"\d{4}_\d{4}_\d{4}_\d{1,4}",
        r"\d{4}_\d{4}_\d{4}_\d{4}_\d{1,3}",
        r"\d{4}_\d{6}_\d{4,5}",
        r"\d{8}_\d{8}",
    )
]
# … or broken up in any way, with nothing else beside them.
_NOTHING_ELSE: Final = re.compile(r"[\s.\-\u2010-\u2015]*\d(?:[\s.\-\u2010-\u2015]*\d){12,}[\s.\-\u2010-\u2015]*")
_MOST_BROKEN_UP: Final = 100
# A large sum, 15000000000.00 rials, is not broken up: its cents are no part of a number.
_AMOUNT: Final = re.compile(r"-?\d+\.\d{1,6}")
_NO_DIGIT: Final = re.compile(r"\D+")
_LENGTHS: Final = range(13, 20)


def passes_luhn(digits: str) -> bool:
    """The check digit of ISO/IEC 7812-1, annex B."""
    total = 0
    for position, digit in enumerate(reversed(digits)):
        value = int(digit) * (2 if position % 2 else 1)
        total += value - 9 if value > 9 else value
    return total % 10 == 0


def holds_card_number(text: str) -> bool:
    return len(text) >= _LENGTHS.start and any(True for _ in _card_numbers(text))


def without_card_numbers(text: str) -> str:
    """``text`` with the last four digits of each card number in place of it: ``•••• 4242``."""
    pieces, end = [], 0
    for start, stop in _merged(_card_numbers(text)):
        pieces += [text[end:start], "•••• ", _NO_DIGIT.sub("", text[start:stop])[-4:]]
        end = stop
    return "".join([*pieces, text[end:]]) if pieces else text


def _card_numbers(text: str) -> Iterator[tuple[int, int]]:
    """Where card numbers begin and end; they may overlap."""
    if sum(map(str.isdecimal, text)) < _LENGTHS.start:
        return
    places = [found.span() for found in _SOLID.finditer(text)]
    places += [found.span(1) for grouped in _EMBOSSED for found in grouped.finditer(text)]
    if len(text) <= _MOST_BROKEN_UP and _NOTHING_ELSE.fullmatch(text) and not _AMOUNT.fullmatch(text):
        places.append((0, len(text)))
    yield from (place for place in places if _is_card_number(_NO_DIGIT.sub("", text[slice(*place)])))


def _merged(places: Iterable[tuple[int, int]]) -> list[tuple[int, int]]:
    merged: list[tuple[int, int]] = []
    for start, stop in sorted(places):
        if merged and start < merged[-1][1]:
            merged[-1] = (merged[-1][0], max(stop, merged[-1][1]))
        else:
            merged.append((start, stop))
    return merged


def _is_card_number(digits: str) -> bool:
    # An application id such as A0000000031010 begins with zeros; no card number does.
    significant = "".join(str(int(digit)) for digit in digits).lstrip("0")
    return len(significant) in _LENGTHS and passes_luhn(significant)


def pointers_to_card_numbers(value: object, pointer: str) -> Iterator[str]:
    """JSON pointers (RFC 6901) below ``pointer`` whose text, number or member name holds a card number.

    Without recursion: a body may be nested more deeply than Python's stack.
    """
    waiting = [(value, pointer)]
    while waiting:
        value, at = waiting.pop()
        if isinstance(value, str | int | float):
            if holds_card_number(str(value)):
                yield at
        elif isinstance(value, list):
            waiting += [(item, f"{at}/{index}") for index, item in reversed([*enumerate(value)])]
        elif isinstance(value, dict):
            if any(holds_card_number(name) for name in value):
                yield at
            waiting += [
                (item, f"{at}/{pointer_part(name)}")
                for name, item in reversed(value.items())
                if not holds_card_number(name)
            ]
