"""What comes back in a refund, as goods: lines, shipping, duties, and what a merchant gave or kept beside them."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Final

from kernel import money
from pos.event import Json
from pos.shopify.fields import identity, number, plain, record, records, text, without_nones
from pos.shopify.goods import Cut, Good, Share, line_good, taxes_of
from pos.shopify.purse import Purse
from receipts.sale import AppliedTax, Content, Line

_SHIPPING: Final = "shipping_refund"


@dataclass(frozen=True, slots=True)
class Returned:
    """``references`` say, line by line, which line of the original it is."""

    lines: Sequence[Good]
    references: Sequence[Json]
    extras: Sequence[Good]

    def worth(self, *, is_included: bool) -> int:
        goods = [*self.lines, *self.extras]
        taxes = 0 if is_included else sum(share.amount for good in goods for share in good.taxes or ())
        return sum(good.net for good in goods) + taxes


def everything(refund: Json, original: Content, purse: Purse) -> Returned:
    """Raises :class:`NotInThisCurrency`."""
    lines = records(refund.get("refund_line_items"))
    return Returned(
        lines=[_line(line, str(index + 1), original, purse) for index, line in enumerate(lines)],
        references=[_reference(line, original) for line in lines],
        extras=[each for each in _extras(refund, original, purse) if each.gross],
    )


def _line(line: Json, own_id: str, original: Content, purse: Purse) -> Good:
    """One refunded line: described as it was sold, worth what Shopify refunded for it."""
    known, told = _sold(line, original), record(line.get("line_item"))
    whole = line_good(told, own_id, purse, ()) if told else _as_described(known, own_id, purse)
    quantity = number(line.get("quantity"))
    part = replace(whole, quantity=whole.quantity if quantity is None else quantity)
    gross = purse.minor((whole.price or Decimal(0)) * part.quantity)
    stated, tax = purse.amount(line, "subtotal"), purse.amount(line, "total_tax")
    worth = _share_of(whole.net, part, whole) if stated is None else stated
    borne = whole.taxes or _as_sold(known)
    tax = _share_of(sum(share.amount for share in borne), part, whole) if tax is None else tax
    taxes = _taxes(borne, tax)
    if worth > gross:
        # A custom amount may go back for it: then there is no price that it is less a discount of.
        return replace(part, price=None, gross=worth, cuts=(), taxes=taxes)
    return replace(part, gross=gross, cuts=(Cut("Discount", gross - worth),) if worth < gross else (), taxes=taxes)


def _sold(line: Json, original: Content) -> Line | None:
    """The line of the original that comes back; None where it was added to the order later."""
    sold = identity(line.get("line_item_id"))
    return next((each for each in original.lines if each.id == sold), None)


def _as_described(line: Line | None, own_id: str, purse: Purse) -> Good:
    """What a payload without ``line_item`` leaves out, from the original: there it is in the original's currency."""
    told: Json = {}
    if line is not None:
        price = None if line.unit_price is None else plain(line.unit_price)
        told = {"title": line.name, "sku": line.sku, "price": price, "quantity": plain(line.quantity)}
    return line_good(told, own_id, replace(purse, is_shop=True), ())


def _share_of(amount: int, part: Good, whole: Good) -> int:
    return money.nearest(amount * part.quantity / whole.quantity) if whole.quantity else 0


def _as_sold(line: Line | None) -> tuple[Share, ...]:
    taxes: Sequence[AppliedTax] = line.taxes if line else ()
    return tuple(Share(tax.name, tax.rate, tax.amount or 0) for tax in taxes)


def _taxes(borne: Sequence[Share], tax: int) -> tuple[Share, ...]:
    """``tax`` shared out as ``borne`` was; a tax of unknown name and rate where nothing was."""
    if not borne:
        return (Share("Tax", None, tax),) if tax else ()
    weights = [max(share.amount, 0) for share in borne]
    if not any(weights):
        weights = [int((share.rate or Decimal(0)) * 10**6) for share in borne]
    return tuple(replace(share, amount=part) for share, part in zip(borne, money.allocate(tax, weights), strict=True))


def _extras(refund: Json, original: Content, purse: Purse) -> Iterator[Good]:
    adjustments = records(refund.get("order_adjustments"))
    for index, adjustment in enumerate(adjustments):
        yield _adjusted(adjustment, index, refund, original, purse)
    if not any(adjustment.get("kind") == _SHIPPING for adjustment in adjustments):
        for index, line in enumerate(records(refund.get("refund_shipping_lines"))):
            amount, tax = purse.amount(line, "subtotal_amount") or 0, purse.amount(line, "tax_amount") or 0
            yield _extra(f"shipping.{index}", "Shipping", amount, tax, _of_shipping(refund, original, purse), original)
    yield _extra("duties", "Duties", purse.amount(refund, "total_duties") or 0, 0, (), original)
    yield _extra("fees", "Import fees", purse.amount(refund, "total_additional_fees") or 0, 0, (), original)


def _adjusted(adjustment: Json, index: int, refund: Json, original: Content, purse: Purse) -> Good:
    """The amounts have the sign of the shop's books: what gives more back is negative there, and positive here."""
    amount, tax = -(purse.amount(adjustment, "amount") or 0), -(purse.amount(adjustment, "tax_amount") or 0)
    if adjustment.get("kind") == _SHIPPING:
        return _extra(f"shipping.{index}", "Shipping", amount, tax, _of_shipping(refund, original, purse), original)
    name = text(adjustment.get("reason")) or "Adjustment"
    return _extra(f"adjustment.{index}", name, amount, tax, (), original)


def _extra(own_id: str, name: str, amount: int, tax: int, borne: Sequence[Share], original: Content) -> Good:
    """Shopify states the tax of an adjustment beside its amount, also where prices include tax."""
    gross = amount + tax if original.prices_include_tax else amount
    taxes = _taxes(borne, tax) if tax else ()
    return Good(own_id, {"title": name}, Decimal(1), None, gross, (), taxes)


def _of_shipping(refund: Json, original: Content, purse: Purse) -> Sequence[Share]:
    """What shipping bore: as the refund's own shipping line says, else as it was charged."""
    for line in records(refund.get("refund_shipping_lines")):
        if shares := taxes_of(record(line.get("shipping_line")), purse):
            return shares
    charged = (charge for charge in original.charges if charge.type == "shipping" and charge.taxes)
    return [Share(tax.name, tax.rate, tax.amount or 0) for charge in charged for tax in charge.taxes][:10]


def _reference(line: Json, original: Content) -> Json:
    """The place of a returned line in the original receipt."""
    sold = _sold(line, original)
    return without_nones({"original_line": sold.id if sold else None})
