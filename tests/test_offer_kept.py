"""What an offer led to, and what a shopper has, whatever the till calls it: by SKU, GTIN or name."""

from typing import Any

import pytest
from sqlalchemy import Engine, delete, event

from engagement.offers import find
from engagement.offers.tables import Neighbour
from infra.database import reading
from infra.settings import Settings
from receipts import find as receipts_find
from tests.support.inside import Person, on_sqlite
from tests.support.products import ANNA, caught_up, keys_of, offered, sold, stocked, taught
from tests.support.sales import refund
from tests.support.shops import Shops
from tests.test_offer_attribution import bought, soon, tapped

__all__ = ["tapped"]
GTIN = "4006381333931"
# The till has numbers of its own.
BUTTER = {"id": "1", "sku": "T-77", "gtin": GTIN, "name": "Butter 250 g", "total": "5.40"}


def sold_as(owner: Person, line: dict[str, Any] = BUTTER, **changes: Any) -> dict[str, Any]:
    return sold(owner, "x", lines=[line], total="5.40", **changes)


def given_back(owner: Person, receipt: dict[str, Any], *lines: dict[str, Any], **changes: Any) -> None:
    body = refund(receipt["id"], "5.40", lines=list(lines), **changes)
    owner.post("/v1/receipts", body).raise_for_status()


@pytest.mark.parametrize(
    "back",
    [
        {"id": "1", "name": "Whatever", "total": "5.40", "original_line": "1"},
        {"id": "1", "gtin": GTIN, "name": "B", "total": "5.40"},
    ],
    ids=["by its line", "by its gtin"],
)
def test_what_is_known_by_its_gtin_is_taken_off_when_it_comes_back(
    owner: Person, engine: Engine, settings: Settings, tapped: str, back: dict[str, Any]
) -> None:
    stocked(owner, "Butter", gtin=GTIN)
    receipt = sold_as(owner, shopper=ANNA, issued_at=soon())
    caught_up(engine, settings)
    assert bought(owner) == (1, {"EUR": "5.40"})
    given_back(owner, receipt, back)
    caught_up(engine, settings)
    assert bought(owner) == (1, {"EUR": "0.00"})


@on_sqlite
def test_what_was_deleted_from_the_catalogue_is_taken_off_when_it_comes_back(
    owner: Person, engine: Engine, settings: Settings, tapped: str
) -> None:
    receipt = sold(owner, "butter", shopper=ANNA, issued_at=soon())
    caught_up(engine, settings)
    owner.delete("/v1/products/butter").raise_for_status()
    given_back(owner, receipt, {"id": "1", "name": "Butter", "total": "5.40", "original_line": "1"})
    caught_up(engine, settings)
    assert bought(owner) == (1, {"EUR": "0.00"})


def test_what_comes_back_in_an_exchange_was_not_bought_with_it(
    owner: Person, engine: Engine, settings: Settings, tapped: str
) -> None:
    lines = [
        {"id": "1", "sku": "butter", "name": "Butter", "total": "-5.40"},
        {"id": "2", "sku": "tea", "name": "Tea", "total": "5.40"},
    ]
    sold(owner, "x", kind="exchange", lines=lines, total="0.00", payments=[], shopper=ANNA, issued_at=soon())
    caught_up(engine, settings)
    assert bought(owner) == (0, {})


@pytest.fixture
def near(owner: Person, engine: Engine, shops: Shops) -> None:
    stocked(owner, "Rye", "Jam")
    stocked(owner, "Butter", gtin=GTIN)
    beside = {("rye", "butter"): (3.0, 37), ("rye", "jam"): (2.0, 12), ("tea", "jam"): (1.0, 3)}
    taught(engine, shops.linden, beside, [("", "jam", 1.0)])


def skus(owner: Person, receipt: dict[str, Any]) -> list[str]:
    return [sku for sku, _ in offered(owner, receipt)]


def test_what_a_shopper_has_by_its_gtin_is_not_offered(
    owner: Person, engine: Engine, settings: Settings, near: None
) -> None:
    sold_as(owner, shopper=ANNA)
    receipt = sold(owner, "rye", shopper=ANNA)
    assert skus(owner, receipt) == ["butter", "jam"]
    caught_up(engine, settings)
    assert skus(owner, receipt) == ["jam"]


@on_sqlite
def test_a_part_of_what_was_bought_is_not_offered(owner: Person, near: None) -> None:
    lines = [
        {"id": "1", "sku": "rye", "name": "Breakfast", "total": "5.40"},
        {"id": "2", "sku": "butter", "name": "Butter", "parent": "1", "total": "0.00"},
    ]
    assert skus(owner, sold(owner, "x", lines=lines)) == ["jam"]


@on_sqlite
def test_what_was_exchanged_tells_nothing(owner: Person, near: None) -> None:
    lines = [
        {"id": "1", "sku": "rye", "name": "Rye", "total": "-5.40"},
        {"id": "2", "sku": "tea", "name": "Tea", "total": "5.40"},
    ]
    receipt = sold(owner, "x", kind="exchange", lines=lines, total="0.00", payments=[])
    told = owner.get("/v1/offers", receipt=receipt["id"]).json()["offers"]
    assert [(each["product"], each["beside"]) for each in told] == [("jam", "Tea")]


def test_what_was_given_back_later_tells_nothing_and_who_gave_all_back_is_offered_nothing(
    owner: Person, engine: Engine, settings: Settings, near: None
) -> None:
    receipt = sold(owner, "rye", "tea")
    assert skus(owner, receipt) == ["butter", "jam"]
    for line_id, offers in (("1", ["jam"]), ("2", [])):
        given_back(owner, receipt, {"id": "1", "name": "It", "total": "5.40", "original_line": line_id})
        caught_up(engine, settings)
        assert skus(owner, receipt) == offers


def test_who_gave_one_of_three_back_has_two(owner: Person, engine: Engine, settings: Settings, near: None) -> None:
    line = {"id": "1", "sku": "rye", "name": "Rye", "quantity": "3", "unit_price": "5.40", "total": "16.20"}
    receipt = sold(owner, "x", lines=[line], total="16.20", payments=[])
    given_back(owner, receipt, {"id": "1", "name": "Rye", "total": "5.40", "original_line": "1"})
    caught_up(engine, settings)
    assert skus(owner, receipt) == ["butter", "jam"]


def test_a_lesson_that_goes_while_a_page_is_made_shows_less_and_breaks_nothing(
    owner: Person, engine: Engine, settings: Settings, shops: Shops, near: None
) -> None:
    receipt = sold(owner, "rye")

    def goes(_conn: Any, _cursor: Any, sql: str, *_: Any) -> None:
        if "neighbours.receipts" in sql:
            with engine.begin() as other:
                other.execute(delete(Neighbour))

    with reading(engine) as conn:
        record = receipts_find.one(conn, shops.linden, receipt["id"])
        desk = find.desk(conn, shops.linden)
        event.listen(conn, "before_cursor_execute", goes)
        told = find.offers_for(conn, desk, record, key=keys_of(settings).shoppers)
    assert [each.reason for each in told] == ["popular"]
