"""The lines of an invoice (BG-25), and its charges and allowances (BG-20, BG-21)."""

from decimal import Decimal
from typing import Final

from kernel import money
from receipts.facturx_codes import unit
from receipts.facturx_sums import Position
from receipts.facturx_vat import Vat
from receipts.facturx_xml import Element, maybe, number, part
from receipts.sale import Line

# Of a net price: the fewest with which quantity times price is the line's net amount.
_PLACES: Final = (2, 4, 6, 8, 12)


def line(sold: Line, position: Position, digits: int) -> Element:
    """A line that comes back has a quantity below zero: a price may not be (BR-27)."""
    before = position.net + sum(amount for _, amount in position.allowances)
    quantity = abs(sold.quantity) or Decimal(1)
    return part(
        "IncludedSupplyChainTradeLineItem",
        part("AssociatedDocumentLineDocument", part("LineID", sold.id), _note(sold)),
        _product(sold),
        part("SpecifiedLineTradeAgreement", _price(abs(before), quantity, digits)),
        part("SpecifiedLineTradeDelivery", _billed(sold, -quantity if before < 0 else quantity)),
        part(
            "SpecifiedLineTradeSettlement",
            tax("ApplicableTradeTax", position.vat),
            *(_allowance(name, amount, digits) for name, amount in position.allowances),
            part(
                "SpecifiedTradeSettlementLineMonetarySummation",
                part("LineTotalAmount", money.plain(position.net, digits)),
            ),
        ),
    )


def extra(position: Position, digits: int) -> Element:
    """A charge on the whole, or an allowance where it is below zero."""
    return part(
        "SpecifiedTradeAllowanceCharge",
        _is_charge(position.net >= 0),
        part("ActualAmount", money.plain(abs(position.net), digits)),
        part("Reason", position.name),
        tax("CategoryTradeTax", position.vat),
    )


def tax(name: str, vat: Vat) -> Element:
    rate = None if vat.category == "O" else part("RateApplicablePercent", number(vat.rate))
    return part(name, part("TypeCode", "VAT"), part("CategoryCode", vat.category), rate)


def _product(sold: Line) -> Element:
    told = "; ".join(filter(None, (sold.description, ", ".join(sold.options))))
    return part(
        "SpecifiedTradeProduct",
        maybe("GlobalID", sold.gtin, schemeID="0160"),
        maybe("SellerAssignedID", sold.sku),
        part("Name", sold.name),
        maybe("Description", told),
    )


def _note(sold: Line) -> Element | None:
    serials = ", ".join(filter(None, (sold.serial, *sold.serials)))
    told = "\n".join(filter(None, (*sold.notes, serials)))
    return part("IncludedNote", part("Content", told)) if told else None


def _price(net: int, quantity: Decimal, digits: int) -> Element:
    exact = Decimal(net).scaleb(-digits) / quantity
    prices = (exact.quantize(Decimal(1).scaleb(-places)) for places in _PLACES)
    right = next((each for each in prices if money.nearest((each * quantity).scaleb(digits)) == net), None)
    if right is None:
        # Nothing finer than this is written: the price is that of the whole quantity.
        basis = part("BasisQuantity", number(quantity))
        return part("NetPriceProductTradePrice", part("ChargeAmount", money.plain(net, digits)), basis)
    return part("NetPriceProductTradePrice", part("ChargeAmount", f"{right:f}"))


def _billed(sold: Line, quantity: Decimal) -> Element:
    return part("BilledQuantity", number(quantity), unitCode=unit(sold.unit))


def _allowance(name: str, amount: int, digits: int) -> Element:
    return part(
        "SpecifiedTradeAllowanceCharge",
        _is_charge(False),
        part("ActualAmount", money.plain(amount, digits)),
        part("Reason", name),
    )


def _is_charge(is_charge: bool) -> Element:
    return part("ChargeIndicator", part("udt:Indicator", "true" if is_charge else "false"))
