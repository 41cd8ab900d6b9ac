"""How an order was paid: from its transactions, else from what the order says of its gateways."""

import pytest

from receipts.sale import Payment, Sale
from tests.support.shopify import Json, small
from tests.test_shopify_orders import findings, sale_of


def paid(kind: str = "sale", amount: str = "10.00", **more: object) -> Json:
    return {"id": 1, "kind": kind, "status": "success", "amount": amount, "currency": "USD"} | more


def only_payment(sale: Sale) -> Payment:
    assert findings(sale) == []
    (payment,) = sale.payments
    return payment


def test_of_a_card_the_company_and_the_last_four_digits_are_kept() -> None:
    details = {"credit_card_company": "Visa", "credit_card_number": "•••• •••• •••• 4242", "credit_card_bin": "424242"}
    payment = only_payment(sale_of(small("10.00", payment_gateway_names=["shopify_payments"], payment_details=details)))
    assert (payment.method, payment.scheme, payment.last4, payment.amount) == ("card", "visa", "4242", 1000)


def test_a_whole_card_number_does_not_come_through() -> None:
    details = {"credit_card_company": "4242424242424242", "credit_card_number": "4242424242424242"}
    body = small("10.00", gateway="4242 4242 4242 4242", payment_details=details)
    sale = sale_of(body, paid(authorization="4242424242424242", payment_details=details))
    assert "42424242" not in sale.model_dump_json().replace(" ", "")
    assert only_payment(sale).last4 == "4242"


def test_a_capture_has_the_card_of_its_authorization() -> None:
    card = {"credit_card_company": "American Express", "credit_card_number": "•••• ••••••• 1009"}
    first = paid("authorization", id=1, payment_details=card, authorization="53433")
    payment = only_payment(sale_of(small("10.00"), first, paid("capture", id=2, parent_id=1)))
    assert (payment.method, payment.scheme, payment.last4) == ("card", "amex", "1009")


def test_what_failed_or_only_holds_money_is_no_payment() -> None:
    failed, held = paid(status="failure"), paid("authorization", id=2)
    assert only_payment(sale_of(small("10.00"), failed, held, paid("capture", id=3, parent_id=2))).amount == 1000


def test_several_tenders_are_told_one_by_one() -> None:
    sale = sale_of(small("10.00"), paid(amount="4.00", gateway="gift_card"), paid(id=2, amount="6.00", gateway="cash"))
    assert findings(sale) == []
    assert [(each.method, each.amount) for each in sale.payments] == [("gift_card", 400), ("cash", 600)]


def test_cash_has_what_was_handed_over_and_the_change() -> None:
    given, change = paid(amount="20.00", gateway="cash"), paid("change", "10.00", id=2, parent_id=1)
    payment = only_payment(sale_of(small("10.00"), given, change))
    assert (payment.amount, payment.tendered, payment.change) == (1000, 2000, 1000)


def test_transactions_in_another_currency_are_not_mixed_in() -> None:
    payment = only_payment(
        sale_of(small("10.00", payment_gateway_names=["manual"]), paid(amount="9.00", currency="EUR"))
    )
    assert (payment.amount, payment.name) == (1000, "Manual")


def test_several_gateways_without_transactions_are_named_together() -> None:
    payment = only_payment(sale_of(small("10.00", payment_gateway_names=["gift_card", "shopify_payments"])))
    assert (payment.method, payment.name) == ("other", "Gift Card + Shopify Payments")


def test_a_name_that_somebody_wrote_stays_as_it_is() -> None:
    payment = only_payment(sale_of(small("10.00", payment_gateway_names=["Cash on Delivery (COD)"])))
    assert (payment.method, payment.name) == ("other", "Cash on Delivery (COD)")


@pytest.mark.parametrize(
    "status, outstanding, due, settled",
    [("pending", "10.00", 1000, []), ("partially_paid", "4.00", 400, [600]), ("authorized", "10.00", 0, [])],
)
def test_what_is_not_paid_yet_is_due(status: str, outstanding: str, due: int, settled: list[int]) -> None:
    sale = sale_of(small("10.00", financial_status=status, total_outstanding=outstanding))
    assert findings(sale) == []
    assert (sale.balance_due, [each.amount for each in sale.payments]) == (due, settled)


def test_what_cost_nothing_was_not_paid() -> None:
    assert sale_of(small("0.00")).payments == []
