"""What programs say is kept, does not count, and can be let count."""

import re
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import Engine, update

from engagement.surveys import quarantine
from engagement.surveys.quarantine import Came
from engagement.surveys.tables import SurveyAnswer
from tests.support.inside import Person
from tests.support.surveys import AGENT, add, answer, path_of, responses, sold, survey

NOON = datetime(2026, 11, 28, 12, 0, tzinfo=UTC)


def came(*scores: int, by_itself: bool = False, every: float = 1.0) -> tuple[Came, ...]:
    return tuple(Came(NOON + timedelta(seconds=place * every), each, by_itself) for place, each in enumerate(scores))


def burst(*sent: Came) -> bool:
    return quarantine.is_burst(tuple(sent), now=sent[-1].at)


def test_somebody_who_slips_and_corrects_themselves_is_no_program() -> None:
    assert not burst(*came(7, 8))
    assert not burst(*came(7, 7, 7, 7))
    assert not burst(*came(7), Came(NOON + timedelta(seconds=3), 8, by_itself=True))


def test_three_scores_within_seconds_are_a_burst() -> None:
    assert burst(*came(7, 8, 9))
    assert not burst(*came(7, 8, 9, every=6))


def test_two_pages_that_sent_by_themselves_are_one() -> None:
    assert burst(*came(0, 1, by_itself=True))
    assert not burst(*came(5, 5, by_itself=True))


def test_pages_that_sent_three_scores_by_themselves_are_one_at_any_time() -> None:
    assert not burst(*came(0, 1, by_itself=True, every=3600))
    assert burst(*came(0, 1, 2, by_itself=True, every=3600))


def test_what_pages_sent_does_not_speak_against_who_presses() -> None:
    assert not burst(*came(0, 1, 2, by_itself=True), Came(NOON + timedelta(seconds=3), 3, by_itself=False))


def test_what_came_is_remembered_as_it_was() -> None:
    sent = came(*range(11), *range(11))
    assert quarantine.read(quarantine.kept(sent)) == sent[-12:]
    assert quarantine.read(quarantine.kept(())) == ()


@pytest.fixture
def path(owner: Person, till: Person, stranger: Person) -> str:
    survey(owner)
    return path_of(stranger, sold(till))


def held(owner: Person) -> list[tuple[int, str]]:
    return sorted((each["score"], each["held"]) for each in responses(owner, held="true"))


def test_who_fills_in_what_nobody_sees_is_held_back(owner: Person, stranger: Person, path: str) -> None:
    answered = answer(stranger, path, 10, website="https://spam.example")
    assert answered.status_code == 303
    assert (responses(owner), held(owner)) == ([], [(10, "trap")])


@pytest.mark.parametrize("agent", ["curl/8.5", "Mozilla/5.0 (compatible; Googlebot/2.1)", ""])
def test_who_calls_itself_a_program_is_held_back(owner: Person, stranger: Person, path: str, agent: str) -> None:
    answer(stranger, path, 10, agent=agent)
    assert (responses(owner), held(owner)) == ([], [(10, "robot")])


def test_who_is_held_back_is_asked_why_as_others_are_and_promised_nothing(
    owner: Person, stranger: Person, path: str
) -> None:
    """A person's browser may call itself a program, too."""
    headers = {"User-Agent": "Mozilla/5.0 HeadlessChrome/140.0.0.0"}
    sent = answer(stranger, path, 0, agent=headers["User-Agent"])
    shown = stranger.ask("GET", sent.headers["location"]).text
    assert ('name="text"' in shown, "What went wrong?" in shown, "look into it" in shown) == (True, True, False)
    [version] = re.findall(r'name="call" value="([^"]+)"', shown)
    wrong = stranger.ask("POST", f"{path}/more?lang=en", data={"call": version}, headers=headers)
    assert (wrong.status_code, 'name="text"' in wrong.text) == (422, True)
    said = {"text": "Cold", "call": version, "contact": "anna@example.com"}
    sent = stranger.ask("POST", f"{path}/more?lang=en", data=said, headers=headers)
    shown = stranger.ask("GET", sent.headers["location"]).text
    assert ("Thank you" in shown, "look into it" in shown, "called back" in shown) == (True, False, False)
    [found] = responses(owner, held="true")
    assert (found["held"], found["text"], found["wants_call"]) == ("robot", "Cold", True)
    assert (responses(owner), owner.get("/v1/cases").json()["cases"]) == ([], [])


def test_a_scanner_that_runs_scripts_counts_for_nothing(owner: Person, stranger: Person, path: str) -> None:
    for score in range(11):
        answer(stranger, path, score, auto="1")
    assert (responses(owner), held(owner)) == ([], [(10, "burst")])
    answer(stranger, path, 4, auto="1")
    assert responses(owner) == []


@pytest.mark.parametrize("strays", [(0,), (0, 10), tuple(range(11))], ids=len)
def test_no_page_that_sends_by_itself_overwrites_what_somebody_pressed(
    owner: Person, stranger: Person, path: str, engine: Engine, strays: tuple[int, ...]
) -> None:
    answer(stranger, path, 3)
    with engine.begin() as conn:
        long_ago = datetime.now(UTC) - timedelta(hours=1)
        recent = quarantine.kept((Came(long_ago, 3, by_itself=False),))
        conn.execute(update(SurveyAnswer).values(answered_at=long_ago, changed_at=long_ago, recent=recent))
    assert "data-send" not in stranger.get(path, lang="en", score="10").text
    for score in strays:
        answer(stranger, path, score, auto="1")
    assert [each["score"] for each in responses(owner)] == [3]
    if set(strays) - {3}:
        assert [why for _, why in held(owner)] == ["burst"]


def test_what_a_page_sent_and_somebody_then_pressed_stays(owner: Person, stranger: Person, path: str) -> None:
    answer(stranger, path, 3, auto="1")
    answer(stranger, path, 3)
    for score in range(11):
        answer(stranger, path, score, auto="1")
    assert [each["score"] for each in responses(owner)] == [3]


def test_who_says_more_stands_behind_what_their_page_sent(owner: Person, stranger: Person, path: str) -> None:
    answer(stranger, path, 3, auto="1")
    add(stranger, path, text="Cold")
    for score in range(11):
        answer(stranger, path, score, auto="1")
    assert [each["text"] for each in responses(owner)] == ["Cold"]


def test_whoever_opens_the_hidden_link_opened_the_others(owner: Person, stranger: Person, path: str) -> None:
    answer(stranger, path, 7, auto="1")
    assert [each["score"] for each in responses(owner)] == [7]
    answer(stranger, path, 0, auto="1", website="1")
    answer(stranger, path, 9, auto="1")
    assert (responses(owner), held(owner)) == ([], [(0, "trap"), (9, "burst")])


def test_the_hidden_link_sends_by_itself_whatever_is_there(stranger: Person, path: str) -> None:
    answer(stranger, path, 0)
    page = stranger.get(path, lang="en", score="0", trap="1").text
    assert 'data-send="0"' in page
    assert re.search(r'name="website"[^>]* value="1"', page)
    assert "score=0&amp;trap=1" in page


def test_after_a_program_the_question_waits_for_a_press(owner: Person, stranger: Person, path: str) -> None:
    answer(stranger, path, 0, auto="1", website="1")
    page = stranger.get(path, lang="en", score="9").text
    assert "Send 9" in page
    assert "data-send" not in page
    assert "Send 9" not in answer(stranger, path, 9, auto="1").text
    answer(stranger, path, 9)
    assert [each["score"] for each in responses(owner)] == [9]


def test_what_was_held_back_stays_so_once_its_receipt_is_gone(
    owner: Person, stranger: Person, path: str, engine: Engine
) -> None:
    answer(stranger, path, 10, agent="curl/8.5")
    answer(stranger, path, 6)
    [found] = responses(owner, held="true")
    with engine.begin() as conn:
        conn.execute(update(SurveyAnswer).values(receipt_id=None))
    refused = owner.post(f"/v1/survey-responses/{found['id']}/release", {})
    assert (refused.status_code, refused.json()["type"]) == (409, "urn:counterfoil:problem:answer-unknown")
    assert [each["score"] for each in responses(owner)] == [6]


def test_a_person_counts_beside_what_programs_say(owner: Person, stranger: Person, path: str) -> None:
    answer(stranger, path, 10, website="x")
    answer(stranger, path, 6)
    answer(stranger, path, 1, agent="curl/8.5")
    assert [each["score"] for each in responses(owner)] == [6]
    assert held(owner) == [(1, "robot"), (10, "trap")]


def test_what_was_held_back_can_be_let_count(owner: Person, stranger: Person, path: str) -> None:
    answer(stranger, path, 10, agent="curl/8.5")
    [found] = responses(owner, held="true")
    released = owner.post(f"/v1/survey-responses/{found['id']}/release", {})
    assert (released.status_code, released.json()["held"]) == (200, None)
    assert owner.post(f"/v1/survey-responses/{found['id']}/release", {}).status_code == 200
    assert [each["score"] for each in responses(owner)] == [10]
    [asked] = [owner.get("/v1/survey-numbers", event="transaction").json()["asked"]]
    assert asked == {"asked": 1, "answered": 1, "percent": "100.0"}


def test_beside_an_answer_that_counts_nothing_else_can(owner: Person, stranger: Person, path: str) -> None:
    answer(stranger, path, 10, agent="curl/8.5")
    answer(stranger, path, 6)
    [found] = responses(owner, held="true")
    refused = owner.post(f"/v1/survey-responses/{found['id']}/release", {})
    assert (refused.status_code, refused.json()["type"]) == (409, "urn:counterfoil:problem:answer-there")


def test_no_link_that_is_made_up_opens_anything(owner: Person, stranger: Person, path: str) -> None:
    last = "A" if path[-2] != "A" else "B"
    for other in (path[:-2] + last + path[-1], path.replace(".p.", ".e."), "/s/nothing", path + "%00"):
        assert stranger.get(other).status_code == 404
        assert answer(stranger, other, 9).status_code == 404
        assert stranger.ask("POST", f"{other}/seen", headers={"User-Agent": AGENT}).status_code == 204
    assert responses(owner) == []


@pytest.mark.parametrize("score", ["11", "-1", "", "9.0", "٩", "nine"])
def test_what_is_no_score_is_refused(owner: Person, stranger: Person, path: str, score: str) -> None:
    assert answer(stranger, path, score).status_code == 422
    assert responses(owner) == []


def test_a_form_of_another_site_is_refused(owner: Person, stranger: Person, path: str) -> None:
    headers = {"User-Agent": AGENT, "Sec-Fetch-Site": "cross-site"}
    assert stranger.ask("POST", path, data={"score": "9"}, headers=headers).status_code == 403
    assert stranger.ask("POST", f"{path}/more", data={"text": "x"}, headers=headers).status_code == 403
    assert responses(owner) == []
