"""What is learned of baskets holds at once, and until then what was learned before."""

import random
from collections.abc import Iterator
from typing import Any

import pytest
from sqlalchemy import Engine, func, insert, select, update

from engagement.offers import apart, books, rebuild
from engagement.offers.apart import LearningFailed
from engagement.offers.lesson import Lesson
from engagement.offers.tables import Basket, Neighbour, OfferBook, PopularItem
from infra.settings import Settings
from kernel.clock import utc_now
from tests.support.inside import Person
from tests.support.products import caught_up, offered, sale, sold, stocked, taught
from tests.support.shops import Shops
from tests.support.workshop import Clock
from tests.test_races import at_once
from worker import offers
from worker.workshop import Workshop

_PAIRS = [("rye", "butter"), ("rye", "butter"), ("rolls", "jam"), ("knife", "board")]


@pytest.fixture
def sales(owner: Person, engine: Engine, settings: Settings) -> None:
    """Eighty baskets in which rye goes with butter, rolls with jam, a knife with its board."""
    drawn = random.Random(3)
    bodies = [sale(*drawn.choice(_PAIRS)) for _ in range(80)]
    owner.post("/v1/receipts/batch", {"receipts": bodies}).raise_for_status()
    caught_up(engine, settings)
    stocked(owner, "Rye", "Butter", "Rolls", "Jam", "Knife", "Board")


def editions(engine: Engine) -> set[int]:
    with engine.connect() as conn:
        return {*conn.scalars(select(Neighbour.edition)), *conn.scalars(select(PopularItem.edition))}


def held(engine: Engine) -> int | None:
    with engine.connect() as conn:
        return conn.scalar(select(OfferBook.edition))


def test_what_is_bought_together_is_offered(owner: Person, engine: Engine, shops: Shops, sales: None) -> None:
    assert offered(owner, sold(owner, "knife")) == []
    assert rebuild.rebuild(engine, shops.linden, clock=utc_now)
    owner.inside.app.state.house.offer_desks.forget()
    assert offered(owner, sold(owner, "knife"))[0] == ("board", "together")
    assert offered(owner, sold(owner, "rolls"))[0] == ("jam", "together")


def test_the_report_is_to_be_read(owner: Person, engine: Engine, shops: Shops, sales: None) -> None:
    assert owner.get("/v1/offers/report").json() == {"learned_at": None, "report": None}
    rebuild.rebuild(engine, shops.linden, clock=utc_now)
    told = owner.get("/v1/offers/report").json()
    assert told["learned_at"]
    assert (told["report"]["baskets"], told["report"]["items"]) == (80, 6)
    assert {each["name"] for each in told["report"]["methods"]} >= {"receipts", "popularity"}


def test_the_worker_learns_when_there_is_enough_and_not_again(
    owner: Person, engine: Engine, shop: Workshop, sales: None
) -> None:
    with engine.connect() as conn:
        assert len(books.due(conn, now=utc_now(), nightly=False)) == 1
    offers.write_baskets(shop, "job", {})
    offers.learn(shop, "job", {})
    first = held(engine)
    assert first is not None
    offers.learn(shop, "job", {})
    offers.learn_all(shop, "job", {})
    assert held(engine) == first
    owner.post("/v1/receipts", sale("rye", "butter")).raise_for_status()
    offers.learn(shop, "job", {})
    assert held(engine) == first
    offers.learn_all(shop, "job", {})
    assert held(engine) != first


def test_too_few_baskets_tell_nothing(owner: Person, engine: Engine, shops: Shops, settings: Settings) -> None:
    for _ in range(3):
        sold(owner, "rye", "butter")
    caught_up(engine, settings)
    assert not rebuild.rebuild(engine, shops.linden, clock=utc_now)
    assert (held(engine), editions(engine)) == (None, set())


def test_the_old_edition_holds_until_the_new_one_is_whole(
    engine: Engine, shops: Shops, sales: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    taught(engine, shops.linden, {("rye", "jam"): (1, 2)})
    before = held(engine)
    seen: list[int | None] = []
    insert_rows = rebuild._insert

    def watched(*args: Any) -> None:
        insert_rows(*args)
        seen.append(held(engine))

    monkeypatch.setattr(rebuild, "_insert", watched)
    rebuild.rebuild(engine, shops.linden, clock=utc_now)
    assert seen == [before, before]
    assert held(engine) != before
    # For pages that have read just before which one holds.
    assert editions(engine) == {before, held(engine)}
    rebuild.sweep(engine, shops.linden)
    assert editions(engine) == {held(engine)}


@pytest.mark.parametrize("failure", [LearningFailed("no numpy"), RuntimeError("killed")], ids=repr)
def test_a_failure_leaves_everything_as_it_was(
    engine: Engine, shops: Shops, sales: None, monkeypatch: pytest.MonkeyPatch, failure: Exception
) -> None:
    taught(engine, shops.linden, {("rye", "jam"): (1, 2)})
    before = held(engine)
    with engine.connect() as conn:
        fresh = conn.scalar(select(OfferBook.fresh))

    def fails(*_: Any, **__: Any) -> Lesson:
        raise failure

    monkeypatch.setattr(apart, "learn", fails)
    with pytest.raises(type(failure)):
        rebuild.rebuild(engine, shops.linden, clock=utc_now)
    with engine.connect() as conn:
        assert conn.scalar(select(OfferBook.fresh)) == fresh
    assert (held(engine), editions(engine)) == (before, {before})


def test_what_a_killed_learner_left_is_swept_away(engine: Engine, shops: Shops, sales: None) -> None:
    left = [
        {"merchant_id": shops.linden, "edition": 5, "a": f"s:{at}", "b": "s:x", "score": 1.0, "receipts": 1}
        for at in range(3000)
    ]
    with engine.begin() as conn:
        conn.execute(insert(Neighbour), left)
    rebuild.rebuild(engine, shops.linden, clock=utc_now)
    assert editions(engine) == {held(engine)}


def test_of_many_who_learn_at_once_one_does(
    engine: Engine, shops: Shops, sales: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[int] = []
    learn = apart.learn

    def counted(rows: Any, **options: Any) -> Lesson:
        asked.append(1)
        return learn(rows, **options)

    monkeypatch.setattr(apart, "learn", counted)
    done = at_once(4, lambda _: rebuild.rebuild(engine, shops.linden, clock=utc_now))
    assert (done.count(True), len(asked)) == (1, 1)


def test_who_died_while_learning_leaves_it_to_others_after_two_hours(engine: Engine, shops: Shops, sales: None) -> None:
    clock = Clock()
    with engine.begin() as conn:
        assert books.claim(conn, shops.linden, now=clock()) is not None
    assert not rebuild.rebuild(engine, shops.linden, clock=clock)
    clock.pass_by(hours=2, minutes=1)
    assert rebuild.rebuild(engine, shops.linden, clock=clock)


def test_what_failed_is_not_tried_again_at_once(
    engine: Engine, shops: Shops, sales: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = Clock()

    def fails(*_: Any, **__: Any) -> Lesson:
        raise LearningFailed("no numpy")

    monkeypatch.setattr(apart, "learn", fails)
    tried = [rebuild.rebuild_due(engine, nightly=False, clock=clock, stop=lambda: False), *due(engine, clock)]
    clock.pass_by(hours=6, minutes=1)
    assert (tried, due(engine, clock)) == ([0], [shops.linden])


def test_whoever_died_makes_it_due_again(engine: Engine, shops: Shops, sales: None) -> None:
    clock = Clock()
    with engine.begin() as conn:
        books.claim(conn, shops.linden, now=clock())
    assert due(engine, clock) == []
    clock.pass_by(hours=6, minutes=1)
    assert due(engine, clock) == [shops.linden]


def due(engine: Engine, clock: Clock) -> list[str]:
    with engine.connect() as conn:
        return list(books.due(conn, now=clock(), nightly=False))


def test_a_sweep_leaves_what_somebody_began_meanwhile(
    engine: Engine, shops: Shops, monkeypatch: pytest.MonkeyPatch
) -> None:
    taught(engine, shops.linden, {("rye", "jam"): (1, 2)}, [("", "jam", 1.0)])
    delete_rows, clock = rebuild._delete, Clock()
    with engine.begin() as conn:
        rows = [
            {"merchant_id": shops.linden, "edition": 5, "a": "s:x", "b": "s:y", "score": 1.0, "receipts": 1},
            {"merchant_id": shops.linden, "edition": 6, "a": "s:x", "b": "s:y", "score": 1.0, "receipts": 1},
        ]
        conn.execute(insert(Neighbour), rows)

    def begins(*args: Any) -> None:
        delete_rows(*args)
        with engine.begin() as conn:
            conn.execute(update(OfferBook).values(claim=6, claimed_until=clock()))

    monkeypatch.setattr(rebuild, "_delete", begins)
    rebuild.sweep(engine, shops.linden)
    assert editions(engine) == {6, held(engine)}


def test_who_lost_the_claim_changes_nothing(engine: Engine, shops: Shops, sales: None) -> None:
    clock = Clock()
    with engine.begin() as conn:
        first = books.claim(conn, shops.linden, now=clock())
    clock.pass_by(hours=3)
    rebuild.rebuild(engine, shops.linden, clock=clock)
    before = held(engine)
    with engine.begin() as conn:
        assert first is not None
        assert not books.settle(conn, shops.linden, first, report={}, is_learned=True, now=clock())
    assert held(engine) == before


def test_what_came_back_is_not_learned_from(engine: Engine, shops: Shops, sales: None) -> None:
    with engine.begin() as conn:
        conn.execute(update(Basket).values(returned='["s:butter"]'))
    assert {row.item for row in rebuild._rows(engine, shops.linden)} == {
        "s:rye",
        "s:rolls",
        "s:jam",
        "s:knife",
        "s:board",
    }


def test_rows_come_page_by_page_and_each_once(
    engine: Engine, shops: Shops, sales: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rebuild, "_PAGE", 7)
    rows = list(rebuild._rows(engine, shops.linden))
    assert len(rows) == len(set(rows)) == 160
    monkeypatch.setattr(rebuild, "MOST_BASKETS", 14)
    assert len({row.basket for row in rebuild._rows(engine, shops.linden)}) == 14


@pytest.fixture(autouse=True)
def no_rows_of_others(engine: Engine) -> Iterator[None]:
    """Nothing of what is learned is anybody else's."""
    yield
    with engine.connect() as conn:
        assert conn.scalar(select(func.count(Neighbour.merchant_id.distinct()))) in (0, 1)
