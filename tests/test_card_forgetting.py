"""What is known of shoppers and visitors goes: with the receipt, with the contact's time, and with the day."""

import time
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import Engine, event, func, insert, select

from cards import forgetting, invites, numbers, ratings, wallets
from cards.find import CardRecord
from cards.numbers import day_of
from cards.tables import (
    CardContact,
    CardCount,
    CardInvite,
    CardVisit,
    CardVisitor,
    DailySalt,
    PassRegistration,
    ServiceRating,
)
from cards.wallets import Device
from tests.support.aged import DUE, accept, limit
from tests.support.cards import a_card
from tests.support.exchange import leave
from tests.support.inside import Person
from tests.support.sales import coffee
from tests.support.shops import Shops
from tests.support.workshop import Clock
from worker.chores import forget_visitors, purge
from worker.workshop import Workshop


@pytest.fixture
def card(engine: Engine, shops: Shops) -> CardRecord:
    return a_card(engine, shops)


def rows(engine: Engine, *tables: type[object]) -> list[int]:
    with engine.connect() as conn:
        return [conn.scalar(select(func.count()).select_from(table)) or 0 for table in tables]


def shown(engine: Engine, card: CardRecord, receipt_id: str) -> None:
    """As if its shopper had looked at the card through the receipt, and rated who served."""
    with engine.begin() as conn:
        numbers.count(conn, card, "view", source="receipt", visitor="a" * 32, receipt_id=receipt_id, now=DUE)
        ratings.rate(conn, card.merchant_id, card.id, receipt_id, 5, now=DUE)


def test_what_came_of_a_receipt_goes_with_it_and_the_numbers_stay(
    shop: Workshop, engine: Engine, shops: Shops, card: CardRecord, clock: Clock
) -> None:
    old = accept(engine, shops.linden, coffee(staff="emma"), DUE)
    young = accept(engine, shops.linden, coffee(staff="emma"), clock())
    for receipt in (old, young):
        shown(engine, card, receipt.id)
    limit(engine, shops.linden)
    purge(shop, "job", {})
    with engine.connect() as conn:
        for table in (CardVisit, ServiceRating):
            assert list(conn.scalars(select(table.receipt_id))) == [young.id]
    assert rows(engine, CardCount) == [2]


def test_a_contact_outlives_the_receipt_through_which_it_came_and_forgets_it(
    shop: Workshop, stranger: Person, engine: Engine, shops: Shops, card: CardRecord
) -> None:
    old = accept(engine, shops.linden, coffee(), DUE)
    leave(stranger, card)
    with engine.begin() as conn:
        conn.execute(CardContact.__table__.update().values(receipt_id=old.id))  # type: ignore[attr-defined]
    limit(engine, shops.linden)
    purge(shop, "job", {})
    with engine.connect() as conn:
        assert conn.execute(select(CardContact.name, CardContact.receipt_id)).all() == [("Mia Roth", None)]


def test_a_contact_goes_when_its_time_is_over(
    shop: Workshop, stranger: Person, engine: Engine, shops: Shops, card: CardRecord, clock: Clock
) -> None:
    leave(stranger, card)
    limit(engine, shops.linden)
    clock.pass_by(days=31)
    purge(shop, "job", {})
    assert rows(engine, CardContact) == [0]


def test_who_erases_a_shopper_forgets_the_phone_that_has_their_receipt(
    owner: Person, engine: Engine, shops: Shops, clock: Clock
) -> None:
    theirs, another = (accept(engine, shops.linden, coffee(), clock()) for _ in range(2))
    with engine.begin() as conn:
        for receipt in (theirs, another):
            device = Device(id="phone", push_token="ab" * 32)
            wallets.register(conn, shops.linden, receipt.id, device, now=clock())
    assert owner.delete(f"/v1/receipts/{theirs.id}/shopper").status_code == 204
    with engine.connect() as conn:
        assert list(conn.scalars(select(PassRegistration.serial))) == [another.id]


def test_invites_that_are_over_are_forgotten_by_night(
    shop: Workshop, engine: Engine, shops: Shops, card: CardRecord, clock: Clock
) -> None:
    ages = (invites.VALID + timedelta(seconds=1), invites.VALID - timedelta(seconds=1))
    with engine.begin() as conn:
        _, young = [invites.invite(conn, shops.linden, card.id, now=clock() - age) for age in ages]
    forget_visitors(shop, "job", {})
    with engine.connect() as conn:
        assert list(conn.scalars(select(CardInvite.id))) == [young.id]


def test_what_is_forgotten_by_night_lets_others_write_in_between(
    engine: Engine, card: CardRecord, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However many there are on one card."""
    yesterday = {"card_id": card.id, "day": day_of(clock() - timedelta(days=1)), "merchant_id": card.merchant_id}
    done = {"act": "view", "source": "", "target": "", "times": 1}
    with engine.begin() as conn:
        conn.execute(insert(CardVisitor), [yesterday | done | {"visitor": f"{each:032}"} for each in range(25)])
    pauses: list[float] = []
    counts: list[int] = []

    def note(_conn: Any, cursor: Any, sql: str, *_: Any) -> None:
        if sql.startswith("DELETE FROM card_visitors"):
            counts.append(cursor.rowcount)

    event.listen(engine, "after_cursor_execute", note)
    monkeypatch.setattr(forgetting, "_ROWS_TOGETHER", 10)
    monkeypatch.setattr(time, "sleep", pauses.append)
    forgetting.forget_days(engine, now=clock(), stop=lambda: False)
    assert (counts, len(pauses)) == ([10, 10, 5], 4)


def test_by_night_the_visitors_of_the_day_are_forgotten_and_those_of_today_are_not(
    shop: Workshop, stranger: Person, engine: Engine, card: CardRecord, clock: Clock
) -> None:
    leave(stranger, card)
    forget_visitors(shop, "job", {})
    assert 0 not in rows(engine, CardVisitor, DailySalt)
    clock.pass_by(days=1)
    forget_visitors(shop, "job", {})
    assert rows(engine, CardVisitor, DailySalt, CardContact) == [0, 0, 1]
