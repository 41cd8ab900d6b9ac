"""Names of languages and countries, and countries by their names in any language that we speak."""

import unicodedata
from collections.abc import Iterator
from functools import cache, lru_cache
from typing import Final

from babel import Locale

from kernel.locale import LANGUAGES, base_language

# What people write, beside the names that CLDR has.
_ALIKE: Final = {
    "usa": "US", "u s a": "US", "u s": "US", "united states of america": "US", "uk": "GB", "u k": "GB",
    "great britain": "GB", "england": "GB", "scotland": "GB", "wales": "GB", "holland": "NL", "the netherlands": "NL",
    "czech republic": "CZ", "turkey": "TR", "brd": "DE", "russian federation": "RU", "republic of ireland": "IE",
    "korea": "KR", "uae": "AE", "viet nam": "VN",
}  # fmt: skip
# Unions, and what CLDR has for tests and for what is unknown.
_NO_COUNTRIES: Final = frozenset({"EU", "EZ", "QO", "UN", "XA", "XB", "ZZ"})


@lru_cache(maxsize=2048)
def language_name(tag: str, language: str) -> str:
    """What ``tag`` is called in ``language``, one of ours; ``tag`` itself where it has no name."""
    known = Locale(language).languages
    return str(known.get(tag.replace("-", "_")) or known.get(base_language(tag)) or tag)


@lru_cache(maxsize=2048)
def country_name(code: str, language: str) -> str:
    return str(Locale(language).territories.get(code, code))


def country_code(told: str) -> str | None:
    """ISO 3166's code of a country that is told by its code or its name."""
    return _countries().get(_plain(told))


@cache
def _countries() -> dict[str, str]:
    return _ALIKE | {_plain(name): code for name, code in _named()}


def _named() -> Iterator[tuple[str, str]]:
    for language in reversed(LANGUAGES):
        for code, name in Locale(language).territories.items():
            if len(code) == 2 and code.isalpha() and code not in _NO_COUNTRIES:
                yield name, code
                yield code, code


def _plain(name: str) -> str:
    """In one case, without marks, dots and hyphens."""
    bare = "".join(each for each in unicodedata.normalize("NFKD", name) if not unicodedata.combining(each))
    return " ".join("".join(each if each.isalnum() else " " for each in bare.casefold()).split())
