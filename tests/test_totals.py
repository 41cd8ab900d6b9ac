"""Every sale that adds up passes; one sum that is off by the smallest unit is found, and named."""

from typing import Any

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from receipts import totals
from receipts.reading import read_sale
from tests.support.sales import Body, coffee, example, refund
from tests.support.tills import Sold, sales_that_add_up


def findings(body: Body) -> dict[str, str]:
    return {each.pointer: each.detail for each in totals.check(read_sale(body))}


@settings(max_examples=400, deadline=None)
@given(sales_that_add_up())
def test_a_sale_that_adds_up_passes(sold: Sold) -> None:
    assert findings(sold.written()) == {}


@settings(max_examples=400, deadline=None)
@given(sales_that_add_up(), st.sampled_from((1, -1)), st.data())
def test_a_sum_that_is_off_by_one_unit_is_found_where_it_stands(sold: Sold, by: int, data: st.DataObject) -> None:
    assume(sold.certain)
    path, pointer = data.draw(st.sampled_from(sold.certain))
    assert pointer in findings(sold.written(path, by))


def test_the_example_adds_up() -> None:
    assert findings(example()) == {}


def test_a_finding_says_which_sum_and_by_how_much() -> None:
    assert findings(example(total="30.63")) == {
        "/total": "Lines less discounts plus charges, tip and rounding come to 30.62; 30.63 is stated, 0.01 too much",
        "/payments": "Payments and balance due should sum to the total of 30.63; 30.62 is stated, 0.01 too little",
    }


def lines(*totals: str, **more: Any) -> list[dict[str, Any]]:
    return [{"id": str(index), "name": "Something", "total": total} | more for index, total in enumerate(totals)]


def sale(currency: str, total: str, **parts: Any) -> Body:
    return {"issued_at": "2026-11-21T17:42:10+01:00", "currency": currency, "total": total} | parts


def test_petrol_costs_tenths_of_a_cent_a_litre() -> None:
    petrol = {"id": "1", "name": "Super E10", "quantity": "42.37", "unit": "l", "unit_price": "1.789", "total": "75.80"}
    assert findings(sale("EUR", "75.80", lines=[petrol])) == {}
    assert list(findings(sale("EUR", "75.79", lines=[petrol | {"total": "75.79"}]))) == ["/lines/0/total"]


def test_a_price_half_way_between_two_cents_may_be_rounded_either_way() -> None:
    cheese = {"id": "1", "name": "Cheese", "quantity": "0.25", "unit": "kg", "unit_price": "19.98"}
    assert findings(sale("EUR", "5.00", lines=[cheese | {"total": "5.00"}])) == {}
    assert findings(sale("EUR", "4.99", lines=[cheese | {"total": "4.99"}])) == {}
    assert "/lines/0/total" in findings(sale("EUR", "5.01", lines=[cheese | {"total": "5.01"}]))


def test_swiss_cash_is_rounded_to_five_rappen_and_a_card_is_not() -> None:
    cash = [{"method": "cash", "amount": "12.35", "tendered": "20.00", "change": "7.65"}]
    card = [{"method": "card", "amount": "12.37"}]
    assert findings(sale("CHF", "12.35", lines=lines("12.37"), rounding="-0.02", payments=cash)) == {}
    assert findings(sale("CHF", "12.37", lines=lines("12.37"), payments=card)) == {}
    assert list(findings(sale("CHF", "12.35", lines=lines("12.37"), payments=cash))) == ["/total"]


def test_an_indian_bill_is_rounded_to_the_rupee() -> None:
    taxes = [{"name": name, "rate": "9", "net": "449.00", "tax": "40.41"} for name in ("CGST", "SGST")]
    bill = sale("INR", "530.00", lines=lines("449.00", tax_rate="18"), taxes=taxes, prices_include_tax=False)
    assert findings(bill | {"rounding": "0.18"}) == {}
    assert list(findings(bill | {"rounding": "0.17"})) == ["/total"]


def test_a_tip_and_a_service_charge_come_on_top() -> None:
    table = sale("GBP", "57.50", lines=lines("45.00"), charges=[{"name": "Service", "amount": "7.50"}], tip="5.00")
    assert findings(table) == {}
    assert list(findings(table | {"tip": "4.99"})) == ["/total"]


def test_several_tenders_and_what_stays_owed_make_up_the_total() -> None:
    tenders = [{"method": "gift_card", "amount": "20.00"}, {"method": "card", "amount": "15.50"}]
    assert findings(sale("EUR", "40.00", lines=lines("40.00"), payments=tenders, balance_due="4.50")) == {}
    assert list(findings(sale("EUR", "40.00", lines=lines("40.00"), payments=tenders))) == ["/payments"]


def test_without_tenders_nothing_is_said_of_them() -> None:
    assert findings(sale("EUR", "40.00", lines=lines("40.00"))) == {}


def test_change_is_what_was_handed_over_less_what_was_kept() -> None:
    cash = {"method": "cash", "amount": "3.20", "tendered": "5.00", "change": "1.70"}
    found = findings(coffee(payments=[cash]))
    assert found == {"/payments/0/amount": "Tendered less change is 3.30; 3.20 is stated, 0.10 too little"}


def test_a_deposit_that_is_given_back_lowers_the_total() -> None:
    goods = [*lines("3.58", "0.50"), {"id": "back", "name": "Empties", "quantity": "-12", "unit_price": "0.25"}]
    goods[2] |= {"total": "-3.00", "type": "deposit"}
    assert findings(sale("EUR", "1.08", lines=goods)) == {}


@pytest.mark.parametrize("total", ["24.90", "-24.90"])
def test_a_refund_may_say_only_a_sum(total: str) -> None:
    assert findings(refund("000417", total)) == {}


def test_a_void_need_not_repeat_what_is_void() -> None:
    assert findings(refund("000417", "30.62", kind="void")) == {}


def test_a_sale_of_nothing_is_for_nothing() -> None:
    assert findings(sale("EUR", "0.00")) == {}
    assert list(findings(sale("EUR", "1.00"))) == ["/total"]


@pytest.mark.parametrize("off", ["0.50", "-0.50"])
def test_a_refund_with_minus_signs_may_write_its_discounts_with_or_without(off: str) -> None:
    back: dict[str, Any] = {"id": "1", "name": "Mug", "quantity": "-1", "unit_price": "10.00", "total": "-9.50"}
    back["discounts"] = [{"name": "Member", "amount": off}]
    whole = {"name": "Loyal", "amount": "2.00" if off == "0.50" else "-2.00"}
    body = refund("000417", "-7.50", lines=[back], discounts=[whole])
    assert findings(body) == {}
    assert list(findings(body | {"total": "-11.50"})) == ["/total"]


def test_an_exchange_comes_to_the_difference() -> None:
    swapped = [*lines("35.00"), {"id": "old", "name": "Size M", "quantity": "-1", "unit_price": "30.00"}]
    swapped[1] |= {"total": "-30.00"}
    less = [{"name": "Loyal", "amount": "1.00"}]
    assert findings(sale("EUR", "4.00", kind="exchange", lines=swapped, discounts=less)) == {}
    assert list(findings(sale("EUR", "6.00", kind="exchange", lines=swapped, discounts=less))) == ["/total"]


def test_shares_of_a_discount_sum_to_it() -> None:
    shares = [{"line": "0", "amount": "1.00"}, {"line": "1", "amount": "0.99"}]
    order = sale("EUR", "8.00", lines=lines("5.00", "5.00"), discounts=[{"name": "Loyal", "amount": "2.00"}])
    order["discounts"][0]["allocations"] = shares
    right = "The allocations sum to 1.99; 2.00 is stated, 0.01 too much"
    assert findings(order) == {"/discounts/0/amount": right}


@pytest.mark.parametrize(
    "currency, total, price", [("JPY", "1320", "440"), ("BHD", "1.350", "0.450"), ("CLF", "0.0003", "0.0001")]
)
def test_a_currency_has_its_own_number_of_digits(currency: str, total: str, price: str) -> None:
    three = {"id": "1", "name": "Something", "quantity": "3", "unit_price": price, "total": total}
    assert findings(sale(currency, total, lines=[three])) == {}


def test_two_hundred_lines_add_up() -> None:
    assert findings(sale("EUR", "250.00", lines=lines(*["1.25"] * 200, tax_rate="7"))) == {}


def test_amounts_of_fifteen_digits_are_checked_to_the_cent() -> None:
    giant = {"id": "1", "name": "Bank", "unit_price": "9999999999999.99", "quantity": "1", "total": "9999999999999.99"}
    assert "/total" in findings(sale("EUR", "9999999999999.98", lines=[giant | {"unit_price": "1"}]))
    assert findings(sale("EUR", "9999999999999.99", lines=[{**giant, "unit_price": "999999999999.99"}])).keys() == {
        "/lines/0/total"
    }
