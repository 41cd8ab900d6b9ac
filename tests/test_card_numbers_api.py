"""What a merchant reads of their cards: by card, day and source, as JSON and as a table."""

import csv
import io
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import Engine, event, insert

from accounts import find as accounts_find
from accounts import keys, manage
from accounts.manage import StaffProfile
from cards import find, numbers, ratings
from cards import manage as cards
from cards.find import CardRecord
from cards.manage import Belongs
from cards.tables import CardCount
from tests.support.cards import a_card, profile
from tests.support.inside import Inside, Person, askers, on_sqlite
from tests.support.shops import OPENED, Shops

NOON = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
DAY = timedelta(days=1)
SPAN = {"from": "2026-11-01", "to": "2026-11-30"}


@pytest.fixture
def emma(engine: Engine, shops: Shops) -> CardRecord:
    return a_card(engine, shops)


@pytest.fixture
def ben(engine: Engine, shops: Shops) -> CardRecord:
    """In the store kreuzberg."""
    with engine.begin() as conn:
        manage.put_staff_member(conn, shops.linden, "ben", StaffProfile(name="=Ben", store="kreuzberg"), now=OPENED)
        card_id = cards.create(conn, shops.linden, Belongs(staff="ben"), profile(given="Ben"), now=OPENED)
        return find.one(conn, shops.linden, card_id)


@pytest.fixture(autouse=True)
def done(engine: Engine, emma: CardRecord, ben: CardRecord) -> None:
    """Two days of two cards, and somebody of long ago."""
    with engine.begin() as conn:
        for person, card, act, source, target, at, receipt in (
            ("1", emma, "view", "qr", "", NOON, None),
            ("1", emma, "view", "qr", "", NOON, None),
            ("2", emma, "view", "receipt", "", NOON, "rct_1"),
            ("2", emma, "save", "receipt", "", NOON, "rct_1"),
            ("2", emma, "tap", "receipt", "phone", NOON, None),
            ("3", emma, "tap", "nfc", "phone", NOON + DAY, None),
            ("3", emma, "tap", "nfc", "linkedin", NOON + DAY, None),
            ("3", emma, "wallet", "nfc", "apple", NOON + DAY, None),
            ("3", emma, "exchange", "nfc", "", NOON + DAY, None),
            ("1", ben, "share", "link", "", NOON, None),
            ("9", emma, "view", "qr", "", NOON - 90 * DAY, None),
        ):
            told: dict[str, Any] = {"source": source, "target": target, "receipt_id": receipt}
            numbers.count(conn, card, act, visitor=person * 32, now=at, **told)  # type: ignore[arg-type]
        for receipt, score, at in (("rct_1", 5, NOON), ("rct_2", 4, NOON), ("rct_3", 4, NOON + DAY)):
            ratings.rate(conn, emma.merchant_id, emma.id, receipt, score, now=at)


def asked(person: Person, **query: str) -> dict[str, Any]:
    answer: dict[str, Any] = person.get("/v1/card-numbers", **SPAN | query).json()
    return answer


def test_each_card_has_its_numbers(owner: Person, emma: CardRecord, ben: CardRecord) -> None:
    answer = asked(owner)
    of_ben, of_emma = answer["numbers"]
    assert of_emma == {
        "card": emma.id,
        "staff": "emma",
        "name": "Emma",
        "store": "mitte",
        "views": 3,
        "visitors": 2,
        "saves": 1,
        "wallet_adds": 1,
        "shares": 0,
        "taps": {"linkedin": 1, "phone": 2},
        "exchanges": 1,
        "ratings": {"count": 3, "average": "4.33"},
        "receipts": {"save": 1, "view": 1},
        "paper_cards_saved": 2,
    }
    assert (of_ben["card"], of_ben["shares"], of_ben["ratings"]) == (ben.id, 1, {"count": 0, "average": None})
    assert (answer["total"]["views"], answer["total"]["shares"]) == (3, 1)
    assert "printed card" in answer["assumes"]


def test_a_day_has_its_numbers(owner: Person) -> None:
    found = {row["day"]: row for row in asked(owner, by="day")["numbers"]}
    assert list(found) == ["2026-11-20", "2026-11-21"]
    assert (found["2026-11-20"]["views"], found["2026-11-21"]["exchanges"]) == (3, 1)
    assert found["2026-11-20"]["ratings"] == {"count": 2, "average": "4.50"}
    assert found["2026-11-20"]["receipts"] == {"save": 1, "view": 1}


def test_a_source_has_its_numbers(owner: Person) -> None:
    found = {row["source"]: row for row in asked(owner, by="source")["numbers"]}
    assert {source: row["views"] for source, row in found.items()} == {"link": 0, "nfc": 0, "qr": 2, "receipt": 1}
    assert {source: row["visitors"] for source, row in found.items()} == {"link": 0, "nfc": 0, "qr": 1, "receipt": 1}
    assert {source: row["saves"] for source, row in found.items()} == {"link": 0, "nfc": 0, "qr": 0, "receipt": 1}
    assert found["receipt"]["ratings"]["count"] == 3


def test_the_time_is_counted_with_its_first_and_last_day(owner: Person) -> None:
    days = {"from": "2026-11-21", "to": "2026-11-21"}
    [row] = owner.get("/v1/card-numbers", **days).json()["numbers"]
    assert (row["views"], row["exchanges"], row["ratings"]["count"]) == (0, 1, 1)


def test_numbers_are_narrowed_by_store_and_staff(owner: Person) -> None:
    assert [row["staff"] for row in asked(owner, store="kreuzberg")["numbers"]] == ["ben"]
    assert [row["staff"] for row in asked(owner, staff="emma")["numbers"]] == ["emma"]
    assert asked(owner, staff="emma", store="kreuzberg")["numbers"] == []
    assert owner.get("/v1/card-numbers", staff="nobody").status_code == 404


def test_a_key_of_a_store_sees_the_cards_of_that_store(inside: Inside, shops: Shops, engine: Engine) -> None:
    with engine.begin() as conn:
        store = accounts_find.store_id(conn, shops.linden, "kreuzberg")
        key = keys.create(conn, shops.linden, name="k", scopes=["cards:read"], now=OPENED, store_id=store)[0]
    person = Person(inside, key)
    assert [row["staff"] for row in asked(person)["numbers"]] == ["ben"]
    assert person.get("/v1/card-numbers", store="mitte").status_code == 422


def test_another_merchant_sees_nothing(outsider: Person, reader: Person) -> None:
    answer = asked(outsider)
    assert (answer["numbers"], answer["total"]["views"], answer["total"]["receipts"]) == ([], 0, {})
    assert reader.get("/v1/card-numbers").status_code == 403


@pytest.mark.parametrize("path", ["/v1/card-numbers", "/v1/card-numbers.csv"])
def test_a_report_keeps_nobody_else_waiting(inside: Inside, owner: Person, path: str) -> None:
    with askers(inside, "card_counts") as threads:
        owner.get(path, **SPAN).raise_for_status()
    assert (len(threads), "inside" in threads) == (1, False)


def test_a_report_of_many_cards_asks_with_as_many_values_as_one_of_a_few(
    inside: Inside, owner: Person, engine: Engine, shops: Shops
) -> None:
    asked(owner)
    values: list[int] = []
    house = inside.app.state.house

    def note(_conn: Any, _cursor: Any, _sql: str, told: Any, *_: Any) -> None:
        values.append(len(told))

    event.listen(house.engine, "before_cursor_execute", note)
    asked(owner)
    with engine.begin() as conn:
        for number in range(20):
            card_id = cards.create(conn, shops.linden, Belongs(), profile(given=f"Zoe {number}"), now=OPENED)
            row = {"day": "2026-11-20", "act": "save", "source": "qr", "target": "", "merchant_id": shops.linden}
            conn.execute(insert(CardCount).values(row | {"card_id": card_id, "times": 1}))
    few, values[:] = max(values), []
    assert len(asked(owner)["numbers"]) == 22
    event.remove(house.engine, "before_cursor_execute", note)
    assert max(values) == few


def test_a_year_that_leaps_is_taken_and_a_day_more_is_told_how_long_one_may_be(owner: Person) -> None:
    days = {"to": "2024-12-31"}
    assert owner.get("/v1/card-numbers", **days | {"from": "2024-01-01"}).status_code == 200
    refused = owner.get("/v1/card-numbers", **days | {"from": "2023-12-31"})
    assert (refused.status_code, "more than 365 days before" in refused.text) == (422, True)


@on_sqlite
def test_without_a_time_it_is_the_last_thirty_days(owner: Person) -> None:
    answer = owner.get("/v1/card-numbers").json()
    days = [datetime.fromisoformat(answer[name]) for name in ("from", "to")]
    assert (days[1] - days[0], days[1].date()) == (timedelta(days=29), datetime.now(UTC).date())


@on_sqlite
@pytest.mark.parametrize(
    "query",
    [
        {"from": "2026-11-02", "to": "2026-11-01"},
        {"from": "2024-11-01", "to": "2026-11-01"},
        {"from": "9999-12-31"},
        {"to": "yesterday"},
        {"by": "person"},
        {"store": "No such"},
    ],
    ids=str,
)
def test_a_time_that_is_none_is_refused(owner: Person, query: dict[str, str]) -> None:
    assert owner.get("/v1/card-numbers", **query).status_code == 422


@on_sqlite
@pytest.mark.parametrize("to", ["0001-01-01", "0001-01-30", "9999-12-31"])
def test_the_ends_of_the_calendar_are_days_too(owner: Person, to: str) -> None:
    for by in ("card", "day"):
        assert owner.get("/v1/card-numbers", to=to, by=by).status_code == 200


@pytest.mark.parametrize("by, head", [("card", "card"), ("day", "day"), ("source", "source")])
def test_the_table_says_the_same(owner: Person, by: str, head: str) -> None:
    answer = owner.get("/v1/card-numbers.csv", **SPAN, by=by)
    rows = list(csv.DictReader(io.StringIO(answer.content.decode("utf-8-sig"))))
    found = asked(owner, by=by)["numbers"]
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    assert [row[head] for row in rows] == [each[head] for each in found]
    assert [int(row["taps"]) for row in rows] == [sum(each["taps"].values()) for each in found]
    assert [row["rating_average"] or None for row in rows] == [each["ratings"]["average"] for each in found]


@on_sqlite
def test_a_spreadsheet_runs_no_name(owner: Person) -> None:
    answer = owner.get("/v1/card-numbers.csv", **SPAN, staff="ben")
    [row] = csv.DictReader(io.StringIO(answer.content.decode("utf-8-sig")))
    assert row["name"] == "'=Ben"
