"""What happens to cards by the clock, by refunds of rights to be forgotten, and by who tries codes."""

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import Connection, Engine, func, select, update

from accounts.tables import Merchant
from cards.find import CardRecord
from engagement import forgetting
from engagement.rewards import entrants, expiring, find, guessing, redeeming, watching
from engagement.rewards.flagging import About
from engagement.rewards.revealing import RewardOver
from engagement.rewards.tables import FreeEntrant, Redemption, Reward, RewardFlag, SeenShopper
from engagement.tables import Event
from infra.settings import Settings
from kernel.errors import Conflict, NotFound, TooMany
from receipts.tables import Receipt
from tests.support.campaigns import cards_of, launched, prize, scratched, sold, won
from tests.support.inside import Person
from tests.support.shops import Shops
from tests.support.workshop import Clock
from worker.chores import purge
from worker.rewards import expire_rewards, watch_rewards
from worker.workshop import Workshop

ANNA: dict[str, Any] = {"shopper": {"email": "anna@example.com"}}
DAY = timedelta(days=1)


def states(engine: Engine) -> list[str]:
    with engine.connect() as conn:
        return list(conn.scalars(select(Reward.state).order_by(Reward.id)))


def test_a_card_can_be_scratched_for_as_long_as_the_campaign_says(
    owner: Person, till: Person, engine: Engine, shop: Workshop, clock: Clock
) -> None:
    launched(owner, scratch_days=2)
    sold(till)
    for days, state in ((1, "issued"), (2, "expired")):
        clock.ahead = timedelta(days=days)
        expire_rewards(shop, "", {})
        assert states(engine) == [state]


def test_a_code_expires_so_many_days_after_it_was_scratched(
    owner: Person, till: Person, engine: Engine, shop: Workshop, clock: Clock, shops: Shops, settings: Settings
) -> None:
    launched(owner, prizes=[prize(valid_days=3)])
    [card] = cards_of(owner, sold(till))
    code = scratched(engine, settings, shops.linden, card["id"])
    clock.ahead = timedelta(days=4)
    expire_rewards(shop, "", {})
    answer = owner.post(f"/v1/rewards/{code}/redeem", {})
    assert (answer.status_code, answer.json()["type"]) == (409, "urn:counterfoil:problem:reward-over")


def test_a_reservation_outlives_the_code_but_not_its_own_time(
    owner: Person, till: Person, engine: Engine, shops: Shops, settings: Settings
) -> None:
    launched(owner, prizes=[prize(valid_days=3)])
    key_id = owner.get("/v1/keys").json()["keys"][0]["id"]
    minute = timedelta(minutes=1)
    for late, is_used in ((minute, True), (3 * minute, False)):
        [card] = cards_of(owner, sold(till))
        scratched(engine, settings, shops.linden, card["id"])
        with engine.begin() as conn:
            held = find.reward(conn, shops.linden, card["id"])
            last = held.expires_at - minute
            held = redeeming.reserve(conn, shops.linden, held, holder="till-1", seconds=180, now=last)
            assert len(expiring.expire(conn, now=last + late)) == int(not is_used)
            with pytest.raises(RewardOver):
                redeeming.reserve(conn, shops.linden, held, holder="till-1", seconds=600, now=last + 2 * minute)
            by = redeeming.Till(key_id)
            if is_used:
                use = redeeming.Use("till-1")
                assert redeeming.redeem(conn, shops.linden, held, use, till=by, now=last + 2 * minute).id
            with pytest.raises(Conflict):
                redeeming.redeem(conn, shops.linden, held, redeeming.Use("till-1"), till=by, now=last + 3 * minute)


def test_a_campaign_ends_once_its_last_sale_was_told_and_tells_its_seed(
    owner: Person, till: Person, shop: Workshop, clock: Clock
) -> None:
    campaign_id = launched(owner, ends_at="2098-01-01T00:00", late_days=3)
    told = owner.get(f"/v1/campaigns/{campaign_id}").json()
    assert (told["state"], told["seed"]) == ("live", None)
    clock.ahead = 366 * 80 * DAY
    expire_rewards(shop, "", {})
    told = owner.get(f"/v1/campaigns/{campaign_id}").json()
    assert told["state"] == "ended"
    assert len(told["seed"]) == 64


# --- what does not look right


def flags(owner: Person) -> list[dict[str, Any]]:
    return list(owner.get("/v1/reward-flags").json()["flags"])


def test_ten_cards_of_one_shopper_in_a_day_are_flagged_once(
    owner: Person, till: Person, shop: Workshop, engine: Engine
) -> None:
    launched(owner)
    for _ in range(9):
        sold(till, **ANNA)
    watch_rewards(shop, "", {})
    assert flags(owner) == []
    sold(till, **ANNA)
    for _ in range(2):
        watch_rewards(shop, "", {})
    [flag] = flags(owner)
    with engine.connect() as conn:
        assert conn.scalar(select(func.count()).select_from(Event).where(Event.kind == "reward.flagged")) == 1
    assert (flag["kind"], flag["data"]) == ("many_cards", {"cards": 10, "hours": 24})


def test_staff_who_give_most_of_their_cards_to_one_shopper_are_flagged(
    owner: Person, till: Person, shop: Workshop
) -> None:
    launched(owner)
    for number in range(5):
        sold(till, staff="emma", **ANNA)
        sold(till, staff="emma", shopper={"email": f"{number}@example.com"})
    watch_rewards(shop, "", {})
    [flag] = flags(owner)
    assert (flag["kind"], flag["data"]) == ("staff_favourite", {"cards": 5, "of": 10, "days": 30})
    assert flag["staff_id"]


def test_who_played_without_a_purchase_is_forgotten_the_day_after(
    owner: Person, engine: Engine, shops: Shops, shop: Workshop, clock: Clock
) -> None:
    """Whether anybody plays again or not."""
    campaign_id = launched(owner)
    with engine.begin() as conn:
        campaign = find.campaign(conn, shops.linden, campaign_id)
        first, last = (entrants.visit(b"key", campaign, "192.0.2.1", now=shop.clock() + days * DAY) for days in (0, 1))
        entrants.count(conn, first)
        entrants.count(conn, last)
    clock.ahead = DAY
    watch_rewards(shop, "", {})
    with engine.connect() as conn:
        assert conn.scalars(select(FreeEntrant.day)).all() == [last.day]


@pytest.mark.parametrize(
    "shopper, is_own",
    [
        ({"email": "EMMA@home.example"}, True),
        ({"customer_id": "C-7", "phone": "0151 1234567"}, True),
        ({"email": "anna@example.com", "phone": "+49 151 7654321"}, False),
        (None, False),
    ],
)
def test_who_gives_a_card_to_themselves_is_flagged(
    owner: Person, till: Person, shop: Workshop, card: CardRecord, shopper: dict[str, Any] | None, is_own: bool
) -> None:
    launched(owner)
    receipt_id = sold(till, staff="emma", shopper=shopper)
    sold(till, shopper=shopper)
    for _ in range(2):
        watch_rewards(shop, "", {})
    [given] = cards_of(owner, receipt_id)
    told = [(flag["kind"], flag["reward_id"], flag["staff_id"]) for flag in flags(owner)]
    assert told == ([("self_award", given["id"], card.staff_id)] if is_own else [])
    owner.delete(f"/v1/receipts/{receipt_id}/shopper").raise_for_status()
    assert flags(owner) == []


def test_what_cannot_be_told_of_one_merchant_is_told_of_the_others_and_visits_are_forgotten(
    owner: Person, outsider: Person, engine: Engine, shops: Shops, shop: Workshop, monkeypatch: pytest.MonkeyPatch
) -> None:
    campaign_id = launched(owner)
    launched(outsider)
    with engine.begin() as conn:
        campaign = find.campaign(conn, shops.linden, campaign_id)
        entrants.count(conn, entrants.visit(b"key", campaign, "192.0.2.1", now=shop.clock() - DAY))
    seen: list[str] = []

    def fail_first(_conn: Connection, merchant_id: str, **_: Any) -> list[About]:
        seen.append(merchant_id)
        if len(seen) == 1:
            raise ValueError("a business card of another time")
        return [About("many_uses", "key_x", data={"uses": 60})]

    monkeypatch.setattr(watching, "seen", fail_first)
    watch_rewards(shop, "", {})
    assert sorted(seen) == sorted([shops.linden, shops.moor])
    assert len(flags(owner)) + len(flags(outsider)) == 1
    with engine.connect() as conn:
        assert conn.scalar(select(func.count()).select_from(FreeEntrant)) == 0


# --- guesses


def test_who_tries_codes_waits_and_a_right_one_is_refused_meanwhile(
    owner: Person, till: Person, engine: Engine, shops: Shops, settings: Settings
) -> None:
    code = won(owner, till, engine, settings, shops.linden)
    for number in range(20):
        assert owner.get(f"/v1/rewards/GUESS-{number}").status_code == 404
    for answer in (owner.get(f"/v1/rewards/{code}"), owner.post(f"/v1/rewards/{code}/redeem", {})):
        assert (answer.status_code, answer.json()["type"]) == (429, "urn:counterfoil:problem:too-many")
        assert 0 < int(answer.headers["retry-after"]) <= 600
    assert [flag["kind"] for flag in flags(owner)] == ["guessing"]


def test_wrong_codes_of_one_key_stop_no_other_and_those_of_many_are_flagged(
    engine: Engine, shops: Shops, clock: Clock, owner: Person
) -> None:
    now = clock()

    def look(conn: Connection, key: str, found: str | None) -> str | None:
        return guessing.tried(conn, shops.linden, key, lambda: found or missing(), now=now)

    with engine.begin() as conn:
        for number in range(200):
            assert look(conn, f"key-{number // 20}", None) is None
        for number in range(10):
            with pytest.raises(TooMany):
                look(conn, f"key-{number}", "right")
        assert look(conn, "key-of-somebody-else", "right") == "right"
    told = [flag["data"]["times"] for flag in flags(owner)]
    assert sorted(told) == [20] * 10 + [200]


def missing() -> str:
    raise NotFound("There is no such code")


# --- forgetting


@pytest.fixture
def used(owner: Person, till: Person, engine: Engine, shops: Shops, settings: Settings) -> str:
    """The receipt of a card whose code was used."""
    launched(owner, eligibility={"rule": {"kind": "first_purchase"}})
    receipt_id = sold(till, **ANNA)
    [card] = cards_of(owner, receipt_id)
    code = scratched(engine, settings, shops.linden, card["id"])
    owner.post(f"/v1/rewards/{code}/redeem", {}).raise_for_status()
    return receipt_id


def test_a_use_survives_the_purge_of_its_receipt_without_the_shopper(
    engine: Engine, shops: Shops, shop: Workshop, clock: Clock, used: str
) -> None:
    with engine.begin() as conn:
        conn.execute(update(Merchant).where(Merchant.id == shops.linden).values(keep_days=1))
    clock.ahead = timedelta(days=2)
    purge(shop, "", {})
    with engine.connect() as conn:
        assert conn.scalar(select(func.count()).select_from(Receipt)) == 0
        reward = conn.execute(select(Reward.receipt_id, Reward.shopper, Reward.state)).one()
        assert tuple(reward) == (None, None, "redeemed")
        assert conn.scalar(select(Redemption.amount)) == 320
        assert conn.scalar(select(func.count()).select_from(SeenShopper)) == 0


def test_a_purge_gives_no_shopper_a_new_share_while_the_campaign_runs(
    owner: Person, till: Person, engine: Engine, shops: Shops, shop: Workshop, clock: Clock
) -> None:
    campaign_id = launched(owner, caps={"per_shopper": 2})
    sold(till, **ANNA), sold(till, shopper={"email": "ben@example.com"})
    with engine.begin() as conn:
        conn.execute(update(Merchant).where(Merchant.id == shops.linden).values(keep_days=1))
    clock.ahead = timedelta(days=2)
    purge(shop, "", {})
    with engine.connect() as conn:
        [(of_anna, shopper), (of_ben, _)] = conn.execute(select(Reward.mark, Reward.shopper).order_by(Reward.id)).all()
    assert of_anna
    assert (of_anna != of_ben, shopper) == (True, None)
    assert [len(cards_of(owner, sold(till, **ANNA))) for _ in range(2)] == [1, 0]
    owner.put(f"/v1/campaigns/{campaign_id}/state", {"state": "ended"}).raise_for_status()
    expire_rewards(shop, "", {})
    with engine.connect() as conn:
        assert set(conn.scalars(select(Reward.mark))) == {None}


def test_a_shopper_who_is_forgotten_leaves_the_card(owner: Person, engine: Engine, used: str) -> None:
    owner.delete(f"/v1/receipts/{used}/shopper").raise_for_status()
    with engine.connect() as conn:
        reward = conn.execute(select(Reward.receipt_id, Reward.shopper, Reward.state)).one()
        assert tuple(reward) == (used, None, "redeemed")
        assert conn.scalar(select(func.count()).select_from(SeenShopper)) == 0


def test_what_is_flagged_of_a_shopper_goes_with_them(
    owner: Person, till: Person, shop: Workshop, engine: Engine, shops: Shops
) -> None:
    launched(owner)
    receipts = [sold(till, **ANNA) for _ in range(10)]
    watch_rewards(shop, "", {})
    with engine.begin() as conn:
        for receipt_id in receipts:
            forgetting.forget_shopper(conn, shops.linden, receipt_id)
        assert conn.scalar(select(func.count()).select_from(RewardFlag)) == 0
