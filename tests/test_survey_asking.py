"""Whom a survey asks: by draw, by throttle, by quota and in time; and by links that programs hand out."""

import re
from datetime import UTC, datetime, timedelta
from typing import Any

import orjson
import pytest
from sqlalchemy import Engine, func, select, update

from engagement.surveys.tables import SurveyAnswer, SurveyAsk
from receipts.tables import Receipt
from tests.support.inside import Person
from tests.support.sales import refund
from tests.support.surveys import AGENT, answer, page_of, path_of, responses, sold, survey

ANNA = {"customer_id": "anna"}


def is_asked(stranger: Person, receipt: dict[str, Any]) -> bool:
    return 'class="survey"' in page_of(stranger, receipt)


def look(stranger: Person, receipt: dict[str, Any]) -> None:
    """Somebody sees the question."""
    [path] = re.findall(r'data-seen="([^"]+)"', page_of(stranger, receipt))
    assert stranger.ask("POST", path, headers={"User-Agent": AGENT}).status_code == 204


def let_pass(engine: Engine, **time: float) -> None:
    """As if all of it had been so much earlier."""
    with engine.begin() as conn:
        for column in (SurveyAsk.asked_at, SurveyAnswer.answered_at, SurveyAnswer.changed_at, Receipt.issued_at):
            for key, at in conn.execute(select(column.class_.id, column)).all():
                new = at - timedelta(**time)
                conn.execute(update(column.class_).where(column.class_.id == key).values({column.key: new}))


def test_who_was_asked_is_not_asked_of_another_receipt(
    owner: Person, till: Person, stranger: Person, engine: Engine
) -> None:
    survey(owner)
    first, second = sold(till, shopper=ANNA), sold(till, shopper=ANNA)
    assert is_asked(stranger, first)
    assert is_asked(stranger, second)
    look(stranger, first)
    assert is_asked(stranger, first)
    stranger.inside.app.state.house.pages.clear()
    assert not is_asked(stranger, second)
    assert is_asked(stranger, sold(till, shopper={"customer_id": "bert"}))
    assert is_asked(stranger, sold(till))


def test_after_the_throttle_they_are_asked_again(owner: Person, till: Person, stranger: Person, engine: Engine) -> None:
    survey(owner, throttle_days=20)
    look(stranger, sold(till, shopper=ANNA))
    assert not is_asked(stranger, sold(till, shopper=ANNA))
    let_pass(engine, days=21)
    assert is_asked(stranger, sold(till, shopper=ANNA))


def test_an_answer_is_a_question_that_was_seen(owner: Person, till: Person, stranger: Person) -> None:
    survey(owner)
    answer(stranger, path_of(stranger, sold(till, shopper=ANNA)), 9)
    assert not is_asked(stranger, sold(till, shopper=ANNA))


@pytest.mark.parametrize("how", [{"website": "x"}, {"website": "x", "auto": "1"}, {"agent": "curl/8.5"}])
def test_what_a_program_says_asks_nobody(owner: Person, till: Person, stranger: Person, how: dict[str, str]) -> None:
    """It neither spares its shopper the question nor counts among those who were asked."""
    survey(owner)
    receipt = sold(till, shopper=ANNA)
    path = path_of(stranger, receipt)
    answer(stranger, path, 9, **how)
    answer(stranger, path, 8, auto="1")
    assert is_asked(stranger, sold(till, shopper=ANNA))
    assert owner.get("/v1/survey-numbers", event="transaction").json()["asked"]["asked"] == 0
    answer(stranger, path, 7)
    assert not is_asked(stranger, sold(till, shopper=ANNA))


def test_who_gave_what_was_released_was_asked(owner: Person, till: Person, stranger: Person) -> None:
    survey(owner)
    answer(stranger, path_of(stranger, sold(till, shopper=ANNA)), 9, agent="curl/8.5")
    [found] = responses(owner, held="true")
    owner.post(f"/v1/survey-responses/{found['id']}/release", {}).raise_for_status()
    assert not is_asked(stranger, sold(till, shopper=ANNA))


def test_the_relationship_is_asked_about_by_itself(
    owner: Person, till: Person, stranger: Person, engine: Engine
) -> None:
    """Where the purchase is not: both never on one receipt, and never of who is not known."""
    survey(owner)
    survey(owner, "relationship")
    look(stranger, sold(till, shopper=ANNA))
    page = page_of(stranger, sold(till, shopper=ANNA))
    assert "All in all, how likely are you to recommend" in page
    answer(stranger, path_of(stranger, sold(till, shopper=ANNA)), 9)
    assert not is_asked(stranger, sold(till, shopper=ANNA))
    assert {each["event"] for each in responses(owner)} == {"relationship"}


def test_who_is_not_known_is_not_asked_about_a_relationship(owner: Person, till: Person, stranger: Person) -> None:
    survey(owner, "relationship")
    assert not is_asked(stranger, sold(till))
    assert is_asked(stranger, sold(till, shopper=ANNA))


def test_a_draw_is_the_same_each_time_and_as_often_as_it_says(
    owner: Person, till: Person, stranger: Person, engine: Engine
) -> None:
    survey(owner, sample_percent=40)
    receipts = [sold(till) for _ in range(40)]
    first = [is_asked(stranger, each) for each in receipts]
    stranger.inside.app.state.house.pages.clear()
    assert [is_asked(stranger, each) for each in receipts] == first
    assert 4 <= sum(first) <= 28
    with engine.connect() as conn:
        assert conn.scalar(select(func.count()).select_from(SurveyAsk)) == 0


def test_once_there_are_enough_answers_nobody_else_is_asked(owner: Person, till: Person, stranger: Person) -> None:
    survey(owner, quota=2)
    for _ in range(2):
        answer(stranger, path_of(stranger, sold(till)), 9)
    assert not is_asked(stranger, sold(till))


def test_a_quota_has_room_again_as_soon_as_an_answer_goes_or_the_quota_grows(
    owner: Person, till: Person, stranger: Person
) -> None:
    asked = survey(owner, quota=1)
    answer(stranger, path_of(stranger, sold(till)), 9)
    receipt = sold(till)
    assert not is_asked(stranger, receipt)
    owner.put(f"/v1/surveys/{asked['id']}", {"quota": 2}).raise_for_status()
    assert is_asked(stranger, receipt)
    owner.put(f"/v1/surveys/{asked['id']}", {"quota": 1}).raise_for_status()
    assert not is_asked(stranger, receipt)
    [given] = owner.get("/v1/survey-responses").json()["responses"]
    owner.delete(f"/v1/survey-responses/{given['id']}").raise_for_status()
    assert is_asked(stranger, receipt)


@pytest.mark.parametrize(
    "event, how, hours, expected",
    [
        ("transaction", {}, 24 * 29, True),
        ("transaction", {}, 24 * 31, False),
        ("transaction", {"after_days": 1}, 1, False),
        ("product", {}, 24, False),
        ("product", {}, 24 * 8, True),
        ("product", {}, 24 * 38, False),
        ("delivery", {}, 24, False),
        ("service", {}, 24, False),
        ("transaction", {"active": False}, 24, False),
        ("transaction", {"sample_percent": 0}, 24, False),
    ],
)
def test_a_receipt_asks_in_its_time(
    owner: Person, till: Person, stranger: Person, event: str, how: dict[str, Any], hours: float, expected: bool
) -> None:
    survey(owner, event, **how)
    assert is_asked(stranger, sold(till, hours_ago=hours)) is expected


@pytest.mark.parametrize("flags", [["training"], ["gift"]])
def test_who_did_not_buy_is_not_asked(owner: Person, till: Person, stranger: Person, flags: list[str]) -> None:
    survey(owner)
    assert not is_asked(stranger, sold(till, flags=flags))


def test_nobody_is_asked_about_a_refund(owner: Person, till: Person, stranger: Person) -> None:
    survey(owner)
    receipt = sold(till)
    back = till.post("/v1/receipts", refund(receipt["id"], issued_at=datetime.now(UTC).isoformat())).json()
    assert not is_asked(stranger, back)


@pytest.mark.parametrize("flags", [["training"], ["gift"], []])
def test_what_nobody_bought_takes_no_answer(
    owner: Person, till: Person, stranger: Person, engine: Engine, flags: list[str]
) -> None:
    """Nor a sale that was voided since."""
    survey(owner)
    receipt = sold(till)
    path, elsewhere = path_of(stranger, receipt), {"receipt": receipt["id"], "event": "transaction", "score": 9}
    if flags:
        with engine.begin() as conn:
            content = conn.execute(select(Receipt.content).where(Receipt.id == receipt["id"])).scalar_one()
            changed = orjson.dumps(orjson.loads(content) | {"flags": flags}).decode()
            conn.execute(update(Receipt).where(Receipt.id == receipt["id"]).values(content=changed))
    else:
        void = refund(receipt["id"], kind="void", issued_at=datetime.now(UTC).isoformat())
        till.post("/v1/receipts", void).raise_for_status()
    stranger.inside.app.state.house.pages.clear()
    assert not is_asked(stranger, receipt)
    assert "This survey is over" in stranger.get(path, lang="en").text
    assert answer(stranger, path, 9).status_code == 303
    assert owner.post("/v1/survey-responses", elsewhere).status_code == 404
    assert responses(owner) == []


def test_what_is_over_takes_no_answer(owner: Person, till: Person, stranger: Person, engine: Engine) -> None:
    survey(owner)
    path = path_of(stranger, sold(till))
    let_pass(engine, days=31)
    assert "This survey is over" in stranger.get(path, lang="en").text
    assert answer(stranger, path, 9).status_code == 303
    assert responses(owner) == []


def hand_out(owner: Person, receipt: dict[str, Any], event: str = "delivery") -> Any:
    return owner.post(f"/v1/receipts/{receipt['id']}/survey-links", {"event": event})


def test_a_program_hands_out_a_link_when_the_goods_have_come(owner: Person, till: Person, stranger: Person) -> None:
    """Long after the sale, too: the time in which it can be answered begins with the link."""
    survey(owner, "delivery")
    receipt = sold(till, hours_ago=24 * 60)
    told = hand_out(owner, receipt).raise_for_status().json()
    assert told["why_not"] is None
    assert told["url"] == hand_out(owner, receipt).json()["url"]
    path = told["url"].removeprefix("https://receipts.test")
    page = stranger.get(path, lang="en").text
    assert page.count('<button name="score"') == 5
    assert 'aria-label="1, Very dissatisfied"' in page
    answer(stranger, path, 4)
    [found] = responses(owner)
    assert (found["event"], found["score"], found["segment"], found["channel"]) == (
        "delivery",
        4,
        "promoter",
        "link",
    )


def test_a_program_is_told_whom_to_spare(owner: Person, till: Person, stranger: Person) -> None:
    survey(owner)
    survey(owner, "delivery")
    look(stranger, sold(till, shopper=ANNA))
    told = hand_out(owner, sold(till, shopper=ANNA)).json()
    assert (told["url"], told["closes_at"], told["why_not"]) == (None, None, "throttled")


def test_no_link_to_what_nobody_asks(owner: Person, till: Person) -> None:
    refused = hand_out(owner, sold(till))
    assert refused.status_code == 422
    assert refused.json()["errors"][0]["pointer"] == "/event"


def test_a_program_brings_an_answer_from_elsewhere(owner: Person, till: Person) -> None:
    survey(owner)
    receipt = sold(till)
    body = {"receipt": receipt["id"], "event": "transaction", "score": 6, "text": "Slow", "language": "de-AT"}
    brought = owner.post("/v1/survey-responses", body)
    assert (brought.status_code, brought.json()["channel"], brought.json()["language"]) == (201, "api", "de")
    again = owner.post("/v1/survey-responses", body | {"score": 8})
    assert (again.status_code, again.json()["score"], again.json()["text"]) == (200, 8, "Slow")
    for wrong, pointer in (({"score": 11}, "/score"), ({"event": "product"}, "/event"), ({"receipt": "x"}, "/receipt")):
        refused = owner.post("/v1/survey-responses", body | wrong)
        assert (refused.status_code, refused.json()["errors"][0]["pointer"]) == (422, pointer)
