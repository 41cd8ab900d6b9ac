"""Do the taxes add up? Each row of the tax table against the lines and charges that bear its rate.

A till rounds tax once per line, once per rate or once per receipt, and a tie either way. Each way leaves its own range
of right answers, so a row is wrong only where none of them gives it. A row can be held against its lines only if every
line says what taxes it bears and every discount where it falls; otherwise the row is held against itself.
"""

from collections.abc import Iterator, Sequence
from decimal import Decimal

from kernel import money
from kernel.errors import FieldError
from receipts.sale import Charge, Content, Line, Tax
from receipts.spans import Span, either_way, exactly, off, rounded
from receipts.taxed import Applied, Taxed, rows_for, taxed_amounts

_Borne = tuple[Taxed, Applied]


def on_top(sale: Content) -> int:
    """The tax that is added to net prices, as the till states it: of the table, else of the lines."""
    if sale.taxes:
        return sum(row.tax for row in sale.taxes)
    taxed: list[Line | Charge] = [*sale.lines, *sale.charges]
    return sum(tax.amount or 0 for item in taxed for tax in item.taxes)


def check(sale: Content, digits: int) -> Iterator[FieldError]:
    taxed = taxed_amounts(sale)
    for index, row in enumerate(sale.taxes):
        if row.net is not None and row.gross is not None:
            yield from off(f"/taxes/{index}/gross", "Net and tax sum to", row.gross, exactly(row.net + row.tax), digits)
        if taxed is None:
            yield from _by_itself(sale, index, digits)
    if taxed is not None:
        yield from _stated_with_items(sale, taxed, digits)
        yield from _table(sale, taxed, digits)


def _stated_with_items(sale: Content, taxed: Sequence[Taxed], digits: int) -> Iterator[FieldError]:
    if any(not discount.allocations for discount in sale.discounts):
        # How it lowers the tax of each line is not said.
        return
    for item in taxed:
        for index, tax in enumerate(item.taxes):
            if tax.stated is not None:
                exact = item.tax_at(tax.rate, included=sale.prices_include_tax)
                span = _nearest(sale, exact) if sale.tax_rounding == "line" else either_way(exact)
                yield from off(f"{item.pointer}/taxes/{index}/amount", "The tax is", tax.stated, span, digits)


def _table(sale: Content, taxed: Sequence[Taxed], digits: int) -> Iterator[FieldError]:
    borne = [(item, tax) for item in taxed for tax in item.taxes]
    if not sale.taxes:
        if not sale.prices_include_tax and any(_is_missing(each) for each in borne):
            yield FieldError("/taxes", "is missing; prices are without tax, and the lines bear some")
        return
    places = {tax: rows_for(tax, sale.taxes) for tax in {tax for _, tax in borne}}
    for missing in sorted({tax.rate for item, tax in borne if item.base and tax.rate and not places[tax]}):
        yield FieldError("/taxes", f"No row has the rate {missing}, which lines or charges bear")
    for rate in dict.fromkeys(row.rate for row in sale.taxes):
        if rate is not None:
            yield from _rate(sale, rate, [(each, places[each[1]]) for each in borne if each[1].rate == rate], digits)
    yield from _all_rows(sale, borne, digits)


def _is_missing(borne: _Borne) -> bool:
    item, tax = borne
    return bool(item.base and tax.rate and tax.stated is None)


def _rate(
    sale: Content, rate: Decimal, borne: Sequence[tuple[_Borne, tuple[int, ...]]], digits: int
) -> Iterator[FieldError]:
    """The rows of one rate: each against what leads to it, or, where that is not told apart, all of them together."""
    indexes = [index for index, row in enumerate(sale.taxes) if row.rate == rate]
    if all(len(rows) == 1 for _, rows in borne):
        for index in indexes:
            yield from _row(sale, index, rate, [each for each, rows in borne if rows == (index,)], digits)
        return
    for index in indexes:
        yield from _by_itself(sale, index, digits)
    stated, span = sum(sale.taxes[index].tax for index in indexes), _permitted(sale, [each for each, _ in borne])
    yield from off("/taxes", f"The taxes at {rate} together are", stated, span.widened(len(indexes) // 2), digits)


def _row(sale: Content, index: int, rate: Decimal, borne: Sequence[_Borne], digits: int) -> Iterator[FieldError]:
    row, pointer = sale.taxes[index], f"/taxes/{index}"
    base, what = sum(item.base for item, _ in borne), "What bears this rate sums to"
    if not sale.prices_include_tax:
        if row.net is not None:
            yield from off(f"{pointer}/net", what, row.net, exactly(base), digits)
        elif row.gross is not None:
            yield from off(f"{pointer}/gross", f"{what}, with its tax,", row.gross, exactly(base + row.tax), digits)
    elif all(len(item.taxes) == 1 for item, _ in borne):
        if row.gross is not None:
            yield from off(f"{pointer}/gross", what, row.gross, exactly(base), digits)
        elif row.net is not None:
            yield from off(f"{pointer}/net", f"{what}, without its tax,", row.net, exactly(base - row.tax), digits)
    span = _permitted(sale, borne)
    amounts = [tax.stated for _, tax in borne if tax.stated is not None]
    if sale.tax_rounding == "line" and borne and len(amounts) == len(borne):
        span = exactly(sum(amounts))
    yield from off(f"{pointer}/tax", "The tax at this rate is", row.tax, span, digits)


def _nearest(sale: Content, exact: Decimal) -> Span:
    """Japan leaves it to the seller whether a fraction of a yen is cut off, added or rounded."""
    return either_way(exact) if sale.currency == "JPY" else rounded(exact)


def _permitted(sale: Content, borne: Sequence[_Borne]) -> Span:
    exact = [item.tax_at(tax.rate, included=sale.prices_include_tax) for item, tax in borne]
    if sale.tax_rounding == "line":
        each = [_nearest(sale, tax) for tax in exact]
        return Span(sum(span.low for span in each), sum(span.high for span in each))
    # Rounded once per receipt, only the sum of all rows is the nearest: a single row may be shown rounded either way.
    whole = sum(exact, Decimal(0))
    return either_way(whole) if sale.tax_rounding == "order" else _nearest(sale, whole)


def _by_itself(sale: Content, index: int, digits: int) -> Iterator[FieldError]:
    """A row against its own net or gross. Rounding per line may leave half a unit for each line."""
    row = sale.taxes[index]
    exact = _in_itself(sale, row)
    if exact is not None:
        slack = {"rate": 0, "order": 1, "line": (len(sale.lines) + len(sale.charges) + 1) // 2}[sale.tax_rounding]
        span = _nearest(sale, exact).widened(slack)
        yield from off(f"/taxes/{index}/tax", "The tax at this rate is", row.tax, span, digits)


def _in_itself(sale: Content, row: Tax) -> Decimal | None:
    if row.rate is None:
        return None
    if row.gross is not None or (sale.prices_include_tax and row.net is not None):
        gross = row.gross if row.gross is not None else (row.net or 0) + row.tax
        return money.tax_in_gross(Decimal(gross), row.rate, row.rate)
    return money.tax_on_net(Decimal(row.net), row.rate) if row.net is not None else None


def _all_rows(sale: Content, borne: Sequence[_Borne], digits: int) -> Iterator[FieldError]:
    """Rounded once per receipt, the rows need not be right one by one, but together they must."""
    if sale.tax_rounding != "order" or any(row.rate is None for row in sale.taxes):
        return
    exact = sum((item.tax_at(tax.rate, included=sale.prices_include_tax) for item, tax in borne), Decimal(0))
    stated = sum(row.tax for row in sale.taxes)
    yield from off("/taxes", "The taxes together are", stated, _nearest(sale, exact), digits)
