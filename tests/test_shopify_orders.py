"""An order of Shopify's as a canonical sale: every consistent order reconciles to the cent."""

from typing import Any

import pytest

from kernel.errors import FieldError, Problem
from pos.shopify import orders
from pos.shopify.fields import parsed
from receipts import totals
from receipts.reading import read_sale
from receipts.sale import Sale
from tests.support.shopify import Json, as_bytes, bag, line, order, small


def sale_of(body: Json, *transactions: Json) -> Sale:
    """Through bytes, as it really comes: amounts in JSON numbers stay exact."""
    return read_sale(orders.sale(parsed(as_bytes(body)), [parsed(as_bytes(each)) for each in transactions]))


def findings(sale: Sale) -> list[FieldError]:
    return totals.check(sale)


def test_an_order_with_a_code_on_everything_reconciles() -> None:
    sale = sale_of(order())
    assert findings(sale) == []
    assert (sale.kind, sale.external_id, sale.number) == ("sale", "order:9001", "#2041")
    assert (sale.currency, sale.total, sale.prices_include_tax) == ("EUR", 3757, True)


def test_the_time_is_that_of_processing() -> None:
    assert sale_of(order()).issued_at.isoformat() == "2026-11-20T18:04:09+01:00"


def test_a_code_on_the_whole_order_falls_on_its_lines() -> None:
    (discount,) = sale_of(order()).discounts
    assert (discount.name, discount.code, discount.amount, str(discount.percent)) == ("ADVENT", "ADVENT", 363, "10")
    assert [(share.line, share.amount) for share in discount.allocations] == [("501", 298), ("502", 65)]


def test_a_discount_on_one_line_stays_with_it() -> None:
    applied = {"title": "Second at half", "value_type": "fixed_amount", "value": "5.0", "target_selection": "explicit"}
    cheaper = line("20.00", 2, discount_allocations=[{"amount": "5.00", "discount_application_index": 0}])
    sale = sale_of(small("35.00", line_items=[cheaper], discount_applications=[applied], total_discounts="5.00"))
    assert findings(sale) == []
    assert [(each.name, each.amount) for each in sale.lines[0].discounts] == [("Second at half", 500)]
    assert sale.lines[0].total == 3500
    assert sale.savings == 500


def test_an_old_code_without_allocations_is_taken_off_the_whole() -> None:
    old = small("90.00", line_items=[line("100.00")], total_discounts="10.00")
    sale = sale_of(old | {"discount_codes": [{"code": "TENOFF", "amount": "10.00"}]})
    assert findings(sale) == []
    assert [(each.name, each.amount, each.allocations) for each in sale.discounts] == [("TENOFF", 1000, [])]


def test_an_old_discount_of_a_line_is_found_in_its_total_discount() -> None:
    sale = sale_of(small("95.00", line_items=[line("100.00", total_discount="5.00")], total_discounts="5.00"))
    assert findings(sale) == []
    assert sale.lines[0].total == 9500


@pytest.mark.parametrize(
    "shipping, codes",
    [
        ({"price": "5.00", "discount_allocations": [{"amount": "5.00", "discount_application_index": 0}]}, []),
        ({"price": "5.00", "discounted_price": "0.00"}, []),
        ({"price": "5.00"}, [{"code": "FREESHIP", "amount": "5.00", "type": "shipping"}]),
    ],
    ids=["allocated", "discounted price", "code of old"],
)
def test_shipping_is_charged_less_its_discount(shipping: Json, codes: list[Json]) -> None:
    body = small("10.00", shipping_lines=[shipping | {"title": "Post"}], total_discounts="5.00", discount_codes=codes)
    sale = sale_of(body | {"line_items": [line("10.00")], "discount_applications": [{"target_type": "shipping_line"}]})
    assert findings(sale) == []
    assert [(each.name, each.type, each.amount) for each in sale.charges] == [("Post", "shipping", 0)]
    assert sale.discounts == []


def test_shipping_that_was_removed_is_not_charged() -> None:
    gone = {"title": "Express", "price": "20.00", "is_removed": True}
    assert sale_of(small("10.00", shipping_lines=[gone])).charges == []


def test_taxes_on_top_are_told_apart_by_state_and_county() -> None:
    state, county = {"title": "IL State Tax", "rate": 0.0625}, {"title": "Cook County Tax", "rate": 0.0175}
    books = line("40.00", tax_lines=[state | {"price": "2.50"}, county | {"price": "0.70"}])
    lamp = line("60.00", id=701, tax_lines=[state | {"price": "3.75"}, county | {"price": "1.05"}])
    rows = [state | {"price": "6.25"}, county | {"price": "1.75"}]
    sale = sale_of(small("108.00", line_items=[books, lamp], tax_lines=rows, total_tax="8.00"))
    assert findings(sale) == []
    assert [(each.name, str(each.rate), each.net, each.tax, each.gross) for each in sale.taxes] == [
        ("IL State Tax", "6.25", 10000, 625, 10625),
        ("Cook County Tax", "1.75", 10000, 175, 10175),
    ]


def test_a_line_without_tax_among_taxed_ones_bears_none() -> None:
    taxed, free = line("10.00", tax_lines=[{"title": "VAT", "rate": 0.2, "price": "2.00"}]), line("5.00", id=701)
    sale = sale_of(
        small("17.00", line_items=[taxed, free | {"tax_lines": []}], total_tax="2.00")
        | {"tax_lines": [{"title": "VAT", "rate": 0.2, "price": "2.00"}]}
    )
    assert findings(sale) == []
    assert [str(tax.rate) for tax in sale.lines[1].taxes] == ["0"]


def test_a_sum_of_tax_that_was_spread_over_the_lines_reconciles() -> None:
    """Shopify's documentation has such an order: each line is a cent off its own rate, the sum is right."""
    rows = [{"title": "State tax", "rate": 0.06, "price": "10.20"}]
    shares = [line("129.99", tax_lines=[rows[0] | {"price": "7.81"}])]
    shares.append(line("39.98", id=701, tax_lines=[rows[0] | {"price": "2.39"}]))
    sale = sale_of(small("180.17", line_items=shares, tax_lines=rows, total_tax="10.20"))
    assert findings(sale) == []
    assert sale.tax_rounding == "rate"


def test_an_exempt_shopper_is_charged_no_tax_at_the_full_rate() -> None:
    exempt = [{"title": "VAT", "rate": 0.19, "price": "0.00"}]
    sale = sale_of(small("50.00", line_items=[line("50.00", tax_lines=exempt)], tax_lines=exempt, total_tax="0.00"))
    assert findings(sale) == []
    assert [(each.name, str(each.rate), each.tax) for each in sale.taxes] == [("VAT", "19", 0)]


def test_a_tip_that_came_as_a_line_is_a_tip_once() -> None:
    tip = line("4.50", id=701, title="Tip", tip={"payment_gateway": "bogus"}, tax_lines=[])
    sale = sale_of(small("34.50", line_items=[tip, line("30.00")], total_tip_received="4.50"))
    assert findings(sale) == []
    assert (sale.tip, [each.name for each in sale.lines]) == (450, ["Thing"])


def test_a_tip_at_the_till_is_a_tip() -> None:
    sale = sale_of(small("12.00", line_items=[line("10.00")], total_tip_received="2.00", source_name="pos"))
    assert findings(sale) == []
    assert (sale.tip, sale.service) == (200, None)


def test_duties_and_import_fees_are_charges() -> None:
    body = small("65.00", line_items=[line("50.00")], original_total_duties_set=bag("12.00", "11.00"))
    sale = sale_of(body | {"original_total_additional_fees_set": bag("3.00", "2.75")})
    assert findings(sale) == []
    assert [(each.name, each.amount) for each in sale.charges] == [("Duties", 1200), ("Import fees", 300)]


def test_duties_inside_the_prices_are_not_charged_again() -> None:
    body = small("50.00", original_total_duties_set=bag("12.00", "11.00"), duties_included=True)
    assert findings(sale_of(body)) == []


def test_cash_rounding_is_what_the_shopper_owes_more_or_less() -> None:
    body = small("9.98", source_name="pos", total_cash_rounding_payment_adjustment_set=bag("0.02", "0.02"))
    sale = sale_of(body | {"payment_gateway_names": ["cash"]})
    assert findings(sale) == []
    assert (sale.rounding, sale.total, sale.payments[0].amount) == (2, 1000, 1000)


def test_a_gift_card_is_sold_without_tax() -> None:
    card = line("25.00", gift_card=True, tax_lines=[])
    soap = line("10.00", id=701, tax_lines=[{"title": "VAT", "rate": 0.2, "price": "2.00"}])
    rows = [{"title": "VAT", "rate": 0.2, "price": "2.00"}]
    sale = sale_of(small("37.00", line_items=[card, soap], tax_lines=rows, total_tax="2.00"))
    assert findings(sale) == []
    assert [each.type for each in sale.lines] == ["gift_card", "product"]


@pytest.mark.parametrize(
    "currency, total, minor", [("JPY", "1200", 1200), ("JPY", "1200.0", 1200), ("KWD", "1.250", 1250)]
)
def test_amounts_have_the_digits_of_their_currency(currency: str, total: str, minor: int) -> None:
    sale = sale_of(small(total, currency=currency))
    assert findings(sale) == []
    assert sale.total == minor


def test_amounts_may_be_json_numbers() -> None:
    sale = sale_of(small("0.30", total_price=0.3, line_items=[line("", 3) | {"price": 0.1}]))
    assert findings(sale) == []
    assert sale.total == 30


def in_two_currencies(presentment_total: str = "46.20") -> Json:
    thing = line("25.00", 2, price_set=bag("25.00", "23.10"))
    body = small("50.00", line_items=[thing], presentment_currency="EUR")
    return body | {"total_price_set": bag("50.00", presentment_total)}


def test_the_receipt_is_in_the_currency_that_the_shopper_paid() -> None:
    sale = sale_of(in_two_currencies())
    assert findings(sale) == []
    assert (sale.currency, sale.total, str(sale.lines[0].unit_price)) == ("EUR", 4620, "23.1")


def test_where_the_shoppers_currency_does_not_add_up_the_shops_is_taken() -> None:
    sale = sale_of(in_two_currencies("46.19"))
    assert findings(sale) == []
    assert (sale.currency, sale.total) == ("USD", 5000)


def test_a_credit_in_the_shops_currency_does_not_change_that_of_the_receipt() -> None:
    credited = in_two_currencies() | {"total_outstanding": "-20.00", "current_total_price": "30.00"}
    assert sale_of(credited).currency == "EUR"


def test_bags_in_a_third_currency_do_not_count() -> None:
    mixed = in_two_currencies() | {"presentment_currency": "CAD"}
    assert sale_of(mixed).currency == "USD"


def test_what_the_shopper_chose_is_shown_and_what_is_hidden_is_not() -> None:
    candle, soap = sale_of(order()).lines
    assert (candle.options, candle.attributes, candle.sku) == (["Tall", "Honey"], {"Engraving": "For Mum"}, "CND-1")
    assert (soap.options, soap.attributes) == ([], {})


def test_a_bundle_names_itself_on_its_parts() -> None:
    part = line("10.00", line_item_group={"title": "Starter set", "quantity": 1})
    assert sale_of(small("10.00", line_items=[part])).lines[0].notes == ["Starter set"]


def test_lines_that_share_an_id_are_told_apart() -> None:
    sale = sale_of(small("20.00", line_items=[line("10.00"), line("10.00")]))
    assert [each.id for each in sale.lines] == ["700", "700.2"]


def test_who_bought_is_kept_apart_from_the_receipt() -> None:
    address = {"name": "Lena Vogt", "address1": "Torstr. 1", "address2": "", "zip": "10119", "city": "Berlin"}
    body = order(note="call first", billing_address=address | {"country_code": "DE", "phone": "no phone"})
    shopper = sale_of(body).shopper
    assert shopper is not None
    assert (shopper.email, shopper.name, shopper.language) == ("lena@example.com", "Lena Vogt", "de-DE")
    assert shopper.billing_address is not None
    assert (shopper.billing_address.lines, shopper.billing_address.country) == (["Torstr. 1"], "DE")
    assert shopper.billing_address.phone is None


def test_a_note_is_for_the_merchant_alone() -> None:
    sale = sale_of(order(note="call first", note_attributes=[{"name": "colour", "value": "red"}]))
    assert sale.notes == []
    assert (sale.metadata["note"], sale.metadata["attributes"]) == ("call first", {"colour": "red"})


def test_a_test_order_is_for_training() -> None:
    assert sale_of(order(test=True)).flags == ["training"]


def test_goods_that_were_removed_before_the_payment_were_never_sold() -> None:
    gone = {"refund_line_items": [{"line_item_id": 700, "quantity": 1, "subtotal": 20.0, "total_tax": 0.0}]}
    body = small("60.00", line_items=[line("20.00", 3, current_quantity=2)], refunds=[gone | {"id": 5}])
    sale = sale_of(body | {"current_total_price": "40.00", "total_outstanding": "0.00"})
    assert findings(sale) == []
    assert (str(sale.lines[0].quantity), sale.total, sale.payments[0].amount) == ("2", 4000, 4000)


def test_goods_that_came_back_after_the_payment_were_sold() -> None:
    back = {"refund_line_items": [{"line_item_id": 700, "quantity": 1, "subtotal": 20.0, "total_tax": 0.0}]}
    body = small("60.00", line_items=[line("20.00", 3, current_quantity=2)], refunds=[back | {"id": 5}])
    sale = sale_of(body | {"current_total_price": "40.00", "total_outstanding": "-20.00"})
    assert (str(sale.lines[0].quantity), sale.total) == ("3", 6000)


def test_a_total_that_misses_the_taxes_gives_way_to_the_current_one() -> None:
    """As orders look that an API client made, after Shopify put the taxes on."""
    rows = [{"title": "SST", "rate": 0.1, "price": "28.90"}]
    late = small("289.00", line_items=[line("289.00", tax_lines=rows)], tax_lines=rows, total_tax="0.00")
    sale = sale_of(late | {"current_total_price": "317.90", "financial_status": "pending", "refunds": []})
    assert findings(sale) == []
    assert (sale.total, sale.balance_due) == (31790, 31790)


def test_what_does_not_add_up_is_told_by_how_much() -> None:
    (finding,) = findings(sale_of(small("9.00", line_items=[line("10.00")])))
    assert finding.pointer == "/total"
    assert "10.00; 9.00 is stated, 1.00 too little" in finding.detail


@pytest.mark.parametrize(
    "changes, reason",
    [
        ({"financial_status": "voided"}, "its payment was voided"),
        (
            {"cancelled_at": "2026-11-21T10:00:00Z", "financial_status": "pending"},
            "it was cancelled before it was paid",
        ),
        ({"cancelled_at": "2026-11-21T10:00:00Z", "financial_status": "refunded"}, ""),
        ({"financial_status": "authorized"}, ""),
        ({"financial_status": "voided", "test": True}, ""),
    ],
)
def test_an_order_that_nobody_paid_makes_no_receipt(changes: Json, reason: str) -> None:
    assert orders.why_none(order(**changes)) == reason


@pytest.mark.parametrize(
    "changes, pointer",
    [
        ({"id": None}, "/id"),
        ({"currency": "???"}, "/currency"),
        ({"total_price": []}, "/total_price"),
        ({"created_at": "yesterday", "processed_at": None}, "/created_at"),
    ],
)
def test_what_a_receipt_cannot_be_without_is_named(changes: dict[str, Any], pointer: str) -> None:
    with pytest.raises(Problem) as refused:
        sale_of(order(**changes))
    assert [error.pointer for error in refused.value.errors] == [pointer]


def test_card_numbers_are_masked_in_all_that_is_passed_on_and_ids_are_not() -> None:
    card, like_a_card = "4242 4242 4242 4242", 4222222222222
    thing = line("5.00", sku=str(like_a_card), properties=[{"name": "Engraving", "value": card}])
    body = small(
        "5.00", id=like_a_card, note=card, note_attributes=[{"name": "Paid", "value": card}], line_items=[thing]
    )
    sale = sale_of(body | {"device_id": like_a_card})
    assert (sale.external_id, sale.lines[0].sku) == (f"order:{like_a_card}", str(like_a_card))
    assert sale.lines[0].attributes == {"Engraving": "•••• 4242"}
    assert sale.metadata == {
        "order_id": str(like_a_card),
        "device_id": str(like_a_card),
        "note": "•••• 4242",
        "attributes": {"Paid": "•••• 4242"},
    }
