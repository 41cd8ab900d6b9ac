"""However many codes are tried at once, no more of them are looked up than one key may try."""

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import datetime, timedelta
from threading import Barrier, BrokenBarrierError

import pytest
from sqlalchemy import Connection, Engine, select

from accounts.tables import ApiKey
from engagement.rewards import guessing, locks, redeeming
from engagement.rewards.keys import RewardKeys
from engagement.rewards.tables import WrongCode
from infra.database import reading
from infra.settings import Settings
from kernel.clock import utc_now
from kernel.errors import NotFound, TooMany
from kernel.ids import digest
from tests.support.campaigns import won
from tests.support.inside import Inside, Person, on_sqlite
from tests.support.shops import Shops
from tests.support.waiting import wait_until
from tests.test_races import at_once

TRIES = 8


def wrong_nineteen_times(engine: Engine, merchant_id: str, key_id: str, *moments: datetime) -> None:
    with engine.begin() as conn:
        for now in moments:
            for _ in range(19):
                assert guessing.tried(conn, merchant_id, key_id, not_found, now=now) is None


def not_found() -> str:
    raise NotFound("There is no such code")


def looked_up_at_once(engine: Engine, merchant_id: str, *, is_guarded: bool) -> int:
    """How many of many wrong codes are looked up, after nineteen; each waits for the others while it is."""
    meet, now = Barrier(TRIES), utc_now()
    wrong_nineteen_times(engine, merchant_id, "key", now)

    def look() -> str:
        with suppress(BrokenBarrierError):
            meet.wait(0.5 if is_guarded else 30)
        raise NotFound("There is no such code")

    def attempt(_: int) -> bool:
        # Off: on SQLite each statement by itself, since its transactions take turns by their nature.
        opened = engine.begin() if is_guarded else reading(engine)
        with suppress(TooMany), opened as conn:
            return guessing.tried(conn, merchant_id, "key", look, now=now) is None
        return False

    return sum(at_once(TRIES, attempt))


def test_of_many_codes_at_once_one_key_tries_no_more_than_it_may(engine: Engine, shops: Shops) -> None:
    assert looked_up_at_once(engine, shops.linden, is_guarded=True) == 1


def test_without_the_guard_all_of_them_would_be_tried(
    engine: Engine, shops: Shops, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(locks, "_take", lambda *_: None)
    assert looked_up_at_once(engine, shops.linden, is_guarded=False) == TRIES


def test_over_the_api_neither(owner: Person, till: Person, engine: Engine, shops: Shops, settings: Settings) -> None:
    code = won(owner, till, engine, settings, shops.linden)
    with engine.connect() as conn:
        key_id = conn.execute(select(ApiKey.id).where(ApiKey.digest == digest(shops.owner))).scalar_one()
    # In this stretch of ten minutes, and in the next, which may begin just now.
    wrong_nineteen_times(engine, shops.linden, key_id, utc_now(), utc_now() + timedelta(minutes=10))
    answers = at_once(TRIES, lambda index: owner.get(f"/v1/rewards/GUESS-{index}"))
    assert Counter(answer.status_code for answer in answers) == {404: 1, 429: TRIES - 1}
    assert owner.get(f"/v1/rewards/{code}").status_code == 429


def tried_while_somebody_writes(
    owner: Person, engine: Engine, merchant_id: str, patch: pytest.MonkeyPatch, *, at_least: int
) -> Counter[int]:
    """What many wrong codes at once are answered, of which so many are looked up before any can be counted."""
    seen: list[str] = []

    def look_up(_conn: Connection, _keys: RewardKeys, _merchant_id: str, code: str, **_: object) -> None:
        seen.append(code)
        raise NotFound("There is no such code")

    with engine.connect() as conn:
        key_id = conn.execute(select(ApiKey.id).where(ApiKey.digest == digest(owner.key))).scalar_one()
    wrong_nineteen_times(engine, merchant_id, key_id, utc_now(), utc_now() + timedelta(minutes=10))
    patch.setattr(redeeming, "look_up", look_up)
    with ThreadPoolExecutor(1) as pool:
        with engine.begin():
            asked = pool.submit(at_once, TRIES, lambda index: owner.get(f"/v1/rewards/GUESS-{index}"))
            wait_until(lambda: len(seen) >= at_least)
        return Counter(answer.status_code for answer in asked.result())


@on_sqlite
def test_where_a_right_code_waits_for_no_writer_wrong_ones_take_turns_too(
    owner: Person, engine: Engine, shops: Shops, monkeypatch: pytest.MonkeyPatch
) -> None:
    answers = tried_while_somebody_writes(owner, engine, shops.linden, monkeypatch, at_least=1)
    assert answers == {404: 1, 429: TRIES - 1}


@on_sqlite
def test_without_turns_all_of_them_would_be_tried_there(
    owner: Person, engine: Engine, shops: Shops, inside: Inside, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The control."""
    monkeypatch.setattr(inside.app.state.house.code_turns, "setdefault", lambda _key, lock: lock)
    answers = tried_while_somebody_writes(owner, engine, shops.linden, monkeypatch, at_least=TRIES)
    assert answers == {404: TRIES}


@on_sqlite
def test_a_right_code_is_found_while_somebody_writes(
    owner: Person, till: Person, engine: Engine, shops: Shops, settings: Settings
) -> None:
    code = won(owner, till, engine, settings, shops.linden)
    with engine.begin():
        assert owner.get(f"/v1/rewards/{code}").status_code == 200


def test_a_right_code_leaves_nothing_behind(
    owner: Person, till: Person, engine: Engine, shops: Shops, settings: Settings
) -> None:
    code = won(owner, till, engine, settings, shops.linden)
    assert owner.get(f"/v1/rewards/{code}").status_code == 200
    with engine.connect() as conn:
        assert conn.execute(WrongCode.__table__.select()).all() == []
