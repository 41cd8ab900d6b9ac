"""Does a sale add up? The till's sums are checked, never replaced."""

from collections.abc import Iterator

from kernel import money
from kernel.errors import FieldError
from receipts import taxes
from receipts.sale import Content
from receipts.spans import exactly, off, rounded
from receipts.taxed import is_mirrored, lowered_by


def check(sale: Content) -> list[FieldError]:
    """What does not add up: which sum, and by how much. Empty where all of it does."""
    digits = money.exponent(sale.currency)
    goods = [*_lines(sale, digits), *_allocations(sale, digits), *taxes.check(sale, digits)]
    return [*goods, *_total(sale, digits), *_payments(sale, digits)]


def _lines(sale: Content, digits: int) -> Iterator[FieldError]:
    for index, line in enumerate(sale.lines):
        if line.unit_price is not None:
            price = rounded((line.unit_price * line.quantity).scaleb(digits))
            less = sum(lowered_by(discount.amount, is_negative=price.low < 0) for discount in line.discounts)
            what = "Quantity times unit price less the discounts is"
            yield from off(f"/lines/{index}/total", what, line.total, price.shifted(-less), digits)


def _allocations(sale: Content, digits: int) -> Iterator[FieldError]:
    for index, discount in enumerate(sale.discounts):
        if discount.allocations:
            shares = exactly(sum(allocation.amount for allocation in discount.allocations))
            yield from off(f"/discounts/{index}/amount", "The allocations sum to", discount.amount, shares, digits)


def _total(sale: Content, digits: int) -> Iterator[FieldError]:
    if sale.kind in ("refund", "void") and not (sale.lines or sale.charges or sale.discounts):
        # Only a sum goes back, or what went back is to be read on the original.
        return
    less = sum(lowered_by(discount.amount, is_negative=is_mirrored(sale)) for discount in sale.discounts)
    goods = sum(line.total for line in sale.lines) - less
    extras = sum(charge.amount for charge in sale.charges) + sale.tip + sale.rounding
    if sale.prices_include_tax:
        what, due = "Lines less discounts plus charges, tip and rounding come to", goods + extras
    else:
        what = "Lines less discounts plus charges, taxes, tip and rounding come to"
        due = goods + extras + taxes.on_top(sale)
    yield from off("/total", what, sale.total, exactly(due), digits)


def _payments(sale: Content, digits: int) -> Iterator[FieldError]:
    for index, payment in enumerate(sale.payments):
        if payment.tendered is not None:
            kept = exactly(payment.tendered - (payment.change or 0))
            yield from off(f"/payments/{index}/amount", "Tendered less change is", payment.amount, kept, digits)
    if sale.payments or sale.balance_due:
        settled = sum(payment.amount for payment in sale.payments) + sale.balance_due
        what = "Payments and balance due should sum to the total of"
        yield from off("/payments", what, settled, exactly(sale.total), digits)
