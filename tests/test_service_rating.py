"""Who served is rated on the receipt: once for a receipt, and the last answer holds."""

from time import sleep
from typing import Any

import pytest
from sqlalchemy import Connection, Engine, func, insert, select

from cards import manage, ratings
from cards.find import CardRecord
from cards.tables import ServiceRating
from tests.support.cards import a_card
from tests.support.inside import Person, on_sqlite
from tests.support.sales import Body, coffee
from tests.support.shopper import AGENT
from tests.support.shops import OPENED, Shops
from tests.test_races import at_once


@pytest.fixture
def card(engine: Engine, shops: Shops) -> CardRecord:
    return a_card(engine, shops)


@pytest.fixture
def receipt(till: Person, card: CardRecord) -> Body:
    found: Body = till.post("/v1/receipts", coffee(staff="emma")).json()
    return found


def rate(person: Person, receipt: Body, score: object, **headers: str) -> tuple[int, str]:
    path = f"/r/{receipt['token']}/service?lang=en"
    answer = person.ask(
        "POST",
        path,
        data={"score": str(score)},
        headers={"Sec-Fetch-Site": "same-origin", "User-Agent": AGENT} | headers,
    )
    return answer.status_code, answer.headers.get("location", "")


def given(engine: Engine, shops: Shops, receipt: Body) -> int | None:
    with engine.connect() as conn:
        return ratings.of_receipt(conn, shops.linden, receipt["id"])


def test_the_last_answer_holds_and_the_page_shows_it_at_once(
    stranger: Person, receipt: Body, engine: Engine, shops: Shops
) -> None:
    back = f"/r/{receipt['token']}?lang=en#card"
    assert "How was the service?" in stranger.get(f"/r/{receipt['token']}", lang="en").text
    assert [rate(stranger, receipt, score) for score in (2, 5)] == [(303, back)] * 2
    assert given(engine, shops, receipt) == 5
    assert "Thank you for your rating" in stranger.ask("GET", back).text


@on_sqlite
@pytest.mark.parametrize("score", [0, 6, -1, "", "5.0", "five", "٥", "5" * 900])
def test_what_is_no_score_is_refused(
    stranger: Person, receipt: Body, engine: Engine, shops: Shops, score: object
) -> None:
    assert (rate(stranger, receipt, score)[0], given(engine, shops, receipt)) == (422, None)


@on_sqlite
def test_to_open_the_address_rates_nothing(stranger: Person, receipt: Body, engine: Engine, shops: Shops) -> None:
    answer = stranger.get(f"/r/{receipt['token']}/service", score=1)
    assert (answer.status_code, answer.headers["location"]) == (303, f"/r/{receipt['token']}#card")
    assert given(engine, shops, receipt) is None


@on_sqlite
def test_another_site_rates_nobody(stranger: Person, receipt: Body, engine: Engine, shops: Shops) -> None:
    assert rate(stranger, receipt, 1, **{"Sec-Fetch-Site": "cross-site"})[0] == 403
    assert given(engine, shops, receipt) is None


@on_sqlite
def test_only_who_served_and_has_an_active_card_is_rated(
    stranger: Person, till: Person, receipt: Body, card: CardRecord, engine: Engine, shops: Shops
) -> None:
    nobody_s = till.post("/v1/receipts", coffee()).json()
    assert rate(stranger, nobody_s, 5)[0] == 404
    with engine.begin() as conn:
        manage.set_state(conn, card, "paused", now=OPENED)
    assert rate(stranger, receipt, 5)[0] == 404
    assert rate(stranger, receipt | {"token": "Zm9yZ2V0LW1lLW5vdC0wMQ"}, 5)[0] == 404


def test_of_many_who_answer_at_once_one_holds(stranger: Person, receipt: Body, engine: Engine, shops: Shops) -> None:
    answers = at_once(10, lambda index: rate(stranger, receipt, index % 5 + 1)[0])
    with engine.connect() as conn:
        assert (set(answers), conn.scalar(select(func.count()).select_from(ServiceRating))) == ({303}, 1)
    assert given(engine, shops, receipt) in ratings.SCORES


def rate_unguarded(conn: Connection, *names: str, now: Any) -> None:
    """The guard off: it looks whether there is an answer, and then writes one."""
    merchant_id, card_id, receipt_id, score = names
    there = ratings.of_receipt(conn, merchant_id, receipt_id)
    sleep(0.1)
    row = {"merchant_id": merchant_id, "card_id": card_id, "receipt_id": receipt_id, "score": score, "rated_at": now}
    if there is None:
        conn.execute(insert(ServiceRating).values(row))


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
def test_without_the_upsert_most_would_be_told_to_try_again(
    stranger: Person, receipt: Body, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The control. SQLite lets one transaction write at a time."""
    monkeypatch.setattr(ratings, "rate", rate_unguarded)
    assert 503 in at_once(10, lambda _: rate(stranger, receipt, 5)[0])


def test_another_merchant_changes_no_rating(engine: Engine, shops: Shops, receipt: Body, card: CardRecord) -> None:
    with engine.begin() as conn:
        ratings.rate(conn, shops.linden, card.id, receipt["id"], 5, now=OPENED)
        ratings.rate(conn, shops.moor, card.id, receipt["id"], 1, now=OPENED)
        assert ratings.of_receipt(conn, shops.moor, receipt["id"]) is None
    assert given(engine, shops, receipt) == 5
