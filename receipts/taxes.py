"""Do the taxes add up? Each row of the tax table against the lines and charges that bear its rate.

A till rounds tax once per line, once per rate or once per receipt, and a tie either way. Each way leaves its own range
of right answers, so a row is wrong only where none of them gives it. A row can be held against its lines only if every
line says what taxes it bears and every discount where it falls; otherwise the row is held against itself.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal

from kernel import money
from kernel.errors import FieldError
from receipts.sale import AppliedTax, Charge, Content, Line, Tax
from receipts.spans import Span, exactly, off, rounded

# Sold without tax: it falls due when they are used, or never.
_UNTAXED_TYPES = frozenset({"gift_card", "donation"})


@dataclass(frozen=True, slots=True)
class _Applied:
    rate: Decimal
    name: str | None = None
    code: str | None = None

    def falls_under(self, row: Tax) -> bool:
        same_name = self.name is None or row.name is None or self.name == row.name
        same_code = self.code is None or row.code is None or self.code == row.code
        return self.rate == row.rate and same_name and same_code


@dataclass(frozen=True, slots=True)
class _Taxed:
    """An amount and the taxes it bears; where prices include tax, ``base`` holds them already."""

    base: int
    taxes: tuple[_Applied, ...]
    is_known: bool

    def tax_at(self, rate: Decimal, *, included: bool) -> Decimal:
        if included:
            return money.tax_in_gross(Decimal(self.base), rate, sum((tax.rate for tax in self.taxes), Decimal(0)))
        return money.tax_on_net(Decimal(self.base), rate)


def on_top(sale: Content) -> int:
    """The tax that is added to net prices, as the till states it: of the table, else of the lines."""
    if sale.taxes:
        return sum(row.tax for row in sale.taxes)
    taxed: list[Line | Charge] = [*sale.lines, *sale.charges]
    return sum(tax.amount or 0 for item in taxed for tax in item.taxes)


def check(sale: Content, digits: int) -> Iterator[FieldError]:
    taxed = _taxed_amounts(sale)
    for index, row in enumerate(sale.taxes):
        pointer = f"/taxes/{index}"
        if row.net is not None and row.gross is not None:
            yield from off(f"{pointer}/gross", "Net and tax sum to", row.gross, exactly(row.net + row.tax), digits)
        if row.rate is None:
            continue
        if taxed is None:
            yield from off(
                f"{pointer}/tax", "The tax at this rate is", row.tax, _by_itself(sale, row, row.rate), digits
            )
        else:
            yield from _against_lines(sale, row, row.rate, taxed, pointer, digits)
    if taxed is not None and sale.taxes:
        yield from _missing_rows(sale, taxed)
        yield from _all_rows(sale, taxed, digits)


def _taxed_amounts(sale: Content) -> list[_Taxed] | None:
    """Lines, less their share of the order's discounts, and charges; None where that cannot be told."""
    reductions = dict.fromkeys((line.id for line in sale.lines), 0)
    unallocated = 0
    for discount in sale.discounts:
        unallocated += 0 if discount.allocations else discount.amount
        for share in discount.allocations:
            reductions[share.line] = reductions.get(share.line, 0) + share.amount
    items = [_taxed(line, line.total - reductions[line.id]) for line in sale.lines]
    items += [_taxed(charge, charge.amount) for charge in sale.charges]
    if not items or not all(item.is_known for item in items):
        return None
    if unallocated:
        if any(item.taxes != items[0].taxes for item in items):
            return None
        items.append(_Taxed(-unallocated, items[0].taxes, True))
    return items


def _taxed(item: Line | Charge, base: int) -> _Taxed:
    taxes = tuple(_applied(tax) for tax in item.taxes)
    if item.tax_rate is not None:
        taxes = (_Applied(item.tax_rate),)
    exempt = isinstance(item, Line) and item.type in _UNTAXED_TYPES
    return _Taxed(base, taxes, is_known=bool(taxes) or exempt or base == 0)


def _applied(tax: AppliedTax) -> _Applied:
    return _Applied(tax.rate, tax.name, tax.code)


def _against_lines(
    sale: Content, row: Tax, rate: Decimal, taxed: Sequence[_Taxed], pointer: str, digits: int
) -> Iterator[FieldError]:
    mine = [item for item in taxed if any(tax.falls_under(row) for tax in item.taxes)]
    base = exactly(sum(item.base for item in mine))
    what = "What bears this rate sums to"
    if not sale.prices_include_tax and row.net is not None:
        yield from off(f"{pointer}/net", what, row.net, base, digits)
    if sale.prices_include_tax and row.gross is not None and all(len(item.taxes) == 1 for item in mine):
        yield from off(f"{pointer}/gross", what, row.gross, base, digits)
    exact = [item.tax_at(rate, included=sale.prices_include_tax) for item in mine]
    yield from off(f"{pointer}/tax", "The tax at this rate is", row.tax, _permitted(sale, exact), digits)


def _permitted(sale: Content, exact: Sequence[Decimal]) -> Span:
    whole = sum(exact, Decimal(0))
    if sale.tax_rounding == "line":
        each = [rounded(tax) for tax in exact]
        return Span(sum(span.low for span in each), sum(span.high for span in each))
    if sale.tax_rounding == "order":
        # Only the sum of all rows is rounded to the nearest unit: a single row may be shown rounded either way.
        return Span(int(whole.to_integral_value(ROUND_FLOOR)), int(whole.to_integral_value(ROUND_CEILING)))
    return rounded(whole)


def _by_itself(sale: Content, row: Tax, rate: Decimal) -> Span:
    """A row against its own net or gross. Rounding per line may leave half a unit for each line."""
    slack = {"rate": 0, "order": 1, "line": (len(sale.lines) + len(sale.charges) + 1) // 2}[sale.tax_rounding]
    if row.gross is not None or (sale.prices_include_tax and row.net is not None):
        gross = row.gross if row.gross is not None else (row.net or 0) + row.tax
        return rounded(money.tax_in_gross(Decimal(gross), rate, rate)).widened(slack)
    if row.net is not None:
        return rounded(money.tax_on_net(Decimal(row.net), rate)).widened(slack)
    return exactly(row.tax)


def _missing_rows(sale: Content, taxed: Sequence[_Taxed]) -> Iterator[FieldError]:
    borne = {tax for item in taxed if item.base for tax in item.taxes if tax.rate}
    for rate in sorted({tax.rate for tax in borne if not any(tax.falls_under(row) for row in sale.taxes)}):
        yield FieldError("/taxes", f"No row has the rate {rate}, which lines or charges bear")


def _all_rows(sale: Content, taxed: Sequence[_Taxed], digits: int) -> Iterator[FieldError]:
    """Rounded once per receipt, the rows need not be right one by one, but together they must."""
    if sale.tax_rounding != "order" or any(row.rate is None for row in sale.taxes):
        return
    exact = [item.tax_at(tax.rate, included=sale.prices_include_tax) for item in taxed for tax in item.taxes]
    stated = sum(row.tax for row in sale.taxes)
    yield from off("/taxes", "The taxes together are", stated, rounded(sum(exact, Decimal(0))), digits)
