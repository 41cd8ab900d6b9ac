"""A survey hangs on receipts, is answered once, and the answer joins what it is about."""

from typing import Any

import pytest
from sqlalchemy import Engine, select

from engagement.tables import Event
from tests.support.inside import Person
from tests.support.surveys import add, answer, page_of, path_of, responses, sold, survey


def test_a_receipt_asks_what_its_brand_asks(owner: Person, till: Person, stranger: Person) -> None:
    receipt = sold(till)
    assert 'class="survey"' not in page_of(stranger, receipt)
    survey(owner)
    page = page_of(stranger, receipt)
    assert "How likely are you to recommend Linden &amp; Rye to a friend?" in page
    assert page.count('<button name="score"') == 11
    assert "aria-pressed" not in page
    assert 'aria-label="0, Not at all likely"' in page
    assert 'aria-label="10, Extremely likely"' in page


def test_an_answer_joins_what_it_is_about(owner: Person, till: Person, stranger: Person) -> None:
    made = survey(owner)
    lines = [{"id": "1", "sku": "bread", "name": "Bread", "unit_price": "3.20", "tax_rate": "19", "total": "3.20"}]
    receipt = sold(till, staff="emma", lines=lines)
    path = path_of(stranger, receipt)
    sent = answer(stranger, path, 9)
    assert (sent.status_code, sent.headers["location"]) == (303, f"{path}?lang=en#survey")
    [found] = responses(owner)
    assert {name: found[name] for name in ("survey", "event", "brand", "receipt_id", "store", "till", "staff")} == {
        "survey": made["id"],
        "event": "transaction",
        "brand": "linden-rye",
        "receipt_id": receipt["id"],
        "store": "mitte",
        "till": "till-3",
        "staff": "emma",
    }
    assert (found["score"], found["segment"], found["skus"], found["channel"], found["held"]) == (
        9,
        "promoter",
        ["bread"],
        "page",
        None,
    )


def test_what_follows_depends_on_the_score(owner: Person, till: Person, stranger: Person) -> None:
    survey(owner, review_url="https://reviews.example/linden")
    said = {10: "What did you like best?", 8: "What would make it a 10?", 3: "We are sorry. What went wrong?"}
    for score, question in said.items():
        path = path_of(stranger, sold(till))
        answer(stranger, path, score)
        page = stranger.get(path, lang="en").text
        assert question in page
        assert ("https://reviews.example/linden" in page) is (score == 10)
        assert ("Please call me back." in page) is (score == 3)


def test_words_of_the_brand_take_the_place_of_ours(owner: Person, till: Person, stranger: Person) -> None:
    words = {"question": "Kommen Sie wieder?", "follow_up": {"promoter": "Warum?"}}
    survey(owner, texts={"de": words})
    receipt = sold(till)
    german = stranger.get(f"/r/{receipt['token']}", lang="de").text
    assert "Kommen Sie wieder?" in german
    assert "How likely are you" in page_of(stranger, receipt)


def test_a_detractor_may_wish_to_be_called_and_take_it_back(owner: Person, till: Person, stranger: Person) -> None:
    survey(owner)
    path = path_of(stranger, sold(till))
    answer(stranger, path, 2)
    without = add(stranger, path, text="Cold coffee", call="1")
    assert without.status_code == 422
    assert "An email address or a telephone number is needed." in without.text
    assert "Cold coffee" in without.text
    assert add(stranger, path, text="Cold coffee", call="1", contact="+49 30 5550 1234").status_code == 303
    [found] = responses(owner, wants_call="true")
    assert (found["text"], found["contact"], found["consent_version"]) == ("Cold coffee", "+49 30 5550 1234", "1")
    assert found["consent"].startswith("Please call me back. Linden & Rye may use")
    add(stranger, path, no_call="1")
    [found] = responses(owner)
    assert (found["wants_call"], found["contact"], found["consent"], found["text"]) == (
        False,
        None,
        None,
        "Cold coffee",
    )


def test_a_contact_is_not_kept_without_the_wish(owner: Person, till: Person, stranger: Person) -> None:
    survey(owner)
    for score, fields in ((2, {"contact": "a@example.com"}), (9, {"contact": "a@example.com", "call": "1"})):
        path = path_of(stranger, sold(till))
        answer(stranger, path, score)
        add(stranger, path, text="Well", **fields)
    assert {each["contact"] for each in responses(owner)} == {None}


def test_the_last_answer_holds_until_it_can_be_changed_no_more(owner: Person, till: Person, stranger: Person) -> None:
    made = survey(owner)
    path = path_of(stranger, sold(till))
    answer(stranger, path, 3)
    answer(stranger, path, 8)
    assert [each["score"] for each in responses(owner)] == [8]
    owner.put(f"/v1/surveys/{made['id']}", {"edit_hours": 0}).raise_for_status()
    answer(stranger, path, 3)
    assert "can be changed no more: 8" in stranger.get(path, lang="en").text
    assert [each["score"] for each in responses(owner)] == [8]


def test_an_answer_tells_programs_of_the_merchant(
    owner: Person, till: Person, stranger: Person, engine: Engine
) -> None:
    survey(owner)
    receipt = sold(till)
    path = path_of(stranger, receipt)
    for score in (9, 9, 7):
        answer(stranger, path, score)
    add(stranger, path, text="My name is Anna")
    told = _events(engine)
    assert [(kind, receipt_id) for kind, receipt_id, _ in told if kind.startswith("survey")] == [
        ("survey.answered", receipt["id"]),
        ("survey.changed", receipt["id"]),
        ("survey.changed", receipt["id"]),
    ]
    assert "Anna" not in str(told)


def _events(engine: Engine) -> list[Any]:
    with engine.connect() as conn:
        return list(conn.execute(select(Event.kind, Event.receipt_id, Event.data).order_by(Event.id)))


@pytest.mark.parametrize(
    "body, pointer",
    [
        ({"brand": "linden-rye"}, "/event"),
        ({"brand": "nobody", "event": "transaction"}, "/brand"),
        ({"brand": "linden-rye", "event": "visit"}, "/event"),
        ({"brand": "linden-rye", "event": "product", "sample_percent": 101}, "/sample_percent"),
        ({"brand": "linden-rye", "event": "product", "valid_days": "30"}, "/valid_days"),
        ({"brand": "linden-rye", "event": "product", "quota": 10_001}, "/quota"),
        ({"brand": "linden-rye", "event": "product", "review_url": "javascript:alert(1)"}, "/review_url"),
        ({"brand": "linden-rye", "event": "product", "texts": {"xx": {}}}, "/texts/xx/[key]"),
        ({"brand": "linden-rye", "event": "product", "colour": "red"}, "/colour"),
    ],
)
def test_a_survey_that_makes_no_sense_is_refused(owner: Person, body: dict[str, Any], pointer: str) -> None:
    refused = owner.post("/v1/surveys", body)
    assert refused.status_code == 422
    assert [error["pointer"] for error in refused.json()["errors"]] == [pointer]
    assert owner.get("/v1/surveys").json() == {"surveys": []}


def test_a_brand_has_one_survey_for_an_event(owner: Person) -> None:
    survey(owner)
    again = owner.post("/v1/surveys", {"brand": "linden-rye", "event": "transaction"})
    assert (again.status_code, again.json()["type"]) == (409, "urn:counterfoil:problem:survey-there")


def test_a_survey_shows_how_it_asks(owner: Person) -> None:
    made = survey(owner, "relationship", quota=5)
    found = owner.get(f"/v1/surveys/{made['id']}").json()
    assert found == made
    assert found["settings"]["throttle_days"] == 180
    assert found["settings"]["quota"] == 5
    assert set(found["says"]) == {"en", "de", "fr", "es", "hi", "ar"}
    assert owner.get("/v1/surveys").json()["surveys"] == [found]


def test_only_a_survey_without_answers_can_be_deleted(owner: Person, till: Person, stranger: Person) -> None:
    made = survey(owner)
    path = path_of(stranger, sold(till))
    answer(stranger, path, 9)
    refused = owner.delete(f"/v1/surveys/{made['id']}")
    assert (refused.status_code, refused.json()["type"]) == (409, "urn:counterfoil:problem:survey-answered")
    [found] = responses(owner)
    assert owner.delete(f"/v1/survey-responses/{found['id']}").status_code == 204
    assert owner.delete(f"/v1/surveys/{made['id']}").status_code == 204
    assert stranger.get(path).status_code == 404
