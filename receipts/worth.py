"""What goods were paid for: a line's total less its share of the order's discounts, and with its taxes."""

from collections.abc import Iterable
from decimal import ROUND_FLOOR, Decimal

from kernel import money
from receipts.sale import Content, Line


def worth(content: Content, lines: Iterable[Line]) -> int:
    """The sum for ``lines`` of ``content``, in minor units and without its sign.

    A fraction of a unit is cut off: what is paid for all lines together may be rounded otherwise than line by line, and
    the sum of the parts must not be more than that.
    """
    shares = _discounted(content)
    return int(sum(abs(_exact(content, line, shares[line.id])).to_integral_value(ROUND_FLOOR) for line in lines))


def _exact(content: Content, line: Line, share: int) -> Decimal:
    base = Decimal(line.total - share)
    if content.prices_include_tax:
        return base
    rates = [tax.rate for tax in line.taxes] or ([line.tax_rate] if line.tax_rate is not None else [])
    return base + sum((money.tax_on_net(base, rate) for rate in rates), Decimal(0))


def _discounted(content: Content) -> dict[str, int]:
    """What the order's discounts take from each line; where the till does not say, in proportion."""
    shares = dict.fromkeys((line.id for line in content.lines), 0)
    for discount in content.discounts:
        for allocation in discount.allocations:
            shares[allocation.line] = shares.get(allocation.line, 0) + allocation.amount
        if not discount.allocations:
            parts = money.allocate(discount.amount, [abs(line.total) for line in content.lines])
            for line, part in zip(content.lines, parts, strict=True):
                shares[line.id] += part
    return shares
