"""The electronic invoice of a sale to a business: valid by schema and rules of EN 16931, and true to the till."""

import subprocess
import sys
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from infra.facturx import wrong_with
from infra.settings import ROOT
from receipts.document import Issuer
from receipts.facturx import NotExpressible, invoice, unfit
from receipts.records import ReceiptRecord
from tests.support.facturx import TO_A_CAFE, broken_rules, said
from tests.support.records import BREAD, BUYER, COFFEE, JUMEIRAH, MITTE, SILK, record, related
from tests.support.tills import BRITAIN, GERMANY, SWITZERLAND, Country, sales_that_add_up

HEAD = {"issued_at": BREAD["issued_at"], "currency": "EUR", "buyer": BUYER}
SUMS = "SpecifiedTradeSettlementHeaderMonetarySummation"
KNIFE = {"id": "1", "name": "Knife", "total": "23.80", "tax_rate": "19"}


def sale(*lines: dict[str, Any], **beside: Any) -> ReceiptRecord:
    numbered = [{"id": str(at), "name": "Something"} | line for at, line in enumerate(lines, 1)]
    return record(HEAD | {"lines": numbered} | beside)


VARIATIONS = {
    "two rates, discounts, a charge": record(TO_A_CAFE),
    "one rate told by the table alone": sale(
        {"total": "1.19"}, {"total": "2.38"}, total="3.57", taxes=[{"rate": "19", "tax": "0.57", "gross": "3.57"}]
    ),
    "no table": sale({"total": "1.99", "tax_rate": "19"}, {"total": "0.99", "tax_rate": "7"}, total="2.98"),
    "prices without tax": sale(
        {"total": "100.00", "tax_rate": "19", "quantity": "3", "unit_price": "33.3333"},
        prices_include_tax=False,
        taxes=[{"rate": "19", "net": "100.00", "tax": "19.00"}],
        total="119.00",
    ),
    "rounded by line": sale(
        *[{"total": "0.99", "tax_rate": "19"}] * 3,
        tax_rounding="line",
        taxes=[{"rate": "19", "net": "2.49", "tax": "0.48", "gross": "2.97"}],
        total="2.97",
    ),
    "a discount that falls nowhere": sale(
        KNIFE, {"total": "11.90", "tax_rate": "19"}, discounts=[{"name": "Loyal", "amount": "5.00"}], total="30.70"
    ),
    "tip, cash rounding": sale(
        KNIFE, tip="2.00", rounding="0.02", total="25.82", payments=[{"method": "cash", "amount": "25.82"}]
    ),
    "rounded down": sale(KNIFE, rounding="-0.30", total="23.50"),
    "deposit, gift card, donation": sale(
        {"total": "3.58", "tax_rate": "19", "quantity": "2", "unit": "l"},
        {"total": "0.50", "tax_rate": "19", "type": "deposit", "parent": "1", "quantity": "2"},
        {"total": "50.00", "type": "gift_card"},
        {"total": "1.00", "type": "donation"},
        total="55.08",
    ),
    "deposit that comes back": sale(
        {"total": "5.95", "tax_rate": "19"}, {"total": "-0.25", "quantity": "-1", "tax_rate": "19"}, total="5.70"
    ),
    "more comes back than goes out": sale({"total": "-5.95", "tax_rate": "19", "quantity": "-5"}, total="-5.95"),
    "a free line": sale(KNIFE, {"total": "0.00", "name": "Engraving", "parent": "1"}, total="23.80"),
    "a charge of nothing": sale(KNIFE, charges=[{"name": "Bag", "amount": "0.00", "tax_rate": "0"}], total="23.80"),
    "nothing to pay": sale(KNIFE, discounts=[{"name": "Friend", "amount": "23.80"}], total="0.00"),
    "zero rated": sale({"total": "5.00", "tax_rate": "0"}, total="5.00"),
    "exempt": sale(
        {"total": "5.00", "tax_rate": "0"},
        KNIFE | {"id": "2"},
        taxes=[{"rate": "0", "tax": "0.00", "exemption": "§ 4 Nr. 21 UStG"}, {"rate": "19", "tax": "3.80"}],
        total="28.80",
    ),
    "reverse charge": sale(
        {"total": "5.00", "tax_rate": "0"}, taxes=[{"rate": "0", "tax": "0.00", "category": "AE"}], total="5.00"
    ),
    "not subject to VAT": sale(
        {"total": "5.00", "tax_rate": "0"}, taxes=[{"rate": "0", "tax": "0.00", "category": "O"}], total="5.00"
    ),
    "zero-rated beside reverse charge": sale(
        {"total": "5.00", "taxes": [{"rate": "0", "code": "X"}]},
        {"total": "7.00", "taxes": [{"rate": "0", "code": "R"}]},
        taxes=[
            {"rate": "0", "code": "X", "tax": "0.00", "net": "5.00", "category": "Z"},
            {"rate": "0", "code": "R", "tax": "0.00", "net": "7.00", "category": "ae"},
        ],
        total="12.00",
    ),
    "two reasons of one category": sale(
        {"total": "5.00", "tax_rate": "0"},
        taxes=[{"rate": "0", "tax": "0.00", "exemption": each} for each in ("§ 4 Nr. 21 UStG", "§ 4 Nr. 14 UStG")],
        total="5.00",
    ),
    "a word of the till for a category, and a lower rate": sale(
        {"total": "5.00", "tax_rate": "0"},
        {"total": "1.07", "tax_rate": "7"},
        taxes=[{"rate": "0", "tax": "0.00", "category": "none"}, {"rate": "7", "tax": "0.07", "category": "AA"}],
        total="6.07",
    ),
    "on account": sale(KNIFE, total="23.80", payments=[{"method": "invoice", "amount": "23.80"}]),
    "partly paid": sale(KNIFE, total="23.80", balance_due="3.80", payments=[{"method": "wallet", "amount": "20.00"}]),
    "a buyer of whom only the VAT id is known": sale(
        KNIFE, total="23.80", buyer={"name": "K", "tax_id": "EL123456789"}
    ),
    "a buyer without VAT id": sale(KNIFE, total="23.80", buyer=BUYER | {"tax_id": "12/345/67890"}),
    "everything that can be said of a line": sale(
        KNIFE
        | {
            "gtin": "9783161484100",
            "sku": "K-1",
            "description": "Sharp\ufffe",
            "options": ["oak"],
            "notes": ["Mind it"],
        },
        total="23.80",
        notes=["Thank you"],
        order_number="A-17",
    ),
    "a refund": record(
        HEAD | {"kind": "refund", "lines": [KNIFE], "total": "23.80", "reason": "Blunt"}, original=related("sale", 2380)
    ),
    "a refund written with minus signs": record(
        HEAD
        | {
            "kind": "refund",
            "lines": [KNIFE | {"total": "-21.80", "quantity": "-1", "discounts": [{"name": "Off", "amount": "2.00"}]}],
            "taxes": [{"rate": "19", "tax": "-3.48", "net": "-18.32"}],
            "total": "-21.80",
            "payments": [{"method": "cash", "amount": "-21.80"}],
        },
        original=related("sale", 2380),
    ),
    "an exchange": record(
        HEAD
        | {
            "kind": "exchange",
            "lines": [KNIFE | {"total": "-23.80"}, {"id": "2", "name": "Fork", "total": "29.75", "tax_rate": "19"}],
            "total": "5.95",
        },
        original=related("sale", 2380),
    ),
}


@pytest.mark.parametrize("of", VARIATIONS.values(), ids=VARIATIONS)
def test_every_variation_is_valid_and_asks_for_what_the_till_asked_for(of: ReceiptRecord) -> None:
    xml = invoice(of)
    sign = -1 if of.total < 0 else 1

    assert unfit(of) == ""
    assert wrong_with(xml) == ""
    assert broken_rules(xml) == []
    whole, rounding = said(xml, f"{SUMS}/GrandTotalAmount"), said(xml, f"{SUMS}/RoundingAmount")
    assert Decimal(whole[0]) + Decimal(rounding[0]) == sign * Decimal(of.total).scaleb(-2)


def test_rows_of_one_rate_are_told_apart_by_the_code_that_the_lines_bear() -> None:
    xml = invoice(VARIATIONS["zero-rated beside reverse charge"])
    row = "ApplicableHeaderTradeSettlement/ApplicableTradeTax"

    assert said(xml, f"{row}/CategoryCode") == ["Z", "AE"]
    assert said(xml, f"{row}/BasisAmount") == ["5.00", "7.00"]
    assert said(xml, f"{row}/ExemptionReason") == ["Reverse charge"]
    assert said(xml, "SpecifiedLineTradeSettlement/ApplicableTradeTax/CategoryCode") == ["Z", "AE"]


@pytest.mark.parametrize("rate", ["0", "7"])
@pytest.mark.parametrize("category", ["K", "G", "L", "M", "B", "A", " k "])
@pytest.mark.parametrize("exemption", [None, "Article 146"])
def test_a_category_of_vat_that_is_not_written_here_is_never_told_as_another(
    category: str, rate: str, exemption: str | None
) -> None:
    row = {"rate": rate, "tax": "0.07" if rate == "7" else "0.00", "category": category, "exemption": exemption}
    sold = sale({"total": "1.07", "tax_rate": rate}, taxes=[row], total="1.07")

    with pytest.raises(NotExpressible, match="category that is not written here"):
        invoice(sold)


@pytest.mark.parametrize("category, rate", [("S", "0"), ("H", "0"), ("E", "7"), ("AE", "7"), ("Z", "7"), ("O", "7")])
def test_nor_is_one_that_contradicts_its_rate(category: str, rate: str) -> None:
    row = {"rate": rate, "tax": "0.07" if rate == "7" else "0.00", "category": category}
    sold = sale({"total": "1.07", "tax_rate": rate}, taxes=[row], total="1.07")

    with pytest.raises(NotExpressible, match="does not fit its rate"):
        invoice(sold)


def test_the_rules_find_what_is_wrong() -> None:
    xml = invoice(record(TO_A_CAFE))
    cheaper = xml.replace(b"<ram:LineTotalAmount>4.03<", b"<ram:LineTotalAmount>4.02<")

    assert cheaper != xml
    assert any("BR-CO-10" in rule for rule in broken_rules(cheaper))
    assert wrong_with(xml.replace(b"ram:BuyerReference", b"ram:Nonsense"))


def test_the_taxes_are_the_tills_own() -> None:
    xml = invoice(VARIATIONS["rounded by line"])

    assert said(xml, "ApplicableHeaderTradeSettlement/ApplicableTradeTax/CalculatedAmount") == ["0.48"]
    assert said(xml, "ApplicableHeaderTradeSettlement/ApplicableTradeTax/BasisAmount") == ["2.49"]
    assert said(xml, "SpecifiedTradeSettlementLineMonetarySummation/LineTotalAmount") == ["0.83"] * 3


def test_a_line_shows_its_net_price_and_its_discounts() -> None:
    xml = invoice(record(TO_A_CAFE))

    assert said(xml, "NetPriceProductTradePrice/ChargeAmount") == ["5.04", "2.80", "20.92"]
    assert said(xml, "SpecifiedLineTradeSettlement/SpecifiedTradeAllowanceCharge/Reason") == ["Evening 20%", "Loyalty"]
    assert said(xml, "ApplicableHeaderTradeSettlement/SpecifiedTradeAllowanceCharge/Reason") == ["Paper bag"]


def test_a_refund_is_a_credit_note_above_zero_that_names_its_original() -> None:
    xml = invoice(VARIATIONS["a refund written with minus signs"])

    assert said(xml, "rsm:ExchangedDocument/TypeCode") == ["381"]
    assert said(xml, f"{SUMS}/GrandTotalAmount") == ["21.80"]
    assert said(xml, "InvoiceReferencedDocument/IssuerAssignedID") == ["000418"]
    assert said(xml, "BilledQuantity") == ["1"]


def test_a_tip_is_a_charge_without_vat_and_cash_rounding_is_none() -> None:
    xml = invoice(VARIATIONS["tip, cash rounding"])

    assert said(xml, "ApplicableHeaderTradeSettlement/SpecifiedTradeAllowanceCharge/Reason") == ["Tip"]
    assert said(xml, "SpecifiedTradeAllowanceCharge/CategoryTradeTax/CategoryCode") == ["E"]
    assert said(xml, f"{SUMS}/RoundingAmount") == ["0.02"]


def test_what_is_on_account_or_left_unpaid_is_due() -> None:
    due = [said(invoice(VARIATIONS[name]), f"{SUMS}/DuePayableAmount") for name in ("on account", "partly paid")]

    assert due == [["23.80"], ["3.80"]]
    assert said(invoice(VARIATIONS["zero rated"]), f"{SUMS}/DuePayableAmount") == ["0.00"]


def test_the_day_is_that_of_the_shop() -> None:
    late = record(TO_A_CAFE | {"issued_at": "2026-11-21T23:30:00Z"})

    assert said(invoice(late), "rsm:ExchangedDocument/IssueDateTime/udt:DateTimeString") == ["20261122"]


NOT_EXPRESSIBLE = {
    "no buyer": record(BREAD),
    "gift": record(TO_A_CAFE | {"flags": ["gift"]}),
    "training": record(TO_A_CAFE | {"flags": ["training"]}),
    "no lines": record(HEAD | {"kind": "refund", "total": "5.00"}, original=related("sale", 2380)),
    "add up": record(TO_A_CAFE | {"total": "30.63"}),
    "what taxes": sale({"total": "5.00"}, total="5.00"),
    "which tax of their rate": sale(
        {"total": "5.00", "tax_rate": "0"},
        taxes=[{"rate": "0", "tax": "0.00", "category": each} for each in ("Z", "AE")],
        total="5.00",
    ),
    "more than one tax": record(SILK | {"buyer": BUYER}),
    "too far": sale(
        *[{"total": "0.02", "tax_rate": "20"}] * 400,
        taxes=[{"rate": "20", "tax": "0.00", "gross": "8.00"}],
        tax_rounding="line",
        total="8.00",
    ),
    "three decimals|more than two decimals": sale({"total": "5.000", "tax_rate": "10"}, currency="BHD", total="5.000"),
    "store.s address": record(TO_A_CAFE, issuer=MITTE.model_copy(update={"address": {}})),
    "without EN 16931": record(COFFEE | {"buyer": BUYER}, issuer=JUMEIRAH),
    "VAT identification number": record(TO_A_CAFE, issuer=MITTE.model_copy(update={"tax_id": "37/123/45678"})),
    "buyer.s address": sale(KNIFE, total="23.80", buyer={"name": "K", "tax_id": "37/123"}),
    "tax is shifted": sale(
        {"total": "5.00", "tax_rate": "0"},
        taxes=[{"rate": "0", "tax": "0.00", "category": "AE"}],
        total="5.00",
        buyer=BUYER | {"tax_id": "37/123"},
    ),
    "stands beside": sale(
        {"total": "5.00", "tax_rate": "0"},
        KNIFE | {"id": "2"},
        taxes=[{"rate": "0", "tax": "0.00", "category": "O"}, {"rate": "19", "tax": "3.80"}],
        total="28.80",
    ),
}


@pytest.mark.parametrize("why", NOT_EXPRESSIBLE)
def test_what_has_no_valid_form_is_none_and_the_reason_is_said(why: str) -> None:
    with pytest.raises(NotExpressible, match=why) as refused:
        invoice(NOT_EXPRESSIBLE[why])
    assert unfit(NOT_EXPRESSIBLE[why]) == str(refused.value)


def test_to_make_one_needs_neither_a_database_nor_settings() -> None:
    imported = "import sys, receipts.facturx; print(*sorted(sys.modules))"
    modules = subprocess.run([sys.executable, "-c", imported], capture_output=True, text=True, check=True, cwd=ROOT)

    assert "receipts.facturx_vat" in modules.stdout.split()
    assert not {"sqlalchemy", "infra.settings", "fastapi", "boto3"} & set(modules.stdout.split())


SHOPS = {
    GERMANY: MITTE,
    BRITAIN: Issuer(brand="B", store="B", address={"country": "GB"}, tax_id="GB 123 4567 89", timezone="Europe/London"),
    SWITZERLAND: Issuer(brand="C", store="C", address={"country": "CH"}, tax_id="CHE-123.456.789 MWST"),
}


def prove(country: Country, body: dict[str, Any]) -> None:
    original = related("sale", 99_999_999, currency=country.currency) if body["kind"] != "sale" else None
    try:
        xml = invoice(record(body | {"buyer": BUYER}, issuer=SHOPS[country], original=original))
    except NotExpressible as problem:
        assert str(problem) in {"it has no lines", "its lines do not say what taxes they bear"}  # noqa: PT017
        return
    assert wrong_with(xml) == ""
    assert broken_rules(xml) == []


@pytest.mark.parametrize("country", SHOPS, ids=lambda country: country.currency)
@settings(max_examples=25, suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(st.data())
def test_whatever_adds_up_at_a_european_till_is_a_valid_invoice(country: Country, data: Any) -> None:
    prove(country, data.draw(sales_that_add_up(countries=[country])).written())


@pytest.mark.long
@pytest.mark.parametrize("country", SHOPS, ids=lambda country: country.currency)
@settings(max_examples=500, suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(st.data())
def test_whatever_adds_up_at_many_european_tills_is_a_valid_invoice(country: Country, data: Any) -> None:
    prove(country, data.draw(sales_that_add_up(countries=[country])).written())
