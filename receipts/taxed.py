"""What is taxed, and at which rates: lines less their share of the order's discounts, and charges."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from functools import lru_cache
from itertools import chain, combinations
from typing import Final

from kernel import money
from receipts.sale import Charge, Content, Line, Tax

# Sold without tax: it falls due when they are used, or never.
_UNTAXED_TYPES: Final = frozenset({"gift_card", "donation"})
# One rate of a line may stand for so many rows of the table: 8.875 for a state, a county, a city and a district.
_MOST_PARTS: Final = 4
_MOST_ROWS: Final = 8


@dataclass(frozen=True, slots=True)
class Applied:
    """One tax on one amount. ``stated`` is the tax as the till gives it with the line."""

    rate: Decimal
    name: str | None = None
    code: str | None = None
    stated: int | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True)
class Taxed:
    """An amount and the taxes it bears; where prices include tax, ``base`` holds them already."""

    pointer: str
    base: int
    taxes: tuple[Applied, ...]

    def tax_at(self, rate: Decimal, *, included: bool) -> Decimal:
        """Not rounded."""
        if included:
            return money.tax_in_gross(Decimal(self.base), rate, sum((tax.rate for tax in self.taxes), Decimal(0)))
        return money.tax_on_net(Decimal(self.base), rate)


def lowered_by(reduction: int, *, is_negative: bool) -> int:
    """``reduction`` in the sign of what it reduces: in a refund a till may write the prices with minus signs only."""
    return -reduction if is_negative and reduction > 0 else reduction


def is_mirrored(sale: Content) -> bool:
    """Whether the whole sale is written with minus signs, as many tills write a refund."""
    return any(line.total < 0 for line in sale.lines) and all(line.total <= 0 for line in sale.lines)


def taxed_amounts(sale: Content) -> list[Taxed] | None:
    """None where a line does not say what taxes it bears, or a discount not where it falls."""
    shares, unallocated = _reductions(sale)
    rates = tuple(row.rate for row in sale.taxes if row.rate is not None)
    items: list[Taxed] = []
    listed: list[tuple[str, Line | Charge, int]] = [
        *((f"/lines/{index}", line, line.total - shares[line.id]) for index, line in enumerate(sale.lines)),
        *((f"/charges/{index}", charge, charge.amount) for index, charge in enumerate(sale.charges)),
    ]
    for pointer, item, base in listed:
        taxes = _borne(item, rates)
        if taxes is None and base:
            return None
        items.append(Taxed(pointer, base, taxes or ()))
    if unallocated:
        # Where all bears the same it does not matter where a discount falls, unless each line is rounded by itself.
        if not items or sale.tax_rounding == "line" or any(item.taxes != items[0].taxes for item in items):
            return None
        items.append(Taxed("", -unallocated, items[0].taxes))
    return items or None


def _reductions(sale: Content) -> tuple[dict[str, int], int]:
    """What the order's discounts take from each line, by its id, and what they take from nowhere in particular."""
    is_negative = is_mirrored(sale)
    shares, unallocated = dict.fromkeys((line.id for line in sale.lines), 0), 0
    for discount in sale.discounts:
        if not discount.allocations:
            unallocated += lowered_by(discount.amount, is_negative=is_negative)
        for share in discount.allocations:
            shares[share.line] += lowered_by(share.amount, is_negative=is_negative)
    return shares, unallocated


def _borne(item: Line | Charge, rates: tuple[Decimal, ...]) -> tuple[Applied, ...] | None:
    """The taxes of an item; a rate that is only there in parts is taken apart. None where it cannot be told."""
    stated = tuple(Applied(tax.rate, tax.name, tax.code, tax.amount) for tax in item.taxes)
    if item.tax_rate is not None:
        stated = (Applied(item.tax_rate),)
    if len(stated) != 1 or not stated[0].rate or stated[0].rate in rates:
        exempt = isinstance(item, Line) and item.type in _UNTAXED_TYPES
        return stated if stated or exempt else None
    ways = _parts(stated[0].rate, rates)
    if len(ways) > 1:
        return None
    return tuple(Applied(rate) for rate in ways[0]) if ways else stated


@lru_cache(maxsize=1000)
def _parts(whole: Decimal, rates: tuple[Decimal, ...]) -> Sequence[tuple[Decimal, ...]]:
    """The different ways in which rows add up to a rate: the 18 % of a line as 9 % CGST and 9 % SGST."""
    if len(rates) > _MOST_ROWS:
        return []
    ways = chain.from_iterable(combinations(sorted(rates), count) for count in range(2, _MOST_PARTS + 1))
    return sorted({way for way in ways if sum(way) == whole})


def rows_for(tax: Applied, rows: Sequence[Tax]) -> tuple[int, ...]:
    """Where ``tax`` stands in the table: by its rate, and among rows of one rate by its code and name."""
    same = [index for index, row in enumerate(rows) if row.rate == tax.rate]
    if len(same) < 2:
        return tuple(same)
    told_apart = [index for index in same if _agree(tax.code, rows[index].code) and _agree(tax.name, rows[index].name)]
    return tuple(told_apart or same)


def _agree(mine: str | None, other: str | None) -> bool:
    return mine is None or other is None or mine == other
