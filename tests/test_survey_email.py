"""A survey in emails: links choose, and only a person sends; one reminder, where it is allowed."""

import re
from datetime import UTC, datetime
from typing import Any, Final

import pytest
from sqlalchemy import Engine, func, select

from engagement.surveys.tables import SurveyAnswer, SurveyAsk
from notify import stopping
from notify.tables import Message, Suppression
from tests.support.inside import Person, on_sqlite
from tests.support.surveys import add, answer, path_of, responses, survey
from tests.support.surveys import sold as sold_to
from tests.support.workshop import ANNA, Clock, Postman, opened, work
from worker.surveys import remind_of_surveys
from worker.workshop import Workshop

_LINK: Final = re.compile(r'(?:href="|^)(https://receipts\.test[^"\s]*)', re.MULTILINE)


def sold(till: Person, **changes: Any) -> dict[str, Any]:
    return sold_to(till, shopper={"email": ANNA, "language": "en"}, deliver=["email"], **changes)


def letters(postman: Postman) -> list[tuple[str, str]]:
    """HTML and text of each that went."""
    made = [opened(each) for each in postman.taken]
    bodies = [(each.get_body(("html",)), each.get_body(("plain",))) for each in made]
    return [(html.get_content(), text.get_content()) for html, text in bodies if html and text]


def paths(letter: tuple[str, str]) -> list[str]:
    links = [link.replace("&amp;", "&") for part in letter for link in _LINK.findall(part)]
    return sorted({link.removeprefix("https://receipts.test") for link in links})


def count(engine: Engine, table: Any) -> int:
    with engine.connect() as conn:
        return conn.scalar(select(func.count()).select_from(table)) or 0


def test_the_email_asks_with_a_link_for_each_score(
    owner: Person, till: Person, shop: Workshop, postman: Postman, clock: Clock, stranger: Person
) -> None:
    survey(owner)
    sold(till)
    work(shop, clock)
    [letter] = letters(postman)
    html, text = letter
    assert "How likely are you to recommend Linden &amp; Rye to a friend?" in html
    found = [path for path in paths(letter) if "score=" in path and "trap=1" not in path]
    assert sorted(int(path.partition("score=")[2]) for path in found) == list(range(11))
    assert "0: Not at all likely, 10: Extremely likely" in text
    page = stranger.ask("GET", next(path for path in found if path.endswith("score=7"))).text
    assert re.findall(r'value="(\d+)"[^>]* aria-pressed="true"', page) == ["7"]
    assert 'data-send="7"' in page
    [trap] = [path for path in paths(letter) if "trap=1" in path]
    assert trap.endswith("&score=0&trap=1")
    assert "trap" not in text
    page = stranger.ask("GET", trap).text
    assert 'data-send="0"' in page
    assert re.search(r'name="website"[^>]* value="1"', page)


@pytest.mark.parametrize("times", [3, pytest.param(100, marks=pytest.mark.long)])
def test_opening_every_link_many_times_says_and_stops_nothing(
    owner: Person,
    till: Person,
    shop: Workshop,
    postman: Postman,
    clock: Clock,
    stranger: Person,
    engine: Engine,
    times: int,
) -> None:
    """As mail scanners and previews do, with a browser's name and without."""
    survey(owner)
    sold(till)
    work(shop, clock)
    [letter] = letters(postman)
    found = [path for path in paths(letter) if path.startswith(("/s/", "/u/", "/r/"))]
    assert {path[:3] for path in found} == {"/s/", "/u/", "/r/"}
    for path in found:
        assert stranger.ask("HEAD", path).status_code == 200
        assert {stranger.ask("GET", path).status_code for _ in range(times)} == {200}
    assert (count(engine, SurveyAnswer), count(engine, Suppression), count(engine, SurveyAsk)) == (0, 0, 1)


def test_a_person_sends_what_the_link_chose(
    owner: Person, till: Person, shop: Workshop, postman: Postman, clock: Clock, stranger: Person
) -> None:
    survey(owner)
    sold(till)
    work(shop, clock)
    path = next(path for path in paths(letters(postman)[0]) if "score=7" in path).partition("?")[0]
    answer(stranger, path, 7, auto="1")
    answer(stranger, path, 8)
    add(stranger, path, text="Nearly perfect")
    [found] = responses(owner)
    assert (found["score"], found["channel"], found["text"]) == (8, "email", "Nearly perfect")
    asked = owner.get("/v1/survey-numbers", event="transaction").json()["asked"]
    assert asked == {"asked": 1, "answered": 1, "percent": "100.0"}


def test_a_letter_to_somebody_else_asks_nothing(
    owner: Person, till: Person, shop: Workshop, postman: Postman, clock: Clock
) -> None:
    survey(owner)
    receipt = sold_to(till, shopper={"email": ANNA})
    owner.post(f"/v1/receipts/{receipt['id']}/deliveries", {"to": "books@example.com"}).raise_for_status()
    work(shop, clock)
    [(html, _)] = letters(postman)
    assert "/s/" not in html


def test_the_same_letter_made_anew_asks_the_same(
    owner: Person, till: Person, shop: Workshop, postman: Postman, clock: Clock
) -> None:
    made = survey(owner, throttle_days=90)
    receipt = sold(till)
    work(shop, clock)
    owner.put(f"/v1/surveys/{made['id']}", {"sample_percent": 0}).raise_for_status()
    owner.post(f"/v1/receipts/{receipt['id']}/deliveries", {"to": ANNA, "resend": True}).raise_for_status()
    work(shop, clock, "again")
    assert ["/s/" in html for html, _ in letters(postman)] == [True, True]


def test_two_letters_to_one_shopper_do_not_both_ask(
    owner: Person, till: Person, shop: Workshop, postman: Postman, clock: Clock
) -> None:
    survey(owner)
    for _ in range(2):
        sold(till)
    work(shop, clock)
    assert sorted("/s/" in html for html, _ in letters(postman)) == [False, True]


@pytest.fixture
def asked(owner: Person, till: Person, shop: Workshop, clock: Clock, postman: Postman) -> dict[str, Any]:
    """Anna's receipt, whose email asked her."""
    survey(owner, reminder_days=3)
    receipt = sold(till)
    work(shop, clock)
    postman.taken.clear()
    return receipt


def remind(shop: Workshop, clock: Clock, days: float = 4) -> None:
    clock.pass_by(days=days)
    remind_of_surveys(shop, "chore", {})
    work(shop, clock, f"reminder {clock.ahead}")


def test_who_did_not_answer_is_reminded_once(
    asked: dict[str, Any], shop: Workshop, clock: Clock, postman: Postman, stranger: Person
) -> None:
    remind(shop, clock, days=2)
    assert postman.taken == []
    for _ in range(3):
        remind(shop, clock)
    [letter] = letters(postman)
    assert len([path for path in paths(letter) if "score=" in path and "trap=1" not in path]) == 11
    assert opened(postman.taken[0])["Subject"] == "How was it at Linden & Rye?"
    assert opened(postman.taken[0])["List-Unsubscribe"]
    [stop] = [path for path in paths(letter) if path.startswith("/u/")]
    assert "Stop these emails?" in stranger.ask("GET", stop, headers={"Accept-Language": "en"}).text


def test_four_purchases_of_one_day_are_no_four_reminders(
    owner: Person, till: Person, shop: Workshop, clock: Clock, postman: Postman
) -> None:
    survey(owner, reminder_days=3, throttle_days=0)
    for _ in range(4):
        sold(till)
    work(shop, clock)
    assert [("/s/" in html) for html, _ in letters(postman)] == [True] * 4
    postman.taken.clear()
    for days in (4, 1, 1):
        remind(shop, clock, days=days)
    assert len(postman.taken) == 1
    sold(till)
    work(shop, clock, "later")
    postman.taken.clear()
    remind(shop, clock)
    assert len(postman.taken) == 1


def test_who_answered_is_left_alone(
    asked: dict[str, Any], shop: Workshop, clock: Clock, postman: Postman, stranger: Person
) -> None:
    answer(stranger, path_of(stranger, asked), 9)
    remind(shop, clock)
    assert postman.taken == []


def test_whose_address_was_stopped_is_left_alone(
    asked: dict[str, Any], shop: Workshop, clock: Clock, postman: Postman, engine: Engine
) -> None:
    with engine.begin() as conn:
        [message] = conn.execute(select(Message)).all()
        stopping.stop(conn, message.id, "unsubscribed", now=datetime.now(UTC))
    remind(shop, clock)
    assert postman.taken == []
    assert count(engine, Message) == 1


def test_a_survey_that_is_switched_off_reminds_nobody(
    asked: dict[str, Any], owner: Person, shop: Workshop, clock: Clock, postman: Postman
) -> None:
    [made] = owner.get("/v1/surveys").json()["surveys"]
    owner.put(f"/v1/surveys/{made['id']}", {"reminder_days": 3, "active": False}).raise_for_status()
    remind(shop, clock)
    assert postman.taken == []


def test_who_answers_before_the_reminder_goes_does_not_get_it(
    asked: dict[str, Any], shop: Workshop, clock: Clock, postman: Postman, stranger: Person, engine: Engine
) -> None:
    clock.pass_by(days=4)
    remind_of_surveys(shop, "chore", {})
    answer(stranger, path_of(stranger, asked), 9)
    work(shop, clock, "late")
    assert postman.taken == []
    with engine.connect() as conn:
        assert conn.scalar(select(Message.state).where(Message.subject_id.like("ask_%"))) == "failed"


def test_an_erased_shopper_is_not_reminded(
    asked: dict[str, Any], owner: Person, shop: Workshop, clock: Clock, postman: Postman, engine: Engine
) -> None:
    clock.pass_by(days=4)
    remind_of_surveys(shop, "chore", {})
    owner.delete(f"/v1/receipts/{asked['id']}/shopper").raise_for_status()
    work(shop, clock, "late")
    assert postman.taken == []
    assert count(engine, Message) == 0


@on_sqlite
def test_no_letter_asks_where_no_survey_is_active(till: Person, shop: Workshop, clock: Clock, postman: Postman) -> None:
    sold(till)
    work(shop, clock)
    assert "/s/" not in letters(postman)[0][0]
