"""A case is worked on by somebody, is listed and counted, and what came of it is known until it is forgotten."""

import csv
import io
from datetime import UTC, datetime

import pytest
from sqlalchemy import Engine, select, update

from engagement.voice.tables import Case, CaseChange
from tests.support.aged import limit
from tests.support.cases import asked, let_down, patch, the_case, told
from tests.support.inside import Inside, Person, on_sqlite
from tests.support.sales import Body
from tests.support.shops import Shops
from tests.support.surveys import answer, path_of, sold, survey
from tests.support.workshop import Clock
from tests.test_contacts import key_of
from tests.test_races import at_once
from worker.chores import purge
from worker.workshop import Workshop


@pytest.fixture
def case(owner: Person, till: Person, stranger: Person) -> Body:
    return let_down(owner, stranger, asked(owner, till, stranger))


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
    named = owner.get("/v1/case-numbers", **{"from": "2026-01-01", "to": "2026-01-31"}).json()
    assert (named["from"], named["to"], named["opened"]) == ("2026-01-01", "2026-01-31", 0)


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


def test_another_merchant_sees_none_of_it(outsider: Person, owner: Person, case: Body) -> None:
    assert outsider.get("/v1/cases").json() == {"cases": [], "next_cursor": None}
    assert outsider.get(f"/v1/cases/{case['id']}").status_code == 404
    assert patch(outsider, case, {"state": "dismissed"}).status_code == 404
    assert outsider.get("/v1/case-numbers").json()["opened"] == 0
    assert the_case(owner) == case


# Two at once


def test_of_two_who_read_the_same_case_one_changes_it(owner: Person, case: Body) -> None:
    tag = owner.get(f"/v1/cases/{case['id']}").headers["etag"]
    wishes: list[Body] = [{"state": "dismissed"}, {"state": "resolved", "outcome": "fixed"}]
    answers = at_once(2, lambda index: patch(owner, case, wishes[index], If_Match=tag).status_code)
    assert sorted(answers) == [200, 412]
    assert len(the_case(owner)["history"]) == 1


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
