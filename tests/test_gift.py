"""The document of a gift receipt: nobody reads in it what the gift cost."""

import json
import re
from typing import Any

import pytest

from receipts.gift import canonical_gift
from receipts.records import canonical
from tests.support.records import BREAD, COFFEE, INDIRANAGAR, JUMEIRAH, SILK, record, related

# Every member of a sale that holds or leads to a sum, a tender or a tax.
TELLING = {
    *("total", "unit_price", "list_price", "discounts", "tax_rate", "taxes", "charges", "tip", "rounding", "payments"),
    *("balance_due", "savings", "loyalty", "fiscal", "buyer", "barcodes", "currency", "original", "place_of_supply"),
    *("prices_include_tax", "tax_rounding"),
}
EVERYTHING = BREAD | {
    "tip": "1.00",
    "total": "31.62",
    "savings": "2.08",
    "loyalty": {"balance": "412"},
    "buyer": {"name": "Müller KG", "tax_id": "DE 999"},
    "barcodes": [{"value": "2112345024903"}],
    "notes": ["Thank you", "You paid 31.62"],
    "lines": [
        BREAD["lines"][0]
        | {
            "options": ["sliced", "+ 0.50 for slicing"],
            "attributes": {"oven": "wood", "per 100 g": "€0.54"},
            "notes": ["fresh"],
            "list_price": "6.00",
        },
        *BREAD["lines"][1:],
    ],
}


def members(document: Any) -> set[str]:
    if isinstance(document, dict):
        return set(document) | {name for each in document.values() for name in members(each)}
    if isinstance(document, list):
        return {name for each in document for name in members(each)}
    return set()


@pytest.mark.parametrize(
    "of",
    [
        record(EVERYTHING, original=related("sale", 3062)),
        record(SILK, issuer=INDIRANAGAR),
        record(COFFEE, issuer=JUMEIRAH),
        record({"issued_at": BREAD["issued_at"], "currency": "EUR", "total": "0.00"}),
    ],
    ids=["everything", "silk", "coffee", "nothing"],
)
def test_no_member_tells_a_price_a_tender_or_a_tax(of: Any) -> None:
    gift = canonical_gift(of)

    assert members(gift) & TELLING == set()
    assert not re.search(r"\d\.\d\d\"|€|visa|MwSt|GST\b", json.dumps(gift | {"issuer": {}}, ensure_ascii=False))


def test_the_things_themselves_stay() -> None:
    of = record(EVERYTHING)
    gift, whole = canonical_gift(of), canonical(of)

    assert [line["name"] for line in gift["lines"]] == [line["name"] for line in whole["lines"]]
    assert gift["lines"][0]["options"] == ["sliced"]
    assert gift["lines"][0]["attributes"] == {"oven": "wood"}
    assert gift["lines"][0]["notes"] == ["fresh"]
    assert gift["lines"][2]["serial"] == "BK-77120"
    assert gift["notes"] == ["Thank you"]
    assert gift["issuer"] == whole["issuer"]
    assert (gift["format"], gift["number"], gift["flags"]) == (whole["format"], whole["number"], ["gift"])
