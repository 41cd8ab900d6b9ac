"""What a letter is once it is composed, whatever it is about, and what its subject may hold."""

import re
from dataclasses import dataclass
from typing import Final

LONGEST_SUBJECT: Final = 78
# Controls, and what turns the direction of text around (UAX 9).
_UNPRINTABLE: Final = re.compile(r"[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]+")


@dataclass(frozen=True, slots=True)
class Composed:
    """``subject`` is one line of at most 78 characters, ``html`` a whole document below 102,400 bytes."""

    subject: str
    html: str
    text: str
    language: str


def one_line(text: str) -> str:
    """Without what would end the line or turn it around."""
    return " ".join(_UNPRINTABLE.sub(" ", text).split())


def short(text: str, longest: int) -> str:
    return text if len(text) <= longest else f"{text[: longest - 1].rstrip()}…"
