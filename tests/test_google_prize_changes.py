"""Google hears of what becomes of a prize that somebody took, and the newest is what stays there."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine

from engagement.rewards import google as objects
from engagement.rewards import prize_wallets, withdrawing
from engagement.rewards.prize_wallets import PRIZES
from engagement.rewards.records import RewardRecord
from infra.google_wallet import GoogleWalletDown, GoogleWalletRefused
from infra.jobs import tally
from infra.settings import Settings
from kernel.clock import utc_now
from tests.support.apple import with_wallet
from tests.support.google_prizes import address_of, object_of, prizes_waiting, scratched_at, taken, told
from tests.support.google_wallet import CLASSES, ISSUER, Google
from tests.support.inside import Person, on_sqlite
from tests.support.sales import refund
from tests.support.scratched import VOUCHER, Promoter, sold_now
from tests.support.waiting import somebody_waits, wait_until
from tests.support.workshop import Clock
from worker.prizes import write_prizes
from worker.rewards import expire_rewards
from worker.work import working
from worker.workshop import Workshop

on_postgresql = pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)


@pytest.fixture
def google() -> Iterator[Google]:
    with Google() as server:
        yield server


@pytest.fixture
def settings(settings: Settings, google: Google, tmp_path: Path) -> Settings:
    return with_wallet(settings, google.settings(tmp_path))


@pytest.fixture
def campaign(promoter: Promoter) -> str:
    return promoter.launch([VOUCHER])


@pytest.fixture
def receipt(till: Person, campaign: str) -> dict[str, Any]:
    return sold_now(till)


@pytest.fixture
def card(receipt: dict[str, Any], stranger: Person, promoter: Promoter) -> RewardRecord:
    """Scratched, and in somebody's wallet."""
    return _taken(receipt, stranger, promoter)


def _taken(receipt: dict[str, Any], stranger: Person, promoter: Promoter) -> RewardRecord:
    here = address_of(promoter, receipt)
    scratched_at(stranger, here)
    taken(stranger, here)
    return promoter.card(receipt["id"])


@pytest.fixture
def here(receipt: dict[str, Any], promoter: Promoter) -> str:
    """The card's address."""
    return address_of(promoter, receipt)


@pytest.fixture
def scratched(receipt: dict[str, Any], here: str, stranger: Person, promoter: Promoter) -> RewardRecord:
    """In nobody's wallet yet."""
    scratched_at(stranger, here)
    return promoter.card(receipt["id"])


def taken_back(engine: Engine, card: RewardRecord) -> None:
    """By somebody who did not see yet that there is an object."""
    with engine.begin() as conn:
        withdrawing.withdraw(conn, card.merchant_id, card.id, now=utc_now())


@contextmanager
def writing(*, good: Callable[[], None], over: Callable[[], None] = lambda: None) -> Iterator[None]:
    """Have ``good`` done before a prize is written that was read while it could be used, ``over`` before any other."""
    write = objects.write

    def late(*args: Any, **named: Any) -> None:
        (good if args[1].code else over)()
        write(*args, **named)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(objects, "write", late)
        yield


def code_of(google: Google, card: RewardRecord) -> str:
    return str(object_of(google, card.id)["barcode"]["value"])


def test_a_prize_that_is_used_is_used_there_and_tells_no_code_any_more(
    owner: Person, google: Google, card: RewardRecord, shop: Workshop, engine: Engine
) -> None:
    owner.post(f"/v1/rewards/{code_of(google, card)}/redeem", {}).raise_for_status()
    assert prizes_waiting(engine) == 1
    write_prizes(shop, "job", told(card))
    made = object_of(google, card.id)
    assert made["state"] == "COMPLETED"
    assert not {"barcode", "textModulesData", "linksModuleData", "notifications"} & set(made)


def test_a_use_that_is_taken_back_makes_it_as_good_as_before(
    owner: Person, google: Google, card: RewardRecord, shop: Workshop, engine: Engine
) -> None:
    code = code_of(google, card)
    before = object_of(google, card.id)
    used = owner.post(f"/v1/rewards/{code}/redeem", {}).raise_for_status().json()
    write_prizes(shop, "job", told(card))
    owner.post(f"/v1/rewards/{code}/rollback", {"redemption": used["id"]}).raise_for_status()
    assert prizes_waiting(engine) == 2
    write_prizes(shop, "job", told(card))
    assert object_of(google, card.id) == before


def test_a_prize_that_is_taken_back_is_hidden_there(
    owner: Person, google: Google, card: RewardRecord, shop: Workshop, engine: Engine
) -> None:
    owner.post(f"/v1/rewards/{card.id}/void", {}).raise_for_status()
    assert prizes_waiting(engine) == 1
    write_prizes(shop, "job", told(card))
    assert object_of(google, card.id)["state"] == "INACTIVE"


def test_a_prize_goes_back_with_what_was_bought(
    till: Person, google: Google, receipt: dict[str, Any], card: RewardRecord, shop: Workshop, engine: Engine
) -> None:
    till.post("/v1/receipts", refund(original={"token": receipt["token"]})).raise_for_status()
    assert prizes_waiting(engine) == 1
    write_prizes(shop, "job", told(card))
    assert object_of(google, card.id)["state"] == "INACTIVE"


def test_a_prize_that_expires_has_expired_there(
    google: Google, card: RewardRecord, shop: Workshop, engine: Engine, clock: Clock
) -> None:
    clock.pass_by(days=31)
    expire_rewards(shop, "", {})
    assert prizes_waiting(engine) == 1
    write_prizes(shop, "job", told(card))
    made = object_of(google, card.id)
    assert (made["state"], "barcode" in made) == ("EXPIRED", False)


def test_a_prize_that_nobody_took_makes_no_job(
    owner: Person, stranger: Person, receipt: dict[str, Any], promoter: Promoter, engine: Engine
) -> None:
    scratched_at(stranger, address_of(promoter, receipt))
    owner.post(f"/v1/rewards/{promoter.card(receipt['id']).id}/void", {}).raise_for_status()
    with engine.connect() as conn:
        assert PRIZES not in tally(conn)


@pytest.mark.usefixtures("prompt")
@on_sqlite
def test_a_worker_writes_the_object_anew(owner: Person, google: Google, card: RewardRecord, settings: Settings) -> None:
    with working(settings):
        owner.post(f"/v1/rewards/{code_of(google, card)}/redeem", {}).raise_for_status()
        wait_until(lambda: object_of(google, card.id)["state"] == "COMPLETED")


def test_the_same_job_again_leaves_the_same(owner: Person, google: Google, card: RewardRecord, shop: Workshop) -> None:
    owner.post(f"/v1/rewards/{card.id}/void", {}).raise_for_status()
    write_prizes(shop, "job", told(card))
    before = dict(google.objects)
    write_prizes(shop, "job", told(card))
    assert google.objects == before


def test_while_google_is_away_the_job_is_tried_again(
    owner: Person, google: Google, card: RewardRecord, shop: Workshop
) -> None:
    owner.post(f"/v1/rewards/{card.id}/void", {}).raise_for_status()
    google.broken = 503
    with pytest.raises(GoogleWalletDown, match="503"):
        write_prizes(shop, "job", told(card))
    google.broken = 0
    write_prizes(shop, "job", told(card))
    assert object_of(google, card.id)["state"] == "INACTIVE"


def test_a_prize_that_google_refuses_keeps_no_other_from_being_written(
    owner: Person, till: Person, stranger: Person, google: Google, promoter: Promoter, campaign: str, shop: Workshop
) -> None:
    cards = [_taken(sold_now(till), stranger, promoter) for _ in range(3)]
    for card in cards:
        owner.post(f"/v1/rewards/{card.id}/void", {}).raise_for_status()
    google.refused.add(f"{ISSUER}.{cards[1].id}")
    with pytest.raises(GoogleWalletRefused, match="400"):
        write_prizes(shop, "job", told(*cards))
    assert [object_of(google, card.id)["state"] for card in cards] == ["INACTIVE", "ACTIVE", "INACTIVE"]


def test_while_google_is_away_no_other_prize_is_tried(
    till: Person,
    stranger: Person,
    google: Google,
    promoter: Promoter,
    campaign: str,
    shop: Workshop,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    cards = [_taken(sold_now(till), stranger, promoter) for _ in range(2)]
    google.asked.clear()
    monkeypatch.setattr(Google, "rest", lambda *_: (500, {}))
    with pytest.raises(GoogleWalletDown, match="500"):
        write_prizes(shop, "job", told(*cards))
    assert google.asked == ["POST /token", f"POST {CLASSES}"]


def test_a_worker_that_shall_end_leaves_the_other_prizes_to_another_job(
    till: Person, stranger: Person, google: Google, promoter: Promoter, campaign: str, shop: Workshop, engine: Engine
) -> None:
    cards = [_taken(sold_now(till), stranger, promoter) for _ in range(2)]
    google.asked.clear()
    shop.ended.set()
    write_prizes(shop, "job", told(*cards))
    assert len([each for each in google.asked if each.startswith("PUT ")]) == 1
    assert prizes_waiting(engine) == 1


def test_what_expires_together_is_written_by_few_jobs(
    till: Person,
    stranger: Person,
    promoter: Promoter,
    google: Google,
    campaign: str,
    shop: Workshop,
    engine: Engine,
    clock: Clock,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("engagement.rewards.prize_wallets._AT_ONCE", 2)
    for _ in range(3):
        _taken(sold_now(till), stranger, promoter)
    clock.pass_by(days=31)
    expire_rewards(shop, "", {})
    assert prizes_waiting(engine) == 2


def test_a_change_that_comes_while_the_object_is_made_is_not_lost(
    stranger: Person, google: Google, here: str, scratched: RewardRecord, engine: Engine
) -> None:
    """It is taken back after it was read, and before the object is written: the last word is the newest."""
    with writing(good=lambda: taken_back(engine, scratched)):
        taken(stranger, here)
    assert object_of(google, scratched.id)["state"] == "INACTIVE"


def test_of_two_workers_that_write_at_once_the_slower_leaves_the_newest(
    google: Google, card: RewardRecord, engine: Engine, shop: Workshop
) -> None:
    """The other reads, writes and ends after this one has read, and before it writes."""

    def overtake() -> None:
        taken_back(engine, card)
        write_prizes(shop, "other", told(card))
        assert object_of(google, card.id)["state"] == "INACTIVE"

    with writing(good=overtake):
        write_prizes(shop, "job", told(card))
    assert object_of(google, card.id)["state"] == "INACTIVE"


def test_where_the_button_cannot_write_what_came_meanwhile_a_job_does(
    stranger: Person, google: Google, here: str, scratched: RewardRecord, engine: Engine, shop: Workshop
) -> None:
    def away() -> None:
        raise GoogleWalletDown("away")

    with writing(good=lambda: taken_back(engine, scratched), over=away):
        assert stranger.ask("POST", f"{here}/google").status_code == 503
    assert (object_of(google, scratched.id)["state"], prizes_waiting(engine)) == ("ACTIVE", 1)
    write_prizes(shop, "job", told(scratched))
    assert object_of(google, scratched.id)["state"] == "INACTIVE"


@on_postgresql
@pytest.mark.parametrize("are_locked, stays", [(True, "INACTIVE"), (False, "ACTIVE")])
def test_who_takes_a_prize_while_it_is_taken_back_waits_for_that(
    stranger: Person,
    google: Google,
    here: str,
    scratched: RewardRecord,
    engine: Engine,
    shop: Workshop,
    monkeypatch: pytest.MonkeyPatch,
    are_locked: bool,
    stays: str,
) -> None:
    """The issuer saw nobody who took it, and has not committed yet. Without a lock it would stay as it was."""
    if not are_locked:
        monkeypatch.setattr(prize_wallets, "_lock", lambda *_: None)
    assert stranger.ask("POST", f"{here}/taken").status_code == 204
    with ThreadPoolExecutor(1) as pool:
        with engine.begin() as conn:
            withdrawing.withdraw(conn, scratched.merchant_id, scratched.id, now=utc_now())
            prize_wallets.tell(conn, shop.jobs, [scratched.id], now=utc_now())
            pressed = pool.submit(taken, stranger, here)
            wait_until(lambda: pressed.done() or somebody_waits(engine))
        pressed.result(30)
    assert (object_of(google, scratched.id)["state"], prizes_waiting(engine)) == (stays, 0)
