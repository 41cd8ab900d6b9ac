"""What answers come to: scores, how sure they are, by what they join, and few of them suppressed."""

from datetime import datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import Engine, update

from engagement.surveys import numbers
from engagement.surveys.tables import SurveyAnswer
from tests.support.inside import Inside, Person
from tests.support.surveys import answer, path_of, responses, sold, survey


def answered(seller: Person, stranger: Person, *scores: int, **changes: Any) -> None:
    for score in scores:
        answer(stranger, path_of(stranger, sold(seller, **changes)), score)


def line(sku: str, number: str = "1") -> dict[str, Any]:
    return {"id": number, "sku": sku, "name": sku, "unit_price": "1.60", "tax_rate": "19", "total": "1.60"}


def test_the_score_comes_with_its_interval_and_counts(owner: Person, till: Person, stranger: Person) -> None:
    survey(owner)
    answered(till, stranger, 10, 9, 9, 8, 7, 2)
    told = owner.get("/v1/survey-numbers", event="transaction").raise_for_status().json()
    assert (told["measure"], told["by"], told["least"]) == ("nps", "week", 5)
    assert told["total"] == {
        "responses": 6,
        "score": "33.3",
        "low": "-26.7",
        "high": "71.2",
        "promoters": 3,
        "passives": 2,
        "detractors": 1,
        "mean": "7.50",
        "suppressed": False,
    }
    assert sum(each["responses"] for each in told["numbers"]) == 6


def test_few_answers_are_counted_and_not_told(owner: Person, till: Person, stranger: Person) -> None:
    survey(owner)
    answered(till, stranger, 10, 9, 2, 8)
    told = owner.get("/v1/survey-numbers", event="transaction", by="store").json()
    [row] = told["numbers"]
    assert row == {"key": "mitte", "responses": 4, "suppressed": True} | dict.fromkeys(
        ("score", "low", "high", "promoters", "passives", "detractors", "mean")
    )
    fewer = owner.get("/v1/survey-numbers", event="transaction", by="store", least=4).json()
    assert (fewer["numbers"][0]["score"], fewer["total"]["score"]) == ("25.0", "25.0")


def test_numbers_are_by_whatever_an_answer_joins(owner: Person, till: Person, stranger: Person) -> None:
    survey(owner)
    answered(till, stranger, 10, staff="emma", lines=[line("bread"), line("jam", "2")])
    answered(till, stranger, 2, lines=[line("bread"), line("bread", "2")])
    answered(owner, stranger, 8, store="kreuzberg", till="till-1")
    answered(owner, stranger, 7, store="kreuzberg")

    def by(what: str, **query: Any) -> dict[str, int]:
        told = owner.get("/v1/survey-numbers", event="transaction", by=what, **query).raise_for_status().json()
        return {row["key"]: row["responses"] for row in told["numbers"]}

    assert by("store") == {"kreuzberg": 2, "mitte": 2}
    assert by("till") == {"kreuzberg/till-1": 1, "mitte/till-3": 2}
    assert by("staff") == {"emma": 1}
    assert by("sku") == {"bread": 2, "jam": 1}
    assert by("channel") == {"page": 4}
    assert by("language") == {"en": 4}
    assert by("store", sku="bread") == {"mitte": 2}
    assert by("staff", store="kreuzberg") == {}
    assert by("store", staff="emma") == {"mitte": 1}
    assert by("channel", segment="passive") == {"page": 2}


def test_times_are_days_weeks_and_months(owner: Person, till: Person, stranger: Person, engine: Engine) -> None:
    survey(owner)
    answered(till, stranger, 9, 8)
    days = ("2026-10-31T23:30:00+00:00", "2026-11-02T00:30:00+00:00")
    with engine.begin() as conn:
        for found, day in zip(responses(owner), days, strict=True):
            at = datetime.fromisoformat(day)
            conn.execute(update(SurveyAnswer).where(SurveyAnswer.id == found["id"]).values(answered_at=at))

    def by(what: str) -> list[str]:
        span = {"from": "2026-10-01", "to": "2026-11-30"}
        told = owner.get("/v1/survey-numbers", event="transaction", by=what, **span).raise_for_status().json()
        return [row["key"] for row in told["numbers"]]

    assert by("day") == ["2026-10-31", "2026-11-02"]
    assert by("week") == ["2026-10-26", "2026-11-02"]
    assert by("month") == ["2026-10-01", "2026-11-01"]


def test_satisfaction_is_a_share_and_never_mixed_in(owner: Person, till: Person, stranger: Person) -> None:
    survey(owner)
    survey(owner, "product", after_days=0)
    answered(till, stranger, 9)
    for score in (5, 4, 4, 3, 1):
        owner.post(
            "/v1/survey-responses", {"receipt": sold(till)["id"], "event": "product", "score": score}
        ).raise_for_status()
    told = owner.get("/v1/survey-numbers", event="product").json()
    assert (told["measure"], told["total"]["responses"], told["total"]["score"]) == ("csat", 5, "60.0")
    assert owner.get("/v1/survey-numbers", event="transaction").json()["total"]["responses"] == 1
    refused = owner.get("/v1/survey-numbers")
    assert (refused.status_code, refused.json()["errors"][0]["pointer"]) == (422, "query:event")


def test_who_was_asked_and_did_not_answer_is_known_where_it_is(
    owner: Person, till: Person, stranger: Person, engine: Engine
) -> None:
    survey(owner)
    for score in (None, None, 9):
        path = path_of(stranger, sold(till))
        stranger.ask("POST", f"{path}/seen", headers={"User-Agent": "Mozilla/5.0"})
        if score is not None:
            answer(stranger, path, score)
    told = owner.get("/v1/survey-numbers", event="transaction").json()
    assert told["asked"] == {"asked": 3, "answered": 1, "percent": "33.3"}
    assert owner.get("/v1/survey-numbers", event="transaction", store="mitte").json()["asked"] is None


def test_what_is_held_back_counts_nowhere(owner: Person, till: Person, stranger: Person) -> None:
    survey(owner)
    answer(stranger, path_of(stranger, sold(till)), 9, website="x")
    told = owner.get("/v1/survey-numbers", event="transaction").json()
    assert (told["total"]["responses"], told["numbers"]) == (0, [])


def test_tables_for_spreadsheets(owner: Person, till: Person, stranger: Person) -> None:
    survey(owner)
    path = path_of(stranger, sold(till, lines=[line("bread"), line("jam", "2")]))
    answer(stranger, path, 2)
    stranger.ask("POST", f"{path}/more", data={"text": "=cmd()"}, headers={"User-Agent": "Mozilla/5.0"})
    table = owner.get("/v1/survey-responses.csv").raise_for_status()
    head, row = table.content.decode("utf-8-sig").splitlines()
    assert head.startswith("id,survey,event,brand,receipt_id,store,till,staff,score,segment,text")
    assert ",2,detractor,'=cmd()," in row
    assert ",bread jam," in row
    numbers = owner.get("/v1/survey-numbers.csv", event="transaction", by="store", least=1).raise_for_status()
    head, row = numbers.content.decode("utf-8-sig").splitlines()
    assert head == "store,responses,score,low,high,promoters,passives,detractors,mean,suppressed"
    assert row.startswith("mitte,1,-100.0,")


def test_a_list_goes_on_where_it_left_off(owner: Person, till: Person, stranger: Person) -> None:
    survey(owner)
    answered(till, stranger, 9, 8, 3)
    first = owner.get("/v1/survey-responses", limit=2).json()
    rest = owner.get("/v1/survey-responses", limit=2, cursor=first["next_cursor"]).json()
    assert [each["score"] for each in (*first["responses"], *rest["responses"])] == [3, 8, 9]
    assert rest["next_cursor"] is None


@pytest.mark.parametrize(
    "query, scores",
    [
        ({"segment": "detractor"}, [3]),
        ({"has_text": "true"}, [3]),
        ({"has_text": "false"}, [9]),
        ({"channel": "email"}, []),
        ({"event": "product"}, []),
        ({"to": "2020-01-01"}, []),
        ({"from": "2020-01-01"}, [3, 9]),
        ({"store": "kreuzberg"}, []),
        ({"store": "mitte", "till": "till-3"}, [3, 9]),
        ({"staff": "emma"}, []),
    ],
)
def test_a_list_can_be_narrowed(
    owner: Person, till: Person, stranger: Person, query: dict[str, str], scores: list[int]
) -> None:
    survey(owner)
    answered(till, stranger, 9)
    path = path_of(stranger, sold(till))
    answer(stranger, path, 3)
    stranger.ask("POST", f"{path}/more", data={"text": "Cold"}, headers={"User-Agent": "Mozilla/5.0"})
    assert [each["score"] for each in responses(owner, **query)] == scores


def test_a_key_of_a_store_sees_what_was_said_of_it(
    owner: Person, till: Person, stranger: Person, inside: Inside
) -> None:
    survey(owner)
    answered(till, stranger, 9)
    answered(owner, stranger, 3, store="kreuzberg")
    wanted = {"name": "Kreuzberg", "scopes": ["surveys:read", "surveys:write"], "store": "kreuzberg"}
    keeper = Person(inside, owner.post("/v1/keys", wanted).raise_for_status().json()["key"])
    assert [each["score"] for each in responses(keeper)] == [3]
    told = keeper.get("/v1/survey-numbers", event="transaction", least=1).json()
    assert (told["total"]["responses"], told["asked"]) == (1, None)
    assert keeper.get("/v1/survey-numbers", event="transaction", store="mitte").status_code == 422
    [other] = responses(owner, store="mitte")
    for asked in (
        keeper.get(f"/v1/survey-responses/{other['id']}"),
        keeper.delete(f"/v1/survey-responses/{other['id']}"),
        keeper.post(f"/v1/survey-responses/{other['id']}/release", {}),
        keeper.post(f"/v1/receipts/{other['receipt_id']}/survey-links", {"event": "transaction"}),
    ):
        assert asked.status_code == 404
    assert keeper.post("/v1/surveys", {"brand": "linden-rye", "event": "product"}).status_code == 403


def test_what_few_said_is_not_told_by_what_all_others_said(owner: Person, till: Person, stranger: Person) -> None:
    survey(owner)
    answered(till, stranger, 10, 9, 9, 8, 7, 2)
    answered(owner, stranger, 0, store="kreuzberg")
    told = owner.get("/v1/survey-numbers", event="transaction", by="store").json()
    assert [(each["key"], each["responses"], each["suppressed"]) for each in told["numbers"]] == [
        ("kreuzberg", 1, True), ("mitte", 6, True),
    ]  # fmt: skip
    assert (told["total"]["responses"], told["total"]["suppressed"]) == (7, False)
    table = owner.get("/v1/survey-numbers.csv", event="transaction", by="store").text.splitlines()
    assert [line.endswith(",True") for line in table[1:]] == [True, True]


@pytest.mark.parametrize(
    "rows, whole, untold",
    [
        ({"a": 20, "b": 9, "c": 7}, 36, ""),
        ({"a": 20, "b": 9, "c": 2}, 31, "bc"),
        ({"a": 20, "b": 3, "c": 2}, 25, "bc"),
        ({"a": 20, "b": 2, "c": 2}, 24, "abc"),
        # Two were served by nobody who is known.
        ({"a": 20, "b": 9}, 31, "b"),
        ({"a": 20, "b": 9}, 34, ""),
        ({"a": 3}, 3, "a"),
        ({}, 0, ""),
    ],
)
def test_so_many_rows_are_left_out_that_the_rest_is_not_few(rows: dict[str, int], whole: int, untold: str) -> None:
    assert numbers.untold(rows, whole, 5) == set(untold)


@given(st.dictionaries(st.text(max_size=3), st.integers(1, 20), max_size=8), st.integers(0, 6), st.integers(1, 10))
def test_the_total_less_what_is_told_is_of_nobody_or_of_enough(rows: dict[str, int], more: int, least: int) -> None:
    whole = sum(rows.values()) + more
    told = rows.keys() - numbers.untold(rows, whole, least)
    assert all(rows[key] >= least for key in told)
    rest = whole - sum(rows[key] for key in told)
    assert rest == 0 or rest >= least or not told


def test_what_nearly_all_bought_does_not_tell_of_the_few_who_did_not() -> None:
    assert numbers.untold_of_overlapping({"bread": 18, "jam": 9, "tea": 20, "salt": 2}, 20, 5) == {"bread", "salt"}
