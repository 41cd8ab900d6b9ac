"""Google hears of what changes on a card that somebody took, and the newest is what stays there."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import cycle
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine

from cards import google as objects
from cards import manage, wallets
from cards.find import CardRecord, one
from cards.profile import write
from cards.wallets import GOOGLE
from infra.google_wallet import GoogleWalletDown, GoogleWalletRefused
from infra.jobs import tally
from infra.settings import Settings
from kernel.clock import utc_now
from tests.support.apple import with_wallet
from tests.support.cards import a_card, profile
from tests.support.google_cards import object_of, objects_waiting, taken
from tests.support.google_wallet import CLASSES, ISSUER, Google
from tests.support.inside import Inside, on_sqlite
from tests.support.shops import Shops
from tests.support.waiting import somebody_waits, wait_until
from tests.support.wallets import changed, told
from worker.google import write_objects
from worker.work import working
from worker.workshop import Workshop


@pytest.fixture
def google() -> Iterator[Google]:
    with Google() as server:
        yield server


@pytest.fixture
def settings(settings: Settings, google: Google, tmp_path: Path) -> Settings:
    return with_wallet(settings, google.settings(tmp_path))


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


@pytest.mark.usefixtures("prompt")
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
    assert objects_waiting(engine) == 4


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
    assert objects_waiting(engine) == 0


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
    assert objects_waiting(engine) == 1


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
    assert (object_of(google, card)["state"], objects_waiting(engine)) == ("ACTIVE", 1)
    monkeypatch.setattr(objects, "write", write)
    write_objects(shop, "job", told(card))
    assert object_of(google, card)["state"] == "EXPIRED"


def test_a_button_that_fails_before_anything_changed_leaves_no_job(
    inside: Inside, google: Google, card: CardRecord, engine: Engine
) -> None:
    google.broken = 503
    assert inside.request("POST", f"/c/{card.token}/google").status_code == 503
    assert objects_waiting(engine) == 0


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
    assert (object_of(google, card)["state"], objects_waiting(engine)) == ("ACTIVE", 1)


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
@pytest.mark.parametrize("are_locked, stays", [(True, "EXPIRED"), (False, "ACTIVE")])
def test_who_takes_a_card_while_it_is_revoked_waits_for_that(
    inside: Inside,
    google: Google,
    card: CardRecord,
    engine: Engine,
    shop: Workshop,
    monkeypatch: pytest.MonkeyPatch,
    are_locked: bool,
    stays: str,
) -> None:
    """The merchant saw nobody who took it, and has not committed yet. Without a lock it would stay as it was."""
    if not are_locked:
        monkeypatch.setattr(wallets, "_lock", lambda *_: None)
    with ThreadPoolExecutor(1) as pool:
        with engine.begin() as conn:
            manage.set_state(conn, card, "revoked", now=utc_now())
            wallets.tell_wallets(conn, shop.jobs, card, now=utc_now())
            pressed = pool.submit(taken, inside, card)
            wait_until(lambda: pressed.done() or somebody_waits(engine))
        pressed.result(30)
    assert (object_of(google, card)["state"], objects_waiting(engine)) == (stays, 0)
