"""A refund of Shopify's as a canonical refund: positive, in its original's currency, naming its original."""

from pos.shopify import orders, parse
from pos.shopify.fields import parsed
from receipts import totals
from receipts.reading import read_sale
from receipts.sale import Sale
from tests.support.shopify import Json, as_bytes, bag, line, order, refund, small


def refunded(body: Json, original: Json) -> Sale:
    sale = read_sale(orders.sale(parsed(as_bytes(original))))
    (found,) = parse.read_refund(parsed(as_bytes(body)), lambda _: sale).sales
    return read_sale(found)


def moved(amount: str, **more: object) -> list[Json]:
    return [{"kind": "refund", "status": "success", "gateway": "manual", "amount": amount} | more]


def adjusted(kind: str, amount: str, tax: str = "0.00", reason: str | None = None) -> Json:
    return {"kind": kind, "amount": amount, "tax_amount": tax, "reason": reason}


def test_one_of_two_candles_comes_back() -> None:
    back = refunded(refund(), order())
    assert totals.check(back) == []
    assert (back.kind, back.external_id, back.total) == ("refund", "refund:601", 1341)
    assert back.original is not None
    assert back.original.external_id == "order:9001"
    (candle,) = back.lines
    assert (candle.name, str(candle.quantity), candle.total, candle.original_line) == (
        "Beeswax candle",
        "1",
        1341,
        "501",
    )
    assert [(tax.name, tax.tax, tax.gross) for tax in back.taxes] == [("MwSt", 214, 1341)]


def test_the_staffs_remark_is_not_printed() -> None:
    back = refunded(refund(), order())
    assert (back.reason, back.metadata["note"]) == (None, "burns badly")


def test_shipping_comes_back_with_its_tax() -> None:
    body = refund(refund_line_items=[], order_adjustments=[adjusted("shipping_refund", "-4.12", "-0.78")])
    back = refunded(body | {"transactions": moved("4.90")}, order())
    assert totals.check(back) == []
    assert [(charge.name, charge.amount) for charge in back.charges] == [("Shipping", 490)]
    assert [(tax.name, tax.tax) for tax in back.taxes] == [("MwSt", 78)]


def test_shipping_is_found_in_the_newer_form_too() -> None:
    shipping = {"subtotal_amount_set": bag("5.00", "5.00", ("USD", "USD")), "shipping_line": {"tax_lines": []}}
    back = refunded(
        refund(refund_line_items=[], refund_shipping_lines=[shipping], transactions=moved("5.00")), small("9")
    )
    assert totals.check(back) == []
    assert [charge.amount for charge in back.charges] == [500]


def test_a_fee_that_the_merchant_keeps_lowers_the_sum() -> None:
    kept = adjusted("refund_discrepancy", "3.41", reason="Restocking fee")
    back = refunded(refund(order_adjustments=[kept], transactions=moved("10.00")), order())
    assert totals.check(back) == []
    assert [(charge.name, charge.amount) for charge in back.charges] == [("Restocking fee", -341)]


def test_money_may_go_back_without_goods() -> None:
    given = adjusted("refund_discrepancy", "-5.00", reason="Refund discrepancy")
    back = refunded(refund(refund_line_items=[], order_adjustments=[given], transactions=moved("5.00")), order())
    assert totals.check(back) == []
    assert (back.total, back.lines) == (500, [])


def test_several_taxes_are_shared_as_they_were_charged() -> None:
    state, county = (
        {"title": "State", "rate": 0.06, "price": "6.00"},
        {"title": "County", "rate": 0.02, "price": "2.00"},
    )
    sold = line("50.00", 2, tax_lines=[state, county])
    original = small("108.00", line_items=[sold], tax_lines=[state, county], total_tax="8.00")
    back_line = {"line_item_id": 700, "line_item": sold, "quantity": 1, "subtotal": "50.00", "total_tax": "4.00"}
    back = refunded(refund(refund_line_items=[back_line], transactions=moved("54.00")), original)
    assert totals.check(back) == []
    assert [(tax.name, tax.tax) for tax in back.taxes] == [("State", 300), ("County", 100)]


def test_an_old_refund_that_states_no_subtotal_is_worth_its_share() -> None:
    sold = line("30.00", 3, total_discount="9.00")
    original = small("81.00", line_items=[sold], total_discounts="9.00")
    old = {"line_item_id": 700, "line_item": sold, "quantity": 1}
    back = refunded(refund(refund_line_items=[old], transactions=moved("27.00")), original)
    assert totals.check(back) == []
    assert back.lines[0].total == 2700


def test_a_refund_is_in_the_currency_of_its_original() -> None:
    thing = line("25.00", 2, price_set=bag("25.00", "23.10"))
    original = small("50.00", line_items=[thing], presentment_currency="EUR", total_price_set=bag("50.00", "46.20"))
    back_line = {"line_item_id": 700, "line_item": thing, "quantity": 1, "subtotal": 25.0, "total_tax": 0.0}
    back_line |= {"subtotal_set": bag("25.00", "23.10"), "total_tax_set": bag("0.00", "0.00")}
    back = refunded(refund(refund_line_items=[back_line], transactions=moved("23.10", currency="EUR")), original)
    assert totals.check(back) == []
    assert (back.currency, back.total) == ("EUR", 2310)


def test_money_that_moved_in_another_currency_is_worth_what_came_back() -> None:
    """The sale did not add up in the shopper's currency, so its receipt is in the shop's."""
    thing = line("25.00", 2, price_set=bag("25.00", "23.10"))
    original = small("50.00", line_items=[thing], presentment_currency="EUR", total_price_set=bag("50.00", "46.19"))
    back_line = {"line_item_id": 700, "line_item": thing, "quantity": 1, "subtotal": 25.0, "total_tax": 0.0}
    back_line |= {"subtotal_set": bag("25.00", "23.10"), "total_tax_set": bag("0.00", "0.00")}
    back = refunded(refund(refund_line_items=[back_line], transactions=moved("23.10", currency="EUR")), original)
    assert totals.check(back) == []
    (payment,) = back.payments
    assert payment.foreign is not None
    assert (back.currency, back.total, payment.foreign.currency, str(payment.foreign.amount)) == (
        "USD",
        2500,
        "EUR",
        "23.1",
    )


def test_a_line_that_is_not_told_again_is_described_as_it_was_sold() -> None:
    thing = line("25.00", 2, price_set=bag("25.00", "23.10"))
    original = small("50.00", line_items=[thing], presentment_currency="EUR", total_price_set=bag("50.00", "46.20"))
    back_line = {"line_item_id": 700, "quantity": 1, "subtotal_set": bag("25.00", "23.10")}
    back = refunded(refund(refund_line_items=[back_line], transactions=moved("23.10", currency="EUR")), original)
    assert totals.check(back) == []
    assert [(each.name, str(each.unit_price)) for each in back.lines] == [("Thing", "23.1")]


def test_a_refund_of_a_test_order_is_for_training() -> None:
    assert refunded(refund(), order(test=True)).flags == ["training"]


def test_no_receipt_is_made_where_no_money_went_back() -> None:
    pending = refund(transactions=moved("13.41", status="failure"))
    assert parse.read_refund(pending, lambda _: None).reason == "no money went back"


def test_a_refund_waits_for_its_order() -> None:
    assert parse.read_refund(refund(), lambda _: None).waits_for == "order:9001"


def test_a_refund_inside_its_order_is_the_same_as_the_one_by_itself() -> None:
    body = order(refunds=[refund()], financial_status="partially_refunded")
    sale, inside = parse.read_order(body, (), lambda _: None).sales
    (alone,) = parse.read_refund(refund(), lambda _: read_sale(sale)).sales
    assert inside == alone


def test_a_refund_that_cannot_be_read_does_not_keep_its_order_out() -> None:
    """Neither what came back nor the money is told in the order's currency."""
    odd = refund(refund_line_items=[{"subtotal": 13.41, "subtotal_set": bag("13.41", "14.00", ("USD", "GBP"))}])
    odd |= {"transactions": moved("14.00", currency="CHF")}
    reading = parse.read_order(parsed(as_bytes(order(refunds=[odd]))), (), lambda _: None)
    assert [body["kind"] for body in reading.sales] == ["sale"]
    assert [error.pointer for problem in reading.left_out for error in problem.errors] == ["/transactions"]


def test_a_refund_that_does_not_add_up_is_told_by_how_much() -> None:
    (finding,) = totals.check(refunded(refund(transactions=moved("15.00")), order()))
    assert "come to 13.41; 15.00 is stated, 1.59 too much" in finding.detail
