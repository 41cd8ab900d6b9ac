"""Tax tables as tills of many countries print them, and their mistakes."""

from typing import Any

import pytest

from receipts.reading import read_sale
from receipts.totals import check
from tests.support.sales import Body, coffee


def findings(body: Body) -> dict[str, str]:
    return {each.pointer: each.detail for each in check(read_sale(body))}


def line(total: str, **taxes: Any) -> dict[str, Any]:
    return {"id": total, "name": "Something", "total": total} | taxes


def net_sale(currency: str, total: str, **parts: Any) -> Body:
    head = {"issued_at": "2026-11-21T17:42:10+01:00", "currency": currency, "total": total}
    return head | {"prices_include_tax": False} | parts


def gross_sale(currency: str, total: str, **parts: Any) -> Body:
    return net_sale(currency, total, **parts) | {"prices_include_tax": True}


def test_net_and_tax_make_the_gross_amount_of_a_row() -> None:
    taxes = [{"rate": "19", "net": "2.69", "tax": "0.51", "gross": "3.21"}]
    found = findings(coffee(taxes=taxes, lines=[line("3.20")]))
    assert found == {"/taxes/0/gross": "Net and tax sum to 3.20; 3.21 is stated, 0.01 too much"}


def test_a_row_holds_what_bears_its_rate() -> None:
    taxes = [{"rate": "19", "net": "2.52", "tax": "0.48", "gross": "3.00"}]
    assert findings(coffee(taxes=taxes)) == {
        "/taxes/0/gross": "What bears this rate sums to 3.20; 3.00 is stated, 0.20 too little",
        "/taxes/0/tax": "The tax at this rate is 0.51; 0.48 is stated, 0.03 too little",
    }


def test_a_rate_that_has_no_row_is_named() -> None:
    rolls = [line("3.20", tax_rate="19"), line("1.07", tax_rate="7")]
    found = findings(coffee(lines=rolls, total="4.27", payments=[]))
    assert found == {"/taxes": "No row has the rate 7, which lines or charges bear"}


def test_a_row_that_nothing_bears_is_wrong() -> None:
    taxes = [{"rate": "19", "tax": "0.51"}, {"rate": "7", "net": "1.00", "tax": "0.07"}]
    assert findings(coffee(taxes=taxes)).keys() == {"/taxes/1/net", "/taxes/1/tax"}


def test_a_row_of_nothing_is_right() -> None:
    taxes = [{"rate": "19", "tax": "0.51"}, {"rate": "7", "net": "0.00", "tax": "0.00", "gross": "0.00"}]
    assert findings(coffee(taxes=taxes)) == {}


@pytest.mark.parametrize("rounding, right, wrong", [("line", "12", "13"), ("rate", "13", "12"), ("order", "13", "11")])
def test_rounding_by_line_and_by_rate_differ_by_a_cent(rounding: str, right: str, wrong: str) -> None:
    """0.99 with 7 % inside holds 0.0648: twice 0.06, or 0.13 for both."""
    two = [line("0.99", id=number, tax_rate="7") for number in "12"]
    body = gross_sale("EUR", "1.98", lines=two, tax_rounding=rounding)
    assert findings(body | {"taxes": [{"rate": "7", "tax": f"0.{right}"}]}) == {}
    assert "/taxes/0/tax" in findings(body | {"taxes": [{"rate": "7", "tax": f"0.{wrong}"}]})


def test_new_york_taxes_for_state_city_and_transit() -> None:
    taxes = [("State", "4", "0.80"), ("City", "4.5", "0.90"), ("MCTD", "0.375", "0.07")]
    rows = [{"name": name, "rate": rate, "net": "19.99", "tax": tax} for name, rate, tax in taxes]
    shirt = net_sale("USD", "21.76", lines=[line("19.99", tax_rate="8.875")], taxes=rows)
    assert findings(shirt) == {}
    rows[2]["tax"] = "0.08"
    assert findings(shirt | {"total": "21.77"}).keys() == {"/taxes/2/tax"}


def test_food_may_bear_one_tax_and_soap_two() -> None:
    both = [{"name": "State", "rate": "6.25"}, {"name": "County", "rate": "1.75"}]
    rows = [{"name": "State", "rate": "6.25", "net": "4.00", "tax": "0.25"}]
    rows.append({"name": "County", "rate": "1.75", "net": "14.00", "tax": "0.25"})
    basket = [line("10.00", taxes=both[1:]), line("4.00", taxes=both)]
    assert findings(net_sale("USD", "14.50", lines=basket, taxes=rows)) == {}
    rows[0]["net"] = "14.00"
    assert findings(net_sale("USD", "14.50", lines=basket, taxes=rows)).keys() == {"/taxes/0/net"}


@pytest.mark.parametrize(
    "stated",
    [
        {"tax_rate": "18"},
        {"taxes": [{"name": "GST", "rate": "18"}]},
        {"taxes": [{"rate": "9"}, {"rate": "9"}]},
        {"taxes": [{"name": "CGST", "rate": "9"}, {"name": "SGST", "rate": "9"}]},
    ],
)
def test_indian_goods_bear_half_their_tax_to_the_centre_and_half_to_the_state(stated: dict[str, Any]) -> None:
    rows = [{"name": name, "rate": "9", "net": "450.00", "tax": "40.50"} for name in ("CGST", "SGST")]
    body = net_sale("INR", "531.00", lines=[line("450.00", **stated)], taxes=rows)
    assert findings(body) == {}
    rows[1]["tax"] = "40.51"
    assert findings(body | {"total": "531.01"}).keys() == {"/taxes/1/tax"}


def test_a_rate_that_rows_make_up_in_two_ways_is_not_guessed_at() -> None:
    rows = [{"rate": rate, "net": "100.00", "tax": f"{rate}.00"} for rate in ("1", "4", "2", "3")]
    assert findings(net_sale("USD", "110.00", lines=[line("100.00", tax_rate="5")], taxes=rows)) == {}


def test_canada_adds_two_taxes_and_rounds_cash_to_five_cents() -> None:
    rows = [{"name": "GST", "rate": "5", "net": "12.34", "tax": "0.62"}]
    rows.append({"name": "PST", "rate": "7", "net": "12.34", "tax": "0.86"})
    syrup = line("12.34", taxes=[{"name": "GST", "rate": "5"}, {"name": "PST", "rate": "7"}])
    paid = [{"method": "cash", "amount": "13.80"}]
    assert findings(net_sale("CAD", "13.80", lines=[syrup], taxes=rows, rounding="-0.02", payments=paid)) == {}


def test_japan_lets_a_fraction_of_a_yen_be_cut_off() -> None:
    rice = gross_sale("JPY", "499", lines=[line("499", tax_rate="8")], tax_rounding="order")
    for tax in ("36", "37"):  # 36.96
        assert findings(rice | {"taxes": [{"rate": "8", "tax": tax}]}) == {}
    for tax in ("35", "38"):
        assert "/taxes/0/tax" in findings(rice | {"taxes": [{"rate": "8", "tax": tax}]})


def test_rounded_once_for_the_receipt_a_row_may_be_off_but_not_all_together() -> None:
    basket = [line("1.03", tax_rate="19"), line("1.04", tax_rate="7")]  # 0.16445 and 0.06804: 0.23
    body = gross_sale("EUR", "2.07", lines=basket, tax_rounding="order")
    rows = [{"rate": "19", "tax": "0.16"}, {"rate": "7", "tax": "0.07"}]
    assert findings(body | {"taxes": rows}) == {}
    rows[0]["tax"] = "0.17"
    assert findings(body | {"taxes": rows}) == {"/taxes": "The taxes together are 0.23; 0.24 is stated, 0.01 too much"}


def test_a_row_of_unknown_lines_is_held_against_itself() -> None:
    unsaid = [line("11.90"), line("10.70")]
    rows = [{"rate": "19", "gross": "11.90", "tax": "1.90"}, {"rate": "7", "gross": "10.70", "tax": "0.70"}]
    assert findings(gross_sale("EUR", "22.60", lines=unsaid, taxes=rows)) == {}
    rows[1]["tax"] = "0.71"
    assert findings(gross_sale("EUR", "22.60", lines=unsaid, taxes=rows)).keys() == {"/taxes/1/tax"}


def test_a_discount_on_everything_lowers_each_rate_as_the_till_sees_fit() -> None:
    basket = [line("11.90", tax_rate="19"), line("10.70", tax_rate="7")]
    rows = [{"rate": "19", "gross": "10.71", "tax": "1.71"}, {"rate": "7", "gross": "9.63", "tax": "0.63"}]
    less = [{"name": "10 %", "amount": "2.26"}]
    assert findings(gross_sale("EUR", "20.34", lines=basket, taxes=rows, discounts=less)) == {}


def test_two_rows_of_one_rate_are_told_apart_by_their_codes() -> None:
    coded = [line("1.19", taxes=[{"rate": "19", "code": "A"}]), line("2.38", taxes=[{"rate": "19", "code": "C"}])]
    rows = [{"rate": "19", "code": "A", "tax": "0.19"}, {"rate": "19", "code": "C", "tax": "0.38"}]
    assert findings(gross_sale("EUR", "3.57", lines=coded, taxes=rows)) == {}
    assert findings(gross_sale("EUR", "3.57", lines=coded, taxes=rows[::-1])) == {}
    rows[0]["tax"] = "0.20"
    assert findings(gross_sale("EUR", "3.57", lines=coded, taxes=rows)).keys() == {"/taxes/0/tax"}


def test_two_rows_of_one_rate_that_nothing_tells_apart_are_held_together() -> None:
    plain = [line("1.19", tax_rate="19"), line("2.38", tax_rate="19")]
    rows = [{"rate": "19", "category": "Food", "tax": "0.19"}, {"rate": "19", "category": "Toys", "tax": "0.38"}]
    assert findings(gross_sale("EUR", "3.57", lines=plain, taxes=rows)) == {}
    rows[0]["tax"] = "0.39"
    assert findings(gross_sale("EUR", "3.57", lines=plain, taxes=rows)).keys() == {"/taxes"}


def test_one_row_serves_lines_that_call_the_tax_otherwise() -> None:
    named = [line("1.19", taxes=[{"name": "VAT", "rate": "19.0"}])]
    assert (
        findings(gross_sale("EUR", "1.19", lines=named, taxes=[{"name": "VAT 19%", "rate": "19", "tax": "0.19"}])) == {}
    )


def test_the_tax_of_a_line_is_checked() -> None:
    def body(amount: str) -> Body:
        stated = [line("1.03", taxes=[{"rate": "19", "amount": amount}])]
        return gross_sale("EUR", "1.03", lines=stated, tax_rounding="line")

    assert findings(body("0.16")) == {}
    assert findings(body("0.17")) == {"/lines/0/taxes/0/amount": "The tax is 0.16; 0.17 is stated, 0.01 too much"}


def test_taxes_stated_with_the_lines_alone_are_added_to_net_prices() -> None:
    stated = [line("10.00", taxes=[{"rate": "6", "amount": "0.60"}, {"rate": "2", "amount": "0.20"}])]
    assert findings(net_sale("USD", "10.80", lines=stated)) == {}
    assert findings(net_sale("USD", "10.81", lines=stated)).keys() == {"/total"}


def test_rows_of_a_till_that_rounds_by_line_sum_the_taxes_of_the_lines() -> None:
    """Half a cent may be rounded either way, but then the same way in the line and in the table."""
    ties = [line("0.50", taxes=[{"rate": "5", "amount": amount}]) for amount in ("0.02", "0.03")]
    ties[1]["id"] = "other"
    body = net_sale("USD", "1.05", lines=ties, tax_rounding="line")
    assert findings(body | {"taxes": [{"rate": "5", "tax": "0.05"}]}) == {}
    assert findings(body | {"total": "1.06", "taxes": [{"rate": "5", "tax": "0.06"}]}).keys() == {"/taxes/0/tax"}


def test_net_prices_with_rates_need_a_table() -> None:
    found = findings(net_sale("USD", "10.00", lines=[line("10.00", tax_rate="6")]))
    assert found == {"/taxes": "is missing; prices are without tax, and the lines bear some"}


def test_gift_cards_and_donations_bear_no_tax() -> None:
    goods = [line("11.90", tax_rate="19"), line("50.00", type="gift_card"), line("1.00", type="donation")]
    assert (
        findings(gross_sale("EUR", "62.90", lines=goods, taxes=[{"rate": "19", "gross": "11.90", "tax": "1.90"}])) == {}
    )


def test_a_row_without_a_rate_is_taken_as_it_is() -> None:
    levy = [{"name": "Bag levy", "tax": "0.25"}]
    assert findings(net_sale("USD", "10.25", lines=[line("10.00", tax_rate="0")], taxes=levy)) == {}


def test_a_charge_bears_tax_like_a_line() -> None:
    delivery = [{"name": "Delivery", "amount": "4.76", "tax_rate": "19"}]
    body = gross_sale("EUR", "16.66", lines=[line("11.90", tax_rate="19")], charges=delivery)
    assert findings(body | {"taxes": [{"rate": "19", "net": "14.00", "tax": "2.66"}]}) == {}
    assert findings(body | {"taxes": [{"rate": "19", "net": "10.00", "tax": "1.90"}]}).keys() == {
        "/taxes/0/net",
        "/taxes/0/tax",
    }
