"""Which of the languages a reader gets."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kernel.locale import LANGUAGES, accepted, base_language, choose, direction


@pytest.mark.parametrize("tag, language", [("de", "de"), ("de-AT", "de"), ("de_CH", "de"), ("EN-us", "en"), ("", "")])
def test_a_tag_begins_with_its_language(tag: str, language: str) -> None:
    assert base_language(tag) == language


@pytest.mark.parametrize(
    "header, tags",
    [
        ("", []),
        ("de", ["de"]),
        ("fr-CH, fr;q=0.9, en;q=0.8, *;q=0.5", ["fr-CH", "fr", "en", "*"]),
        ("en;q=0.2, de;q=0.8", ["de", "en"]),
        ("de;q=0, en", ["en"]),
        ("de ; q=0.5 ,en;Q=0.6", ["en", "de"]),
        ("de;q=nan, fr;q=inf, en;q=zwei, hi;level=1", ["fr", "hi"]),
        (",,;q=1,", []),
    ],
)
def test_the_best_wish_comes_first(header: str, tags: list[str]) -> None:
    assert accepted(header) == tags


@given(st.text())
def test_any_header_can_be_read(header: str) -> None:
    assert all(tag == tag.strip() and tag for tag in accepted(header))


@given(st.lists(st.none() | st.text()), st.sampled_from(sorted(LANGUAGES)))
def test_a_choice_is_one_that_is_offered(wishes: list[str | None], otherwise: str) -> None:
    assert choose(wishes, LANGUAGES, otherwise) in LANGUAGES


def test_the_first_wish_that_is_offered_is_granted() -> None:
    assert choose([None, "", "pt-BR", "de-AT", "fr"], ["fr", "de"], "en") == "de"
    assert choose(["pt"], ["fr", "de"], "en") == "en"


@pytest.mark.parametrize("tag, way", [("ar", "rtl"), ("ar-AE", "rtl"), ("he", "rtl"), ("de", "ltr"), ("hi", "ltr")])
def test_arabic_and_hebrew_run_from_right_to_left(tag: str, way: str) -> None:
    assert direction(tag) == way
