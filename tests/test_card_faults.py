"""What goes wrong with a merchant's cards costs no sale, and no other merchant a card."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import Engine, select, update
from sqlalchemy.exc import OperationalError

from accounts.places import directories
from engagement.rewards import drawing, find, halting, locks
from engagement.rewards.keys import RewardKeys
from engagement.rewards.live import LiveCampaigns
from engagement.rewards.tables import Campaign, Reward
from engagement.tables import Event
from infra import secrets
from infra.settings import Settings
from kernel.clock import utc_now
from pos import gifts
from pos.gifts import Giver
from pos.intake import arrive, take
from receipts.issue import Issued
from receipts.reading import read_sale
from tests.support.campaigns import allied, cards_of, consented, drawn_up, launched, prize
from tests.support.inside import Person
from tests.support.sales import coffee
from tests.support.shops import Shops
from tests.support.workshop import Clock
from worker.rewards import expire_rewards
from worker.workshop import Workshop


@pytest.fixture
def keys(settings: Settings) -> RewardKeys:
    return RewardKeys.of(settings.data, secrets.box(settings.data))


@pytest.fixture
def patience(monkeypatch: pytest.MonkeyPatch) -> None:
    """Very little."""
    monkeypatch.setattr(gifts, "_PATIENCE", "'50ms'")


def told(engine: Engine) -> list[str | None]:
    """The receipts that may lack a card."""
    with engine.connect() as conn:
        return list(conn.scalars(select(Event.receipt_id).where(Event.kind == "reward.not_granted").order_by(Event.id)))


def sold_together(engine: Engine, shops: Shops, keys: RewardKeys, merchants: list[str]) -> list[str]:
    """The receipts of a batch with a sale of each of these merchants."""
    now = utc_now()
    with engine.connect() as conn:
        places = directories(conn, [shops.linden, shops.moor])
    arrivals = [arrive(each, read_sale(coffee()), now=now) for each in merchants]
    with engine.begin() as conn:
        answers = take(conn, arrivals, directories=places, now=now, giver=Giver(keys))
    return [each.id for each in answers if isinstance(each, Issued)]


@pytest.mark.parametrize("code", ["55P03", "57014"])
def test_who_waited_for_too_long_is_sold_to_without_a_card(
    owner: Person, till: Person, engine: Engine, monkeypatch: pytest.MonkeyPatch, code: str
) -> None:
    """Lock timeout and statement timeout of PostgreSQL."""
    launched(owner)
    tried: list[str] = []

    class Waited(Exception):
        sqlstate = code

    def wait(_conn: Any, _live: Any, entry: str, *_: Any) -> None:
        tried.append(entry)
        raise OperationalError("", {}, Waited())

    monkeypatch.setattr(drawing, "draw", wait)
    results = till.post("/v1/receipts/batch", {"receipts": [coffee() for _ in range(3)]}).json()["results"]
    assert [each["status"] for each in results] == [201] * 3
    assert sorted(told(engine), key=str) == sorted(each["receipt"]["id"] for each in results)
    # Together, and the first of them alone.
    assert len(tried) == 2


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
@pytest.mark.usefixtures("patience")
def test_a_merchant_whose_campaign_is_locked_costs_no_other_a_card(
    owner: Person, outsider: Person, engine: Engine, shops: Shops, keys: RewardKeys
) -> None:
    campaign_id = launched(owner)
    launched(outsider)
    with engine.begin() as conn:
        locks.alone(conn, campaign_id)
        ours, theirs, ours_too = sold_together(engine, shops, keys, [shops.linden, shops.moor, shops.linden])
    assert sorted(told(engine), key=str) == sorted([ours, ours_too])
    assert [len(cards_of(outsider, theirs)), len(cards_of(owner, ours))] == [1, 0]


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
@pytest.mark.usefixtures("patience")
def test_all_else_is_waited_for_as_long_as_before(
    owner: Person, engine: Engine, shops: Shops, keys: RewardKeys
) -> None:
    launched(owner)
    now = utc_now()
    with engine.connect() as conn:
        places = directories(conn, [shops.linden])
        before = conn.exec_driver_sql("SHOW lock_timeout").scalar()
    with engine.begin() as conn:
        arrivals = [arrive(shops.linden, read_sale(coffee()), now=now)]
        take(conn, arrivals, directories=places, now=now, giver=Giver(keys))
        assert conn.exec_driver_sql("SHOW lock_timeout").scalar() == before == "10s"


def spoiled(engine: Engine, campaign_id: str, **values: Any) -> None:
    with engine.begin() as conn:
        conn.execute(update(Campaign).where(Campaign.id == campaign_id).values(values))


def test_a_campaign_that_cannot_be_read_costs_no_other_merchant_a_card(
    owner: Person, outsider: Person, engine: Engine, shops: Shops, keys: RewardKeys
) -> None:
    spoiled(engine, launched(owner), sealed_seed=b"sealed by nobody")
    launched(outsider)
    ours, theirs = sold_together(engine, shops, keys, [shops.linden, shops.moor])
    assert told(engine) == [ours]
    assert len(cards_of(outsider, theirs)) == 1


def test_a_campaign_that_ends_while_it_is_read_gives_nothing(
    owner: Person, engine: Engine, shops: Shops, keys: RewardKeys, monkeypatch: pytest.MonkeyPatch
) -> None:
    campaign_id, other = launched(owner), launched(owner)
    with engine.connect() as conn:
        before = find.running(conn, [shops.linden])
    owner.put(f"/v1/campaigns/{campaign_id}/state", {"state": "ended"}).raise_for_status()
    monkeypatch.setattr(find, "running", lambda *_: before)
    with engine.begin() as conn:
        found = LiveCampaigns().of(conn, keys, [shops.linden])
    assert [each.id for each in found[shops.linden]] == [other]


def test_campaigns_end_by_the_clock_though_their_seeds_or_definitions_cannot_be_read(
    owner: Person, outsider: Person, engine: Engine, shop: Workshop, clock: Clock, shops: Shops
) -> None:
    times = {"ends_at": "2098-01-01T00:00", "late_days": 3}
    broken, spoilt, _ = launched(owner, **times), launched(owner, **times), launched(outsider, **times)
    spoiled(engine, broken, sealed_seed=b"sealed by nobody")
    spoiled(engine, spoilt, definition='{"timezone": "Atlantis/Poseidonis", "late_days": 3}')
    clock.ahead = timedelta(days=366 * 80)
    expire_rewards(shop, "", {})
    with engine.connect() as conn:
        found = {row.id: row.state for row in conn.execute(select(Campaign.id, Campaign.state))}
    assert set(found.values()) == {"ended"}


# --- allies


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
@pytest.mark.parametrize("is_guarded", [True, False])
def test_who_ends_an_alliance_waits_for_cards_that_are_being_given(
    owner: Person,
    outsider: Person,
    engine: Engine,
    shops: Shops,
    keys: RewardKeys,
    monkeypatch: pytest.MonkeyPatch,
    is_guarded: bool,
) -> None:
    """Without the guard it would be over while they are."""
    allied(owner, outsider)
    campaign_id = drawn_up(owner, prizes=[prize(supplier="moor")])
    consented(outsider)
    owner.put(f"/v1/campaigns/{campaign_id}/state", {"state": "live"}).raise_for_status()
    [alliance] = owner.get("/v1/alliances").json()["alliances"]

    if not is_guarded:
        monkeypatch.setattr(locks, "alone", lambda *_: None)

    def end() -> None:
        with engine.begin() as conn:
            halting.end_alliance(conn, shops.moor, alliance["id"], now=utc_now())

    now = utc_now()
    with engine.connect() as conn:
        places = directories(conn, [shops.linden])
    arrivals = [arrive(shops.linden, read_sale(coffee()), now=now)]
    with ThreadPoolExecutor(1) as pool:
        with engine.begin() as conn:
            take(conn, arrivals, directories=places, now=now, giver=Giver(keys))
            ending = pool.submit(end)
            if is_guarded:
                with pytest.raises(TimeoutError):
                    ending.result(timeout=1)
            else:
                ending.result(timeout=60)
        ending.result(timeout=60)
    with engine.connect() as conn:
        assert len(conn.scalars(select(Reward.id)).all()) == 1
