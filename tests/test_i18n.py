"""Every word of the pages is said in every language, and a language is written as its country writes it."""

import re
from collections.abc import Iterable
from functools import cache
from pathlib import Path

import pytest
from babel.messages.catalog import Catalog, Message
from babel.messages.extract import DEFAULT_KEYWORDS, extract_from_dir
from babel.messages.frontend import parse_keywords, parse_mapping_cfg
from babel.messages.pofile import read_po

from infra.i18n import catalogue, locale_of, voice
from kernel.locale import LANGUAGES

ROOT = Path(__file__).resolve().parent.parent
TRANSLATED = sorted(set(LANGUAGES) - {"en"})
PLACEHOLDER = re.compile(r"%\((\w+)\)s")
# Forms that may say their number as a word: none, one, two.
SMALL = 3


@cache
def said() -> frozenset[str | tuple[str, ...]]:
    """What the code and the templates say, as scripts/messages collects it."""
    with (ROOT / "babel.cfg").open() as file:
        methods, options = parse_mapping_cfg(file)  # type: ignore[no-untyped-call]
    keywords = DEFAULT_KEYWORDS | parse_keywords(["later", "words"])
    return frozenset(message for _, _, message, _, _ in extract_from_dir(ROOT, methods, options, keywords))


@cache
def translated(language: str) -> Catalog:
    with catalogue(language).open("rb") as file:
        return read_po(file, locale=language)


def messages(language: str) -> list[Message]:
    return [message for message in translated(language) if message.id]


def strings(texts: str | Iterable[str] | None) -> list[str]:
    return [texts] if isinstance(texts, str) else list(texts or [""])


def test_something_is_said() -> None:
    assert {"Paid", "Your receipt is on its way", ("%(count)s item", "%(count)s items")} <= said()


@pytest.mark.parametrize("language", TRANSLATED)
def test_a_catalogue_has_all_that_is_said_and_nothing_else(language: str) -> None:
    assert {message.id for message in messages(language)} == said()


@pytest.mark.parametrize("language", TRANSLATED)
def test_every_message_is_translated_for_sure(language: str) -> None:
    assert [message.id for message in messages(language) if message.fuzzy or not all(strings(message.string))] == []


@pytest.mark.parametrize("language", TRANSLATED)
def test_a_plural_has_all_forms_of_its_language(language: str) -> None:
    plural = [message for message in messages(language) if message.pluralizable]
    assert {len(strings(message.string)) for message in plural} == {translated(language).num_plurals}


@pytest.mark.parametrize("language", TRANSLATED)
def test_a_translation_names_the_values_of_its_message(language: str) -> None:
    for message in messages(language):
        wanted = set(PLACEHOLDER.findall(strings(message.id)[-1]))
        for number, text in enumerate(strings(message.string)):
            found = set(PLACEHOLDER.findall(text))
            assert found == wanted or (message.pluralizable and number < SMALL and not found), message.id


@pytest.mark.parametrize(
    "count, expected",
    [
        (0, "لا أصناف"),
        (1, "صنف واحد"),
        (2, "صنفان"),
        (3, "3 أصناف"),
        (11, "11 صنفًا"),
        (100, "100 صنف"),
        (103, "103 أصناف"),
    ],
)
def test_arabic_counts_in_six_forms(count: int, expected: str) -> None:
    assert voice("ar").ngettext("%(count)s item", "%(count)s items", count) % {"count": count} == expected


@pytest.mark.parametrize("count, expected", [(1, "1 mois"), (2, "2 mois"), (0, "0 mois")])
def test_french_counts_in_its_own(count: int, expected: str) -> None:
    assert voice("fr").ngettext("%(count)s month", "%(count)s months", count) % {"count": count} == expected


@pytest.mark.parametrize(
    "language, country, expected",
    [
        ("de", "AT", "de_AT"),
        ("de", "CH", "de_CH"),
        ("de", "US", "de"),
        ("en", "US", "en_US"),
        ("en", "IN", "en_IN"),
        ("en", "DE", "en_GB"),
        ("en", None, "en_GB"),
        ("fr", "CA", "fr_CA"),
        ("hi", "IN", "hi_IN"),
        ("ar", "AE", "ar_AE"),
        ("ar", "DE", "ar"),
        ("es", "XX", "es"),
    ],
)
def test_a_language_is_written_as_in_the_country_where_it_is_at_home(
    language: str, country: str | None, expected: str
) -> None:
    assert locale_of(language, country) == expected


def test_arabic_runs_right_to_left() -> None:
    assert {language: voice(language).direction for language in LANGUAGES} == dict.fromkeys(LANGUAGES, "ltr") | {
        "ar": "rtl"
    }
