"""A card goes into Google Wallet by an object that is made first and a short link, and hears of changes."""

from collections.abc import Iterator
from itertools import cycle
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from sqlalchemy import Engine, select

from api.wallets import buttons
from cards import google as objects
from cards import manage, wallets
from cards.find import CardRecord, one
from cards.profile import write
from cards.tables import GoogleObject
from cards.wallets import GOOGLE
from infra import google_wallet
from infra.google_wallet import SAVE, GoogleWalletDown, GoogleWalletRefused, read_account
from infra.jobs import tally
from infra.settings import Settings
from kernel.clock import utc_now
from tests.support.apple import with_wallet
from tests.support.cards import a_card, profile
from tests.support.google_wallet import EMAIL, ISSUER, Google
from tests.support.inside import Inside, on_sqlite
from tests.support.shops import Shops
from tests.support.waiting import wait_until
from tests.support.workshop import Clock, Postman, workshop
from tests.test_races import at_once
from worker.google import write_objects
from worker.work import working
from worker.workshop import Workshop

LONGEST = 1_800
CLASSES = "/walletobjects/v1/genericClass"


@pytest.fixture
def google() -> Iterator[Google]:
    with Google() as server:
        yield server


@pytest.fixture
def settings(settings: Settings, google: Google, tmp_path: Path) -> Settings:
    return with_wallet(settings, google.settings(tmp_path))


@pytest.fixture
def card(engine: Engine, shops: Shops) -> CardRecord:
    return a_card(engine, shops)


@pytest.fixture
def shop(settings: Settings) -> Iterator[Workshop]:
    with workshop(settings, Postman(), Clock()) as opened:
        yield opened


def taken(inside: Inside, card: CardRecord) -> str:
    """Where the button leads."""
    answer = inside.request("POST", f"/c/{card.token}/google")
    assert answer.status_code == 303, answer.text
    return str(answer.headers["location"])


def object_of(google: Google, card: CardRecord) -> Any:
    return google.objects[f"{ISSUER}.{card.id}"]


def changed(engine: Engine, shop: Workshop, card: CardRecord, **values: Any) -> CardRecord:
    with engine.begin() as conn:
        now = utc_now()
        manage.change(conn, card, now=now, **values)
        wallets.tell_wallets(conn, shop.jobs, card, now=now)
        return one(conn, card.merchant_id, card.id)


def waiting(engine: Engine) -> int:
    with engine.connect() as conn:
        found = tally(conn).get(GOOGLE)
    return found.waiting + found.delayed if found else 0


def told(card: CardRecord) -> dict[str, Any]:
    return {"merchant": card.merchant_id, "serial": card.id}


def test_the_button_makes_the_object_and_leads_to_where_it_is_taken(
    inside: Inside, google: Google, card: CardRecord
) -> None:
    address = taken(inside, card)
    assert address.startswith(SAVE)
    assert urlsplit(address).netloc == "pay.google.com"
    claims = google.read(address.removeprefix(SAVE), "google")
    assert (claims["iss"], claims["typ"], claims["origins"]) == (EMAIL, "savetowallet", ["https://receipts.test"])
    [named] = claims["payload"]["genericObjects"]
    assert google.objects[named["id"]]["classId"] == named["classId"]
    assert named["classId"] in google.classes


def test_the_object_says_what_the_card_says(inside: Inside, google: Google, card: CardRecord) -> None:
    taken(inside, card)
    made = object_of(google, card)
    assert made["state"] == "ACTIVE"
    assert made["header"]["defaultValue"] == {"language": "en", "value": "Dr. Emma Lind"}
    assert made["subheader"]["translatedValues"] == [{"language": "de", "value": "Bäckermeisterin"}]
    assert made["barcode"]["value"] == f"https://receipts.test/c/{card.token}?s=wallet"
    assert {"id": "phone", "header": "Phone", "body": "+49 30 5550 1234\n+49 151 1234567"} in made["textModulesData"]
    assert all(each["uri"].startswith("https://") for each in made["linksModuleData"]["uris"])


def test_the_link_is_short_however_much_the_card_says(
    inside: Inside, engine: Engine, shops: Shops, google: Google
) -> None:
    many = [{"url": f"https://linden-rye.example/{number:03}" + "x" * 300} for number in range(20)]
    card = a_card(engine, shops, description="x" * 2000, links=many, name="Emma " + "Lind" * 70)
    assert len(taken(inside, card)) <= LONGEST


def test_the_button_pressed_again_changes_the_same_object(
    inside: Inside, google: Google, card: CardRecord, engine: Engine
) -> None:
    taken(inside, card)
    taken(inside, card)
    assert len(google.objects) == 1
    assert len(google.tokens) == 1
    with engine.connect() as conn:
        assert conn.scalars(select(GoogleObject.card_id)).all() == [card.id]


def test_a_button_that_is_pressed_again_asks_google_only_where_the_card_was_changed(
    inside: Inside, google: Google, card: CardRecord, engine: Engine, shop: Workshop
) -> None:
    taken(inside, card)
    google.asked.clear()
    assert taken(inside, card).startswith(SAVE)
    assert google.asked == []
    card = changed(engine, shop, card, photo_key="photos/ab/" + "ab" * 32 + ".jpg")
    taken(inside, card)
    assert len(google.asked) == 1
    assert "heroImage" in object_of(google, card)


def test_what_google_did_not_take_is_written_when_the_button_is_pressed_again(
    inside: Inside, google: Google, engine: Engine, shops: Shops, card: CardRecord
) -> None:
    # So that there is a token already.
    taken(inside, a_card(engine, shops, "ben"))
    google.broken = 503
    assert inside.request("POST", f"/c/{card.token}/google").status_code == 503
    google.broken = 0
    taken(inside, card)
    assert object_of(google, card)["state"] == "ACTIVE"


def test_a_form_of_another_site_asks_google_nothing(inside: Inside, google: Google, card: CardRecord) -> None:
    elsewhere = {"Sec-Fetch-Site": "cross-site"}
    assert inside.request("POST", f"/c/{card.token}/google", headers=elsewhere).status_code == 403
    assert google.asked == []


def test_google_is_asked_once_for_each_change_over_one_connection(
    inside: Inside, google: Google, engine: Engine, shops: Shops, shop: Workshop
) -> None:
    cards = [a_card(engine, shops), a_card(engine, shops, "ben")]
    for card in cards:
        taken(inside, card)
    assert google.connections == 1
    google.asked.clear()
    write_objects(shop, "job", {"merchant": shops.linden, "brand": cards[0].look.id})
    ids = [f"{ISSUER}.{card_id}" for card_id in sorted(card.id for card in cards)]
    [token, made, *written] = google.asked
    assert (token, made.split()[0]) == ("POST /token", "POST")
    assert made.endswith("/genericClass")
    assert written == [f"PUT /walletobjects/v1/genericObject/{each}" for each in ids]
    assert google.connections == 2


def test_an_object_that_another_makes_meanwhile_is_changed(inside: Inside, google: Google, card: CardRecord) -> None:
    google.is_made_meanwhile = True
    taken(inside, card)
    assert object_of(google, card)["state"] == "ACTIVE"
    assert [each.split()[0] for each in google.asked[-3:]] == ["PUT", "POST", "PUT"]


@pytest.mark.parametrize("state, shown", [("paused", "INACTIVE"), ("revoked", "EXPIRED")])
def test_a_card_that_is_put_away_is_put_away_there_too(
    inside: Inside, google: Google, card: CardRecord, engine: Engine, shop: Workshop, state: str, shown: str
) -> None:
    taken(inside, card)
    changed(engine, shop, card, state=state)
    write_objects(shop, "job", told(card))
    assert object_of(google, card)["state"] == shown
    assert inside.request("POST", f"/c/{card.token}/google").status_code == (410 if state == "revoked" else 404)


@pytest.mark.parametrize("state", ["paused", "revoked"])
def test_what_a_card_that_is_put_away_told_of_a_person_is_gone_there(
    inside: Inside, google: Google, card: CardRecord, engine: Engine, shop: Workshop, state: str
) -> None:
    card = changed(engine, shop, card, photo_key="photos/ab/" + "ab" * 32 + ".jpg")
    taken(inside, card)
    assert {"heroImage", "subheader", "textModulesData", "linksModuleData"} <= set(object_of(google, card))
    changed(engine, shop, card, state=state)
    write_objects(shop, "job", told(card))
    made = object_of(google, card)
    assert set(made) == {"id", "classId", "state", "cardTitle", "header", "hexBackgroundColor", "barcode"}
    assert (made["header"]["defaultValue"]["value"], made["cardTitle"]["defaultValue"]["value"]) == (
        "Dr. Emma Lind",
        "Linden & Rye",
    )


def test_what_is_taken_off_a_card_is_gone_there(
    inside: Inside, google: Google, engine: Engine, shops: Shops, shop: Workshop
) -> None:
    card = a_card(engine, shops, translations={"de": {"title": "Bäckermeisterin", "description": "Sauerteig"}})
    card = changed(engine, shop, card, photo_key="photos/ab/" + "ab" * 32 + ".jpg")
    taken(inside, card)
    assert {"heroImage", "subheader"} <= set(object_of(google, card))
    assert "translatedValues" in object_of(google, card)["subheader"]
    card = changed(engine, shop, card, profile=write(profile(translations={})))
    write_objects(shop, "job", told(card))
    assert set(object_of(google, card)["subheader"]) == {"defaultValue"}
    changed(engine, shop, card, photo_key=None, profile=write(profile(title=None, translations={}, description=None)))
    write_objects(shop, "job", told(card))
    made = object_of(google, card)
    assert not {"heroImage", "subheader"} & set(made)
    assert "about" not in [each["id"] for each in made["textModulesData"]]


@on_sqlite
def test_a_worker_writes_the_object_anew(
    inside: Inside, google: Google, card: CardRecord, engine: Engine, settings: Settings
) -> None:
    taken(inside, card)
    with working(settings) as shop:
        changed(engine, shop, card, state="paused")
        wait_until(lambda: object_of(google, card)["state"] == "INACTIVE")


def test_a_card_that_nobody_took_makes_no_job(engine: Engine, card: CardRecord, shop: Workshop) -> None:
    changed(engine, shop, card, state="paused")
    with engine.connect() as conn:
        assert GOOGLE not in tally(conn)


@pytest.mark.parametrize("status", [500, 503, 429, 403])
def test_while_google_is_away_the_button_says_so_and_when_to_try_again(
    inside: Inside, google: Google, card: CardRecord, status: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(google_wallet, "_PAUSE", 0.0)
    google.broken = status
    answer = inside.request("POST", f"/c/{card.token}/google")
    assert answer.status_code == 503
    assert answer.headers["retry-after"] == "30"
    assert answer.json()["type"] == "urn:counterfoil:problem:google-wallet-down"
    google.broken = 0
    assert taken(inside, card)


def test_while_google_is_away_the_job_is_tried_again(
    inside: Inside, google: Google, card: CardRecord, shop: Workshop, engine: Engine
) -> None:
    taken(inside, card)
    google.broken = 503
    changed(engine, shop, card, state="paused")
    with pytest.raises(GoogleWalletDown, match="503"):
        write_objects(shop, "job", told(card))
    google.broken = 0
    write_objects(shop, "job", told(card))
    assert object_of(google, card)["state"] == "INACTIVE"


def test_a_card_that_google_refuses_keeps_no_other_from_being_written(
    inside: Inside, google: Google, engine: Engine, shops: Shops, shop: Workshop, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, *others = sorted(
        (a_card(engine, shops, staff) for staff in ("emma", "ben", "cem")), key=lambda each: each.id
    )
    monkeypatch.setattr("worker.google._AT_ONCE", 2)
    for card in (first, *others):
        taken(inside, card)
        changed(engine, shop, card, state="paused")
    google.refused.add(f"{ISSUER}.{first.id}")
    brand = {"merchant": shops.linden, "brand": first.look.id}
    with pytest.raises(GoogleWalletRefused, match="400"):
        write_objects(shop, "job", brand)
    write_objects(shop, "job>", brand | {"after": others[0].id})
    assert [object_of(google, card)["state"] for card in (first, *others)] == ["ACTIVE", "INACTIVE", "INACTIVE"]
    assert waiting(engine) == 4


@pytest.mark.parametrize("status", [500, 429, 403])
def test_while_google_is_away_no_other_card_is_tried(
    inside: Inside,
    google: Google,
    engine: Engine,
    shops: Shops,
    shop: Workshop,
    status: int,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    cards = [a_card(engine, shops), a_card(engine, shops, "ben")]
    for card in cards:
        taken(inside, card)
    google.asked.clear()
    monkeypatch.setattr(Google, "rest", lambda *_: (status, {}))
    with pytest.raises(GoogleWalletDown, match=str(status)):
        write_objects(shop, "job", {"merchant": shops.linden, "brand": cards[0].look.id})
    assert google.asked == ["POST /token", f"POST {CLASSES}"]
    assert waiting(engine) == 0


def test_a_worker_that_shall_end_leaves_the_other_cards_to_another_job(
    inside: Inside, google: Google, engine: Engine, shops: Shops, shop: Workshop
) -> None:
    cards = [a_card(engine, shops), a_card(engine, shops, "ben")]
    for card in cards:
        taken(inside, card)
    google.asked.clear()
    shop.ended.set()
    write_objects(shop, "job", {"merchant": shops.linden, "brand": cards[0].look.id})
    assert len([each for each in google.asked if each.startswith("PUT ")]) == 1
    assert waiting(engine) == 1


def test_a_token_that_google_takes_no_more_is_asked_for_anew(
    inside: Inside, google: Google, engine: Engine, shops: Shops, card: CardRecord
) -> None:
    taken(inside, card)
    google.tokens[0] = "ya29.withdrawn"
    assert taken(inside, a_card(engine, shops, "ben"))
    assert len(google.tokens) == 2


@on_sqlite
def test_google_that_takes_no_token_is_asked_twice(
    inside: Inside, google: Google, card: CardRecord, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Google, "rest", lambda *_: (401, {}))
    assert inside.request("POST", f"/c/{card.token}/google").status_code == 503
    assert [each.split()[1] for each in google.asked] == ["/token", CLASSES, "/token", CLASSES]


@on_sqlite
def test_while_googles_accounts_do_not_answer_one_of_many_waits_for_them(
    inside: Inside, google: Google, card: CardRecord, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(google_wallet, "_SECONDS", 0.5)
    google.accounts_wait = 1.5
    answers = at_once(8, lambda _: inside.request("POST", f"/c/{card.token}/google").status_code)
    assert answers == [503] * 8
    assert google.asked == ["POST /token"]
    google.accounts_wait = 0
    monkeypatch.setattr(google_wallet, "_PAUSE", 0.0)
    assert taken(inside, card)


def test_a_change_that_comes_while_the_object_is_made_is_not_lost(
    inside: Inside, google: Google, card: CardRecord, engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is revoked after it was read, and before the object is written: the last word is the newest."""
    write = objects.write

    def late(*args: Any, **named: Any) -> None:
        if args[1].is_active:
            with engine.begin() as conn:
                manage.set_state(conn, card, "revoked", now=utc_now())
        write(*args, **named)

    monkeypatch.setattr(objects, "write", late)
    taken(inside, card)
    assert object_of(google, card)["state"] == "EXPIRED"


def test_of_two_workers_that_write_at_once_the_slower_leaves_the_newest(
    inside: Inside, google: Google, card: CardRecord, engine: Engine, shop: Workshop, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The other reads, writes and ends after this one has read, and before it writes."""
    taken(inside, card)
    write = objects.write

    def late(*args: Any, **named: Any) -> None:
        monkeypatch.setattr(objects, "write", write)
        changed(engine, shop, card, state="paused")
        write_objects(shop, "other", told(card))
        assert object_of(google, card)["state"] == "INACTIVE"
        write(*args, **named)

    monkeypatch.setattr(objects, "write", late)
    write_objects(shop, "job", told(card))
    assert object_of(google, card)["state"] == "INACTIVE"


def test_where_the_button_cannot_write_what_came_meanwhile_a_job_does(
    inside: Inside, google: Google, card: CardRecord, engine: Engine, shop: Workshop, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is revoked by somebody who did not see yet that there is an object."""
    write = objects.write

    def late(*args: Any, **named: Any) -> None:
        if not args[1].is_active:
            raise GoogleWalletDown("away")
        with engine.begin() as conn:
            manage.set_state(conn, card, "revoked", now=utc_now())
        write(*args, **named)

    monkeypatch.setattr(objects, "write", late)
    assert inside.request("POST", f"/c/{card.token}/google").status_code == 503
    assert (object_of(google, card)["state"], waiting(engine)) == ("ACTIVE", 1)
    monkeypatch.setattr(objects, "write", write)
    write_objects(shop, "job", told(card))
    assert object_of(google, card)["state"] == "EXPIRED"


def test_a_button_that_fails_before_anything_changed_leaves_no_job(
    inside: Inside, google: Google, card: CardRecord, engine: Engine
) -> None:
    google.broken = 503
    assert inside.request("POST", f"/c/{card.token}/google").status_code == 503
    assert waiting(engine) == 0


def test_a_card_that_changes_again_and_again_is_left_to_a_job(
    inside: Inside, google: Google, card: CardRecord, engine: Engine, shop: Workshop, monkeypatch: pytest.MonkeyPatch
) -> None:
    write = objects.write
    states: Iterator[Any] = cycle(["paused", "active"])

    def late(*args: Any, **named: Any) -> None:
        write(*args, **named)
        with engine.begin() as conn:
            manage.set_state(conn, one(conn, card.merchant_id, card.id), next(states), now=utc_now())

    taken(inside, card)
    monkeypatch.setattr(objects, "write", late)
    write_objects(shop, "job", told(card))
    assert (object_of(google, card)["state"], waiting(engine)) == ("ACTIVE", 1)


@on_sqlite
def test_only_what_is_set_up_has_a_button(inside: Inside, card: CardRecord) -> None:
    house = inside.app.state.house
    assert (buttons(house).apple, buttons(house).google) == (False, True)
    assert inside.request("GET", f"/c/{card.token}.pkpass").status_code == 404
    assert inside.request("POST", "/wallet/v1/log", json={"logs": []}).status_code == 404


@pytest.mark.parametrize(
    "content, said",
    [
        (None, "cannot be read"),
        ("{", "is not JSON"),
        ("[]", "lacks one of client_email, private_key, token_uri"),
        ('{"client_email": "a@b", "private_key": "PEM", "token_uri": "https://x"}', "no RSA key in PEM"),
    ],
)
def test_a_file_that_is_no_service_account_is_named(tmp_path: Path, content: str | None, said: str) -> None:
    path = tmp_path / "google.json"
    if content is not None:
        path.write_text(content)
    with pytest.raises(GoogleWalletDown, match=said):
        read_account(path)
