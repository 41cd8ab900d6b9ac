"""The structured form of a receipt: schema.org's words, the till's sums, and nothing personal."""

import json
from typing import Any

import pytest

from receipts.jsonld import order, script
from tests.support.records import BREAD, SILK, record, related

PAGE = "https://receipts.test/r/Zm9yZ2V0LW1lLW5vdC0wMQ"


def values(part: Any) -> list[str]:
    if isinstance(part, dict):
        return [text for value in part.values() for text in values(value)]
    if isinstance(part, list):
        return [text for value in part for text in values(value)]
    return [str(part)]


def test_a_receipt_is_an_order_with_its_total_and_its_number() -> None:
    found = order(record(BREAD), url=PAGE)
    assert (found["@type"], found["orderNumber"], found["orderDate"]) == (
        "Order",
        "000417",
        "2026-11-21T17:42:10+01:00",
    )
    assert (found["price"], found["priceCurrency"], found["url"]) == ("30.62", "EUR", PAGE)
    assert found["merchant"] == {"@type": "Organization", "name": "Linden & Rye"}


def test_an_offer_names_what_was_bought_where_mail_programs_look_for_it() -> None:
    loaf = order(record(BREAD), url=PAGE)["acceptedOffer"][0]
    assert loaf["itemOffered"] == {"@type": "Product", "name": "Sourdough loaf", "sku": "4006381333931"}
    assert (loaf["price"], loaf["eligibleQuantity"]["value"]) == ("4.32", "1")


@pytest.mark.parametrize(
    "beside, status",
    [
        ((), "OrderDelivered"),
        ((related("refund", 2490),), "OrderDelivered"),
        ((related("refund", 2490), related("refund", -572)), "OrderReturned"),
        ((related("void", 3062),), "OrderCancelled"),
    ],
    ids=["sold", "refunded in part", "refunded", "voided"],
)
def test_the_status_follows_what_came_back(beside: tuple[Any, ...], status: str) -> None:
    assert order(record(BREAD, amendments=beside), url=PAGE)["orderStatus"] == f"https://schema.org/{status}"


def test_what_is_owed_is_due() -> None:
    invoice = order(record(BREAD | {"balance_due": "5.00"}), url=PAGE)["partOfInvoice"]
    assert invoice["paymentStatus"] == "https://schema.org/PaymentDue"
    assert invoice["totalPaymentDue"]["price"] == "5.00"


def test_a_gift_has_no_price_at_all() -> None:
    found = order(record(SILK | {"flags": ["gift"]}), url=PAGE)
    assert found["isGift"] is True
    assert not any("1298816" in text or "1200" in text or text == "INR" for text in values(found))


def test_nobody_is_named_in_it() -> None:
    buyer = {"name": "Ravi Traders", "tax_id": "29AAACR5055K1Z6"}
    found = values(order(record(BREAD | {"buyer": buyer, "shopper": {"email": "ravi@example.com"}}), url=PAGE))
    assert not any(name in text for text in found for name in ("Ravi", "29AAACR", "example.com", "Emma"))


def test_no_name_can_end_the_element_that_holds_it() -> None:
    lines = [{"id": "1", "name": "</script><script>alert(1)</script>&amp;", "total": "30.62"}]
    text = script(order(record(BREAD | {"lines": lines, "discounts": [], "charges": []}), url=PAGE))
    assert not set("<>&") & set(text)
    assert json.loads(text)["acceptedOffer"][0]["itemOffered"]["name"] == lines[0]["name"]
