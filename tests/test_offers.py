"""Which offers a receipt shows: what goes with what is on it, and never what nobody would want."""

from typing import Any

import pytest
from sqlalchemy import Engine, event, insert

from engagement.offers import about, find
from engagement.offers.tables import OfferRule
from infra.database import reading
from infra.settings import Settings
from receipts import find as receipts_find
from tests.support.inside import Person, on_sqlite
from tests.support.products import ANNA, caught_up, keys_of, offered, sold, stocked, taught
from tests.support.sales import refund
from tests.support.shops import Shops

BESIDE = {("rye", "butter"): (3.0, 37), ("rye", "jam"): (2.0, 12), ("rye", "honey"): (1.0, 5), ("rye", "tea"): (0.5, 4)}


@pytest.fixture
def near(owner: Person, engine: Engine, shops: Shops) -> None:
    """Four things that go with rye, the best first."""
    stocked(owner, "Rye", "Butter", "Jam", "Honey", "Tea")
    taught(engine, shops.linden, BESIDE)


def skus(owner: Person, receipt: dict[str, Any]) -> list[str]:
    return [sku for sku, _ in offered(owner, receipt)]


def test_what_goes_with_it_is_offered_best_first_with_its_reason(owner: Person, near: None) -> None:
    receipt = sold(owner, "rye")
    [first, *_] = owner.get("/v1/offers", receipt=receipt["id"]).json()["offers"]
    assert (first["product"], first["reason"], first["beside"], first["count"]) == ("butter", "together", "Rye", 37)
    assert skus(owner, receipt) == ["butter", "jam", "honey"]


def test_scores_of_several_items_add_up_and_the_larger_count_is_the_reason(
    owner: Person, engine: Engine, shops: Shops
) -> None:
    stocked(owner, "Jam", "Tea")
    taught(engine, shops.linden, {("a", "jam"): (1, 9), ("a", "tea"): (0.7, 4), ("b", "tea"): (0.7, 8)})
    [tea, jam] = owner.get("/v1/offers", receipt=sold(owner, "a", "b")["id"]).json()["offers"]
    assert (tea["product"], tea["beside"], tea["count"], jam["product"]) == ("tea", "B", 8, "jam")


def test_where_two_count_alike_the_stronger_is_the_reason(owner: Person, engine: Engine, shops: Shops) -> None:
    stocked(owner, "Jam", "Tea")
    taught(
        engine,
        shops.linden,
        {("a", "jam"): (0.9, 0), ("b", "jam"): (0.1, 0), ("a", "tea"): (0.2, 3), ("b", "tea"): (0.3, 3)},
    )
    offers = owner.get("/v1/offers", receipt=sold(owner, "a", "b")["id"]).json()["offers"]
    assert [(each["product"], each["reason"], each["beside"]) for each in offers] == [
        ("jam", "similar", "A"),
        ("tea", "together", "B"),
    ]


def test_what_is_on_the_receipt_is_not_offered(owner: Person, near: None) -> None:
    assert skus(owner, sold(owner, "rye", "butter")) == ["jam", "honey", "tea"]


def test_what_the_till_calls_otherwise_is_known_by_its_name(owner: Person, near: None) -> None:
    receipt = sold(owner, "rye", "x", lines=[
        {"id": "1", "sku": "rye", "name": "Rye", "total": "5.40"}, {"id": "2", "name": " BUTTER", "total": "5.40"},
    ])  # fmt: skip
    assert skus(owner, receipt) == ["jam", "honey", "tea"]


@on_sqlite
@pytest.mark.parametrize("changes", [{"stock": 0}, {"active": False}], ids=str)
def test_what_cannot_be_had_is_not_offered(owner: Person, near: None, changes: dict[str, Any]) -> None:
    stocked(owner, "Butter", **changes)
    assert skus(owner, sold(owner, "rye")) == ["jam", "honey", "tea"]
    stocked(owner, "Butter")
    assert skus(owner, sold(owner, "rye")) == ["butter", "jam", "honey"]


def test_what_has_no_product_is_not_offered(owner: Person, near: None) -> None:
    owner.delete("/v1/products/butter").raise_for_status()
    assert skus(owner, sold(owner, "rye")) == ["jam", "honey", "tea"]


def test_what_this_shopper_has_is_not_offered_unless_it_is_used_up(
    owner: Person, near: None, engine: Engine, settings: Any
) -> None:
    sold(owner, "butter", "jam", shopper=ANNA)
    receipt = sold(owner, "rye", shopper=ANNA)
    caught_up(engine, settings)
    assert skus(owner, receipt) == ["honey", "tea"]
    assert skus(owner, sold(owner, "rye")) == ["butter", "jam", "honey"]
    assert skus(owner, sold(owner, "rye", shopper={"customer_id": "ben"})) == ["butter", "jam", "honey"]
    stocked(owner, "Jam", again=True)
    assert skus(owner, receipt) == ["jam", "honey", "tea"]


def test_what_this_shopper_gave_back_is_not_offered_even_if_it_is_used_up(
    owner: Person, near: None, engine: Engine, settings: Any
) -> None:
    stocked(owner, "Butter", "Jam", again=True)
    first = sold(owner, "butter", "jam", shopper=ANNA)
    back = {"lines": [{"id": "1", "name": "Whatever", "total": "5.40", "original_line": "1"}]}
    owner.post("/v1/receipts", refund(first["id"], "5.40", **back)).raise_for_status()
    receipt = sold(owner, "rye", shopper=ANNA)
    caught_up(engine, settings)
    assert skus(owner, receipt) == ["jam", "honey", "tea"]


def test_what_was_bought_again_after_it_went_back_is_owned(
    owner: Person, near: None, engine: Engine, settings: Any
) -> None:
    stocked(owner, "Butter", again=True)
    first = sold(owner, "butter", shopper=ANNA)
    owner.post("/v1/receipts", refund(first["id"], "5.40")).raise_for_status()
    receipt = sold(owner, "rye", shopper=ANNA)
    caught_up(engine, settings)
    assert skus(owner, receipt) == ["jam", "honey", "tea"]
    sold(owner, "butter", shopper=ANNA, issued_at="2026-11-23T09:00:00+01:00")
    caught_up(engine, settings)
    assert skus(owner, receipt) == ["butter", "jam", "honey"]


def test_what_sells_in_the_store_fills_up_what_is_left(owner: Person, engine: Engine, shops: Shops) -> None:
    stocked(owner, "Rye", "Butter", "Jam", "Tea")
    mitte = next(each["id"] for each in owner.get("/v1/stores").json()["stores"] if each["slug"] == "mitte")
    popular = [("", "tea", 9.0), ("", "rye", 8.0), (mitte, "jam", 1.0)]
    taught(engine, shops.linden, {("rye", "butter"): (1, 2)}, popular)
    assert offered(owner, sold(owner, "rye")) == [("butter", "together"), ("jam", "popular"), ("tea", "popular")]
    elsewhere = sold(owner, "rye", store="kreuzberg")
    assert offered(owner, elsewhere) == [("butter", "together"), ("tea", "popular")]


def test_complements_of_a_product_come_before_what_was_learned(owner: Person, near: None) -> None:
    stocked(owner, "Rye", complements=["nothing", "tea", "rye"])
    assert offered(owner, sold(owner, "rye"))[:2] == [("tea", "goes_with"), ("butter", "together")]


def test_what_is_pinned_comes_first_and_what_is_banned_never(owner: Person, near: None) -> None:
    for rule in ({"kind": "pin", "product": "tea"}, {"kind": "ban", "product": "butter"}):
        assert owner.post("/v1/offer-rules", rule).status_code == 201
    assert offered(owner, sold(owner, "rye")) == [("tea", "pinned"), ("jam", "together"), ("honey", "together")]
    assert offered(owner, sold(owner, "tea")) == []


def test_a_ban_may_hold_in_one_store_and_beside_one_thing(owner: Person, near: None) -> None:
    owner.post("/v1/offer-rules", {"kind": "ban", "product": "butter", "store": "kreuzberg", "beside": "jam"})
    assert "butter" in skus(owner, sold(owner, "rye", "jam"))
    assert "butter" in skus(owner, sold(owner, "rye", store="kreuzberg"))
    assert "butter" not in skus(owner, sold(owner, "rye", "jam", store="kreuzberg"))


def test_a_pin_may_hold_in_one_store_and_beside_one_thing(owner: Person, near: None) -> None:
    owner.post("/v1/offer-rules", {"kind": "pin", "product": "tea", "store": "kreuzberg", "beside": "jam"})
    assert skus(owner, sold(owner, "jam")) == []
    assert skus(owner, sold(owner, "honey", store="kreuzberg")) == []
    assert offered(owner, sold(owner, "jam", store="kreuzberg")) == [("tea", "pinned")]


def test_this_shirt_those_trousers(owner: Person, near: None) -> None:
    owner.post("/v1/offer-rules", {"kind": "complement", "product": "jam", "beside": "tea"}).raise_for_status()
    assert offered(owner, sold(owner, "tea")) == [("jam", "goes_with")]
    assert "jam" not in skus(owner, sold(owner, "honey"))


@on_sqlite
@pytest.mark.parametrize("changes", [{"flags": ["gift"]}, {"flags": ["training"]}], ids=str)
def test_who_bought_nothing_is_offered_nothing(owner: Person, near: None, changes: dict[str, Any]) -> None:
    assert offered(owner, sold(owner, "rye", **changes)) == []


def test_what_was_voided_offers_nothing(owner: Person, near: None) -> None:
    receipt = sold(owner, "rye")
    owner.post("/v1/receipts", refund(receipt["id"], "5.40", kind="void")).raise_for_status()
    assert offered(owner, receipt) == []


def test_a_merchant_may_want_fewer_or_none(owner: Person, near: None) -> None:
    assert owner.get("/v1/offer-settings").json() == {"is_on": True, "at_most": 3, "window_days": 30}
    owner.put("/v1/offer-settings", {"at_most": 1}).raise_for_status()
    assert skus(owner, sold(owner, "rye")) == ["butter"]
    owner.put("/v1/offer-settings", {"is_on": False}).raise_for_status()
    assert skus(owner, sold(owner, "rye")) == []


def test_another_merchant_knows_nothing_of_it(owner: Person, outsider: Person, near: None) -> None:
    stocked(outsider, "Rye", "Butter")
    assert offered(outsider, sold(outsider, "rye")) == []
    assert outsider.get("/v1/offers", receipt=sold(owner, "rye")["id"]).status_code == 404


@on_sqlite
def test_nothing_that_a_page_asks_for_its_offers_reads_a_whole_table(
    owner: Person, near: None, engine: Engine, settings: Settings, shops: Shops
) -> None:
    """Whatever the catalogue and the history hold."""
    sold(owner, "tea", shopper=ANNA)
    receipt = sold(owner, "rye", "x", shopper=ANNA)
    stocked(owner, "Rye", complements=["jam"])
    caught_up(engine, settings)
    plans: list[str] = []

    def look(conn: Any, _cursor: Any, sql: str, values: Any, _context: Any, _many: bool) -> None:
        found = conn.connection.driver_connection.execute(f"EXPLAIN QUERY PLAN {sql}", values).fetchall()
        plans.extend(row[3] for row in found)

    with reading(engine) as conn:
        record = receipts_find.one(conn, shops.linden, receipt["id"])
        desk = find.desk(conn, shops.linden)
        event.listen(conn, "before_cursor_execute", look)
        assert len(find.offers_for(conn, desk, record, key=keys_of(settings).shoppers)) == 3
        about.about(conn, record)
    read = [plan for plan in plans if plan.startswith(("SEARCH", "SCAN"))]
    assert len(read) >= 7
    scanned = {plan for plan in read if plan.startswith("SCAN") and "json_each" not in plan}
    # What is on the receipt, what it leads to, and the thirty best of that.
    assert scanned <= {"SCAN known LEFT-JOIN", "SCAN led", "SCAN best"}
    assert [plan for plan in read if "neighbours USING PRIMARY KEY" in plan and "a=?" in plan]


def test_there_are_at_most_500_rules(owner: Person, engine: Engine, shops: Shops, near: None) -> None:
    rows = [{"id": f"rul_{at:026d}", "merchant_id": shops.linden, "kind": "ban", "sku": "tea"} for at in range(499)]
    with engine.begin() as conn:
        conn.execute(insert(OfferRule), rows)
    answers = [owner.post("/v1/offer-rules", {"kind": "pin", "product": "tea"}).status_code for _ in range(2)]
    assert answers == [201, 422]
