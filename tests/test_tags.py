"""Tags are given to what shoppers write by rules: whole words, in any case and accent, unless they are denied."""

from datetime import UTC, datetime
from typing import Final

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import Engine, insert

from engagement.voice import tag_rules
from engagement.voice.tables import TagRow
from engagement.voice.tags import ANY, Tagger, TagRule, parts_of
from engagement.voice.words import folded, split
from infra.database import reading
from tests.support.inside import Person, on_sqlite
from tests.support.shops import Shops
from tests.test_races import at_once

NOW: Final = datetime(2026, 11, 20, tzinfo=UTC)
WAIT = TagRule("waiting", {"en": ["queue", "waiting time", "slow*"], "de": ["warte*", "Schlange"], ANY: ["⏳ wait"]})
STAFF = TagRule("staff", {"en": ["staff", "rude"], "fr": ["impoli", "l'accueil"], "es": ["grosero"]})
PRICE = TagRule("price", {"en": ["expensive"], "hi": ["महंगा", "महँगा"], "ar": ["غالي"]}, denied=True)
LETTERS = st.text(st.characters(categories=("L", "N", "M", "P", "Z")), max_size=80)


def tags(text: str, language: str = "en", *rules: TagRule) -> list[str]:
    return Tagger(rules or (WAIT, STAFF, PRICE), language).tags(text)


@pytest.mark.parametrize(
    "text, language, found",
    [
        ("The QUEUE was endless, and the staff rude!", "en", ["staff", "waiting"]),
        ("Such a long waiting   time", "en", ["waiting"]),
        ("waiting. Time flies", "en", []),
        ("slowly, slowest, slow", "en", ["waiting"]),
        ("queues", "en", []),
        ("Lange SCHLANGE", "de", ["waiting"]),
        ("Wartezeit", "de", ["waiting"]),
        ("Die Staff war rude", "de", []),
        ("Impolí, à l’accueil", "fr", ["staff"]),
        ("बहुत महंगा है", "hi", ["price"]),
        ("المكان غَالِي جدا", "ar", ["price"]),
        ("wait", "hi", ["waiting"]),
        ("", "en", []),
    ],
)
def test_words_are_found_whole_in_any_case_and_accent(text: str, language: str, found: list[str]) -> None:
    assert tags(text, language) == found


@pytest.mark.parametrize(
    "text, language, found",
    [
        ("The staff was not at all rude", "en", ["staff"]),
        ("not rude", "en", []),
        ("It wasn't slow", "en", []),
        ("It wasnt slow", "en", []),
        ("no queue anywhere", "en", []),
        ("Not cheap, slow", "en", ["waiting"]),
        ("not nice but slow", "en", ["waiting"]),
        ("never in my whole life so slow", "en", ["waiting"]),
        ("ohne Schlange", "de", []),
        ("keine lange Schlange", "de", []),
        ("pas impoli", "fr", []),
        ("not expensive", "en", ["price"]),
    ],
)
def test_what_the_words_before_deny_gets_no_tag_where_the_rule_does_not_say_so(
    text: str, language: str, found: list[str]
) -> None:
    assert tags(text, language) == found


def test_a_phrase_is_found_with_a_beginning_inside_it() -> None:
    rule = TagRule("parking", {"en": ["no park* spot"]})
    assert tags("there was no parking spot left", "en", rule) == ["parking"]
    assert tags("no parking", "en", rule) == []


def test_a_text_of_any_length_is_read_to_its_limit() -> None:
    assert tags("bread " * 800 + "queue") == ["waiting"]
    assert tags("bread " * 900 + "queue") == []


@given(LETTERS)
def test_folding_twice_is_folding_once(text: str) -> None:
    assert folded(folded(text)) == folded(text)


@given(st.lists(st.sampled_from(["bread", "queue", "nice", "rude", "shop"]), max_size=12))
def test_case_accents_and_marks_between_words_make_no_difference(words: list[str]) -> None:
    plain = " ".join(words)
    loud = plain.upper().replace("E", "É").replace(" ", "  ~ ")
    assert tags(loud) == tags(plain)


@given(LETTERS, st.sampled_from(["en", "de", "hi", "ar"]))
def test_a_text_is_found_by_the_rule_that_says_it_word_for_word(text: str, language: str) -> None:
    parts = parts_of(text)
    clauses = set(split(text).clauses)
    rule = TagRule("same", {language: [text]}, denied=True)
    expected = ["same"] if parts and len(clauses) == 1 and "*" not in text else []
    if "*" not in text:
        assert tags(text, language, rule) == expected


@given(LETTERS, LETTERS)
def test_more_rules_give_no_fewer_tags(text: str, phrase: str) -> None:
    more = (WAIT, STAFF, TagRule("other", {"en": [phrase]}))
    assert set(tags(text, "en", WAIT, STAFF)) <= set(tags(text, "en", *more))


@given(st.text(max_size=200), st.text(max_size=60))
def test_nothing_that_anybody_writes_is_too_much(text: str, phrase: str) -> None:
    found = tags(text, "en", TagRule("any", {"en": [phrase, f"{phrase}*"]}))
    assert set(found) <= {"any"}


# Over the API


def test_a_rule_is_put_tried_listed_and_taken_away(owner: Person) -> None:
    assert owner.put("/v1/tag-rules/waiting", {"phrases": {"en": ["queue", "slow*"]}}).status_code == 204
    told = owner.get("/v1/tag-rules").json()
    assert [each["tag"] for each in told["tag_rules"]] == ["waiting"]
    assert told["is_running"] is True
    tried = owner.post("/v1/tag-trial", {"text": "So slow, such a queue", "language": "en"})
    assert tried.json() == {"tags": ["waiting"]}
    assert owner.delete("/v1/tag-rules/waiting").status_code == 204
    assert owner.delete("/v1/tag-rules/waiting").status_code == 404
    assert owner.post("/v1/tag-trial", {"text": "queue", "language": "en"}).json() == {"tags": []}


@on_sqlite
@pytest.mark.parametrize(
    "content, pointer",
    [
        ({"phrases": {"xx": ["a"]}}, "/phrases/xx/[key]"),
        ({"phrases": {"en": ["!!!"]}}, "/phrases/en/0"),
        ({"phrases": {"en": ["a b c d e f g h i"]}}, "/phrases/en/0"),
        ({"phrases": {"en": ["a\x00b"]}}, "/phrases/en/0"),
        ({"phrases": {"en": ["x" * 101]}}, "/phrases/en/0"),
        ({"phrases": {"en": ["a"] * 501}}, "/phrases/en"),
        ({"any_language": "a"}, "/any_language"),
        ({"denied": "yes"}, "/denied"),
        ({"words": []}, "/words"),
    ],
    ids=str,
)
def test_what_is_wrong_with_a_rule_is_said_at_its_place(owner: Person, content: object, pointer: str) -> None:
    answer = owner.put("/v1/tag-rules/waiting", content)
    assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (422, pointer)
    assert owner.get("/v1/tag-rules").json()["tag_rules"] == []


@on_sqlite
def test_a_merchant_has_two_hundred_rules_at_most(owner: Person) -> None:
    for number in range(200):
        owner.put(f"/v1/tag-rules/tag-{number}", {"any_language": ["a"]}).raise_for_status()
    assert owner.put("/v1/tag-rules/one-more", {"any_language": ["a"]}).status_code == 422
    assert owner.put("/v1/tag-rules/tag-7", {"any_language": ["b"]}).status_code == 204


@on_sqlite
def test_all_rules_together_have_five_thousand_phrases_at_most(owner: Person) -> None:
    many = {"phrases": {"en": [f"word{number}" for number in range(500)]}}
    for number in range(10):
        owner.put(f"/v1/tag-rules/tag-{number}", many).raise_for_status()
    assert owner.put("/v1/tag-rules/one-more", {"any_language": ["a"]}).status_code == 422
    assert owner.put("/v1/tag-rules/tag-7", {"any_language": ["b"]}).status_code == 204


def test_of_two_who_put_the_last_rule_one_is_refused(owner: Person, engine: Engine, shops: Shops) -> None:
    rows = [{"merchant_id": shops.linden, "tag": f"tag-{at}", "content": "{}", "changed_at": NOW} for at in range(199)]
    with engine.begin() as conn:
        conn.execute(insert(TagRow), rows)
    answers = at_once(2, lambda at: owner.put(f"/v1/tag-rules/new-{at}", {"any_language": ["a"]}).status_code)
    assert sorted(answers) == [204, 422]


def test_rules_are_put_together_once_until_they_change(owner: Person, engine: Engine, shops: Shops) -> None:
    def found(language: str = "en") -> Tagger:
        with reading(engine) as conn:
            return tag_rules.tagger(conn, shops.linden, language)

    for tag in ("cold", "slow"):
        owner.put(f"/v1/tag-rules/{tag}", {"any_language": [tag]}).raise_for_status()
    first = found()
    assert found() is first
    assert found("de") is not first
    owner.delete("/v1/tag-rules/cold").raise_for_status()
    assert (first.tags("cold, slow"), found().tags("cold, slow")) == (["cold", "slow"], ["slow"])


@on_sqlite
def test_it_takes_a_key_with_the_scope(reader: Person) -> None:
    assert reader.get("/v1/tag-rules").status_code == 403
    assert reader.get("/v1/tags").status_code == 403
