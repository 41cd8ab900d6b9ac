"""A launch, and an import of codes, are written slice by slice: sales come in between, and what breaks off in the
middle counts for nothing."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import pairwise
from typing import Any

import pytest
from sqlalchemy import Connection, Engine, func, select
from sqlalchemy.exc import IntegrityError

from engagement.rewards import code_files, hands, launching, pool
from engagement.rewards.keys import RewardKeys
from engagement.rewards.tables import Campaign, PoolCode, PrizeSlot
from engagement.tables import Event
from infra import secrets
from infra.settings import Settings
from kernel.clock import utc_now
from kernel.errors import Conflict, NotFound
from tests.support.campaigns import campaign, cards_of, drawn_up, prize, sold
from tests.support.inside import Inside, Person, on_sqlite
from tests.support.sales import Body
from tests.support.shops import Shops
from tests.test_races import at_once

OF_POOL: Body = {name: value for name, value in prize(codes="pool").items() if name != "stock"}


Launch = Callable[[str], None]
# Is told how many slices there were.
Act = Callable[[int], None]
Between = Callable[[Act], None]


class Crash(Exception):
    """The process dies here."""


@pytest.fixture
def between(monkeypatch: pytest.MonkeyPatch) -> Between:
    """Have something done after each slice."""

    def watch(act: Act) -> None:
        slices = 0

        @contextmanager
        def in_turn(engine: Engine) -> Iterator[Connection]:
            nonlocal slices
            with engine.begin() as conn:
                yield conn
            slices += 1
            act(slices)

        monkeypatch.setattr(hands, "in_turn", in_turn)

    return watch


@pytest.fixture
def few(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ten a slice."""
    monkeypatch.setattr(hands, "SLICE", 10)


@pytest.fixture
def launch(engine: Engine, inside: Inside, shops: Shops, settings: Settings) -> Launch:
    keys, jobs = RewardKeys.of(settings.data, secrets.box(settings.data)), inside.app.state.house.post.jobs
    return lambda campaign_id: launching.launch_in_slices(engine, keys, jobs, shops.linden, campaign_id, clock=utc_now)


def positions(engine: Engine) -> list[int]:
    with engine.connect() as conn:
        return list(conn.scalars(select(PrizeSlot.position).order_by(PrizeSlot.position)))


def state(engine: Engine) -> tuple[str, bool]:
    """Of the one campaign: what it is, and whether somebody has it in hand."""
    with engine.connect() as conn:
        row = conn.execute(select(Campaign.state, Campaign.in_hand)).one()
    return row.state, row.in_hand is not None


@contextmanager
def crashing(between: Between, last: int) -> Iterator[None]:
    """What is done breaks off after its ``last`` slice."""

    def crash(slices: int) -> None:
        if slices == last:
            raise Crash

    between(crash)
    with pytest.raises(Crash):
        yield
    between(lambda _: None)


@pytest.fixture
def break_off(few: None, launch: Launch, between: Between) -> Launch:
    """Launch, but for what comes after the third slice."""

    def begin(campaign_id: str) -> None:
        with crashing(between, 3):
            launch(campaign_id)

    return begin


@on_sqlite
@pytest.mark.parametrize("stock", [20_000, pytest.param(200_000, marks=pytest.mark.long)])
def test_while_very_many_slots_are_laid_out_sales_come_in_after_each_slice(
    owner: Person,
    till: Person,
    engine: Engine,
    launch: Launch,
    between: Between,
    stock: int,
) -> None:
    campaign_id = drawn_up(owner, prizes=[prize(stock=stock)])
    reached, receipts = [0], []

    def look(slices: int) -> None:
        with engine.connect() as conn:
            last = conn.scalar(select(func.max(PrizeSlot.position)))
        reached.append(0 if last is None else last + 1)
        if slices % (stock // 8_000) == 0 and reached[-1] < stock:
            receipts.append(sold(till))

    between(look)
    launch(campaign_id)
    grown = [later - earlier for earlier, later in pairwise(reached)]
    assert (max(grown), sum(grown)) == (hands.SLICE, stock)
    assert len(receipts) >= 4
    assert [card for each in receipts for card in cards_of(owner, each)] == []
    assert state(engine) == ("live", False)


def test_a_launch_that_breaks_off_leaves_a_draft_that_can_be_launched_again(
    owner: Person, till: Person, engine: Engine, break_off: Launch
) -> None:
    campaign_id = drawn_up(owner, mode="deck", nothing=20, prizes=[prize(stock=30, weight=None)])
    break_off(campaign_id)
    assert (state(engine), len(positions(engine))) == (("draft", True), 20)
    assert cards_of(owner, sold(till)) == []
    owner.put(f"/v1/campaigns/{campaign_id}/state", {"state": "live"}).raise_for_status()
    assert (state(engine), positions(engine)) == (("live", False), list(range(50)))
    assert len(cards_of(owner, sold(till))) == 1


def test_a_draft_whose_launch_broke_off_can_be_changed_and_thrown_away(
    owner: Person, engine: Engine, break_off: Launch
) -> None:
    campaign_id = drawn_up(owner)
    break_off(campaign_id)
    other = campaign(prizes=[prize(slug="cake", stock=27)])
    owner.put(f"/v1/campaigns/{campaign_id}", other).raise_for_status()
    assert (state(engine), positions(engine)) == (("draft", False), [])
    break_off(campaign_id)
    owner.delete(f"/v1/campaigns/{campaign_id}").raise_for_status()
    assert positions(engine) == []


@pytest.mark.usefixtures("few")
def test_of_two_who_launch_at_once_one_does(owner: Person, engine: Engine) -> None:
    campaign_id = drawn_up(owner)
    answers = at_once(2, lambda _: owner.put(f"/v1/campaigns/{campaign_id}/state", {"state": "live"}))
    # Who comes once it is live lets it go on, which changes nothing.
    assert {answer.status_code for answer in answers} <= {200, 409}
    assert 200 in {answer.status_code for answer in answers}
    assert (state(engine), positions(engine)) == (("live", False), list(range(50)))
    with engine.connect() as conn:
        told = select(func.count()).select_from(Event).where(Event.kind == "campaign.launched")
        assert conn.scalar(told) == 1


@pytest.mark.usefixtures("few")
def test_who_asks_again_for_a_launch_that_is_under_way_does_not_begin_it_anew(
    owner: Person, engine: Engine, between: Between
) -> None:
    path = f"/v1/campaigns/{drawn_up(owner)}/state"
    again: list[tuple[int, str]] = []

    def ask_again(slices: int) -> None:
        if slices in (1, 3):
            answer = owner.put(path, {"state": "live"})
            again.append((answer.status_code, answer.headers["retry-after"]))

    between(ask_again)
    assert owner.put(path, {"state": "live"}).status_code == 200
    assert again == [(409, "5"), (409, "5")]
    assert owner.put(path, {"state": "live"}).status_code == 200
    assert positions(engine) == list(range(50))


@pytest.mark.usefixtures("few")
@pytest.mark.parametrize("is_guarded", [True, False])
def test_who_is_overtaken_is_refused_the_next_slice(
    owner: Person,
    engine: Engine,
    launch: Launch,
    between: Between,
    monkeypatch: pytest.MonkeyPatch,
    is_guarded: bool,
) -> None:
    """Without the guard both would lay out slots."""
    campaign_id = drawn_up(owner)
    if not is_guarded:
        # What is left of the count of slices is the one that takes the draft.
        monkeypatch.setattr(hands.Hand, "slice", lambda hand: hand.engine.begin())

    def overtake(slices: int) -> None:
        if slices == (3 if is_guarded else 1):
            launch(campaign_id)

    between(overtake)
    with pytest.raises(Conflict if is_guarded else IntegrityError):
        launch(campaign_id)
    assert (state(engine), positions(engine)) == (("live", False), list(range(50)))


# --- codes from elsewhere


def codes(count: int) -> bytes:
    return "\n".join(f"CAKE-{number:04}" for number in range(count)).encode()


@pytest.mark.usefixtures("few")
def test_an_import_that_breaks_off_has_to_be_made_again(
    owner: Person, engine: Engine, shops: Shops, settings: Settings, between: Between
) -> None:
    campaign_id = drawn_up(owner, prizes=[OF_POOL])
    keys = RewardKeys.of(settings.data, secrets.box(settings.data))
    sealed = pool.sealed(keys, code_files.read(codes(35)))
    with crashing(between, 5):
        pool.put(engine, shops.linden, campaign_id, "coffee", sealed, now=utc_now())
    with engine.connect() as conn:
        assert conn.scalar(select(func.count()).select_from(PoolCode)) == 20
    path = f"/v1/campaigns/{campaign_id}"
    refused = owner.put(f"{path}/state", {"state": "live"})
    assert [each["pointer"] for each in refused.json()["errors"]] == ["/prizes/0/codes"]
    assert owner.ask("PUT", f"{path}/prizes/coffee/codes", content=codes(35)).json() == {"codes": 35}
    owner.put(f"{path}/state", {"state": "live"}).raise_for_status()
    with engine.connect() as conn:
        assert conn.scalar(select(func.count(func.distinct(PrizeSlot.pool_code_id)))) == 35
        assert conn.scalar(select(func.max(PrizeSlot.position))) == 34


def test_of_two_who_import_the_same_code_at_once_the_second_is_told_its_line(
    owner: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    one, other = (f"/v1/campaigns/{drawn_up(owner, prizes=[OF_POOL])}/prizes/coffee/codes" for _ in range(2))
    begun: list[str] = []
    take_out = pool._take_out

    def meanwhile(hand: hands.Hand, *rest: Any) -> None:
        begun.append(hand.campaign_id)
        if len(begun) == 1:
            owner.ask("PUT", other, content=b"CAKE-1\nCAKE-2").raise_for_status()
        take_out(hand, *rest)

    monkeypatch.setattr(pool, "_take_out", meanwhile)
    refused = owner.ask("PUT", one, content=b"CAKE-0\nCAKE-1")
    assert (refused.status_code, [each["pointer"] for each in refused.json()["errors"]]) == (422, ["/2"])
    assert owner.ask("PUT", one, content=b"CAKE-0").json() == {"codes": 1}


@pytest.mark.usefixtures("few")
def test_a_draft_with_very_many_codes_is_emptied_before_it_is_thrown_away(owner: Person, engine: Engine) -> None:
    campaign_id = drawn_up(owner, prizes=[OF_POOL])
    owner.ask("PUT", f"/v1/campaigns/{campaign_id}/prizes/coffee/codes", content=codes(35)).raise_for_status()
    owner.delete(f"/v1/campaigns/{campaign_id}").raise_for_status()
    with engine.connect() as conn:
        assert conn.scalar(select(func.count()).select_from(PoolCode)) == 0


@pytest.mark.usefixtures("few")
def test_very_many_codes_of_a_prize_that_is_dropped_go_first_and_stay_where_the_draft_is_refused(
    owner: Person, engine: Engine
) -> None:
    campaign_id = drawn_up(owner, prizes=[OF_POOL])
    path = f"/v1/campaigns/{campaign_id}"
    owner.ask("PUT", f"{path}/prizes/coffee/codes", content=codes(35)).raise_for_status()
    for body, left in ((campaign(prizes=[], brands=["none"]), 35), (campaign(prizes=[OF_POOL]), 35), (campaign(), 35)):
        owner.put(path, body)
        with engine.connect() as conn:
            assert conn.scalar(select(func.count()).select_from(PoolCode)) == left
    owner.put(path, campaign(prizes=[prize(slug="tea")])).raise_for_status()
    with engine.connect() as conn:
        assert conn.scalar(select(func.count()).select_from(PoolCode)) == 0


def test_nobody_elses_draft_is_taken_over(owner: Person, engine: Engine, shops: Shops) -> None:
    campaign_id = drawn_up(owner)
    with pytest.raises(NotFound):
        hands.take(engine, shops.moor, campaign_id)
    hands.free(engine, shops.moor, campaign_id)
    assert state(engine) == ("draft", False)
