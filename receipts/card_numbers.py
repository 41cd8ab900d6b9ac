"""Refuse card numbers: PCI DSS lets a receipt carry the last four digits, and a full number not even stand in a log."""

import re
from collections.abc import Iterator
from typing import Final

# Thirteen to nineteen digits (ISO/IEC 7812-1), as typed with single blanks or hyphens between them.
_RUN: Final = re.compile(r"[0-9](?:[ -]?[0-9]){12,}")
_LENGTHS: Final = range(13, 20)


def passes_luhn(digits: str) -> bool:
    """The check digit of ISO/IEC 7812-1, annex B."""
    total = 0
    for position, digit in enumerate(reversed(digits)):
        value = int(digit) * (2 if position % 2 else 1)
        total += value - 9 if value > 9 else value
    return total % 10 == 0


def holds_card_number(text: str) -> bool:
    for run in _RUN.findall(text):
        # An application id such as A0000000031010 begins with zeros; no card number does.
        digits = run.replace(" ", "").replace("-", "").lstrip("0")
        if len(digits) in _LENGTHS and passes_luhn(digits):
            return True
    return False


def pointers_to_card_numbers(value: object, pointer: str) -> Iterator[str]:
    """JSON pointers below ``pointer`` whose text, number or member name holds a card number."""
    if isinstance(value, str | int) and not isinstance(value, bool):
        if holds_card_number(str(value)):
            yield pointer
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from pointers_to_card_numbers(item, f"{pointer}/{index}")
    elif isinstance(value, dict):
        for name, item in value.items():
            if holds_card_number(name):
                yield pointer
            else:
                yield from pointers_to_card_numbers(item, f"{pointer}/{name}")
