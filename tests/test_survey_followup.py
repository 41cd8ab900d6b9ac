"""What an answer leads to: a case of the shopper who was let down, and tags of what they wrote."""

from datetime import datetime, timedelta

import pytest
from sqlalchemy import Engine

from tests.support.cases import asked, let_down, patch, the_case, told
from tests.support.inside import Person, on_sqlite
from tests.support.sales import Body
from tests.support.surveys import add, answer, responses
from tests.support.workshop import Clock
from worker.cases import tag_answers
from worker.workshop import Workshop


@pytest.fixture
def path(owner: Person, till: Person, stranger: Person) -> str:
    return asked(owner, till, stranger)


@pytest.fixture
def case(owner: Person, stranger: Person, path: str) -> Body:
    return let_down(owner, stranger, path)


# A case


def test_a_low_score_opens_a_case_for_two_days(owner: Person, case: Body, engine: Engine) -> None:
    expected = {"state": "open", "score": 2, "store": "mitte", "is_overdue": False, "outcome": None, "history": []}
    assert {name: case[name] for name in expected} == expected
    opened_at, due_at = (datetime.fromisoformat(case[name]) for name in ("opened_at", "due_at"))
    assert due_at - opened_at == timedelta(hours=48)
    assert told(engine) == ["case.opened"]


@pytest.mark.parametrize("score", [7, 10])
def test_who_is_content_opens_none(owner: Person, stranger: Person, path: str, score: int) -> None:
    answer(stranger, path, score)
    assert owner.get("/v1/cases").json()["cases"] == []


def test_the_owner_of_a_store_is_named_in_its_cases(owner: Person, stranger: Person, path: str) -> None:
    settings = {"deadline_hours": 4, "email": "all@linden.example", "stores": {"mitte": {"staff": "emma"}}}
    assert owner.put("/v1/case-settings", settings).json()["stores"]["mitte"]["staff"] == "emma"
    assert owner.get("/v1/case-settings").json()["deadline_hours"] == 4
    answer(stranger, path, 0)
    case = the_case(owner)
    assert (case["owner"], owner.get("/v1/cases", owner="emma").json()["cases"][0]["id"]) == ("emma", case["id"])


@on_sqlite
@pytest.mark.parametrize(
    "opens, words, count", [("never", "Bad", 0), ("with_words", "", 0), ("with_words", "Cold", 1), ("always", "", 1)]
)
def test_which_answers_open_a_case_is_the_merchants_to_say(
    owner: Person, stranger: Person, path: str, opens: str, words: str, count: int
) -> None:
    owner.put("/v1/case-settings", {"opens": opens}).raise_for_status()
    answer(stranger, path, 1)
    if words:
        add(stranger, path, text=words)
    assert len(owner.get("/v1/cases").json()["cases"]) == count


@on_sqlite
def test_one_survey_may_do_otherwise(owner: Person, stranger: Person, path: str) -> None:
    [asked] = owner.get("/v1/surveys").json()["surveys"]
    owner.put("/v1/case-settings", {"surveys": {asked["id"]: "never"}}).raise_for_status()
    answer(stranger, path, 1)
    assert owner.get("/v1/cases").json()["cases"] == []


def test_who_thinks_better_of_it_closes_a_case_that_nobody_has_begun(
    owner: Person, stranger: Person, path: str, case: Body, engine: Engine
) -> None:
    answer(stranger, path, 9)
    after = the_case(owner)
    assert (after["state"], after["outcome"], after["history"][0]["by"]) == ("dismissed", "changed_mind", "shopper")
    answer(stranger, path, 2)
    again = the_case(owner)
    assert (again["id"], again["state"], again["score"], again["outcome"]) == (case["id"], "open", 2, None)
    assert told(engine) == ["case.opened", "case.dismissed", "case.opened"]


def test_who_thinks_better_of_it_leaves_a_case_that_somebody_works_on(
    owner: Person, stranger: Person, path: str, case: Body
) -> None:
    patch(owner, case, {"state": "in_progress"}).raise_for_status()
    answer(stranger, path, 9)
    after = the_case(owner)
    assert (after["state"], after["history"][-1]["what"]) == ("in_progress", {"score": 9})


@pytest.mark.parametrize("more", [{"text": "Nobody called"}, {"call": "1", "contact": "+49 170 5550123"}], ids=str)
def test_who_says_more_opens_a_closed_case_again(
    owner: Person, stranger: Person, path: str, case: Body, engine: Engine, more: dict[str, str]
) -> None:
    patch(owner, case, {"state": "dismissed"}).raise_for_status()
    add(stranger, path, **more)
    after = the_case(owner)
    assert (after["state"], after["resolved_at"], after["history"][-1]["by"]) == ("open", None, "shopper")
    assert told(engine) == ["case.opened", "case.dismissed", "case.opened"]


def test_who_wants_no_call_any_more_leaves_a_closed_case_closed(
    owner: Person, stranger: Person, path: str, case: Body, engine: Engine
) -> None:
    add(stranger, path, text="Cold", call="1", contact="+49 170 5550123")
    patch(owner, case, {"state": "dismissed"}).raise_for_status()
    add(stranger, path, text="Cold", no_call="1")
    assert (the_case(owner)["state"], told(engine)) == ("dismissed", ["case.opened", "case.dismissed"])


def test_an_answer_that_is_held_back_closes_a_case_that_nobody_has_begun(
    owner: Person, stranger: Person, path: str, engine: Engine
) -> None:
    answer(stranger, path, 2, auto="1")
    answer(stranger, path, 9, auto="1")
    after = the_case(owner)
    assert (after["state"], after["outcome"], after["history"][-1]["by"]) == ("dismissed", "other", "quarantine")
    assert told(engine) == ["case.opened", "case.dismissed"]


def test_an_answer_that_is_held_back_leaves_a_case_that_somebody_works_on(
    owner: Person, stranger: Person, path: str
) -> None:
    answer(stranger, path, 2, auto="1")
    patch(owner, the_case(owner), {"state": "in_progress"}).raise_for_status()
    answer(stranger, path, 9, auto="1")
    after = the_case(owner)
    assert (after["state"], after["history"][-1]["what"]) == ("in_progress", {"is_held": True})


def test_a_case_is_opened_again_once_its_answer_is_let_count(owner: Person, stranger: Person, path: str) -> None:
    answer(stranger, path, 2, auto="1")
    answer(stranger, path, 0, auto="1", website="1")
    assert the_case(owner)["state"] == "dismissed"
    [held] = [each["id"] for each in responses(owner, held="true") if each["held"] == "burst"]
    owner.post(f"/v1/survey-responses/{held}/release", None).raise_for_status()
    assert the_case(owner)["state"] == "open"


@on_sqlite
@pytest.mark.parametrize("score, state", [(1, "open"), (3, "dismissed"), (9, "dismissed")])
def test_a_lower_score_opens_a_closed_case_again(
    owner: Person, stranger: Person, path: str, case: Body, score: int, state: str
) -> None:
    patch(owner, case, {"state": "dismissed", "outcome": "changed_mind"}).raise_for_status()
    answer(stranger, path, score)
    after = the_case(owner)
    assert (after["state"], after["score"]) == (state, score)


# Tags


def tags(owner: Person) -> dict[str, int]:
    return {each["tag"]: each["answers"] for each in owner.get("/v1/tags").json()["tags"]}


def test_an_answer_gets_its_tags_at_once_and_new_ones_when_rules_change(
    owner: Person, stranger: Person, path: str, shop: Workshop, clock: Clock
) -> None:
    owner.put("/v1/tag-rules/cold", {"phrases": {"en": ["cold"]}}).raise_for_status()
    answer(stranger, path, 3)
    add(stranger, path, text="Cold, and such a queue")
    assert tags(owner) == {"cold": 1}
    owner.put("/v1/tag-rules/waiting", {"phrases": {"en": ["queue"]}}).raise_for_status()
    owner.delete("/v1/tag-rules/cold").raise_for_status()
    tag_answers(shop, "job", {})
    assert (tags(owner), owner.get("/v1/tag-rules").json()["is_running"]) == ({"cold": 1}, True)
    clock.pass_by(minutes=2)
    tag_answers(shop, "job", {})
    assert (tags(owner), owner.get("/v1/tag-rules").json()["is_running"]) == ({"waiting": 1}, False)
    [counted] = owner.get("/v1/tags", store="mitte").json()["tags"]
    assert (counted["detractors"], counted["promoters"]) == (1, 0)
    assert owner.get("/v1/tags", store="kreuzberg").json()["tags"] == []


def test_an_answer_that_changes_has_the_tags_of_its_new_words(owner: Person, stranger: Person, path: str) -> None:
    owner.put("/v1/tag-rules/cold", {"phrases": {"en": ["cold"]}}).raise_for_status()
    answer(stranger, path, 3)
    for words, found in (("Cold", {"cold": 1}), ("Not cold", {}), ("So cold", {"cold": 1})):
        add(stranger, path, text=words)
        assert tags(owner) == found


@on_sqlite
def test_a_program_adds_nothing_to_what_a_person_said(owner: Person, stranger: Person, path: str) -> None:
    answer(stranger, path, 3)
    add(stranger, path, text="Cold")
    robot = {"User-Agent": "Mozilla/5.0 (compatible; Googlebot/2.1)"}
    assert stranger.ask("POST", f"{path}/more?lang=en", data={"text": "asdf"}, headers=robot).status_code == 303
    assert [each["text"] for each in responses(owner)] == ["Cold"]
