"""Phones are told of changes by Apple's push service; who is gone is forgotten, and who could not be told is again."""

import pytest
from sqlalchemy import Engine

from cards import manage, wallets
from cards.find import CardRecord
from cards.wallets import Device
from infra import apns
from infra.apns import PushFailed
from infra.settings import Settings
from kernel.clock import utc_now
from tests.support.apns import PushServer
from tests.support.apple import Apple
from tests.support.phones import pushes_waiting, registrations
from tests.support.shops import OPENED
from tests.support.waiting import wait_until
from tests.support.wallets import told
from tests.support.workshop import Clock, Postman, workshop
from worker.passes import push_passes
from worker.work import working
from worker.workshop import Workshop


@pytest.fixture
def settings(settings: Settings, its: Apple, push: PushServer) -> Settings:
    return its.settings(settings, apple_push_url=push.url)


def registered(engine: Engine, card: CardRecord, *tokens: str) -> None:
    with engine.begin() as conn:
        for number, token in enumerate(tokens):
            device = Device(f"phone-{number:04}", token)
            wallets.register(conn, card.merchant_id, card.id, device, now=OPENED)


@pytest.mark.parametrize("word", [(410, "Unregistered"), (400, "BadDeviceToken")])
def test_a_phone_that_is_gone_is_forgotten(
    engine: Engine, shop: Workshop, card: CardRecord, push: PushServer, word: tuple[int, str]
) -> None:
    registered(engine, card, "aa", "bb")
    push.words["aa"] = word
    push_passes(shop, "job", told(card))
    assert push.tokens() == ["bb"]
    assert registrations(engine) == 1


def test_phones_that_apple_does_not_know_stay_where_it_knows_none(
    engine: Engine, shop: Workshop, card: CardRecord, push: PushServer
) -> None:
    """As where the address of Apple's service for development is set."""
    registered(engine, card, "aa", "bb", "cc")
    push.words["*"] = (400, "BadDeviceToken")
    with pytest.raises(PushFailed, match="COUNTERFOIL_APPLE_PUSH_URL"):
        push_passes(shop, "job", told(card))
    assert registrations(engine) == 3
    push.words.clear()
    push_passes(shop, "job", told(card))
    assert push.tokens() == ["aa", "bb", "cc"]


def test_one_phone_that_apple_does_not_know_stays_and_is_no_failure(
    engine: Engine, shop: Workshop, card: CardRecord, push: PushServer
) -> None:
    registered(engine, card, "aa")
    push.words["*"] = (400, "BadDeviceToken")
    push_passes(shop, "job", told(card))
    assert registrations(engine) == 1


@pytest.mark.parametrize("word", [(400, "DeviceTokenNotForTopic"), (413, "PayloadTooLarge")])
def test_what_is_refused_for_one_phone_keeps_it_and_no_other_from_hearing(
    engine: Engine, shop: Workshop, card: CardRecord, push: PushServer, word: tuple[int, str]
) -> None:
    registered(engine, card, "aa", "bb")
    push.words["aa"] = word
    with pytest.raises(PushFailed, match=word[1]):
        push_passes(shop, "job", told(card))
    assert push.tokens() == ["bb"]
    assert registrations(engine) == 2


@pytest.mark.parametrize("word", [(429, "TooManyRequests"), (503, "ServiceUnavailable"), (403, "BadCertificate")])
def test_while_apple_does_not_take_it_nobody_else_is_tried_nor_forgotten_and_the_job_is_tried_again(
    engine: Engine, shop: Workshop, card: CardRecord, push: PushServer, word: tuple[int, str]
) -> None:
    registered(engine, card, "aa", "bb")
    push.words["aa"] = word
    with pytest.raises(PushFailed, match=str(word[0])):
        push_passes(shop, "job", told(card))
    assert push.asked == ["aa"]
    assert registrations(engine) == 2
    push.words.clear()
    push_passes(shop, "job", told(card))
    assert push.tokens() == ["aa", "bb"]


def test_a_push_service_that_hangs_is_waited_for_once(
    engine: Engine, shop: Workshop, card: CardRecord, push: PushServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(apns, "_SECONDS", 0.5)
    registered(engine, card, *(f"{number:04x}" for number in range(120)))
    push.is_silent = True
    with pytest.raises(PushFailed, match="no answer from Apple's push service: ReadTimeout"):
        push_passes(shop, "job", told(card))
    assert push.asked == ["0000"]
    assert pushes_waiting(engine) == 0


@pytest.mark.usefixtures("prompt")
def test_a_worker_that_shall_end_leaves_the_other_phones_to_another_job(
    engine: Engine, shop: Workshop, card: CardRecord, push: PushServer
) -> None:
    registered(engine, card, "aa", "bb", "cc")
    shop.ended.set()
    push_passes(shop, "job", told(card))
    assert (push.tokens(), pushes_waiting(engine)) == (["aa"], 1)
    shop.ended.clear()
    with working(shop.settings):
        wait_until(lambda: len(push.taken) == 3)
    assert push.tokens() == ["aa", "bb", "cc"]


@pytest.mark.usefixtures("prompt")
def test_many_phones_are_told_by_several_jobs_over_one_connection_each(
    engine: Engine, settings: Settings, card: CardRecord, push: PushServer
) -> None:
    registered(engine, card, *(f"{number:04x}" for number in range(250)))
    with working(settings) as worker:
        with engine.begin() as conn:
            manage.set_state(conn, card, "paused", now=utc_now())
            wallets.tell_wallets(conn, worker.jobs, card, now=utc_now())
        wait_until(lambda: len(push.taken) == 250)
    assert len(set(push.tokens())) == 250
    assert push.connections == 3


def test_a_push_service_that_is_away_is_told_in_words(
    settings: Settings, engine: Engine, its: Apple, card: CardRecord
) -> None:
    registered(engine, card, "aa")
    away = its.settings(settings, apple_push_url="https://localhost:1")
    with workshop(away, Postman(), Clock()) as shop, pytest.raises(PushFailed, match="no answer from Apple"):
        push_passes(shop, "job", told(card))
