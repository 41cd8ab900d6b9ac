"""The catalogue: put one by one or many at once, listed, found by what tills call it, and deleted."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import Engine, event, select

from engagement.offers import items, products
from engagement.offers.tables import Product, ProductItem
from infra.database import reading
from tests.support.inside import Person, on_sqlite
from tests.support.products import product, stocked
from tests.support.shops import Shops
from tests.test_races import at_once

WHOLE = {
    "name": {"de": "Roggenbrot", "en": "Rye bread"},
    "gtin": "4006381333931",
    "price": "5.40",
    "list_price": "6.20",
    "currency": "EUR",
    "image": "http://pictures.example/rye.jpg",
    "category": "Bread",
    "brand": "Linden & Rye",
    "stock": 12,
    "link": "https://shop.example/rye?mark={offer}",
    "warranty_months": 24,
    "warranty": {"en": "Against breaking."},
    "care": {"en": "Keep dry."},
    "complements": ["butter", "knife"],
    "again": True,
    "shared": True,
    "active": True,
}


def known_by(engine: Engine) -> set[str]:
    with engine.connect() as conn:
        return set(conn.scalars(select(ProductItem.item)))


def test_a_product_comes_back_as_it_was_put(owner: Person) -> None:
    put = owner.put("/v1/products/rye", WHOLE)
    assert put.status_code == 200
    found = owner.get("/v1/products/rye").json()
    assert {name: found[name] for name in WHOLE} == WHOLE
    assert (found["sku"], found["picture_url"]) == ("rye", None)
    assert put.json() == found


def test_money_has_the_digits_of_its_currency(owner: Person) -> None:
    for currency, price in (("JPY", "540"), ("BHD", "5.400"), ("EUR", "5.40")):
        told = owner.put("/v1/products/rye", product("Rye", price=price, currency=currency)).json()
        assert told["price"] == price


def test_what_is_put_again_takes_the_place_of_what_was_there(owner: Person, engine: Engine) -> None:
    owner.put("/v1/products/rye", WHOLE).raise_for_status()
    owner.put("/v1/products/rye", product("Rye")).raise_for_status()
    found = owner.get("/v1/products/rye").json()
    assert (found["gtin"], found["stock"], found["complements"], found["again"]) == (None, None, [], False)
    assert known_by(engine) == {"s:rye", "n:rye"}


def test_a_sku_may_hold_what_tills_put_into_it(owner: Person) -> None:
    for sku in ("A/12 b", "ü%2F", "..x", "reviews"):
        address = "/v1/products/" + "".join(f"%{byte:02X}" for byte in sku.encode())
        assert owner.put(address, product("It")).json()["sku"] == sku
        assert owner.get(address).json()["sku"] == sku
        assert owner.delete(address).status_code == 204


@on_sqlite
@pytest.mark.parametrize(
    "changes, pointer",
    [
        ({"name": {}}, "/name"),
        ({"name": {"xx": "It"}}, "/name/xx/[key]"),
        ({"name": "It"}, "/name"),
        ({"price": 5.4}, "/price"),
        ({"price": "5.401"}, "/price"),
        ({"price": "-1.00"}, "/price"),
        ({"list_price": "-1.00"}, "/list_price"),
        ({"currency": "ZZZ"}, "/currency"),
        ({"currency": None}, ""),
        ({"link": "http://shop.example"}, "/link"),
        ({"link": "javascript:alert(1)"}, "/link"),
        ({"link": "https://a.example;script-src *"}, "/link"),
        ({"link": "https://user@a.example"}, "/link"),
        ({"link": "https:///x"}, "/link"),
        ({"stock": -1}, "/stock"),
        ({"stock": 2**31}, "/stock"),
        ({"stock": True}, "/stock"),
        ({"gtin": "12"}, "/gtin"),
        ({"complements": ["a"] * 21}, "/complements"),
        ({"again": "yes"}, "/again"),
        ({"colour": "red"}, "/colour"),
    ],
    ids=str,
)
def test_what_is_wrong_is_named_and_nothing_is_written(
    owner: Person, engine: Engine, changes: dict[str, Any], pointer: str
) -> None:
    answer = owner.put("/v1/products/rye", product("Rye", **changes))
    assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (422, pointer)
    assert known_by(engine) == set()


def test_a_batch_reports_each_and_twice_is_the_same_as_once(owner: Person) -> None:
    batch = [{"sku": "a"} | product("A"), {"sku": "b"} | product("B", price="x"), {"sku": "c"} | product("C")]
    first = owner.post("/v1/products/batch", {"products": batch}).json()["results"]
    assert [each["outcome"] for each in first] == ["created", "refused", "created"]
    assert first[1]["problem"]["errors"][0]["pointer"] == "/products/1/price"
    batch[0]["price"] = "5.50"
    again = owner.post("/v1/products/batch", {"products": batch}).json()["results"]
    assert [each["outcome"] for each in again] == ["changed", "refused", "unchanged"]


def test_a_sku_is_no_address_of_ours(owner: Person) -> None:
    for sku in ("batch", "import", "rye/reviews"):
        [told] = owner.post("/v1/products/batch", {"products": [{"sku": sku} | product("It")]}).json()["results"]
        assert (told["outcome"], told["problem"]["errors"][0]["pointer"]) == ("refused", "/products/0/sku")
        assert owner.put(f"/v1/products/{sku}", product("It")).status_code == 405


def test_a_batch_has_from_1_to_500_products(owner: Person) -> None:
    for count in (0, 501):
        answer = owner.post("/v1/products/batch", {"products": [{"sku": "a"} | product("A")] * count})
        assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (422, "/products")
    many = [{"sku": f"p{at}"} | product(f"P {at}") for at in range(500)]
    results = owner.post("/v1/products/batch", {"products": many}).json()["results"]
    assert {each["outcome"] for each in results} == {"created"}


def test_the_list_goes_on_where_its_cursor_says(owner: Person) -> None:
    stocked(owner, "C", "A", "B", "E", "D")
    found, cursor = [], None
    for _ in range(3):
        page = owner.get("/v1/products", limit=2, **({"cursor": cursor} if cursor else {})).json()
        found += [each["sku"] for each in page["products"]]
        cursor = page["next_cursor"]
    assert (found, cursor) == (["a", "b", "c", "d", "e"], None)


def test_a_product_that_is_deleted_is_known_by_nothing(owner: Person, engine: Engine) -> None:
    stocked(owner, "Rye")
    assert owner.delete("/v1/products/rye").status_code == 204
    assert owner.get("/v1/products/rye").status_code == owner.delete("/v1/products/rye").status_code == 404
    assert known_by(engine) == set()


def test_two_merchants_may_have_the_same_sku(owner: Person, outsider: Person) -> None:
    stocked(owner, "Rye")
    stocked(outsider, "Rye", price="9.90")
    assert outsider.delete("/v1/products/rye").status_code == 204
    assert owner.get("/v1/products/rye").json()["price"] == "5.40"


def test_a_product_put_by_many_at_once_is_one_and_known_by_its_own_name(owner: Person, engine: Engine) -> None:
    def put(at: int) -> int:
        return owner.put("/v1/products/rye", product(f"Rye {at}")).status_code

    assert set(at_once(8, put)) == {200}
    with engine.connect() as conn:
        [(product_id, name)] = conn.execute(select(Product.id, Product.name)).all()
        rows = set(conn.execute(select(ProductItem.item, ProductItem.product_id)))
    assert rows == {("s:rye", product_id), (f"n:{name['en'].lower()}", product_id)}


def test_it_takes_a_key_of_the_whole_merchant_with_the_scope(till: Person, reader: Person, stranger: Person) -> None:
    for person, status in ((till, 403), (reader, 403), (stranger, 401)):
        assert person.get("/v1/products").status_code == status
        assert person.put("/v1/products/rye", product("Rye")).status_code == status


def test_what_a_till_calls_a_product_is_found_by_sku_then_gtin_then_name(shops: Shops) -> None:
    assert items.item_of({"sku": "1", "gtin": "0001234567890", "name": "Rye"}) == "s:1"
    assert items.item_of({"gtin": "0001234567890", "name": "Rye"}) == "g:1234567890"
    assert items.item_of({"name": "  RYE\u00a0 Bread "}) == "n:rye bread"


@given(st.text(max_size=400), st.text(max_size=400))
def test_a_key_fits_its_column_and_tells_names_apart(one: str, other: str) -> None:
    keys = [items.item_of({"sku": sku, "name": "x"}) for sku in (f"{one}!", f"{other}!")]
    assert all(len(key) <= 80 for key in keys)
    assert (keys[0] == keys[1]) == (one == other)


@on_sqlite
def test_what_allies_share_is_found_without_reading_their_catalogues(engine: Engine, shops: Shops) -> None:
    plans: list[str] = []

    def look(conn: Any, _cursor: Any, sql: str, values: Any, _context: Any, _many: bool) -> None:
        plans.append(str(conn.connection.driver_connection.execute(f"EXPLAIN QUERY PLAN {sql}", values).fetchall()))

    with reading(engine) as conn:
        event.listen(conn, "before_cursor_execute", look)
        products.shared_by_allies(conn, shops.linden, limit=20)
    assert "ix_products_shared" in plans[-1]


def test_a_product_that_is_put_and_deleted_at_once_is_there_or_is_not(owner: Person, engine: Engine) -> None:
    def act(at: int) -> int:
        if at % 2:
            return owner.delete("/v1/products/rye").status_code
        return owner.put("/v1/products/rye", product(f"Rye {at}")).status_code

    assert set(at_once(8, act)) <= {200, 204, 404}
    is_there = owner.get("/v1/products/rye").status_code == 200
    assert bool(known_by(engine)) == is_there
