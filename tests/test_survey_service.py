"""The stars of who served are the answer to the survey of the service: one press counts once in each."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import Engine, select, update

from cards.find import CardRecord
from cards.tables import ServiceRating
from engagement.surveys.tables import SurveyAnswer
from engagement.tables import Event
from tests.support.inside import Person
from tests.support.surveys import AGENT, answer, responses, sold, survey


def rate(stranger: Person, receipt: dict[str, Any], score: int, agent: str = AGENT) -> None:
    data, headers = {"score": str(score)}, {"User-Agent": agent}
    assert stranger.ask("POST", f"/r/{receipt['token']}/service", data=data, headers=headers).status_code == 303


def ratings(engine: Engine) -> list[int]:
    with engine.connect() as conn:
        return list(conn.scalars(select(ServiceRating.score)))


@pytest.fixture
def receipt(till: Person, card: CardRecord) -> dict[str, Any]:
    return sold(till, staff="emma")


def test_a_rating_is_an_answer_and_changes_with_it(
    owner: Person, stranger: Person, receipt: dict[str, Any], engine: Engine
) -> None:
    survey(owner, "service")
    rate(stranger, receipt, 2)
    rate(stranger, receipt, 4)
    [found] = responses(owner)
    assert (found["event"], found["score"], found["segment"], found["staff"]) == ("service", 4, "promoter", "emma")
    assert ratings(engine) == [4]


def test_without_a_survey_a_rating_is_a_rating(
    owner: Person, stranger: Person, receipt: dict[str, Any], engine: Engine
) -> None:
    rate(stranger, receipt, 4)
    assert (responses(owner), ratings(engine)) == ([], [4])


def test_an_answer_by_a_link_is_a_rating(
    owner: Person, stranger: Person, receipt: dict[str, Any], engine: Engine
) -> None:
    survey(owner, "service")
    told = owner.post(f"/v1/receipts/{receipt['id']}/survey-links", {"event": "service"}).json()
    path = told["url"].removeprefix("https://receipts.test")
    answer(stranger, path, 5)
    assert ratings(engine) == [5]
    assert stranger.get(f"/r/{receipt['token']}", lang="en").text.count('class="given"') == 5
    rate(stranger, receipt, 3)
    assert [each["score"] for each in responses(owner)] == ratings(engine) == [3]


@pytest.mark.parametrize("is_asked", [True, False])
def test_what_a_program_rates_is_held_back(
    owner: Person, stranger: Person, receipt: dict[str, Any], engine: Engine, is_asked: bool
) -> None:
    if is_asked:
        survey(owner, "service")
    rate(stranger, receipt, 1, agent="curl/8.5")
    assert (responses(owner), ratings(engine)) == ([], [])
    assert [each["held"] for each in responses(owner, held="true")] == ["robot"] * is_asked


def test_a_rating_that_can_be_changed_no_more_stays(
    owner: Person, stranger: Person, receipt: dict[str, Any], engine: Engine
) -> None:
    survey(owner, "service")
    rate(stranger, receipt, 2)
    with engine.begin() as conn:
        conn.execute(update(SurveyAnswer).values(answered_at=datetime.now(UTC) - timedelta(days=90)))
    rate(stranger, receipt, 5)
    assert ratings(engine) == [2]


def test_a_rating_goes_with_its_answer(
    owner: Person, stranger: Person, receipt: dict[str, Any], engine: Engine
) -> None:
    """Held back as a burst, counted again, and deleted."""
    survey(owner, "service")
    for score in (1, 2, 3):
        rate(stranger, receipt, score)
    assert (responses(owner), ratings(engine)) == ([], [])
    [found] = responses(owner, held="true")
    owner.post(f"/v1/survey-responses/{found['id']}/release", {}).raise_for_status()
    assert ratings(engine) == [3]
    owner.ask("DELETE", f"/v1/survey-responses/{found['id']}").raise_for_status()
    assert ratings(engine) == []
    with engine.connect() as conn:
        kinds = conn.scalars(select(Event.kind).where(Event.kind.startswith("survey.")).order_by(Event.id)).all()
    assert kinds == ["survey.answered", "survey.changed", "survey.held", "survey.answered", "survey.deleted"]


FORM, STARS = '<form class="rate"', '<p class="rate given" role="img" aria-label="2 stars">'


def shown(stranger: Person, receipt: dict[str, Any]) -> tuple[bool, bool]:
    """Whether stars can be pressed, and whether two stand there."""
    page = stranger.get(f"/r/{receipt['token']}", lang="en").text
    return FORM in page, STARS in page


@pytest.mark.parametrize("changes", [{"flags": ["gift"]}, {"hours_ago": 24 * 400}], ids=["a gift", "long ago"])
def test_no_stars_are_asked_for_where_none_are_taken(
    owner: Person, till: Person, stranger: Person, card: CardRecord, changes: dict[str, Any]
) -> None:
    receipt = sold(till, staff="emma", **changes)
    assert shown(stranger, receipt) == (True, False)
    survey(owner, "service")
    again = sold(till, staff="emma", **changes)
    assert shown(stranger, again) == (False, False)


def test_stars_that_can_be_changed_no_more_stand_as_they_are(
    owner: Person, stranger: Person, receipt: dict[str, Any], engine: Engine
) -> None:
    survey(owner, "service")
    rate(stranger, receipt, 2)
    assert shown(stranger, receipt) == (True, False)
    with engine.begin() as conn:
        conn.execute(update(SurveyAnswer).values(answered_at=datetime.now(UTC) - timedelta(days=90)))
    stranger.inside.app.state.house.pages.clear()
    assert shown(stranger, receipt) == (False, True)


def test_nobody_is_rated_where_a_till_is_only_tried(
    till: Person, stranger: Person, card: CardRecord, engine: Engine
) -> None:
    receipt = sold(till, staff="emma", flags=["training"])
    assert 'class="rate"' not in stranger.get(f"/r/{receipt['token']}", lang="en").text
    sent = {"data": {"score": "5"}, "headers": {"User-Agent": AGENT}}
    assert stranger.ask("POST", f"/r/{receipt['token']}/service", **sent).status_code == 404
    assert ratings(engine) == []
