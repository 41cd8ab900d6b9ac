"""A phone with a pass hears that it changed, asks what did, and fetches it: Apple's web service."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import Engine
from structlog.testing import capture_logs

from api.wallets import last_modified
from cards import manage, wallets
from cards.find import CardRecord
from cards.template import Template
from infra.settings import Settings
from infra.storage import open_storage
from kernel.clock import utc_now
from tests.support.apns import PushServer
from tests.support.apple import Apple
from tests.support.authority import PASS_TYPE
from tests.support.inside import Inside, Person
from tests.support.pass_checker import faults
from tests.support.pdf import a_square
from tests.support.phone import Phone
from tests.support.phones import path_of, pushes_waiting, registrations
from tests.support.sales import coffee, refund
from tests.support.shops import Shops
from tests.support.waiting import wait_until
from tests.support.wallets import changed, told
from worker.passes import push_passes
from worker.work import working
from worker.workshop import Workshop


@pytest.fixture
def settings(settings: Settings, its: Apple, push: PushServer) -> Settings:
    return its.settings(settings, apple_push_url=push.url)


@pytest.fixture
def phone(inside: Inside) -> Phone:
    return Phone(inside)


# --- the way of a change


@pytest.mark.usefixtures("prompt")
def test_a_phone_hears_of_a_change_asks_what_it_was_and_fetches_it(
    engine: Engine, settings: Settings, phone: Phone, card: CardRecord, push: PushServer, its: Apple
) -> None:
    held = phone.take(path_of(card))
    assert phone.register(held).status_code == 201
    assert phone.ask_what_changed(PASS_TYPE) == [card.id]
    with working(settings) as shop:
        changed(engine, shop, card, photo_key=None)
        wait_until(lambda: push.taken)
    assert [(each.token, each.topic, each.payload) for each in push.taken] == [(phone.push_token, PASS_TYPE, b"{}")]
    assert phone.ask_what_changed(PASS_TYPE) == [card.id]
    assert phone.fetch(held).status_code == 200
    assert faults(phone.held[card.id][0], root=its.root) == []


def test_a_card_that_is_revoked_is_pushed_and_its_pass_crossed_out(
    engine: Engine, shop: Workshop, phone: Phone, card: CardRecord, push: PushServer, inside: Inside
) -> None:
    held = phone.take(path_of(card))
    assert held.content["voided"] is False
    phone.register(held)
    changed(engine, shop, card, state="revoked")
    assert pushes_waiting(engine) == 1
    push_passes(shop, "job", told(card))
    assert push.tokens() == [phone.push_token]
    phone.fetch(held)
    assert phone.opened(card.id).content["voided"] is True
    assert inside.request("GET", path_of(card)).status_code == 410


def test_a_card_that_is_paused_is_crossed_out_and_comes_back(
    engine: Engine, shop: Workshop, phone: Phone, card: CardRecord, inside: Inside
) -> None:
    held = phone.take(path_of(card))
    card = changed(engine, shop, card, state="paused")
    assert inside.request("GET", path_of(card)).status_code == 404
    phone.fetch(held)
    assert phone.opened(card.id).content["voided"] is True
    changed(engine, shop, card, state="active")
    phone.fetch(held)
    assert phone.opened(card.id).content["voided"] is False


@pytest.mark.parametrize("state", ["paused", "revoked"])
def test_the_pass_of_a_card_that_is_put_away_tells_nothing_of_the_person_but_the_name(
    engine: Engine, shop: Workshop, phone: Phone, card: CardRecord, settings: Settings, its: Apple, state: str
) -> None:
    key = "photos/ab/" + "ab" * 32 + ".jpg"
    open_storage(settings.data).put(key, a_square("red"))
    card = changed(engine, shop, card, photo_key=key)
    held = phone.take(path_of(card))
    assert "thumbnail.png" in held.names
    changed(engine, shop, card, state=state)
    phone.fetch(held)
    now = phone.opened(card.id)
    assert faults(phone.held[card.id][0], root=its.root) == []
    assert {key: field["value"] for key, field in now.fields().items()} == {
        "name": "Dr. Emma Lind",
        "organisation": "Linden & Rye",
    }
    assert not [name for name in now.names if "thumbnail" in name]
    file = str(now.content) + str(now.strings())
    for detail in ("5550 1234", "151 1234567", "@", "linkedin", "Torstraße", "book", "baker", "Bäcker", "Rowing"):
        assert detail not in file


def test_a_change_of_the_template_is_told_to_all_cards_of_the_brand_by_one_job(
    engine: Engine, shop: Workshop, phone: Phone, card: CardRecord, push: PushServer
) -> None:
    held = phone.take(path_of(card))
    phone.register(held)
    with engine.begin() as conn:
        now = utc_now()
        brand = manage.put_template(conn, card.merchant_id, "linden-rye", Template(organisation="L & R"), now=now)
        assert brand is not None
        wallets.tell_wallets_of_brand(conn, shop.jobs, card.merchant_id, brand, now=now)
    assert pushes_waiting(engine) == 1
    push_passes(shop, "job", {"merchant": card.merchant_id, "brand": brand})
    assert push.tokens() == [phone.push_token]
    phone.fetch(held)
    assert phone.opened(card.id).fields()["organisation"]["value"] == "L & R"


def test_a_receipt_whose_goods_went_back_is_pushed_and_says_so(
    engine: Engine, till: Person, shop: Workshop, shops: Shops, phone: Phone, push: PushServer, its: Apple
) -> None:
    receipt = till.post("/v1/receipts", coffee()).json()
    held = phone.take(f"/r/{receipt['token']}.pkpass")
    assert faults(phone.held[receipt["id"]][0], root=its.root) == []
    assert "state" not in held.fields()
    phone.register(held)
    assert till.post("/v1/receipts", refund(receipt["id"])).status_code == 201
    assert pushes_waiting(engine) == 1
    push_passes(shop, "job", {"merchant": shops.linden, "serial": receipt["id"]})
    assert push.tokens() == [phone.push_token]
    assert phone.ask_what_changed(PASS_TYPE) == [receipt["id"]]
    phone.fetch(held)
    assert phone.opened(receipt["id"]).fields()["state"]["value"] == "Erstattet"


def test_nothing_is_enqueued_where_no_phone_has_the_pass(
    engine: Engine, shop: Workshop, card: CardRecord, till: Person
) -> None:
    changed(engine, shop, card, state="paused")
    receipt = till.post("/v1/receipts", coffee()).json()
    till.post("/v1/receipts", refund(receipt["id"]))
    assert pushes_waiting(engine) == 0


def test_a_change_that_is_rolled_back_tells_nobody(
    engine: Engine, shop: Workshop, phone: Phone, card: CardRecord
) -> None:
    phone.register(phone.take(path_of(card)))
    with engine.connect() as conn:
        wallets.tell_wallets(conn, shop.jobs, card, now=utc_now())
        conn.rollback()
    assert pushes_waiting(engine) == 0


# --- asking, and who may


def test_what_did_not_change_since_is_not_told(
    engine: Engine, shop: Workshop, phone: Phone, card: CardRecord, till: Person
) -> None:
    receipt = till.post("/v1/receipts", coffee()).json()
    phone.register(phone.take(path_of(card)))
    phone.register(phone.take(f"/r/{receipt['token']}.pkpass"))
    assert phone.ask_what_changed(PASS_TYPE) == sorted([card.id, receipt["id"]])
    # The receipt is of a moment ago, and told once more; the card is not.
    assert phone.ask_what_changed(PASS_TYPE) == [receipt["id"]]
    changed(engine, shop, card, photo_key=None)
    assert card.id in phone.ask_what_changed(PASS_TYPE)


def test_a_token_of_another_pass_opens_nothing(engine: Engine, phone: Phone, card: CardRecord, till: Person) -> None:
    held = phone.take(path_of(card))
    phone.register(held)
    receipt = till.post("/v1/receipts", coffee()).json()
    held.content["authenticationToken"] = phone.take(f"/r/{receipt['token']}.pkpass").content["authenticationToken"]
    assert phone.register(held).status_code == 401
    assert phone.unregister(held).status_code == 401
    assert phone.fetch(held).status_code == 401
    assert registrations(engine) == 1


@pytest.mark.parametrize(
    "authorization", ["", "ApplePass", "ApplePass ", "Bearer {}", "ApplePass {}x", "ApplePass \xe9"]
)
def test_without_the_token_nothing_is_told(inside: Inside, phone: Phone, card: CardRecord, authorization: str) -> None:
    held = phone.take(path_of(card))
    told = authorization.format(held.content["authenticationToken"])
    path = f"/wallet/v1/passes/{PASS_TYPE}/{card.id}"
    assert inside.request("GET", path, headers={"Authorization": told.encode("latin-1")}).status_code == 401


def test_a_phone_is_told_of_its_own_passes_only(phone: Phone, card: CardRecord, inside: Inside) -> None:
    phone.register(phone.take(path_of(card)))
    assert Phone(inside, device="another-phone").ask_what_changed(PASS_TYPE) == []


def test_passes_of_another_type_are_not_here(inside: Inside, card: CardRecord) -> None:
    assert inside.request("GET", f"/wallet/v1/passes/pass.other/{card.id}").status_code == 404
    assert inside.request("GET", "/wallet/v1/devices/phone/registrations/pass.other").status_code == 404


@pytest.mark.parametrize("tag", ["yesterday", "-1", "9" * 17, "9" * 40, "2026-11-21T10:00:00Z", "%00"])
def test_a_tag_that_is_none_of_ours_is_answered(phone: Phone, card: CardRecord, tag: str) -> None:
    phone.register(phone.take(path_of(card)))
    phone.tag = tag
    assert phone.ask_what_changed(PASS_TYPE) in ([card.id], [])


def test_a_pass_that_the_phone_has_is_not_sent_again(phone: Phone, card: CardRecord) -> None:
    held = phone.take(path_of(card))
    answer = phone.fetch(held)
    assert (answer.status_code, answer.content) == (304, b"")
    assert phone.fetch(held, is_conditional=False).status_code == 200


@pytest.mark.parametrize(
    "since",
    [
        "yesterday",
        f"Sat, {'9' * 20} Nov 2026 08:00:00 GMT",
        f"Sat, 28 Nov {'9' * 20} 08:00:00 GMT",
        f"Sat, 28 Nov 2026 {'9' * 20}:00:00 GMT",
        f"Sat, 28 Nov 2026 08:00:00 +{'9' * 20}",
    ],
)
def test_a_time_that_is_none_is_as_none(phone: Phone, card: CardRecord, since: str) -> None:
    held = phone.take(path_of(card))
    phone.held[card.id] = (phone.held[card.id][0], since)
    assert phone.fetch(held).status_code == 200


@pytest.mark.parametrize(
    "since, status", [("Mon, 01 Jan 0001 00:00:00 +2359", 200), ("Fri, 31 Dec 9999 23:59:59 -2359", 304)]
)
def test_a_time_at_an_end_of_the_calendar_is_compared(phone: Phone, card: CardRecord, since: str, status: int) -> None:
    held = phone.take(path_of(card))
    phone.held[card.id] = (phone.held[card.id][0], since)
    assert phone.fetch(held).status_code == status


def test_a_phone_that_came_between_two_changes_within_a_second_gets_the_second(
    engine: Engine, shop: Workshop, phone: Phone, card: CardRecord
) -> None:
    """Times of HTTP have no parts of a second."""
    card = changed(engine, shop, card, photo_key=None)
    held = phone.take(path_of(card))
    changed(engine, shop, card, state="paused")
    assert phone.fetch(held).status_code == 200
    assert phone.opened(card.id).content["voided"] is True


def test_until_a_second_is_over_a_pass_is_said_to_be_older() -> None:
    moment = datetime(2026, 11, 28, 8, 0, 0, 400_000, tzinfo=UTC)
    second = moment.replace(microsecond=0)
    assert last_modified(moment, moment + timedelta(milliseconds=100)) < second
    assert last_modified(moment, moment + timedelta(seconds=3)) == second


def test_what_phones_complain_of_is_logged_short_and_on_one_line(inside: Inside) -> None:
    lines = ["bad\r\nresponse\x1b[31m", "x" * 10_000, *["more"] * 50]
    with capture_logs() as logged:
        assert inside.request("POST", "/wallet/v1/log", json={"logs": lines}).status_code == 200
    said = [(each["log_level"], each["lines"]) for each in logged if each["event"] == "wallet_said"]
    assert said == [("info", ["bad response [31m", "x" * 500, *["more"] * 3])]


@pytest.mark.parametrize("body", [{}, [], {"logs": "text"}])
def test_logs_that_are_no_lines_are_refused(inside: Inside, body: Any) -> None:
    assert inside.request("POST", "/wallet/v1/log", json=body).status_code == 400
