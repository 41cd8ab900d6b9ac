"""Cards are given with the receipt, and cost it nothing; and to who asks for one without buying."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from sqlalchemy import Engine, func, select

from accounts.places import directories
from engagement import shoppers
from engagement.rewards import drawing, granting, revealing
from engagement.rewards.keys import RewardKeys
from engagement.rewards.tables import PrizeSlot, Reward
from engagement.tables import Event
from infra import secrets
from infra.database import connect
from infra.settings import Settings
from kernel.clock import utc_now
from kernel.errors import Conflict, Invalid, NotFound, TooMany
from pos.gifts import Giver
from pos.intake import arrive, take
from receipts.issue import Issued
from receipts.reading import read_sale
from receipts.sale import Shopper
from receipts.tables import Receipt
from tests.support.campaigns import cards_of, launched, prize, sold
from tests.support.inside import Person
from tests.support.sales import coffee
from tests.support.shops import Shops


def count(engine: Engine, table: type[Any]) -> int:
    with engine.connect() as conn:
        return conn.scalar(select(func.count()).select_from(table)) or 0


@pytest.fixture
def keys(settings: Settings) -> RewardKeys:
    return RewardKeys.of(settings.data, secrets.box(settings.data))


def test_a_card_that_goes_wrong_costs_no_sale(
    owner: Person, till: Person, engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    launched(owner)

    def fail(*_: Any) -> None:
        raise RuntimeError("a mistake of ours")

    monkeypatch.setattr(drawing, "draw", fail)
    assert cards_of(owner, sold(till)) == []
    assert (count(engine, Receipt), count(engine, Reward)) == (1, 0)
    with engine.connect() as conn:
        told = select(func.count()).select_from(Event).where(Event.kind == "reward.not_granted")
        assert conn.scalar(told.where(Event.receipt_id.is_not(None))) == 1


def test_of_a_batch_only_the_card_that_goes_wrong_is_left_out(
    owner: Person, till: Person, engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    launched(owner)
    real = drawing.draw
    failing: list[str] = []

    def fail_for_one(conn: Any, live: Any, entry: str, reward_id: str) -> Any:
        if not failing:
            failing.append(entry)
        if entry == failing[0]:
            raise RuntimeError("a mistake of ours")
        return real(conn, live, entry, reward_id)

    monkeypatch.setattr(drawing, "draw", fail_for_one)
    sales = [coffee() for _ in range(5)]
    results = till.post("/v1/receipts/batch", {"receipts": sales}).json()["results"]
    assert [each["status"] for each in results] == [201] * 5
    assert count(engine, Reward) == 4
    with engine.connect() as conn:
        taken = select(func.count()).select_from(PrizeSlot).where(PrizeSlot.reward_id.is_not(None))
        assert conn.scalar(taken) == 4


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
def test_two_servers_that_give_to_the_same_shoppers_wait_in_no_circle(
    owner: Person, shops: Shops, database_url: str, keys: RewardKeys, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each takes batches in which the same ten shoppers come, in the opposite order."""
    for _ in range(2):
        launched(owner, caps={"per_shopper": 100, "per_day": 10_000}, budget={"prizes": 500}, prizes=[prize(stock=900)])

    def serve(order: int) -> int:
        engine, giver, given = connect(database_url), Giver(keys), 0
        with engine.connect() as conn:
            places = directories(conn, [shops.linden])
        for _ in range(8):
            sales = [coffee(shopper={"customer_id": str(number)}) for number in range(10)][::order]
            arrivals = [arrive(shops.linden, read_sale(each), now=utc_now()) for each in sales]
            with engine.begin() as conn:
                answers = take(conn, arrivals, directories=places, now=utc_now(), giver=giver)
            given += sum(isinstance(each, Issued) for each in answers)
        engine.dispose()
        return given

    with ThreadPoolExecutor(2) as pool:
        assert list(pool.map(serve, (1, -1))) == [80, 80]
    rewards = owner.get("/v1/rewards", limit=100).json()
    assert len(rewards["rewards"]) == 100


# --- without a purchase


def free(engine: Engine, keys: RewardKeys, shops: Shops, campaign_id: str, shopper: str = "0" * 32) -> str:
    with engine.begin() as conn:
        given = granting.grant_free_entry(conn, keys, shops.linden, campaign_id, shopper=shopper, now=utc_now())
    return given.id


def test_who_buys_nothing_gets_as_many_cards_as_the_campaign_says(
    owner: Person, engine: Engine, keys: RewardKeys, shops: Shops
) -> None:
    campaign_id = launched(owner, free_entry={"per_shopper": 2})
    assert free(engine, keys, shops, campaign_id) != free(engine, keys, shops, campaign_id)
    with pytest.raises(TooMany):
        free(engine, keys, shops, campaign_id)
    free(engine, keys, shops, campaign_id, shopper="1" * 32)


def test_a_free_card_takes_nothing_from_who_buys(
    owner: Person, till: Person, engine: Engine, keys: RewardKeys, shops: Shops
) -> None:
    """Whoever knows an address can enter it."""
    campaign_id = launched(owner, free_entry={"per_shopper": 1}, caps={"per_shopper": 1, "per_shopper_per_day": 1})
    ada = Shopper(email="ada@gmail.com")
    mark = shoppers.pseudonym(keys.shopper, shops.linden, ada) or ""
    free(engine, keys, shops, campaign_id, shopper=mark)
    assert len(cards_of(owner, sold(till, shopper={"email": ada.email}))) == 1
    assert cards_of(owner, sold(till, shopper={"email": ada.email})) == []
    with pytest.raises(TooMany):
        free(engine, keys, shops, campaign_id, shopper=mark)


def test_who_has_bought_can_still_play_without(
    owner: Person, till: Person, engine: Engine, keys: RewardKeys, shops: Shops
) -> None:
    campaign_id = launched(owner, free_entry={"per_shopper": 1}, caps={"per_shopper": 1})
    mark = shoppers.pseudonym(keys.shopper, shops.linden, Shopper(email="ada@gmail.com")) or ""
    assert len(cards_of(owner, sold(till, shopper={"email": "ada@gmail.com"}))) == 1
    assert free(engine, keys, shops, campaign_id, shopper=mark)


def test_there_are_free_cards_only_where_the_campaign_has_them_and_while_there_are_any(
    owner: Person, engine: Engine, keys: RewardKeys, shops: Shops
) -> None:
    with pytest.raises(NotFound):
        free(engine, keys, shops, launched(owner))
    small = launched(owner, free_entry={"per_shopper": 2}, prizes=[prize(stock=1)])
    free(engine, keys, shops, small)
    with pytest.raises(Conflict):
        free(engine, keys, shops, small)


def test_of_many_free_entries_of_one_person_at_once_as_many_count_as_may(
    owner: Person, engine: Engine, keys: RewardKeys, shops: Shops
) -> None:
    campaign_id = launched(owner, free_entry={"per_shopper": 1})

    def enter(_: int) -> bool:
        try:
            return bool(free(engine, keys, shops, campaign_id))
        except TooMany:
            return False

    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(enter, range(8))) == 1


# --- scratching


def test_a_card_is_scratched_once_and_shows_the_same_ever_after(
    owner: Person, till: Person, engine: Engine, shops: Shops
) -> None:
    launched(owner)
    [card] = cards_of(owner, sold(till))
    with engine.begin() as conn:
        first, again = (revealing.reveal(conn, shops.linden, card["id"], now=utc_now()) for _ in range(2))
    assert (first, first.state) == (again, "revealed")


def test_who_is_not_of_age_scratches_nothing(owner: Person, till: Person, engine: Engine, shops: Shops) -> None:
    launched(owner, minimum_age=18)
    [card] = cards_of(owner, sold(till))
    with engine.begin() as conn:
        with pytest.raises(Invalid):
            revealing.reveal(conn, shops.linden, card["id"], now=utc_now())
        assert revealing.reveal(conn, shops.linden, card["id"], now=utc_now(), of_age=True).state == "revealed"


def test_a_code_is_taken_along_once_it_is_there(owner: Person, till: Person, engine: Engine, shops: Shops) -> None:
    launched(owner)
    [card] = cards_of(owner, sold(till))
    with engine.begin() as conn:
        with pytest.raises(revealing.RewardOver):
            revealing.claim(conn, shops.linden, card["id"], now=utc_now())
        revealing.reveal(conn, shops.linden, card["id"], now=utc_now())
        for _ in range(2):
            assert revealing.claim(conn, shops.linden, card["id"], now=utc_now()).state == "claimed"
