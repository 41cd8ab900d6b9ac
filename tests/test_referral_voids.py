"""A sale by a code that is voided counts for nothing, and what is rung up in its place counts as it would have."""

import pytest
from sqlalchemy import Engine, func, select, update

from engagement.voice.tables import ReferralRun, ReferralUse
from receipts.tables import Receipt
from tests.support.inside import Inside, Person
from tests.support.referrals import BEN, look, promoted, told, uses, with_code
from tests.support.sales import Body, refund
from tests.support.shops import Shops
from tests.support.surveys import sold
from tests.support.workshop import Clock
from worker.offers import write_baskets
from worker.workshop import Workshop


@pytest.fixture
def code(owner: Person, till: Person, stranger: Person, inside: Inside, engine: Engine, shops: Shops) -> str:
    return promoted(owner, till, stranger, inside, engine, shops)


def void(till: Person, sale: Body) -> None:
    till.post("/v1/receipts", refund(sale["id"], "3.20", kind="void")).raise_for_status()


def look_at_all(shop: Workshop, clock: Clock) -> None:
    """With baskets written down, as they are long before."""
    write_baskets(shop, "job", {})
    look(shop, clock)
    with shop.engine.begin() as conn:
        # The worker's clock is ahead of the tills': what they sell next is not behind it.
        conn.execute(update(ReferralRun).values(after=select(func.max(Receipt.id)).scalar_subquery()))


@pytest.mark.parametrize("is_late", [False, True], ids=["before it is looked at", "after"])
def test_what_is_rung_up_after_a_void_counts_and_its_shopper_is_new(
    owner: Person, till: Person, code: str, shop: Workshop, clock: Clock, engine: Engine, is_late: bool
) -> None:
    sale = sold(till, shopper=BEN, hours_ago=2, **with_code(code, "metadata"))
    if is_late:
        look_at_all(shop, clock)
    void(till, sale)
    if is_late:
        look_at_all(shop, clock)
        assert uses(engine) == 0
    sold(till, shopper=BEN, hours_ago=1, **with_code(code, "metadata"))
    look_at_all(shop, clock)
    [found] = owner.get("/v1/referrals").json()["referrals"]
    assert (found["sales"], found["shoppers"], found["new_shoppers"]) == (1, 1, 1)
    assert found["revenue"] == {"EUR": "3.20"}


@pytest.mark.parametrize("is_together", [False, True], ids=["one after the other", "together"])
def test_what_is_rung_up_before_the_void_counts_as_well(
    owner: Person, till: Person, code: str, shop: Workshop, clock: Clock, engine: Engine, is_together: bool
) -> None:
    wrong = sold(till, shopper=BEN, hours_ago=2, **with_code(code, "metadata"))
    look_at_all(shop, clock)
    right = sold(till, shopper=BEN, hours_ago=1, **with_code(code, "metadata"))
    if not is_together:
        look_at_all(shop, clock)
    void(till, wrong)
    look_at_all(shop, clock)
    with engine.connect() as conn:
        assert conn.execute(select(ReferralUse.receipt_id, ReferralUse.is_new)).all() == [(right["id"], True)]
    look_at_all(shop, clock)
    assert (uses(engine), told(engine)) == (1, 2)


def test_a_void_makes_no_room_for_what_was_voided_itself_or_carried_no_code(
    till: Person, code: str, shop: Workshop, clock: Clock, engine: Engine
) -> None:
    first = sold(till, shopper=BEN, **with_code(code, "metadata"))
    second = sold(till, shopper=BEN, **with_code(code, "metadata"))
    sold(till, shopper=BEN)
    look_at_all(shop, clock)
    void(till, second)
    void(till, first)
    look_at_all(shop, clock)
    assert uses(engine) == 0
