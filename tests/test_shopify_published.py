"""Orders and refunds that others published: each one comes in; what adds up reconciles, what does not is flagged."""

import pytest

from kernel.errors import FieldError
from pos.shopify import parse
from pos.shopify.parse import Documents
from receipts import totals
from receipts.reading import read_sale
from receipts.sale import Content, Sale
from tests.support.published import MISSING, PUBLISHED

pytestmark = pytest.mark.skipif(not PUBLISHED.is_dir(), reason=MISSING)

NOTHING_WRONG: list[str] = []


def documents(name: str) -> Documents:
    return parse.documents((PUBLISHED / name).read_bytes())


def sales(order: str, transactions: str | None = None) -> list[Sale]:
    paid = documents(transactions).transactions if transactions else []
    return [read_sale(body) for body in parse.read_order(documents(order).orders[0], paid, lambda _: None).sales]


def told(findings: list[FieldError]) -> list[str]:
    return [f"{finding.pointer} {finding.detail}" for finding in findings]


@pytest.mark.parametrize("transactions", [None, "spree_vcr-base_order-1-transactions.json"])
def test_a_recorded_order_reconciles(transactions: str | None) -> None:
    (sale,) = sales("spree_vcr-base_order-0-order.json", transactions)
    assert told(totals.check(sale)) == NOTHING_WRONG
    assert (sale.external_id, sale.number, sale.currency, sale.total) == ("order:5182437124", "#1001", "EUR", 47000)
    assert [(line.name, str(line.quantity), line.total) for line in sale.lines] == [
        ("No variants", "3", 45000),
        ("Product with single variant", "5", 0),
    ]
    assert [(charge.name, charge.amount) for charge in sale.charges] == [("International Shipping", 2000)]
    assert [(payment.method, payment.last4, payment.amount) for payment in sale.payments] == [("card", "1", 47000)]


def test_a_recorded_refund_reconciles() -> None:
    _, refund = sales("spree_vcr-order_with_refund-0-order.json", "spree_vcr-order_with_refund-1-transactions.json")
    assert told(totals.check(refund)) == NOTHING_WRONG
    assert (refund.kind, refund.external_id, refund.total) == ("refund", "refund:225207300", 15000)


def test_a_fixture_whose_lines_exceed_its_total_is_flagged() -> None:
    (sale,) = sales("python_api-order.json")
    (finding,) = told(totals.check(sale))
    assert finding.startswith("/total ")
    assert finding.endswith("come to 608.94; 409.94 is stated, 199.00 too little")
    assert (sale.total, sale.payments, sale.balance_due) == (40994, [], 0)


def test_a_fixture_whose_refund_exceeds_its_money_is_flagged() -> None:
    (original,) = sales("python_api-order.json")
    known: dict[str, Content] = {"order:450789469": original}
    (body,) = parse.read_refund(documents("python_api-refund.json").refunds[0], known.get).sales
    refund = read_sale(body)
    assert [line.original_line for line in refund.lines] == ["703073504", "466157049"]
    assert any(
        each.endswith("come to 405.96; 209.00 is stated, 196.96 too little") for each in told(totals.check(refund))
    )


def test_a_sample_that_mixes_three_currencies_comes_in_and_is_flagged() -> None:
    (sale,) = sales("webhookdb-order_v1-line8.json")
    assert (sale.currency, sale.total, sale.tip) == ("USD", 40994, 487)
    wrong = told(totals.check(sale))
    assert any(each.endswith("come to 215.80; 409.94 is stated, 194.14 too much") for each in wrong)


def test_a_fulfillment_makes_no_receipt() -> None:
    found = documents("python_api-fulfillment.json")
    assert (found.orders, found.refunds, found.others) == ([], [], ["a fulfillment, which makes no receipt"])
