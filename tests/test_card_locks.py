"""Whoever writes cards keeps nobody waiting who only refers to what is locked. SQLite has one writer anyway."""

from collections.abc import Callable

import pytest
from psycopg.errors import LockNotAvailable
from sqlalchemy import Connection, Engine, insert, select, text
from sqlalchemy.exc import OperationalError

from accounts.places import directories
from accounts.tables import Merchant
from cards import manage
from cards.find import CardRecord
from cards.recognised import Recognised, known_cards
from cards.tables import Card, CardCount
from pos.intake import arrive, take
from receipts.issue import Issued
from receipts.reading import read_sale
from tests.support.cards import a_card
from tests.support.sales import coffee
from tests.support.shops import OPENED, Shops

Act = Callable[[Connection, CardRecord], object]
pytestmark = pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)


@pytest.fixture
def card(engine: Engine, shops: Shops) -> CardRecord:
    return a_card(engine, shops)


def an_import(conn: Connection, card: CardRecord) -> None:
    known_cards(conn, card.merchant_id, Recognised())


def a_change(conn: Connection, card: CardRecord) -> None:
    manage.hold(conn, card.merchant_id, card.id)


def the_merchant_for_itself(conn: Connection, card: CardRecord) -> None:
    """The control: foreign keys wait for this lock."""
    conn.execute(select(Merchant.id).where(Merchant.id == card.merchant_id).with_for_update())


def the_card_for_itself(conn: Connection, card: CardRecord) -> None:
    """The control."""
    conn.execute(select(Card.id).where(Card.id == card.id).with_for_update())


def a_sale(conn: Connection, card: CardRecord) -> None:
    arrival = arrive(card.merchant_id, read_sale(coffee()), now=OPENED)
    (answer,) = take(conn, [arrival], directories=directories(conn, [card.merchant_id]), now=OPENED)
    assert isinstance(answer, Issued)


def a_visit(conn: Connection, card: CardRecord) -> None:
    row = {"card_id": card.id, "day": "2026-11-28", "act": "view", "source": "qr", "target": "", "times": 1}
    conn.execute(insert(CardCount).values(row | {"merchant_id": card.merchant_id}))


def waits(engine: Engine, card: CardRecord, *, holding: Act, act: Act) -> bool:
    """Whether ``act`` has to wait for who is ``holding`` a lock; it gives up soon."""
    with engine.begin() as held:
        holding(held, card)
        try:
            with engine.begin() as conn:
                conn.execute(text("SET LOCAL lock_timeout = '200ms'"))
                act(conn, card)
        except OperationalError as error:
            if isinstance(error.orig, LockNotAvailable):
                return True
            raise
    return False


@pytest.mark.parametrize("act", [a_sale, a_visit])
@pytest.mark.parametrize("holding", [an_import, a_change])
def test_sales_and_visits_go_on_while_cards_are_written(
    engine: Engine, card: CardRecord, holding: Act, act: Act
) -> None:
    assert not waits(engine, card, holding=holding, act=act)


@pytest.mark.parametrize("act, holding", [(a_sale, the_merchant_for_itself), (a_visit, the_card_for_itself)])
def test_with_the_row_locked_for_oneself_they_would_wait(
    engine: Engine, card: CardRecord, holding: Act, act: Act
) -> None:
    assert waits(engine, card, holding=holding, act=act)


@pytest.mark.parametrize("holding", [an_import, a_change])
def test_who_writes_cards_still_waits_for_another(engine: Engine, card: CardRecord, holding: Act) -> None:
    assert waits(engine, card, holding=holding, act=holding)
