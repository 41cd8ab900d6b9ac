"""Text as rules compare it: words in lower case without accents, and where a clause ends. Pure."""

import re
import unicodedata
from dataclasses import dataclass
from typing import Final

# Accents of Latin, Greek and Cyrillic letters, and what Arabic writes above and below its own. The vowels of Hindi are
# marks too, and words are nothing without them.
_ACCENTS: Final = re.compile("[\u0300-\u036f\u0640\u064b-\u0652\u0670]")
_CLAUSE_ENDS: Final = frozenset(".,;:!?\n()…،؛؟।")
LONGEST_TEXT: Final = 5_000


@dataclass(frozen=True, slots=True)
class Words:
    """``clauses`` tells of each word in which clause it stands."""

    words: tuple[str, ...]
    clauses: tuple[int, ...]


def folded(text: str) -> str:
    """``Größe`` and ``GROSSE`` are one word, ``café`` and ``cafe`` too."""
    decomposed = unicodedata.normalize("NFKD", unicodedata.normalize("NFKD", text).casefold())
    return unicodedata.normalize("NFC", _ACCENTS.sub("", decomposed))


def split(text: str) -> Words:
    """Into runs of letters, their marks, and digits. What is beyond 5,000 characters is not looked at."""
    words, clauses, clause, run = [], [], 0, ""
    for char in folded(text[:LONGEST_TEXT]) + " ":
        if unicodedata.category(char)[0] in "LMN":
            run += char
            continue
        if run:
            words.append(run)
            clauses.append(clause)
            run = ""
        clause += char in _CLAUSE_ENDS
    return Words(tuple(words), tuple(clauses))
