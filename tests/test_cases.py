"""A shopper who was let down opens a case: somebody sees to it, in time, and what came of it is known."""

import csv
import io
from collections import Counter
from datetime import UTC, datetime, timedelta
from threading import Barrier
from typing import Any

import pytest
from sqlalchemy import Connection, Engine, select, update

from engagement.tables import Event
from engagement.voice import case_clock, cases
from engagement.voice.cases import CaseRecord
from engagement.voice.tables import Case, CaseChange
from infra.database import connect
from tests.support.aged import limit
from tests.support.inside import Inside, Person, on_sqlite
from tests.support.sales import Body
from tests.support.shops import Shops
from tests.support.surveys import add, answer, path_of, sold, survey
from tests.support.workshop import Clock, Postman, opened, work
from tests.test_contacts import key_of
from tests.test_races import at_once
from worker.cases import see_to_cases, tag_answers
from worker.chores import purge
from worker.workshop import Workshop


@pytest.fixture
def path(owner: Person, till: Person, stranger: Person) -> str:
    """Where Anna answers what the receipt of her coffee asks."""
    survey(owner)
    return path_of(stranger, sold(till, staff="emma", shopper={"email": "anna@example.com"}))


@pytest.fixture
def case(owner: Person, stranger: Person, path: str) -> Body:
    answer(stranger, path, 2)
    return the_case(owner)


def the_case(owner: Person) -> Body:
    [found] = owner.get("/v1/cases").raise_for_status().json()["cases"]
    return dict(owner.get(f"/v1/cases/{found['id']}").raise_for_status().json())


def patch(person: Person, case: Body, body: Body, **headers: str) -> Any:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return person.ask("PATCH", f"/v1/cases/{case['id']}", json=body, headers=named)


def told(engine: Engine, prefix: str = "case.") -> list[str]:
    with engine.connect() as conn:
        kinds = conn.scalars(select(Event.kind).where(Event.kind.startswith(prefix)).order_by(Event.id))
        return list(kinds)


def look(shop: Workshop) -> None:
    see_to_cases(shop, "job", {})


# How one comes about


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


@on_sqlite
@pytest.mark.parametrize("score, state", [(1, "open"), (3, "dismissed"), (9, "dismissed")])
def test_a_lower_score_opens_a_closed_case_again(
    owner: Person, stranger: Person, path: str, case: Body, score: int, state: str
) -> None:
    patch(owner, case, {"state": "dismissed", "outcome": "changed_mind"}).raise_for_status()
    answer(stranger, path, score)
    after = the_case(owner)
    assert (after["state"], after["score"]) == (state, score)


# What is done about it


def test_a_case_is_taken_and_resolved_by_an_outcome(owner: Person, case: Body, engine: Engine) -> None:
    assert patch(owner, case, {"state": "in_progress", "owner": "emma"}).json()["owner"] == "emma"
    done = patch(owner, case, {"state": "resolved", "outcome": "voucher", "note": "A coffee on us"}).json()
    assert (done["state"], done["outcome"], done["note"]) == ("resolved", "voucher", "A coffee on us")
    assert [each["what"] for each in done["history"]] == [
        {"state": "in_progress", "owner": "emma"},
        {"note": "A coffee on us", "state": "resolved", "outcome": "voucher"},
    ]
    assert done["history"][0]["by"].startswith("key_")
    assert told(engine) == ["case.opened", "case.in_progress", "case.resolved"]
    numbers = owner.get("/v1/case-numbers").json()
    assert (numbers["opened"], numbers["open"], numbers["outcomes"]) == (1, 0, {"voucher": 1})
    assert numbers["median_seconds_to_resolve"] in range(60)


def test_the_same_again_changes_nothing(owner: Person, case: Body) -> None:
    first = patch(owner, case, {"owner": "emma", "note": "Called"})
    second = patch(owner, case, {"owner": "emma", "note": "Called", "state": "open"})
    assert first.json() == second.json()
    assert first.headers["etag"] == second.headers["etag"]


@on_sqlite
@pytest.mark.parametrize(
    "body, pointer",
    [
        ({"state": "resolved"}, "/outcome"),
        ({"state": "open", "outcome": "fixed"}, "/outcome"),
        ({"state": "done"}, "/state"),
        ({"owner": "nobody"}, "/owner"),
        ({"owner": 7}, "/owner"),
        ({"note": "a\x00b"}, "/note"),
        ({"note": "x" * 2001}, "/note"),
        ({"due_at": "2020-01-01T00:00:00Z"}, "/due_at"),
        ({"due_at": "2026-12-01T00:00:00"}, "/due_at"),
        ({"due_at": None}, "/due_at"),
        ({"score": 10}, "/score"),
    ],
    ids=str,
)
def test_what_is_wrong_is_said_at_its_place_and_nothing_is_written(
    owner: Person, case: Body, body: Body, pointer: str
) -> None:
    refused = patch(owner, case, body)
    assert (refused.status_code, refused.json()["errors"][0]["pointer"]) == (422, pointer)
    assert the_case(owner) == case


@on_sqlite
def test_a_resolved_case_is_not_dismissed_but_begun_again(owner: Person, case: Body) -> None:
    patch(owner, case, {"state": "resolved", "outcome": "fixed"}).raise_for_status()
    assert patch(owner, case, {"state": "dismissed"}).status_code == 422
    again = patch(owner, case, {"state": "in_progress"}).json()
    assert (again["state"], again["outcome"], again["resolved_at"]) == ("in_progress", None, None)


@on_sqlite
@pytest.mark.parametrize(
    "body, pointer",
    [
        ({"deadline_hours": 0}, "/deadline_hours"),
        ({"email": "nobody"}, "/email"),
        ({"stores": {"Mitte!": {}}}, "/stores/Mitte!/[key]"),
        ({"surveys": {"x": "always"}}, "/surveys/x/[key]"),
        ({"opens": "sometimes"}, "/opens"),
    ],
    ids=str,
)
def test_settings_that_are_wrong_are_refused(owner: Person, body: Body, pointer: str) -> None:
    refused = owner.put("/v1/case-settings", body)
    assert (refused.status_code, refused.json()["errors"][0]["pointer"]) == (422, pointer)


# Lists


def test_cases_are_listed_newest_first_by_state_store_and_lateness(
    owner: Person, till: Person, stranger: Person, engine: Engine
) -> None:
    survey(owner)
    for score in range(5):
        answer(stranger, path_of(stranger, sold(till)), score)
    first = owner.get("/v1/cases", limit=3).json()
    second = owner.get("/v1/cases", limit=3, cursor=first["next_cursor"]).json()
    assert [each["score"] for each in first["cases"] + second["cases"]] == [4, 3, 2, 1, 0]
    assert second["next_cursor"] is None
    patch(owner, first["cases"][0], {"state": "dismissed"}).raise_for_status()
    with engine.begin() as conn:
        conn.execute(update(Case).where(Case.score < 2).values(due_at=datetime(2026, 11, 1, tzinfo=UTC)))
    assert len(owner.get("/v1/cases", state="open").json()["cases"]) == 4
    assert [each["score"] for each in owner.get("/v1/cases", overdue="true").json()["cases"]] == [1, 0]
    assert owner.get("/v1/cases", store="kreuzberg").json()["cases"] == []
    numbers = owner.get("/v1/case-numbers").json()
    assert (numbers["open"], numbers["overdue"], numbers["dismissed"]) == (4, 2, 1)
    rows = list(csv.DictReader(io.StringIO(owner.get("/v1/cases.csv").content.decode("utf-8-sig"))))
    assert [row["state"] for row in rows] == ["dismissed", "open", "open", "open", "open"]


def test_a_key_of_a_store_works_on_the_cases_of_that_store(
    inside: Inside, shops: Shops, engine: Engine, case: Body
) -> None:
    scopes = ["surveys:read", "surveys:write"]
    mitte, other = (Person(inside, key_of(engine, shops, store, scopes)) for store in ("mitte", "kreuzberg"))
    assert patch(mitte, case, {"state": "in_progress"}).status_code == 200
    assert other.get(f"/v1/cases/{case['id']}").status_code == 404
    assert patch(other, case, {"state": "open"}).status_code == 404
    assert other.get("/v1/cases").json()["cases"] == []
    assert (mitte.get("/v1/case-numbers").json()["open"], other.get("/v1/case-numbers").json()["open"]) == (1, 0)


@on_sqlite
def test_it_takes_a_key_with_the_scope(reader: Person, case: Body) -> None:
    assert reader.get("/v1/cases").status_code == 403
    assert patch(reader, case, {"note": "x"}).status_code == 403


# Letters and deadlines


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
    add(stranger, path, text="Cold <b>coffee</b>", wants_call="1", contact="+49 170 5550123")
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
    assert the_case(owner)["state"] == "open"
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


def test_of_two_who_read_the_same_case_one_changes_it(owner: Person, case: Body) -> None:
    tag = owner.get(f"/v1/cases/{case['id']}").headers["etag"]
    wishes: list[Body] = [{"state": "dismissed"}, {"state": "resolved", "outcome": "fixed"}]
    answers = at_once(2, lambda index: patch(owner, case, wishes[index], If_Match=tag).status_code)
    assert sorted(answers) == [200, 412]
    assert len(the_case(owner)["history"]) == 1


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


# What is forgotten


def test_who_erases_the_shopper_erases_the_case(owner: Person, case: Body, engine: Engine) -> None:
    patch(owner, case, {"note": "Anna is angry"}).raise_for_status()
    assert owner.delete(f"/v1/receipts/{case['receipt_id']}/shopper").status_code == 204
    with engine.connect() as conn:
        assert conn.execute(select(Case.id)).all() == conn.execute(select(CaseChange.id)).all() == []
    assert told(engine) == []


def test_a_purge_leaves_the_figures_of_a_case_and_no_words(
    owner: Person, case: Body, shops: Shops, shop: Workshop, clock: Clock, engine: Engine
) -> None:
    patch(owner, case, {"state": "resolved", "outcome": "voucher", "note": "Anna is angry"}).raise_for_status()
    limit(engine, shops.linden)
    clock.pass_by(days=40)
    purge(shop, "job", {})
    after = the_case(owner)
    assert (after["receipt_id"], after["note"], after["history"]) == (None, None, [])
    assert (after["state"], after["outcome"], after["score"]) == ("resolved", "voucher", 2)


# Tags of answers


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


def test_another_merchant_sees_none_of_it(outsider: Person, owner: Person, case: Body) -> None:
    assert outsider.get("/v1/cases").json() == {"cases": [], "next_cursor": None}
    assert outsider.get(f"/v1/cases/{case['id']}").status_code == 404
    assert patch(outsider, case, {"state": "dismissed"}).status_code == 404
    assert outsider.get("/v1/case-numbers").json()["opened"] == 0
    assert the_case(owner) == case
