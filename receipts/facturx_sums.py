"""A sale as EN 16931 sums it: net lines, charges and allowances, VAT by category and rate, and what is to be paid.

The tax of each rate is the till's own. Where prices include tax, the net amounts of a rate's lines are rounded so that
they sum to its gross less this tax: so the invoice's total is the till's to the last unit, and nothing needs mending.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from kernel import money
from receipts import taxes, totals
from receipts.facturx_codes import ON_ACCOUNT, OUTSIDE, STANDARD
from receipts.facturx_vat import NotExpressible, Vat, vat_of
from receipts.sale import Content, Line
from receipts.taxed import Taxed, is_mirrored, lowered_by, taxed_amounts

# Whole units of the currency. BR-S-09 wants less than one between a tax and its rate on the net amount, rounded.
_TAX_MAY_BE_OFF: Final = Decimal("0.995")


@dataclass(frozen=True, slots=True)
class Position:
    """What a line, charge or allowance comes to, net, in minor units; ``at`` is its index in the sale's lines."""

    vat: Vat
    net: int
    at: int = -1
    name: str = ""
    # The line's discounts with their share of the order's, net and above zero: ``net`` is after them.
    allowances: tuple[tuple[str, int], ...] = ()


@dataclass(frozen=True, slots=True)
class Breakdown:
    net: int
    tax: int
    reason: str


@dataclass(frozen=True, slots=True)
class Sums:
    """All as they stand in the invoice: a credit note's are positive. ``extras`` below zero are allowances."""

    is_credit: bool
    lines: tuple[Position, ...]
    extras: tuple[Position, ...]
    vat: Mapping[Vat, Breakdown]
    rounding: int
    total: int
    due: int


def sums(sale: Content) -> Sums:
    """Raises :class:`NotExpressible`."""
    if not sale.lines:
        raise NotExpressible("it has no lines")
    if money.exponent(sale.currency) > 2:
        raise NotExpressible("its currency has more than two decimals")
    if totals.check(sale):
        raise NotExpressible("its sums do not add up")
    sign = -1 if sale.total < 0 else 1
    placed = [(item, vat_of(item, sale)) for item in _items(sale)]
    positions, vat = _net(sale, placed, sign)
    if sale.tip:
        tip = Vat("E", Decimal(0))
        positions.append(Position(tip, sign * sale.tip, name="Tip"))
        _add(vat, tip, sign * sale.tip, 0, OUTSIDE["tip"])
    _mixes(vat)
    if sum(row.net + row.tax for row in vat.values()) != sign * (sale.total - sale.rounding):
        raise NotExpressible("a tax of the table is borne by nothing")
    return Sums(
        is_credit=sale.kind in ("refund", "void") or sale.total < 0,
        lines=tuple(each for each in positions if each.at >= 0),
        extras=tuple(each for each in positions if each.at < 0),
        vat=vat,
        rounding=sign * sale.rounding,
        total=sign * (sale.total - sale.rounding),
        due=sign * _due(sale),
    )


def _due(sale: Content) -> int:
    return sale.balance_due + sum(each.amount for each in sale.payments if each.method == ON_ACCOUNT)


def _items(sale: Content) -> Sequence[Taxed]:
    items = taxed_amounts(sale)
    rates = {row.rate for row in sale.taxes}
    if items is None and len(rates) == 1:
        # A table of one rate speaks for lines that say nothing, if it holds for them all.
        [rate] = rates
        said = sale.model_copy(update={"lines": [_bearing(line, rate) for line in sale.lines]})
        items = None if any(taxes.check(said, money.exponent(sale.currency))) else taxed_amounts(said)
    if items is None:
        raise NotExpressible("its lines do not say what taxes they bear")
    if any(len(item.taxes) > 1 for item in items):
        raise NotExpressible("its lines bear more than one tax")
    return items


def _bearing(line: Line, rate: Decimal | None) -> Line:
    is_silent = line.tax_rate is None and not line.taxes and line.type not in OUTSIDE
    return line.model_copy(update={"tax_rate": rate}) if is_silent else line


def _net(
    sale: Content, placed: Sequence[tuple[Taxed, tuple[Vat, str]]], sign: int
) -> tuple[list[Position], dict[Vat, Breakdown]]:
    positions: list[Position] = []
    vat: dict[Vat, Breakdown] = {}
    for key in dict.fromkeys(key for _, (key, _) in placed):
        items = [item for item, (each, _) in placed if each == key]
        base, tax = sum(item.base for item in items), _tax(sale, key, items)
        net = base - tax if sale.prices_include_tax else base
        _is_near(sale, key, net, tax)
        divisor = 100 + key.rate if sale.prices_include_tax else Decimal(100)
        for item, share in zip(items, _shares(net, [item.base for item in items], divisor), strict=True):
            positions.append(_position(sale, item, key, sign * share, divisor))
        _add(vat, key, sign * net, sign * tax)
    for _, (key, reason) in placed:
        _add(vat, key, 0, 0, reason)
    positions.sort(key=lambda each: each.at)
    return positions, vat


def _tax(sale: Content, key: Vat, items: Iterable[Taxed]) -> int:
    """As the table says, else the lines, else as the rate wants it."""
    if key.category != STANDARD:
        return 0
    if sale.taxes:
        return sum(row.tax for row in sale.taxes if row.rate == key.rate)
    stated = [tax.stated for item in items for tax in item.taxes]
    if all(each is not None for each in stated):
        return sum(each or 0 for each in stated)
    return money.nearest(sum((item.tax_at(key.rate, included=True) for item in items), Decimal(0)))


def _is_near(sale: Content, key: Vat, net: int, tax: int) -> None:
    off = abs(tax - money.tax_on_net(Decimal(net), key.rate))
    if off >= _TAX_MAY_BE_OFF * 10 ** money.exponent(sale.currency):
        raise NotExpressible("a tax was rounded too far from its rate")


def _shares(net: int, bases: Sequence[int], divisor: Decimal) -> list[int]:
    """``net`` over the items, each as near to its own net amount as their sum lets it be."""
    near = [money.nearest(base * 100 / divisor) for base in bases]
    rest = money.allocate(net - sum(near), [abs(base) for base in bases])
    return [each + more for each, more in zip(near, rest, strict=True)]


def _position(sale: Content, item: Taxed, key: Vat, net: int, divisor: Decimal) -> Position:
    kind, _, at = item.pointer.strip("/").partition("/")
    if kind == "charges":
        return Position(key, net, name=sale.charges[int(at)].name)
    if kind != "lines":
        names = dict.fromkeys(each.name for each in sale.discounts if not each.allocations)
        return Position(key, net, name=", ".join(names))
    found = ((name, money.nearest(amount * 100 / divisor)) for name, amount in _reductions(sale, int(at)))
    allowances = tuple((name, amount) for name, amount in found if amount)
    # A line that comes back, or one whose discounts are written as surcharges, shows only what it comes to.
    is_plain = net < 0 or any(amount < 0 for _, amount in allowances)
    return Position(key, net, int(at), allowances=() if is_plain else allowances)


def _reductions(sale: Content, at: int) -> Iterable[tuple[str, int]]:
    line, is_negative = sale.lines[at], is_mirrored(sale)
    sign = -1 if sale.total < 0 else 1
    for discount in line.discounts:
        yield discount.name, sign * lowered_by(discount.amount, is_negative=line.total < 0)
    for shared in sale.discounts:
        share = sum(each.amount for each in shared.allocations if each.line == line.id)
        yield shared.name, sign * lowered_by(share, is_negative=is_negative)


def _add(vat: dict[Vat, Breakdown], key: Vat, net: int, tax: int, reason: str = "") -> None:
    had = vat.get(key, Breakdown(0, 0, ""))
    reasons = dict.fromkeys(filter(None, (*had.reason.split("; "), reason)))
    vat[key] = Breakdown(had.net + net, had.tax + tax, "; ".join(reasons))


def _mixes(vat: Mapping[Vat, Breakdown]) -> None:
    """BR-O-11 to BR-O-14."""
    if len(vat) > 1 and any(key.category == "O" for key in vat):
        raise NotExpressible("what is not subject to VAT stands beside what is")
