"""A purchase comes of an offer by the same shopper's tap, or by the mark that it carries; each once."""

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import Engine, select, update

from engagement import events
from engagement.offers.tables import OfferSale, OfferTouch
from infra.settings import Settings
from kernel.clock import iso, utc_now
from receipts.tables import Receipt
from tests.support.inside import Person, on_sqlite
from tests.support.products import ANNA, caught_up, product, sale, sold, stocked, taught
from tests.support.sales import refund
from tests.support.shops import Shops
from tests.test_offer_taps import marks_on, page_of, tell


@pytest.fixture
def tapped(owner: Person, stranger: Person, engine: Engine, shops: Shops, settings: Settings) -> str:
    """The mark of butter that Anna tapped on her receipt."""
    stocked(owner, "Butter", link="https://shop.example/{offer}")
    taught(engine, shops.linden, {("rye", "butter"): (2, 37)})
    receipt = sold(owner, "rye", shopper=ANNA, issued_at=iso(utc_now()))
    mark = marks_on(page_of(stranger, receipt))[0]
    assert tell(stranger, "tap", [mark]) == 204
    caught_up(engine, settings)
    return mark


def soon(days: float = 1) -> str:
    return iso(utc_now() + timedelta(days=days))


def numbers(person: Person, by: str = "product") -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = person.get("/v1/offer-numbers", by=by).raise_for_status().json()["numbers"]
    return found


def bought(owner: Person) -> tuple[int, dict[str, str]]:
    total = owner.get("/v1/offer-numbers").json()["total"]
    return total["bought"], total["revenue"]


def test_what_the_same_shopper_buys_after_a_tap_came_of_it(
    owner: Person, engine: Engine, settings: Settings, tapped: str
) -> None:
    sold(owner, "butter", "jam", shopper=ANNA, issued_at=soon())
    caught_up(engine, settings)
    [row] = numbers(owner)
    assert (row["product"], row["shown"], row["tapped"], row["bought"]) == ("butter", 1, 1, 1)
    assert row["revenue"] == {"EUR": "5.40"}


@on_sqlite
@pytest.mark.parametrize(
    "skus, changes",
    [
        (["butter"], {"shopper": {"customer_id": "ben"}}),
        (["butter"], {}),
        (["jam"], {"shopper": ANNA}),
        (["butter"], {"shopper": ANNA, "issued_at": soon(31)}),
        (["butter"], {"shopper": ANNA, "issued_at": soon(-1)}),
    ],
    ids=["another", "somebody", "another thing", "too late", "before"],
)
def test_other_purchases_did_not(
    owner: Person, engine: Engine, settings: Settings, tapped: str, skus: list[str], changes: dict[str, Any]
) -> None:
    sold(owner, *skus, **{"issued_at": soon()} | changes)
    caught_up(engine, settings)
    assert bought(owner) == (0, {})


def test_the_window_is_the_merchants(owner: Person, engine: Engine, settings: Settings, tapped: str) -> None:
    owner.put("/v1/offer-settings", {"window_days": 40}).raise_for_status()
    sold(owner, "butter", shopper=ANNA, issued_at=soon(31))
    caught_up(engine, settings)
    assert bought(owner) == (1, {"EUR": "5.40"})


def test_an_offer_leads_to_one_purchase_and_no_look_counts_it_again(
    owner: Person, engine: Engine, settings: Settings, tapped: str
) -> None:
    for day in (1, 2):
        sold(owner, "butter", shopper=ANNA, issued_at=soon(day))
        caught_up(engine, settings)
        caught_up(engine, settings)
    assert bought(owner) == (1, {"EUR": "5.40"})


@on_sqlite
@pytest.mark.parametrize("way", ["offer", "coupon", "discount"])
def test_a_sale_that_carries_the_mark_came_of_it_whoever_bought(
    owner: Person, engine: Engine, settings: Settings, tapped: str, way: str
) -> None:
    carried: dict[str, Any] = {"metadata": {way: tapped}}
    if way == "discount":
        carried = {"discounts": [{"name": "Offer", "amount": "0.40", "code": tapped}], "total": "5.00", "payments": []}
    sold(owner, "butter", **carried)
    caught_up(engine, settings)
    assert bought(owner) == (1, {"EUR": "5.00" if way == "discount" else "5.40"})


def test_a_mark_that_was_followed_without_a_word_counts_too(
    owner: Person, engine: Engine, settings: Settings, tapped: str
) -> None:
    with engine.begin() as conn:
        conn.execute(update(OfferTouch).values(tapped_at=None))
    sold(owner, "butter", metadata={"offer": tapped}, issued_at=soon())
    caught_up(engine, settings)
    assert bought(owner)[0] == 1


@on_sqlite
@pytest.mark.parametrize("forged", ["x", "", 7, None, ["y"], "0" * 69], ids=str)
def test_what_is_none_of_our_marks_is_nothing(
    owner: Person, engine: Engine, settings: Settings, tapped: str, forged: Any
) -> None:
    sold(owner, "butter", metadata={"offer": forged}, issued_at=soon())
    assert caught_up(engine, settings) == 1
    assert bought(owner) == (0, {})


def test_what_goes_back_is_taken_off_the_revenue(
    owner: Person, engine: Engine, settings: Settings, tapped: str
) -> None:
    receipt = sold(owner, "butter", "jam", shopper=ANNA, issued_at=soon())
    caught_up(engine, settings)
    back = {"lines": [{"id": "1", "name": "Butter", "total": "5.40", "original_line": "1"}]}
    owner.post("/v1/receipts", refund(receipt["id"], "5.40", **back)).raise_for_status()
    caught_up(engine, settings)
    total = owner.get("/v1/offer-numbers").json()["total"]
    assert (total["bought"], total["returned"], total["revenue"]) == (1, 1, {"EUR": "0.00"})


def test_of_a_part_that_goes_back_only_its_worth_is_taken_off(
    owner: Person, engine: Engine, settings: Settings, tapped: str
) -> None:
    butter = {"id": "1", "sku": "butter", "name": "Butter", "unit_price": "5.40"}
    paid = {"lines": [butter | {"quantity": "3", "total": "16.20"}], "total": "16.20"}
    receipt = sold(owner, "butter", shopper=ANNA, issued_at=soon(), payments=[], **paid)
    caught_up(engine, settings)
    for times, revenue in ((1, "10.80"), (1, "5.40")):
        back = {"lines": [butter | {"total": "5.40", "original_line": "1"}]}
        owner.post("/v1/receipts", refund(receipt["id"], "5.40", **back)).raise_for_status()
        caught_up(engine, settings)
        total = owner.get("/v1/offer-numbers").json()["total"]
        assert (total["bought"], total["returned"], total["revenue"]) == (1, times, {"EUR": revenue})


def test_a_sale_that_is_voided_before_anybody_looked_is_no_purchase(
    owner: Person, engine: Engine, settings: Settings, tapped: str
) -> None:
    receipt = sold(owner, "butter", shopper=ANNA, issued_at=soon())
    owner.post("/v1/receipts", refund(receipt["id"], "5.40", kind="void")).raise_for_status()
    caught_up(engine, settings)
    total = owner.get("/v1/offer-numbers").json()["total"]
    assert (total["bought"], total["returned"], total["revenue"]) == (1, 1, {"EUR": "0.00"})


def test_a_purchase_is_told_to_programs(owner: Person, engine: Engine, settings: Settings, tapped: str) -> None:
    receipt = sold(owner, "butter", shopper=ANNA, issued_at=soon())
    caught_up(engine, settings)
    with engine.connect() as conn:
        later = utc_now() + timedelta(minutes=1)
        merchant_id = conn.scalars(select(OfferSale.merchant_id)).one()
        [told] = events.listed(conn, merchant_id, now=later, at_most=9, kind="offer.bought")
    assert told.receipt_id == receipt["id"]
    assert told.data == {"sku": "butter", "reason": "together", "currency": "EUR", "amount": "5.40"}


def test_numbers_are_told_by_product_reason_day_and_as_a_table(
    owner: Person, engine: Engine, settings: Settings, tapped: str
) -> None:
    assert [row["reason"] for row in numbers(owner, "reason")] == ["together"]
    assert [row["day"] for row in numbers(owner, "day")] == [utc_now().date().isoformat()]
    table = owner.get("/v1/offer-numbers.csv").content.decode("utf-8-sig").splitlines()
    assert table[0] == "product,ally,side,shown,tapped,bought,returned,currency,revenue"
    assert table[1] == "butter,,,1,1,0,0,,"
    assert owner.get("/v1/offer-numbers", **{"from": "2026-11-28", "to": "2026-11-01"}).status_code == 422


@pytest.fixture
def allied(owner: Person, outsider: Person) -> None:
    """Linden & Rye and Moor are allies; Moor shares its tea, and Linden shows it beside rye."""
    made = owner.post("/v1/alliances", {"ally": "moor"}).json()
    outsider.post(f"/v1/alliances/{made['id']}/agreement", None).raise_for_status()
    stocked(outsider, "Tea", shared=True, link="https://moor.example/tea?{offer}")
    rule = {"kind": "ally", "ally": "moor", "product": "tea", "beside": "rye"}
    owner.post("/v1/offer-rules", rule).raise_for_status()


def test_an_allys_product_comes_first_and_says_whose_it_is(
    owner: Person, stranger: Person, allied: None, engine: Engine, shops: Shops
) -> None:
    stocked(owner, "Butter")
    taught(engine, shops.linden, {("rye", "butter"): (2, 37)})
    page = page_of(stranger, sold(owner, "rye"))
    assert page.index("From our ally Moor") < page.index("Bought together 37 times")
    assert "From our ally" not in page_of(stranger, sold(owner, "jam"))


def test_an_allys_product_is_found_by_who_may_show_it(owner: Person, outsider: Person, allied: None) -> None:
    [found] = owner.get("/v1/allied-products").json()["products"]
    assert (found["ally"], found["sku"], found["in_stock"]) == ("moor", "tea", True)
    assert outsider.get("/v1/allied-products").json()["products"] == []


@on_sqlite
@pytest.mark.parametrize("way", ["unshared", "ended"])
def test_an_ally_may_take_it_back(owner: Person, outsider: Person, stranger: Person, allied: None, way: str) -> None:
    receipt = sold(owner, "rye")
    assert "From our ally Moor" in page_of(stranger, receipt)
    if way == "unshared":
        stocked(outsider, "Tea", shared=False)
    else:
        [alliance] = outsider.get("/v1/alliances").json()["alliances"]
        outsider.delete(f"/v1/alliances/{alliance['id']}").raise_for_status()
        # As other servers see it, after a moment.
        owner.inside.app.state.house.offer_desks.forget()
        owner.inside.app.state.house.pages.clear()
    assert "From our ally Moor" not in page_of(stranger, receipt)


def test_a_rule_needs_an_ally_who_agreed_and_a_product_that_is_shared(owner: Person, outsider: Person) -> None:
    stocked(outsider, "Tea", shared=True)
    rule = {"kind": "ally", "ally": "moor", "product": "tea"}
    for wrong, pointer in (
        (rule, "/ally"),
        (rule | {"ally": None}, "/ally"),
        ({"kind": "pin", "product": "tea"}, "/product"),
        ({"kind": "pin", "product": "tea", "ally": "moor"}, "/ally"),
    ):
        answer = owner.post("/v1/offer-rules", wrong)
        assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (422, pointer)
    made = owner.post("/v1/alliances", {"ally": "moor"}).json()
    outsider.post(f"/v1/alliances/{made['id']}/agreement", None).raise_for_status()
    assert owner.post("/v1/offer-rules", rule).status_code == 201
    stocked(outsider, "Jam")
    assert owner.post("/v1/offer-rules", rule | {"product": "jam"}).json()["errors"][0]["pointer"] == "/product"


def test_both_allies_see_what_came_of_it_and_neither_the_others_receipts(
    owner: Person, outsider: Person, stranger: Person, allied: None, engine: Engine, settings: Settings
) -> None:
    stocked(owner, "Rye")
    receipt = sold(owner, "rye")
    mark = marks_on(page_of(stranger, receipt))[0]
    assert stranger.get(f"/o/{mark}").headers["location"] == f"https://moor.example/tea?{mark}"
    tell(stranger, "tap", [mark])
    theirs = outsider.post("/v1/receipts", sale("tea", metadata={"offer": mark})).raise_for_status().json()
    caught_up(engine, settings)
    counts = {"shown": 1, "tapped": 1, "bought": 1, "returned": 0, "revenue": {"EUR": "5.40"}}
    assert numbers(owner, "ally") == [{"ally": "moor", "side": "ours", **counts}]
    assert numbers(outsider, "ally") == [{"ally": "linden-rye", "side": "theirs", **counts}]
    with engine.connect() as conn:
        later = {"now": utc_now() + timedelta(minutes=1), "at_most": 99}
        for merchant_id, other in ((receipt, theirs), (theirs, receipt)):
            mine = owner if merchant_id is receipt else outsider
            told = events.listed(conn, _merchant(conn, merchant_id["id"]), **later)  # type: ignore[arg-type]
            assert {each.kind for each in told} >= {"offer.tapped", "offer.bought"}
            assert other["id"] not in {each.receipt_id for each in told}
            assert mine.get(f"/v1/receipts/{other['id']}").status_code == 404


def _merchant(conn: Any, receipt_id: str) -> str:
    return str(conn.scalar(select(Receipt.merchant_id).where(Receipt.id == receipt_id)))


def test_a_customers_number_at_one_merchant_is_nobodys_at_another(
    owner: Person, outsider: Person, stranger: Person, allied: None, engine: Engine, settings: Settings
) -> None:
    receipt = sold(owner, "rye", shopper=ANNA)
    tell(stranger, "tap", marks_on(page_of(stranger, receipt)))
    outsider.post("/v1/receipts", sale("tea", shopper=ANNA, issued_at=soon())).raise_for_status()
    caught_up(engine, settings)
    assert bought(outsider) == (0, {})


def test_with_the_shopper_goes_what_they_tapped_and_the_counts_stay(
    owner: Person, engine: Engine, settings: Settings, tapped: str
) -> None:
    [receipt] = owner.get("/v1/receipts").json()["receipts"]
    owner.delete(f"/v1/receipts/{receipt['id']}/shopper").raise_for_status()
    with engine.connect() as conn:
        assert conn.execute(select(OfferTouch.receipt_id)).all() == []
    sold(owner, "butter", shopper=ANNA, issued_at=soon())
    caught_up(engine, settings)
    assert [(row["tapped"], row["bought"]) for row in numbers(owner)] == [(1, 0)]


def test_a_product_without_a_link_may_be_bought_by_its_mark(
    owner: Person, stranger: Person, engine: Engine, shops: Shops, settings: Settings
) -> None:
    owner.put("/v1/products/jam", product("Jam", link=None)).raise_for_status()
    taught(engine, shops.linden, {("rye", "jam"): (1, 2)})
    mark = marks_on(page_of(stranger, sold(owner, "rye")))[0]
    sold(owner, "jam", metadata={"offer": mark}, issued_at=soon())
    caught_up(engine, settings)
    assert bought(owner) == (1, {"EUR": "5.40"})
