"""Races for prizes and codes, for real; and the same races with the guard off, which the tests must then see lost."""

from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from sqlalchemy import Connection, Engine, func, select, true, update

from engagement.rewards import drawing, find, locks, redeeming, withdrawing
from engagement.rewards.live import Live
from engagement.rewards.tables import PrizeSlot, Redemption, Reward
from infra.settings import Settings
from kernel.clock import utc_now
from tests.support.campaigns import cards_of, launched, prize, scratched, sold, spending
from tests.support.claims import Crowd
from tests.support.inside import Person
from tests.support.sales import refund
from tests.support.shops import Shops
from tests.support.waiting import somebody_waits, wait_until
from tests.test_races import at_once

SHORT, CLAIMS, STOCK = 400, 1_300, 50


@pytest.fixture
def crowd(database_url: str, shops: Shops, settings: Settings) -> Iterator[Crowd]:
    """Forty threads."""
    with Crowd(database_url, shops.linden, settings) as opened:
        yield opened


def given(engine: Engine) -> int:
    with engine.connect() as conn:
        return conn.scalar(select(func.count()).select_from(Reward).where(Reward.prize_id.is_not(None))) or 0


def most_of_one_shopper(engine: Engine) -> int:
    each = select(func.count().label("cards")).select_from(Reward).group_by(Reward.shopper).subquery()
    with engine.connect() as conn:
        return conn.scalar(select(func.max(each.c.cards))) or 0


@pytest.mark.parametrize("count", [SHORT, pytest.param(CLAIMS, marks=pytest.mark.long)])
def test_of_many_claims_for_50_prizes_exactly_50_win_and_no_shopper_gets_more_than_they_may(
    owner: Person, crowd: Crowd, engine: Engine, count: int
) -> None:
    launched(owner, caps={"per_shopper": 2}, prizes=[prize(stock=STOCK)])
    assert crowd.claim(crowd.sales(count, shoppers=count // 10)) == []
    assert given(engine) == STOCK
    assert most_of_one_shopper(engine) <= 2
    with engine.connect() as conn:
        assert conn.scalar(select(func.count(func.distinct(PrizeSlot.reward_id)))) == STOCK


def test_no_shopper_gets_more_than_they_may_where_there_is_plenty(owner: Person, crowd: Crowd, engine: Engine) -> None:
    launched(owner, caps={"per_shopper": 3}, prizes=[prize(stock=1_000)])
    assert crowd.claim(crowd.sales(200, shoppers=10)) == []
    assert (given(engine), most_of_one_shopper(engine)) == (30, 3)


def test_a_deck_is_dealt_once_from_its_first_card_to_its_last(owner: Person, crowd: Crowd, engine: Engine) -> None:
    launched(owner, mode="deck", nothing=70, prizes=[prize(stock=30, weight=None)])
    assert crowd.claim(crowd.sales(150, shoppers=None)) == []
    with engine.connect() as conn:
        dealt = list(conn.scalars(select(Reward.position).order_by(Reward.position)))
    assert dealt == list(range(100))
    assert given(engine) == 30


def test_nobody_waits_for_who_waits_for_them_where_several_prizes_end_at_once(
    owner: Person, crowd: Crowd, engine: Engine
) -> None:
    """Each takes several cards in one transaction, so that many have the last but one piece and want the last."""
    launched(owner, prizes=[prize(slug=slug, stock=30) for slug in ("coffee", "cake", "tea")])
    assert crowd.claim(crowd.sales(SHORT, shoppers=None), together=4) == []
    assert given(engine) == 90


def test_no_budget_and_no_day_is_broken(owner: Person, crowd: Crowd, engine: Engine) -> None:
    """Of 50 prizes of 3.20 the budget pays 31, and the day has room for 100 cards."""
    launched(
        owner, nothing=1, budget={"amount": "100.00"}, caps={"per_day": 100}, prizes=[prize(stock=STOCK, weight=9)]
    )
    assert crowd.claim(crowd.sales(160, shoppers=None)) == []
    with engine.connect() as conn:
        cards, spent = conn.execute(select(func.count(), func.sum(Reward.face_value)).select_from(Reward)).one()
    assert (cards, int(spent)) == (100, 31 * 320)


def slot_read_and_then_written(conn: Connection, live: Any, reward_id: str, prize_id: str | None = None) -> Any:
    """The guard off: it reads which slot is free, and then takes it."""
    free = (PrizeSlot.campaign_id == live.id, PrizeSlot.reward_id.is_(None), PrizeSlot.prize_id == prize_id)
    slot = conn.execute(select(PrizeSlot.__table__).where(*free).order_by(PrizeSlot.position).limit(1)).one_or_none()
    if slot is not None:
        mine = (PrizeSlot.campaign_id == live.id, PrizeSlot.position == slot.position)
        conn.execute(update(PrizeSlot).where(*mine).values(reward_id=reward_id))
    return slot


def test_without_its_guard_more_prizes_would_be_given_than_there_are(
    owner: Person, crowd: Crowd, engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(drawing, "_take", slot_read_and_then_written)
    launched(owner, prizes=[prize(stock=STOCK)])
    crowd.claim(crowd.sales(SHORT, shoppers=None), alone=True)
    assert given(engine) > STOCK


def test_without_its_lock_a_shopper_would_get_more_than_they_may(
    owner: Person, crowd: Crowd, engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(locks, "_take", lambda *_: None)
    launched(owner, caps={"per_shopper": 1}, prizes=[prize(stock=1_000)])
    crowd.claim(crowd.sales(SHORT, shoppers=20), alone=True)
    assert most_of_one_shopper(engine) > 1


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
@pytest.mark.parametrize("mode", [{}, {"mode": "deck", "prizes": [prize(stock=1, weight=None)]}])
def test_a_prize_that_somebody_lets_go_is_not_gone(owner: Person, shops: Shops, engine: Engine, mode: Any) -> None:
    campaign_id = launched(owner, **{"prizes": [prize(stock=1)]} | mode)

    def draw(conn: Connection, entry: str) -> Any:
        live = Live(find.campaign(conn, shops.linden, campaign_id), bytes(32))
        return locks.giving(conn, [campaign_id], [], lambda: drawing.draw(conn, live, entry, f"rwd_{entry}"))

    def late() -> Any:
        with engine.begin() as conn:
            return draw(conn, "late")

    with ThreadPoolExecutor(1) as pool:
        with engine.connect() as conn:
            assert draw(conn, "early").prize
            waiting = pool.submit(late)
            wait_until(lambda: waiting.done() or somebody_waits(engine))
            assert not waiting.done()
            conn.rollback()
        outcome = waiting.result(timeout=60)
        assert (outcome.prize.slug, outcome.gone) == ("coffee", ())
        assert late() is None


# --- two tills with one code


@pytest.fixture
def code(owner: Person, till: Person, engine: Engine, shops: Shops, settings: Settings) -> str:
    launched(owner)
    [card] = cards_of(owner, sold(till))
    return scratched(engine, settings, shops.linden, card["id"])


def uses(engine: Engine) -> int:
    with engine.connect() as conn:
        return conn.scalar(select(func.count()).select_from(Redemption)) or 0


def test_of_many_tills_with_one_code_one_redeems_it(owner: Person, code: str, engine: Engine) -> None:
    answers = at_once(8, lambda index: owner.post(f"/v1/rewards/{code}/redeem", {"holder": f"till-{index}"}))
    assert Counter(answer.status_code for answer in answers) == {200: 1, 409: 7}
    assert uses(engine) == 1


def test_of_many_with_the_same_key_all_are_told_of_the_one_use(owner: Person, code: str, engine: Engine) -> None:
    answers = at_once(8, lambda _: owner.post(f"/v1/rewards/{code}/redeem", {}, Idempotency_Key="once"))
    assert Counter(answer.status_code for answer in answers) == {200: 8}
    assert (uses(engine), len({answer.text for answer in answers})) == (1, 1)


def test_of_two_codes_with_the_same_key_one_is_used(
    owner: Person, till: Person, code: str, engine: Engine, shops: Shops, settings: Settings
) -> None:
    [card] = cards_of(owner, sold(till))
    codes = [code, scratched(engine, settings, shops.linden, card["id"])]
    answers = at_once(2, lambda index: owner.post(f"/v1/rewards/{codes[index]}/redeem", {}, Idempotency_Key="once"))
    assert sorted(answer.status_code for answer in answers) == [200, 409]
    assert uses(engine) == 1


def test_of_many_who_would_hold_it_one_does(owner: Person, code: str) -> None:
    answers = at_once(8, lambda index: owner.post(f"/v1/rewards/{code}/reserve", {"holder": f"till-{index}"}))
    assert Counter(answer.status_code for answer in answers) == {200: 1, 409: 7}


def test_without_its_condition_a_code_would_be_used_twice(
    owner: Person, code: str, engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(redeeming, "_is_free", lambda *_: true())
    answers = at_once(2, lambda index: owner.post(f"/v1/rewards/{code}/redeem", {"holder": f"till-{index}"}))
    assert [answer.status_code for answer in answers] == [200, 200]
    assert uses(engine) == 2


@pytest.mark.parametrize("_round", range(3))
def test_a_refund_and_a_use_at_once_end_in_one_or_the_other(
    owner: Person, till: Person, engine: Engine, shops: Shops, settings: Settings, _round: int
) -> None:
    launched(owner, eligibility=spending("3.20"))
    receipt_id = sold(till)
    [card] = cards_of(owner, receipt_id)
    code = scratched(engine, settings, shops.linden, card["id"])
    acts = [
        lambda: owner.post(f"/v1/rewards/{code}/redeem", {}),
        lambda: till.post("/v1/receipts", refund(receipt_id, "1.00")),
    ]
    used, back = at_once(2, lambda index: acts[index]())
    assert back.status_code == 201
    [card] = cards_of(owner, receipt_id)
    flags = [flag["kind"] for flag in owner.get("/v1/reward-flags").json()["flags"]]
    if used.status_code == 200:
        assert (card["state"], flags, uses(engine)) == ("redeemed", ["refunded_after_use"], 1)
    else:
        assert (used.status_code, card["state"], flags, uses(engine)) == (409, "void", [], 0)


@pytest.mark.parametrize("_round", range(3))
def test_a_refund_and_a_use_that_is_taken_back_at_once_leave_no_code_that_can_be_used(
    owner: Person, till: Person, engine: Engine, shops: Shops, settings: Settings, _round: int
) -> None:
    launched(owner, eligibility=spending("3.20"))
    receipt_id = sold(till)
    [card] = cards_of(owner, receipt_id)
    code = scratched(engine, settings, shops.linden, card["id"])
    used = owner.post(f"/v1/rewards/{code}/redeem", {}).raise_for_status().json()
    acts = [
        lambda: owner.post(f"/v1/rewards/{code}/rollback", {"redemption": used["id"]}),
        lambda: till.post("/v1/receipts", refund(receipt_id, "1.00")),
    ]
    assert [answer.status_code for answer in at_once(2, lambda index: acts[index]())] == [200, 201]
    assert [each["state"] for each in cards_of(owner, receipt_id)] == ["void"]


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
def test_a_refund_and_a_use_that_is_taken_back_do_not_wait_for_each_other(
    owner: Person, till: Person, engine: Engine, shops: Shops, settings: Settings
) -> None:
    """Of two cards a refund locks the first and then the second, whose use is being taken back."""
    launched(owner, for_each="1.00", caps={"per_receipt": 2})
    first, second = sorted(card["id"] for card in cards_of(owner, sold(till)))
    code = scratched(engine, settings, shops.linden, second)
    used = owner.post(f"/v1/rewards/{code}/redeem", {}).raise_for_status().json()
    with ThreadPoolExecutor(1) as pool:
        with engine.begin() as conn:
            conn.execute(select(Reward.id).where(Reward.id == first).with_for_update())
            back = pool.submit(owner.post, f"/v1/rewards/{code}/rollback", {"redemption": used["id"]})
            wait_until(lambda: back.done() or somebody_waits(engine))
            assert not back.done()
            conn.execute(select(Reward.id).where(Reward.id == second).with_for_update(nowait=True))
        assert back.result().json()["state"] == "revealed"


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
def test_who_takes_a_use_back_waits_for_a_refund_that_is_being_written(
    owner: Person, till: Person, engine: Engine, shops: Shops, settings: Settings
) -> None:
    launched(owner, eligibility=spending("3.20"))
    receipt_id = sold(till)
    [card] = cards_of(owner, receipt_id)
    code = scratched(engine, settings, shops.linden, card["id"])
    used = owner.post(f"/v1/rewards/{code}/redeem", {}).raise_for_status().json()
    with ThreadPoolExecutor(1) as pool:
        with engine.begin() as conn:
            withdrawing.look_again(conn, shops.linden, receipt_id, now=utc_now())
            back = pool.submit(owner.post, f"/v1/rewards/{code}/rollback", {"redemption": used["id"]})
            wait_until(lambda: back.done() or somebody_waits(engine))
            assert not back.done()
        assert back.result().json()["state"] == "revealed"
