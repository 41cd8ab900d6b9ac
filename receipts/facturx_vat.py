"""Which VAT an item of a sale bears, as the row of the tax table says that it stands in."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from receipts.facturx_codes import CATEGORIES, OUTSIDE, STANDARD, TAXED, WITHOUT_TAX
from receipts.sale import Content, Tax
from receipts.taxed import Applied, Taxed, rows_for


class NotExpressible(Exception):
    """EN 16931 has no valid form of the sale; the message says why, for an operator."""


@dataclass(frozen=True, slots=True)
class Vat:
    """A row of the breakdown (BG-23): category and rate in percent."""

    category: str
    rate: Decimal


def vat_of(item: Taxed, sale: Content) -> tuple[Vat, str]:
    """The category and rate of an item with one tax at most, and why none is due. Raises :class:`NotExpressible`."""
    kind, _, at = item.pointer.strip("/").partition("/")
    outside = OUTSIDE.get(sale.lines[int(at)].type) if kind == "lines" else None
    if outside and not any(tax.rate for tax in item.taxes):
        return Vat("E", Decimal(0)), outside
    rate, rows = _of(item.taxes[0], sale.taxes) if item.taxes else _of_any(sale.taxes)
    told = [_told(rate, row) for row in rows] or [_told(rate)]
    if len({vat for vat, _ in told}) > 1:
        raise NotExpressible("its lines do not say which tax of their rate they bear")
    return told[0][0], "; ".join(dict.fromkeys(filter(None, (reason for _, reason in told))))


def _of(tax: Applied, table: Sequence[Tax]) -> tuple[Decimal, Sequence[Tax]]:
    return tax.rate, [table[index] for index in rows_for(tax, table)]


def _of_any(table: Sequence[Tax]) -> tuple[Decimal, Sequence[Tax]]:
    """For what costs nothing any tax will do: the first that the table has, one above zero before others."""
    known = [row for row in table if row.rate is not None]
    rows = sorted(known, key=lambda row: not row.rate)[:1]
    return next((row.rate for row in rows if row.rate), Decimal(0)), rows


def _told(rate: Decimal, row: Tax | None = None) -> tuple[Vat, str]:
    """A ``category`` that is no code of UNTDID 5305 is a word of the till, and says nothing here."""
    said = ((row and row.category) or "").strip().upper()
    exemption = (row and row.exemption) or ""
    if said in CATEGORIES - TAXED - WITHOUT_TAX.keys():
        raise NotExpressible("a row of its tax table has a VAT category that is not written here")
    if said in CATEGORIES and said not in (TAXED if rate else WITHOUT_TAX):
        raise NotExpressible("a row of its tax table has a VAT category that does not fit its rate")
    if rate:
        return Vat(STANDARD, rate), ""
    category = said if said in WITHOUT_TAX else "E" if exemption else "Z"
    return Vat(category, rate), (exemption or WITHOUT_TAX[category]) if category != "Z" else ""
