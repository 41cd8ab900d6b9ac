"""What visitors do with cards is counted: by persons alone, once where it is once, and without knowing by whom."""

import re
from collections.abc import Iterator
from time import sleep
from typing import Any

import pytest
from sqlalchemy import Connection, Engine, func, select, update

from api.app import create_app
from cards import find, forgetting, manage, numbers
from cards.find import CardRecord
from cards.links import from_receipt
from cards.tables import CardCount, CardVisit, CardVisitor, DailySalt
from infra.settings import ROOT, Settings
from tests.support.cards import a_card
from tests.support.inside import Inside, Person, on_sqlite
from tests.support.sales import coffee
from tests.support.shops import Shops
from tests.support.visits import OTHER_PHONE, PHONE, by_source, counted, tell
from tests.support.workshop import Clock
from tests.test_races import at_once


@pytest.fixture
def inside(settings: Settings, shops: Shops, clock: Clock) -> Iterator[Inside]:
    """As ever, with a clock that the test holds."""
    with Inside(create_app(settings, clock=clock)) as running:
        yield running


@pytest.fixture
def card(engine: Engine, shops: Shops) -> CardRecord:
    return a_card(engine, shops)


def rows(engine: Engine, table: type[object]) -> int:
    with engine.connect() as conn:
        return conn.scalar(select(func.count()).select_from(table)) or 0


def test_a_page_that_is_fetched_a_hundred_times_counts_nothing(
    stranger: Person, card: CardRecord, engine: Engine
) -> None:
    answers = [stranger.ask("GET", f"/c/{card.token}?s=qr", headers={"User-Agent": PHONE}) for _ in range(100)]
    assert {answer.status_code for answer in answers} == {200}
    assert [rows(engine, table) for table in (CardCount, CardVisitor, DailySalt)] == [0, 0, 0]


def test_who_looks_twice_is_one_visitor_and_two_views(stranger: Person, card: CardRecord, engine: Engine) -> None:
    assert [tell(stranger, card, "view", s="qr").status_code for _ in range(2)] == [204, 204]
    assert counted(engine) == {"view": 2, "visitor": 1}
    tell(stranger, card, "view", s="nfc", agent=OTHER_PHONE)
    assert counted(engine) == {"view": 3, "visitor": 2}


def test_twenty_views_a_day_count(stranger: Person, card: CardRecord, engine: Engine) -> None:
    for number in range(25):
        tell(stranger, card, "view", s="qr" if number % 2 else "nfc")
    assert counted(engine) == {"view": 20, "visitor": 1}


def test_anything_else_counts_once_a_day_for_each_source_and_target(
    stranger: Person, card: CardRecord, engine: Engine
) -> None:
    for _ in range(2):
        tell(stranger, card, "save", s="qr")
        tell(stranger, card, "save", s="receipt")
        tell(stranger, card, "tap", s="qr", t="phone")
        tell(stranger, card, "tap", s="qr", t="linkedin")
        tell(stranger, card, "wallet", t="google")
        tell(stranger, card, "share")
    assert counted(engine) == {
        "save": 2,
        "tap:phone": 1,
        "tap:linkedin": 1,
        "wallet:google": 1,
        "share": 1,
    }
    assert by_source(engine, "save") == {"qr": 1, "receipt": 1}
    assert by_source(engine, "share") == {"link": 1}


def test_what_the_page_tells_of_its_buttons_for_wallets_counts(
    stranger: Person, card: CardRecord, engine: Engine
) -> None:
    page = (ROOT / "templates/card.html").read_text()
    for act, target in re.findall(r'data-act="(\w+)" data-target="(apple|google)"', page):
        tell(stranger, card, act, t=target)
    assert counted(engine) == {"tap:apple": 1, "wallet:google": 1}


def test_what_no_page_tells_does_not_count(stranger: Person, card: CardRecord, engine: Engine) -> None:
    for act, target in (("wallet", "apple"), ("tap", "google"), ("save", "phone")):
        assert tell(stranger, card, act, t=target).status_code == 204
    assert counted(engine) == {}


def test_tomorrow_the_same_person_is_another_and_nobody_can_tell_who_came_today(
    stranger: Person, card: CardRecord, engine: Engine, clock: Clock
) -> None:
    tell(stranger, card, "view")
    with engine.connect() as conn:
        [today, *_] = conn.scalars(select(CardVisitor.visitor).where(CardVisitor.act == "view"))
    clock.pass_by(days=1)
    forgetting.forget_days(engine, now=clock(), stop=lambda: False)
    assert [rows(engine, table) for table in (CardVisitor, DailySalt)] == [0, 0]
    tell(stranger, card, "view")
    assert counted(engine) == {"view": 2, "visitor": 2}
    with engine.connect() as conn:
        assert today not in set(conn.scalars(select(CardVisitor.visitor)))


def test_the_salt_of_yesterday_goes_with_today_s_first_visitor_too(
    stranger: Person, card: CardRecord, engine: Engine, clock: Clock
) -> None:
    tell(stranger, card, "view")
    clock.pass_by(days=1)
    tell(stranger, card, "view")
    with engine.connect() as conn:
        assert list(conn.scalars(select(DailySalt.day))) == [numbers.day_of(clock())]


@on_sqlite
@pytest.mark.parametrize(
    "agent",
    [
        "",
        "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)",
        "facebookexternalhit/1.1",
        "WhatsApp/2.23.20.0",
        "Slackbot-LinkExpanding 1.0",
        "Mozilla/5.0 (X11; Linux x86_64) HeadlessChrome/131.0 Safari/537.36",
        "python-httpx/0.28",
        "curl/8.5.0",
    ],
)
def test_robots_count_nothing(stranger: Person, card: CardRecord, engine: Engine, agent: str) -> None:
    assert tell(stranger, card, "view", agent=agent).status_code == 204
    assert counted(engine) == {}


@on_sqlite
@pytest.mark.parametrize(
    "headers",
    [
        {"Purpose": "prefetch"},
        {"Sec-Purpose": "prefetch;prerender"},
        {"X-Moz": "prefetch"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
    ],
    ids=str,
)
def test_what_is_fetched_ahead_or_by_another_site_counts_nothing(
    stranger: Person, card: CardRecord, engine: Engine, headers: dict[str, str]
) -> None:
    assert tell(stranger, card, "view", headers=headers).status_code == 204
    assert counted(engine) == {}


@on_sqlite
def test_an_older_browser_is_believed_by_its_origin(stranger: Person, card: CardRecord, engine: Engine) -> None:
    for origin in ("https://evil.example", "https://receipts.test", "null"):
        headers = {"User-Agent": PHONE, "Origin": origin}
        stranger.ask("POST", f"/c/{card.token}/beacon", json={"a": "view"}, headers=headers)
    assert counted(engine)["view"] == 2


@on_sqlite
def test_a_telephone_by_cubot_is_no_robot(stranger: Person, card: CardRecord, engine: Engine) -> None:
    tell(stranger, card, "view", agent="Mozilla/5.0 (Linux; Android 13; CUBOT X70) Mobile Safari/537.36")
    assert counted(engine) == {"view": 1, "visitor": 1}


@on_sqlite
@pytest.mark.parametrize(
    "body, status",
    [
        (b'{"a":"exchange"}', 204),
        (b'{"a":"visitor"}', 204),
        (b'{"a":"dance"}', 204),
        (b'{"a":"tap","t":"<script>"}', 204),
        (b'{"a":"save","t":"phone"}', 204),
        (b'{"a":7,"s":[],"t":{},"r":null}', 204),
        (b"[]", 204),
        (b"null", 204),
        (b"{", 400),
        (b"\xff", 400),
        (b"", 400),
        (b'{"a":"view","x":"' + b"x" * 1024 + b'"}', 413),
    ],
)
def test_what_a_page_does_not_tell_counts_nothing(
    stranger: Person, card: CardRecord, engine: Engine, body: bytes, status: int
) -> None:
    answer = stranger.ask("POST", f"/c/{card.token}/beacon", content=body, headers={"User-Agent": PHONE})
    assert (answer.status_code, counted(engine)) == (status, {})


@on_sqlite
def test_only_an_active_card_counts(stranger: Person, card: CardRecord, engine: Engine, clock: Clock) -> None:
    answers = []
    for state in ("paused", "revoked"):
        with engine.begin() as conn:
            manage.set_state(conn, find.one(conn, card.merchant_id, card.id), state, now=clock())
        answers.append(tell(stranger, card, "view").status_code)
    assert (answers, counted(engine)) == ([404, 410], {})


# For a receipt


def test_what_comes_of_a_receipt_s_link_counts_for_it(
    stranger: Person, till: Person, inside: Inside, card: CardRecord, engine: Engine
) -> None:
    receipt = till.post("/v1/receipts", coffee()).json()
    link = from_receipt("", card.token, inside.app.state.house.card_key, receipt["id"])
    mark = link.partition("&r=")[2]
    for _ in range(2):
        tell(stranger, card, "view", s="receipt", r=mark)
        tell(stranger, card, "save", s="receipt", r=mark)
    tell(stranger, card, "share", s="receipt", r=mark[:-2] + "AA")
    with engine.connect() as conn:
        visits = conn.execute(select(CardVisit.receipt_id, CardVisit.act, CardVisit.times)).all()
    assert sorted(map(tuple, visits)) == [(receipt["id"], "save", 1), (receipt["id"], "view", 2)]


# Behind a proxy


def forwarded(person: Person, card: CardRecord, chain: str) -> None:
    tell(person, card, "view", headers={"X-Forwarded-For": chain})


def trusting(inside: Inside, proxies: int) -> None:
    server = inside.app.state.house.settings.server
    inside.app.state.house.settings.server = server.model_copy(update={"trusted_proxies": proxies})


@on_sqlite
def test_behind_a_proxy_visitors_are_told_apart_by_what_it_saw(
    stranger: Person, inside: Inside, card: CardRecord, engine: Engine
) -> None:
    trusting(inside, 1)
    for chain in ("198.51.100.7", "203.0.113.9", "198.51.100.7:4711", "made up, 198.51.100.7"):
        forwarded(stranger, card, chain)
    assert counted(engine) == {"view": 4, "visitor": 2}


@on_sqlite
def test_nobody_s_word_is_taken_where_no_proxy_is_trusted(stranger: Person, card: CardRecord, engine: Engine) -> None:
    for last in range(3):
        forwarded(stranger, card, f"198.51.100.{last}")
    assert counted(engine) == {"view": 3, "visitor": 1}


@on_sqlite
def test_a_chain_that_is_too_short_did_not_come_through_all_proxies(
    stranger: Person, inside: Inside, card: CardRecord, engine: Engine
) -> None:
    trusting(inside, 2)
    for last in range(3):
        forwarded(stranger, card, f"198.51.100.{last}")
    assert counted(engine)["visitor"] == 1


@on_sqlite
def test_a_network_counts_no_more_than_a_shop_s_own_would(stranger: Person, card: CardRecord, engine: Engine) -> None:
    """Whoever changes the name of their browser is another visitor, up to here."""
    tell(stranger, card, "view")
    with engine.begin() as conn:
        network = func.length(CardVisitor.visitor) == 16
        conn.execute(update(CardVisitor).where(network).values(times=499))
    for number in range(5):
        tell(stranger, card, "view", agent=f"{PHONE} {number}")
    assert counted(engine)["view"] == 2
    assert rows(engine, CardVisitor) == 3


@on_sqlite
def test_a_device_that_changes_its_address_within_its_network_stays_in_it(engine: Engine, card: CardRecord) -> None:
    with engine.begin() as conn:
        halves = {
            numbers.visitor_of(conn, card.merchant_id, address, PHONE, card.created_at)[:16]
            for address in ("2001:db8:1:2::7", "2001:db8:1:2:ffff::9", "2001:db8:1:3::7")
        }
    assert len(halves) == 2


def test_a_person_is_another_visitor_at_another_merchant(engine: Engine, shops: Shops, card: CardRecord) -> None:
    with engine.begin() as conn:
        both = {
            numbers.visitor_of(conn, merchant, "198.51.100.7", PHONE, card.created_at)
            for merchant in (shops.linden, shops.moor)
        }
    assert len(both) == 2


# At once


def save(engine: Engine, card: CardRecord, person: int) -> bool:
    with engine.begin() as conn:
        visitor = numbers.visitor_of(conn, card.merchant_id, f"198.51.100.{person}", PHONE, card.created_at)
        return numbers.count(conn, card, "save", source="qr", visitor=visitor, receipt_id=None, now=card.created_at)


def test_of_many_who_tell_the_same_at_once_one_counts(engine: Engine, card: CardRecord) -> None:
    assert sum(at_once(16, lambda _: save(engine, card, 7))) == 1
    assert counted(engine) == {"save": 1}


def test_all_of_many_visitors_at_once_count(engine: Engine, card: CardRecord) -> None:
    assert sum(at_once(16, lambda index: save(engine, card, index))) == 16
    assert (counted(engine), rows(engine, DailySalt)) == ({"save": 16}, 1)


def one_more_unguarded(conn: Connection, table: Any, row: dict[str, Any]) -> None:
    """The guard off: it reads how often, and then writes one more."""
    named = {column.name: row[column.name] for column in table.__table__.primary_key}
    times = conn.scalar(select(table.times).filter_by(**named))
    sleep(0.05)
    if times is None:
        conn.execute(table.__table__.insert().values(row | {"times": 1}))
    else:
        conn.execute(update(table).filter_by(**named).values(times=times + 1))


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
def test_without_the_upsert_some_would_be_lost(
    engine: Engine, card: CardRecord, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The control. SQLite lets one transaction write at a time."""
    save(engine, card, 99)
    monkeypatch.setattr(numbers, "_one_more", one_more_unguarded)
    at_once(8, lambda index: save(engine, card, index))
    assert counted(engine)["save"] < 9
