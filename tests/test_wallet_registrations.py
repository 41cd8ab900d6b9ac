"""Phones register for a pass, move, and drop it; how many may, and what those hear that come late."""

from datetime import datetime, timedelta
from time import sleep
from typing import Any, Final

import pytest
from sqlalchemy import Connection, Engine, insert, select

from cards import forgetting, wallets
from cards.find import CardRecord
from cards.tables import CardCount, CardVisitor, PassRegistration
from cards.wallets import PUSH, Change, Device, Held
from infra.jobs import tally
from infra.settings import Settings
from kernel.clock import utc_now
from tests.support.apns import PushServer
from tests.support.apple import Apple
from tests.support.authority import PASS_TYPE
from tests.support.inside import Inside, Person
from tests.support.phone import Phone
from tests.support.phones import path_of, pushes_waiting, registrations
from tests.support.sales import coffee
from tests.support.shops import Shops
from tests.support.waiting import wait_until
from tests.support.wallets import changed, told
from tests.test_races import at_once
from worker.passes import push_passes
from worker.work import working
from worker.workshop import Workshop

REGISTRATIONS: Final = f"/wallet/v1/devices/phone/registrations/{PASS_TYPE}"


@pytest.fixture
def settings(settings: Settings, its: Apple, push: PushServer) -> Settings:
    return its.settings(settings, apple_push_url=push.url)


@pytest.fixture
def phone(inside: Inside) -> Phone:
    return Phone(inside)


def test_a_phone_that_is_known_is_answered_so_and_may_have_moved(
    engine: Engine, phone: Phone, card: CardRecord
) -> None:
    held = phone.take(path_of(card))
    assert phone.register(held).status_code == 201
    phone.push_token = "cd" * 32
    assert phone.register(held).status_code == 200
    with engine.connect() as conn:
        found = wallets.held(conn, Change(card.merchant_id, serial=card.id), after="", limit=10)
    assert found == [Held(card.id, phone.device, "cd" * 32)]


def test_a_phone_that_has_moved_has_moved_with_all_its_passes_and_no_other_phone(
    engine: Engine, phone: Phone, card: CardRecord, till: Person, shops: Shops, inside: Inside
) -> None:
    receipt, held = till.post("/v1/receipts", coffee()).json(), phone.take(path_of(card))
    phone.register(held)
    Phone(inside, device="another-phone", push_token="ef" * 32).register(held)
    phone.push_token = "cd" * 32
    phone.register(phone.take(f"/r/{receipt['token']}.pkpass"))
    with engine.connect() as conn:
        found = conn.execute(select(PassRegistration.device, PassRegistration.push_token)).all()
    assert sorted(map(tuple, found)) == sorted(
        [(phone.device, "cd" * 32), (phone.device, "cd" * 32), ("another-phone", "ef" * 32)]
    )


def test_a_phone_that_drops_the_pass_hears_nothing_more(engine: Engine, phone: Phone, card: CardRecord) -> None:
    held = phone.take(path_of(card))
    phone.register(held)
    assert phone.unregister(held).status_code == 200
    assert phone.unregister(held).status_code == 200
    assert registrations(engine) == 0
    assert phone.ask_what_changed(PASS_TYPE) == []


def test_phones_are_forgotten_with_the_receipt(engine: Engine, phone: Phone, till: Person, shops: Shops) -> None:
    receipt = till.post("/v1/receipts", coffee()).json()
    phone.register(phone.take(f"/r/{receipt['token']}.pkpass"))
    with engine.begin() as conn:
        forgetting.forget_receipts(conn, shops.linden, [receipt["id"]])
    assert registrations(engine) == 0


@pytest.mark.parametrize("body", [{}, [], {"pushToken": 7}, {"pushToken": "a" * 201}, {"pushToken": "a\nb"}])
def test_a_push_token_that_is_none_is_refused(inside: Inside, phone: Phone, card: CardRecord, body: Any) -> None:
    held = phone.take(path_of(card))
    token = {"Authorization": f"ApplePass {held.content['authenticationToken']}"}
    answer = inside.request("POST", f"{REGISTRATIONS}/{card.id}", json=body, headers=token)
    assert answer.status_code == 400


def test_a_new_phone_counts_as_one_that_took_the_card_into_its_wallet(
    engine: Engine, phone: Phone, card: CardRecord
) -> None:
    held = phone.take(path_of(card))
    phone.register(held)
    phone.unregister(held)
    phone.register(held)
    with engine.connect() as conn:
        found = conn.execute(select(CardCount.act, CardCount.source, CardCount.times)).all()
    assert [tuple(row) for row in found] == [("wallet", "wallet", 1)]


def test_phones_that_register_are_limited_by_their_network_and_not_by_what_they_call_themselves(
    engine: Engine, phone: Phone, card: CardRecord
) -> None:
    held = phone.take(path_of(card))
    for phone.device in ("one", "another"):
        phone.register(held)
    of_wallets = select(CardVisitor.visitor).where(CardVisitor.act == "wallet", CardVisitor.source == "wallet")
    with engine.connect() as conn:
        one, another = conn.scalars(of_wallets)
    assert one != another
    assert one[:16] == another[:16]


def test_only_so_many_phones_are_new_to_a_pass_within_a_day(
    engine: Engine, phone: Phone, card: CardRecord, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(wallets, "_MOST_A_DAY", 2)
    with engine.begin() as conn:
        for days, name in ((6, "oldest"), (4, "older"), (2, "old")):
            then = utc_now() - timedelta(days=days)
            wallets.register(conn, card.merchant_id, card.id, Device(name, "ab"), now=then)
    held = phone.take(path_of(card))
    answers = {}
    for phone.device in ("one", "two", "three", "two"):
        answers[phone.device] = phone.register(held).status_code
    assert answers == {"one": 201, "two": 200, "three": 429}
    assert registrations(engine) == 5


@pytest.mark.usefixtures("prompt")
@pytest.mark.parametrize("state", ["paused", "revoked"])
def test_a_phone_that_took_a_card_which_was_put_away_since_hears_of_it_and_is_not_counted(
    engine: Engine,
    settings: Settings,
    phone: Phone,
    card: CardRecord,
    push: PushServer,
    state: str,
    shop: Workshop,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(wallets, "_UNSEEN", 0.1)
    held = phone.take(path_of(card))
    changed(engine, shop, card, state=state)
    assert pushes_waiting(engine) == 0
    assert phone.register(held).status_code == 201
    with working(settings):
        wait_until(lambda: push.taken)
    assert push.tokens() == [phone.push_token]
    assert phone.ask_what_changed(PASS_TYPE) == [card.id]
    phone.fetch(held)
    assert phone.opened(card.id).content["voided"] is True
    with engine.connect() as conn:
        assert conn.execute(select(CardCount.act)).all() == []


def test_a_phone_is_told_once_that_it_is_new_and_no_other_with_it(
    engine: Engine, phone: Phone, card: CardRecord, push: PushServer, inside: Inside, shop: Workshop
) -> None:
    held = phone.take(path_of(card))
    phone.register(held)
    phone.register(held)
    another = Phone(inside, device="another-phone", push_token="ef" * 32)
    another.register(held)
    with engine.connect() as conn:
        assert tally(conn)[PUSH].delayed == 2
    push_passes(shop, "job", told(card) | {"device": another.device})
    assert push.tokens() == [another.push_token]


def test_a_phone_that_registers_from_two_places_at_once_is_one(engine: Engine, phone: Phone, card: CardRecord) -> None:
    held = phone.take(path_of(card))
    answers = at_once(8, lambda _: phone.register(held).status_code)
    assert sorted(answers) == [200] * 7 + [201]
    assert registrations(engine) == 1


def register_unguarded(conn: Connection, merchant_id: str, serial: str, device: Device, *, now: datetime) -> bool:
    """The guard off: it looks whether the phone is known, and then writes it down."""
    named = {"device": device.id, "serial": serial}
    known = conn.scalar(select(PassRegistration.serial).filter_by(**named))
    sleep(0.1)
    if known is None:
        row = {"merchant_id": merchant_id, "push_token": device.push_token, "registered_at": now}
        conn.execute(insert(PassRegistration).values(named | row))
    return known is None


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
def test_without_the_guard_most_of_its_requests_would_be_told_to_try_again(
    phone: Phone, card: CardRecord, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The control. SQLite lets one transaction write at a time."""
    held = phone.take(path_of(card))
    monkeypatch.setattr(wallets, "register", register_unguarded)
    assert 503 in at_once(8, lambda _: phone.register(held).status_code)
