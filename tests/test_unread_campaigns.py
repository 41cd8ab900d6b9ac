"""Campaigns that cannot be read, as those of another secret key, cost a busy till no more than others."""

from collections.abc import Iterator
from typing import Any

import pytest
from sqlalchemy import Engine
from structlog.testing import capture_logs

from accounts.places import directories
from engagement.rewards import live
from engagement.rewards.keys import RewardKeys
from infra import secrets
from infra.settings import Settings
from kernel.clock import utc_now
from pos.gifts import Giver
from pos.intake import arrive, take
from receipts.reading import read_sale
from tests.support.campaigns import cards_of, launched
from tests.support.inside import Person
from tests.support.sales import coffee
from tests.support.shops import Shops
from tests.test_card_faults import spoiled, told


@pytest.fixture
def reads(monkeypatch: pytest.MonkeyPatch) -> list[set[str]]:
    """The merchants whose campaigns are read, each time."""
    found: list[set[str]] = []
    read = live._read

    def noted(conn: Any, keys: Any, merchants: Any) -> Any:
        found.append(set(merchants))
        return read(conn, keys, merchants)

    monkeypatch.setattr(live, "_read", noted)
    # No time goes by.
    monkeypatch.setattr(live, "_SECONDS", 3_600.0)
    return found


@pytest.fixture
def giver(settings: Settings, reads: list[set[str]]) -> Giver:
    return Giver(RewardKeys.of(settings.data, secrets.box(settings.data)))


@pytest.fixture
def logged() -> Iterator[list[Any]]:
    with capture_logs() as lines:
        yield lines


def sold(engine: Engine, giver: Giver, merchants: list[str]) -> list[str]:
    """The receipts of a batch with a sale of each of these."""
    now = utc_now()
    with engine.connect() as conn:
        places = directories(conn, merchants)
    arrivals = [arrive(each, read_sale(coffee()), now=now) for each in merchants]
    with engine.begin() as conn:
        answers = take(conn, arrivals, directories=places, now=now, giver=giver)
    return [each.id for each in answers if not isinstance(each, Exception)]


def test_they_are_read_once_in_a_while_and_the_log_says_so_in_a_line(
    owner: Person,
    outsider: Person,
    engine: Engine,
    shops: Shops,
    reads: list[set[str]],
    giver: Giver,
    logged: list[Any],
) -> None:
    spoiled(engine, launched(owner), sealed_seed=b"sealed by nobody")
    launched(outsider)
    batches = [sold(engine, giver, [shops.linden, shops.moor]) for _ in range(3)]
    # Together, and since that failed each alone: in the first batch.
    assert sorted(map(len, reads)) == [1, 1, 2]
    [line] = [each for each in logged if each["log_level"] == "error"]
    assert (line["event"], line["merchant"], "exc_info" in line) == ("campaigns_not_read", shops.linden, False)
    assert "secret" in line["why"]
    assert [len(cards_of(outsider, theirs)) for _, theirs in batches] == [1, 1, 1]
    assert told(engine) == [ours for ours, _ in batches]


def test_who_is_not_remembered_yet_has_only_their_own_read(
    owner: Person, outsider: Person, engine: Engine, shops: Shops, reads: list[set[str]], giver: Giver
) -> None:
    spoiled(engine, launched(owner), sealed_seed=b"sealed by nobody")
    launched(outsider)
    sold(engine, giver, [shops.linden])
    [_, theirs] = sold(engine, giver, [shops.linden, shops.moor])
    assert reads == [{shops.linden}, {shops.moor}]
    assert len(cards_of(outsider, theirs)) == 1
