"""The door to Babel: in which words and in which figures a reader is spoken to.

Catalogues are read as they are committed, ``locales/<language>/LC_MESSAGES/counterfoil.po``; nothing is compiled.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache, lru_cache
from gettext import GNUTranslations, NullTranslations
from io import BytesIO
from pathlib import Path
from typing import Final

from babel import localedata
from babel.core import get_global
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po

from infra.formats import Formats, formats
from infra.settings import ROOT
from kernel.locale import direction

LOCALES: Final = ROOT / "locales"
DOMAIN: Final = "counterfoil"
# How a language is written where it is not the country's own: English with the dates and clock that most readers know.
_ABROAD: Final = {"en": "en_GB"}


@dataclass(frozen=True, slots=True, eq=False)
class Voice:
    """A language with a country's figures: German words in Austria, English words and Indian grouping in Delhi."""

    language: str
    locale: str
    direction: str
    formats: Formats
    gettext: Callable[[str], str]
    ngettext: Callable[[str, str, int], str]


@lru_cache(maxsize=512)
def voice(language: str, country: str | None = None) -> Voice:
    """``language`` is one of :data:`kernel.locale.LANGUAGES`, ``country`` an ISO 3166 code of where the shop is."""
    locale, words = locale_of(language, country), _translations(language)
    return Voice(
        language=language,
        locale=locale,
        direction=direction(language),
        formats=formats(locale),
        gettext=words.gettext,
        ngettext=words.ngettext,
    )


def locale_of(language: str, country: str | None) -> str:
    """CLDR's locale for ``language`` as it is written in ``country``, if it is an official language there."""
    spoken = get_global("territory_languages").get(country or "", {})
    is_official = bool(spoken.get(language, {}).get("official_status"))
    tag = f"{language}_{country}"
    return tag if is_official and localedata.exists(tag) else _ABROAD.get(language, language)


@cache
def _translations(language: str) -> NullTranslations:
    path = catalogue(language)
    if not path.exists():
        return NullTranslations()
    with path.open("rb") as file:
        messages = read_po(file, locale=language, domain=DOMAIN)
    compiled = BytesIO()
    write_mo(compiled, messages)
    compiled.seek(0)
    return GNUTranslations(compiled)


def catalogue(language: str) -> Path:
    """Where the translations of ``language`` are. English has none: its words are the keys."""
    return LOCALES / language / "LC_MESSAGES" / f"{DOMAIN}.po"


def later(message: str) -> str:
    """Mark a message for the catalogues where it is only named; its translation is looked up when a reader is known."""
    return message
