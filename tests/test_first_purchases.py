"""Who buys for the first time, and who has bought before."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from threading import Thread
from typing import Any, Final

import pytest
from sqlalchemy import Connection, Engine, select

from engagement.rewards import first, forgetting
from engagement.rewards.tables import SeenShopper
from infra import jobs
from kernel.clock import iso, utc_now
from tests.support.campaigns import launched, sold
from tests.support.inside import Inside, Person
from tests.support.shops import Shops
from tests.support.waiting import somebody_waits, wait_until
from tests.test_campaigns import earned
from tests.test_retention_races import on_postgresql
from worker.rewards import see_first_purchases
from worker.workshop import Workshop

ANNA: dict[str, Any] = {"shopper": {"email": "anna@example.com"}}
WELCOME: Final = {"rule": {"kind": "first_purchase"}}


def test_only_who_buys_for_the_first_time_earns_a_card_of_a_welcome(owner: Person, till: Person) -> None:
    sold(till, **ANNA)
    launched(owner, eligibility=WELCOME)
    assert earned(owner, till, **ANNA) == 0
    ben: dict[str, Any] = {"shopper": {"customer_id": "C-7"}}
    assert [earned(owner, till, **ben), earned(owner, till, **ben), earned(owner, till)] == [1, 0, 0]


def test_who_bought_during_a_pause_has_bought(owner: Person, till: Person) -> None:
    campaign_id = launched(owner, eligibility=WELCOME)
    owner.put(f"/v1/campaigns/{campaign_id}/state", {"state": "paused"}).raise_for_status()
    assert [earned(owner, till, **ANNA), earned(owner, till, **ANNA)] == [0, 0]
    owner.put(f"/v1/campaigns/{campaign_id}/state", {"state": "live"}).raise_for_status()
    ben: dict[str, Any] = {"shopper": {"customer_id": "C-7"}}
    assert [earned(owner, till, **ANNA), earned(owner, till, **ben)] == [0, 1]


def selling_between(patch: pytest.MonkeyPatch, till: Person) -> None:
    """After each transaction of the look back Anna buys something."""

    @contextmanager
    def in_turn(engine: Engine) -> Iterator[Connection]:
        with engine.begin() as conn:
            yield conn
        sold(till, **ANNA)

    patch.setattr(first, "in_turn", in_turn)


def selling_after(patch: pytest.MonkeyPatch, till: Person) -> None:
    """When the look back is done Anna buys something."""
    look_back = first.look_back

    def looked_back(*asked: Any, **rest: Any) -> datetime:
        since = look_back(*asked, **rest)
        sold(till, **ANNA)
        return since

    patch.setattr(first, "look_back", looked_back)


@pytest.mark.parametrize("selling", [selling_between, selling_after])
def test_who_buys_while_earlier_receipts_are_read_has_bought(
    owner: Person, till: Person, monkeypatch: pytest.MonkeyPatch, selling: Callable[[pytest.MonkeyPatch, Person], None]
) -> None:
    with monkeypatch.context() as patch:
        selling(patch, till)
        launched(owner, eligibility=WELCOME)
    assert earned(owner, till, **ANNA) == 0


def test_who_buys_where_the_campaign_is_not_known_yet_has_bought(
    owner: Person, till: Person, inside: Inside, shop: Workshop, engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another server remembers for two seconds that there was none."""
    told: list[jobs.Payload] = []
    enqueue = jobs.Jobs.enqueue

    def heard(jobs_: jobs.Jobs, conn: Connection, kind: str, payload: jobs.Payload, **rest: Any) -> None:
        told.extend([payload] if kind == first.CATCH_UP else [])
        enqueue(jobs_, conn, kind, payload, **rest)

    with monkeypatch.context() as unaware:
        known = inside.app.state.house.writer.giver.campaigns
        unaware.setattr(known, "remembered", lambda merchants: dict.fromkeys(merchants, ()))
        unaware.setattr(jobs.Jobs, "enqueue", heard)
        launched(owner, eligibility=WELCOME)
        assert earned(owner, till, **ANNA) == 0
    with engine.connect() as conn:
        assert jobs.tally(conn)[first.CATCH_UP].delayed == 1
    [payload] = told
    see_first_purchases(shop, "", payload)
    assert earned(owner, till, **ANNA) == 0
    assert earned(owner, till, shopper={"email": "ben@example.com"}) == 1


def test_the_job_that_looks_once_more_lets_others_write_and_comes_to_an_end(
    till: Person, shop: Workshop, engine: Engine, shops: Shops, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A worker that was down over night finds a night's receipts of all merchants, which are not its affair."""
    receipts = [sold(till, shopper={"customer_id": f"C-{number}"}) for number in range(3)]
    transactions = []

    @contextmanager
    def in_turn(engine: Engine) -> Iterator[Connection]:
        with engine.begin() as conn:
            yield conn
        transactions.append(conn)

    monkeypatch.setattr(first, "in_turn", in_turn)
    monkeypatch.setattr(first, "_TOGETHER", 1)
    yesterday, now = utc_now() - timedelta(days=1), utc_now()
    for until, seen in ((yesterday, []), (now, receipts)):
        span = {"since": iso(yesterday), "until": iso(until)}
        see_first_purchases(shop, "", {"merchant": shops.linden} | span)
        with engine.connect() as conn:
            assert sorted(conn.scalars(select(SeenShopper.receipt_id))) == seen
    assert len(transactions) == 1 + 4


def test_who_has_bought_often_has_bought_until_the_last_receipt_is_purged(
    owner: Person, till: Person, engine: Engine, shops: Shops, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(first, "_TOGETHER", 2)
    receipts = [sold(till, **ANNA) for _ in range(3)]
    launched(owner, eligibility=WELCOME)
    with engine.begin() as conn:
        assert list(conn.scalars(select(SeenShopper.receipt_id))) == [receipts[-1]]
        forgetting.forget_receipts(conn, shops.linden, receipts[:1])
    assert earned(owner, till, **ANNA) == 0


def test_what_was_rung_up_for_training_was_no_purchase(owner: Person, till: Person) -> None:
    sold(till, flags=["training"], **ANNA)
    launched(owner, eligibility=WELCOME)
    assert earned(owner, till, **ANNA) == 1


# --- who is erased meanwhile


def left_of_who_is_erased(owner: Person, till: Person, engine: Engine, patch: pytest.MonkeyPatch) -> list[str]:
    """The receipts of those who are written down, after Anna was erased just when it had been read that she bought."""
    receipt_id = sold(till, **ANNA)
    write, erasing = first._write, Thread(target=lambda: owner.delete(f"/v1/receipts/{receipt_id}/shopper"))

    def erased(conn: Connection, merchant_id: str, latest: dict[str, str]) -> None:
        if latest and erasing.ident is None:
            erasing.start()
            if engine.dialect.name == "postgresql":
                wait_until(lambda: somebody_waits(engine) or not erasing.is_alive())
        write(conn, merchant_id, latest)

    patch.setattr(first, "_write", erased)
    launched(owner, eligibility=WELCOME)
    erasing.join()
    with engine.connect() as conn:
        return list(conn.scalars(select(SeenShopper.receipt_id)))


def test_who_is_erased_while_earlier_receipts_are_read_leaves_no_pseudonym(
    owner: Person, till: Person, engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert left_of_who_is_erased(owner, till, engine, monkeypatch) == []


@on_postgresql
def test_without_the_lock_a_pseudonym_would_be_left(
    owner: Person, till: Person, engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The control."""
    monkeypatch.setattr(first, "_held", lambda _conn, _merchant_id, ids: list(ids))
    assert len(left_of_who_is_erased(owner, till, engine, monkeypatch)) == 1
