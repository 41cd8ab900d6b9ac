"""Goods that were taken off an order before it was paid.

Shopify keeps a line that an edit removed, and records the removal as a refund in which no money moved. The sale is then
what was left. After the payment the same record means that goods came back without money, and the sale stays as it was.
What was paid tells the two apart.
"""

from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal
from typing import TypeVar

from kernel import money
from pos.event import Json
from pos.shopify.fields import identity, number, records
from pos.shopify.goods import Cut, Good, Share
from pos.shopify.purse import Purse
from pos.shopify.tenders import moved

Part = TypeVar("Part", Cut, Share)


def removed(order: Json, purse: Purse, total: int, paid: int | None) -> list[Json]:
    """The refund lines of goods that were off the order when it was paid; ``paid`` is None where that is not told."""
    refunds = [each for each in records(order.get("refunds")) if not each.get("order_adjustments")]
    lines = [line for each in refunds if not moved(each) for line in records(each.get("refund_line_items"))]
    worth = sum(value_of(line, purse, is_included=order.get("taxes_included") is True) for line in lines)
    return lines if worth and paid == total - worth else []


def value_of(line: Json, purse: Purse, *, is_included: bool) -> int:
    tax = 0 if is_included else purse.amount(line, "total_tax") or 0
    return (purse.amount(line, "subtotal") or 0) + tax


def without(goods: Sequence[Good], lines: Sequence[Json], purse: Purse) -> list[Good]:
    if not lines:
        return list(goods)
    left = {good.id: good for good in goods}
    for line in lines:
        gone = identity(line.get("line_item_id"))
        if gone in left:
            left[gone] = _less(left[gone], line, purse)
    return [good for good in left.values() if good.quantity > 0]


def _less(good: Good, line: Json, purse: Purse) -> Good:
    """``good`` less the quantity, the value and the tax of ``line``."""
    quantity = good.quantity - (number(line.get("quantity")) or Decimal(0))
    gross = purse.minor((good.price or Decimal(0)) * quantity)
    net = good.net - (purse.amount(line, "subtotal") or 0)
    tax = sum(share.amount for share in good.taxes or ()) - (purse.amount(line, "total_tax") or 0)
    return replace(
        good,
        quantity=quantity,
        gross=gross,
        cuts=_scaled(good.cuts, gross - net),
        taxes=None if good.taxes is None else _scaled(good.taxes, tax),
    )


def _scaled(parts: tuple[Part, ...], total: int) -> tuple[Part, ...]:
    amounts = money.allocate(total, [max(part.amount, 0) for part in parts])
    return tuple(replace(part, amount=amount) for part, amount in zip(parts, amounts, strict=True))
