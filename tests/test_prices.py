"""Free text that tells a price is kept from gift receipts, in every form that they have."""

import json
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from accounts.find import BrandLook
from api import forms
from kernel import money
from receipts.gift import canonical_gift
from receipts.jsonld import order
from receipts.paper import sheet
from receipts.prices import tells_a_price, without_prices
from tests.support.records import BREAD, record

BASE = "https://receipts.test"
FIGURES = st.one_of(
    st.integers(1, 999_999).map(str),
    st.decimals(Decimal("0.01"), Decimal(99_999), places=2).map(str),
    st.integers(1000, 9_999_999).map("{:,}".format),
    st.sampled_from(["1 299", "1'299.–", "1,20,000", "٣٫٥٠", "५००"]),
)
MARKS = st.sampled_from(
    [*"€$£¥₹₺₩₪₫₽฿₦", *sorted(money.EXPONENTS), "Rs", "Rs.", "rs", "eur", "Euro", "Fr.", "kr", "Kč"]
)
GAPS = st.sampled_from(["", " ", "\u00a0", "\u202f"])
AMOUNTS = st.one_of(
    st.builds("{1}{2}{0}".format, FIGURES, MARKS, GAPS),
    st.builds("{0}{2}{1}".format, FIGURES, MARKS, GAPS),
    st.builds("{0}{1}%".format, FIGURES, GAPS),
    st.decimals(Decimal("0.01"), Decimal(99_999), places=2).map(str),
)
WORDS = st.sampled_from(["Gift card", "Thé vert", "RRP", "for Emma", "चाय", "شاي", "(", "-"])
LOOK = BrandLook(
    id="brd_01",
    name="Linden & Rye",
    colour="#1f5c47",
    languages=("en",),
    website=None,
    support_email=None,
    support_phone=None,
    support_url=None,
    return_text={},
    logo_key=None,
)


@given(AMOUNTS, WORDS, WORDS)
def test_an_amount_is_found_and_cut_out_wherever_it_stands(amount: str, before: str, after: str) -> None:
    text = f"{before} {amount} {after}"

    assert tells_a_price(text)
    assert not set(amount) & set("0123456789٣५") & set(without_prices(text))


@given(st.text(st.sampled_from("0159.,-–%€$₹ RsEURCHFlkg/'x٣")))
def test_what_is_left_tells_no_price(text: str) -> None:
    assert not tells_a_price(without_prices(text))


@pytest.mark.parametrize(
    "text", ["Bread knife", "Article 001", "Size 42", "Top 10", "Water 0.75 l", "Café 1,5 kg", "3 Pens", "Rust 500", ""]
)
def test_what_tells_a_thing_from_another_stays(text: str) -> None:
    assert without_prices(text) == text


def test_a_name_keeps_all_but_its_amount() -> None:
    assert without_prices("Gift card 50 € (gold)") == "Gift card … (gold)"


def telltale(amount: str) -> dict[str, Any]:
    """A gift that names an amount in every text of its till."""
    line = {
        "id": "1",
        "name": f"Tea {amount}",
        "total": "7.77",
        **dict.fromkeys(("description", "category", "brand", "colour", "size", "reason"), f"x {amount}"),
        **{name: [f"x {amount}", "kept"] for name in ("options", "tags", "notes")},
        "attributes": {f"RRP {amount}": "x", "was": amount, "oven": "wood"},
        "seller": {"name": f"x {amount}"},
    }
    texts = {name: [f"x {amount}"] for name in ("header", "footer", "notes")}
    about = {"issued_at": BREAD["issued_at"], "currency": "EUR", "total": "7.77", "flags": ["gift"]}
    return about | texts | {"lines": [line], "reason": f"x {amount}", "order_number": f"x {amount}"}


@pytest.mark.parametrize("amount", ["8866 €", "€8866", "CHF 8866", "8866 EUR", "Rs 8866", "₹8866", "8866%", "88.66"])
def test_no_form_of_a_gift_receipt_repeats_an_amount(amount: str) -> None:
    of = record(telltale(amount))
    told = [
        json.dumps(canonical_gift(of)),
        json.dumps(order(of, url=BASE)),
        forms.text(of, LOOK, base_url=BASE, language="en"),
        sheet(of, LOOK, logo=None, url=BASE, language="en", page="roll", copy=False).html,
    ]

    assert not any("8866" in each or "88.66" in each for each in told)
    assert all("Tea …" in each.replace("\\u2026", "…") for each in told)
    assert "kept" in told[0]
