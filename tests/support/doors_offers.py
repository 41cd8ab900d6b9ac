"""Products and offers in the outsider's walk."""

from typing import Any, Final

from tests.support.inside import Person
from tests.support.products import product

Names = dict[str, str]
TABLE: Final = b"sku,name,price,currency\nours,Mine,1.00,EUR\n"
# Method, route, status, path with {names} of what is ours, body and its kind.
DOORS: Final[list[tuple[Any, ...]]] = [
    ("GET", "/v1/products", 200, "/v1/products", None),
    ("GET", "/v1/products/{sku:sku}", 404, "/v1/products/ours", None),
    ("DELETE", "/v1/products/{sku:sku}", 404, "/v1/products/ours", None),
    ("PUT", "/v1/product-pictures/{sku:sku}", 404, "/v1/product-pictures/ours", b"picture"),
    ("DELETE", "/v1/product-pictures/{sku:sku}", 404, "/v1/product-pictures/ours", None),
    ("GET", "/v1/allied-products", 200, "/v1/allied-products", None),
    ("GET", "/v1/offer-rules", 200, "/v1/offer-rules", None),
    ("POST", "/v1/offer-rules", 422, "/v1/offer-rules", {"kind": "pin", "product": "ours"}),
    ("POST", "/v1/offer-rules", 422, "/v1/offer-rules", {"kind": "ally", "product": "ours", "ally": "linden-rye"}),
    ("PUT", "/v1/offer-rules/{rule_id}", 404, "/v1/offer-rules/{rule}", {"kind": "ban", "product": "ours"}),
    ("DELETE", "/v1/offer-rules/{rule_id}", 404, "/v1/offer-rules/{rule}", None),
    ("GET", "/v1/offer-settings", 200, "/v1/offer-settings", None),
    ("PUT", "/v1/offer-settings", 200, "/v1/offer-settings", {"is_on": False}),
    ("GET", "/v1/offers", 404, "/v1/offers?receipt={receipt}", None),
    ("GET", "/v1/offers/report", 200, "/v1/offers/report", None),
    ("GET", "/v1/offer-numbers", 200, "/v1/offer-numbers", None),
    ("GET", "/v1/offer-numbers.csv", 200, "/v1/offer-numbers.csv", None),
    ("POST", "/v1/products/batch", 200, "/v1/products/batch", {"products": [{"sku": "ours"} | product("Mine")]}),
    ("POST", "/v1/products/import", 200, "/v1/products/import", TABLE, "text/csv"),
    ("PUT", "/v1/products/{sku:sku}", 200, "/v1/products/ours", product("Mine")),
]
# Whoever has the signed address of an offer may follow it; the picture is behind a name made of its bytes.
LINKS: Final = {"/o/{mark:mark}", "/media/products/{shard}/{name}.webp"}
LEFT_BY_LINK: Final = {("POST", "/o/{mark:mark}"), ("POST", "/o/beacon")}


def ours(owner: Person) -> Names:
    """A product under the SKU ``ours``, and a rule about it."""
    owner.put("/v1/products/ours", product("Ours only")).raise_for_status()
    made = owner.post("/v1/offer-rules", {"kind": "pin", "product": "ours"}).raise_for_status().json()
    return {"rule": made["id"]}
