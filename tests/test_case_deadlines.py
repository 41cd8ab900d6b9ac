"""Who sees to a case hears of it once there is something to read, and somebody else if it is late."""

from collections import Counter
from datetime import UTC, datetime, timedelta
from threading import Barrier
from typing import Any

import pytest
from sqlalchemy import Connection, Engine, update

from engagement.voice import case_clock, cases
from engagement.voice.cases import CaseRecord
from engagement.voice.tables import Case
from infra.database import connect
from tests.support.cases import asked, let_down, patch, the_case, told
from tests.support.inside import Person
from tests.support.sales import Body
from tests.support.shops import Shops
from tests.support.surveys import add, answer, path_of, sold, survey
from tests.support.workshop import Clock, Postman, opened, work
from tests.test_races import at_once
from worker.cases import see_to_cases
from worker.workshop import Workshop


@pytest.fixture
def path(owner: Person, till: Person, stranger: Person) -> str:
    return asked(owner, till, stranger)


@pytest.fixture
def case(owner: Person, stranger: Person, path: str) -> Body:
    return let_down(owner, stranger, path)


def look(shop: Workshop) -> None:
    see_to_cases(shop, "job", {})


@pytest.fixture
def seen_to(owner: Person) -> None:
    owner.put("/v1/case-settings", {"email": "emma@linden.example", "escalation_email": "boss@linden.example"})


def test_who_sees_to_cases_is_written_to_once_the_shopper_has_said_why(
    owner: Person, stranger: Person, path: str, seen_to: None, shop: Workshop, postman: Postman, clock: Clock
) -> None:
    answer(stranger, path, 1)
    look(shop)
    work(shop, clock)
    assert postman.taken == []
    add(stranger, path, text="Cold <b>coffee</b>", call="1", contact="+49 170 5550123")
    clock.pass_by(minutes=3)
    for _ in range(2):
        look(shop)
        work(shop, clock)
    [letter] = postman.taken
    message = opened(letter)
    assert letter.recipient == "emma@linden.example"
    plain = message.get_body(("plain",))
    html = message.get_body(("html",))
    assert plain is not None
    assert html is not None
    assert "Cold <b>coffee</b>" in plain.get_content()
    assert "<b>coffee" not in html.get_content()
    assert the_case(owner)["id"] in plain.get_content()
    assert "+49 170 5550123" in plain.get_content()
    assert 'href="tel:+491705550123"' in html.get_content()


def test_who_gives_a_lower_score_after_their_case_was_closed_is_waited_for_again(
    owner: Person, stranger: Person, path: str, seen_to: None, shop: Workshop, postman: Postman, clock: Clock,
    engine: Engine,
) -> None:  # fmt: skip
    """As after the first score: they may write why."""
    case = let_down(owner, stranger, path)
    patch(owner, case, {"state": "resolved", "outcome": "fixed"}).raise_for_status()
    before = datetime.now(UTC) - timedelta(hours=1)
    with engine.begin() as conn:
        conn.execute(update(Case).values(opened_at=before, begun_at=before, told_at=before))
    answer(stranger, path, 1)
    look(shop)
    work(shop, clock)
    assert (the_case(owner)["state"], postman.taken) == ("open", [])
    clock.pass_by(minutes=3)
    look(shop)
    work(shop, clock)
    assert [letter.recipient for letter in postman.taken] == ["emma@linden.example"]


def test_a_case_that_is_late_is_escalated_once(
    owner: Person, stranger: Person, path: str, seen_to: None, shop: Workshop, postman: Postman, clock: Clock,
    engine: Engine,
) -> None:  # fmt: skip
    answer(stranger, path, 1)
    clock.pass_by(hours=47)
    look(shop)
    assert the_case(owner)["escalated_at"] is None
    clock.pass_by(hours=2)
    for _ in range(3):
        look(shop)
        work(shop, clock)
    assert Counter(letter.recipient for letter in postman.taken) == {"emma@linden.example": 1, "boss@linden.example": 1}
    assert told(engine) == ["case.opened", "case.escalated"]
    after = the_case(owner)
    assert (after["state"], after["history"][-1]["by"]) == ("open", "clock")


def test_a_case_that_is_closed_in_time_is_not_escalated(
    owner: Person, case: Body, shop: Workshop, clock: Clock, engine: Engine
) -> None:
    patch(owner, case, {"state": "resolved", "outcome": "fixed"}).raise_for_status()
    clock.pass_by(days=9)
    look(shop)
    assert told(engine) == ["case.opened", "case.resolved"]


def test_an_answer_that_a_program_gave_leaves_no_case(
    owner: Person, stranger: Person, path: str, seen_to: None, shop: Workshop, postman: Postman, clock: Clock
) -> None:
    for score in (0, 5, 10):
        answer(stranger, path, score)
    after = the_case(owner)
    assert (after["state"], after["history"][-1]["by"]) == ("dismissed", "quarantine")
    clock.pass_by(minutes=5)
    look(shop)
    work(shop, clock)
    assert (the_case(owner)["state"], postman.taken) == ("dismissed", [])


def test_one_bad_case_stops_no_other(
    owner: Person, till: Person, stranger: Person, seen_to: None, shop: Workshop, postman: Postman, clock: Clock,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    survey(owner)
    for _ in range(5):
        answer(stranger, path_of(stranger, sold(till)), 1)
    bad, mark = min(each["id"] for each in owner.get("/v1/cases").json()["cases"]), case_clock.mark_told

    def mark_but_one(conn: Connection, merchant_id: str, case_id: str, *, now: datetime) -> bool:
        if case_id == bad:
            raise ValueError
        return mark(conn, merchant_id, case_id, now=now)

    monkeypatch.setattr(case_clock, "mark_told", mark_but_one)
    monkeypatch.setattr("worker.cases._TOGETHER", 2)
    clock.pass_by(minutes=3)
    look(shop)
    work(shop, clock)
    assert len(postman.taken) == 4


# Two at once


def escalate_by_reading(conn: Connection, merchant_id: str, case_id: str, *, now: datetime) -> CaseRecord | None:
    """The guard off: it reads whether somebody else did, and then does."""
    record = cases.one(conn, merchant_id, case_id)
    if record.escalated_at is not None:
        return None
    MEET.wait(10)
    conn.execute(update(Case).where(Case.id == case_id).values(escalated_at=now))
    return record


MEET = Barrier(2)


def escalated(url: str, shops: Shops, case: Body, act: Any) -> int:
    """How many of two who do so at once escalate it, where no transaction helps: each statement is its own."""

    def escalate(_index: int) -> bool:
        engine = connect(url)
        with engine.connect().execution_options(isolation_level="AUTOCOMMIT", reads_only=True) as conn:
            found = act(conn, shops.linden, case["id"], now=datetime.now(UTC) + timedelta(days=3))
        engine.dispose()
        return found is not None

    return sum(at_once(2, escalate))


def test_two_workers_escalate_a_case_once(database_url: str, shops: Shops, case: Body, engine: Engine) -> None:
    assert escalated(database_url, shops, case, case_clock.escalate) == 1
    assert told(engine) == ["case.opened", "case.escalated"]


def test_without_the_condition_both_would(database_url: str, shops: Shops, case: Body) -> None:
    """The control."""
    assert escalated(database_url, shops, case, escalate_by_reading) == 2
