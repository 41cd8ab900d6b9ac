"""A refund as a canonical refund: what goes back is written positive, and names the order's receipt.

Shopify adds a refund up so: the money that moved = the refunded lines, with their tax where that is on top, less the
order adjustments. An adjustment is negative where it gives more back (shipping) and positive where it keeps something.
"""

from collections.abc import Sequence
from typing import Final

from kernel.errors import FieldError
from pos.event import Json
from pos.shopify import positions, returned, table, tenders
from pos.shopify.fields import Unreadable, identity, moment, record, records, text, without_nones
from pos.shopify.goods import merged
from pos.shopify.orders import external_id as order_external_id
from pos.shopify.orders import first_that_adds_up
from pos.shopify.purse import NotInThisCurrency, Purse
from pos.shopify.returned import Returned
from receipts.sale import Content

_MOST_NOTE: Final = 2000


def external_id(refund_id: str) -> str:
    return f"refund:{refund_id}"


def original_of(refund: Json) -> str:
    """The external id of the refund's order. Raises :class:`Unreadable`."""
    order_id = identity(refund.get("order_id"))
    if order_id is None:
        raise Unreadable(errors=[FieldError("/order_id", "is missing")])
    return order_external_id(order_id)


def why_none(refund: Json) -> str:
    """Why a refund makes no receipt; empty where it makes one."""
    return "" if tenders.moved(refund) else "no money went back"


def refund(body: Json, original: Content) -> Json:
    """The canonical body of a refund of ``original``, in its currency. Raises :class:`Unreadable`."""
    purse = _purse(body, original)
    try:
        back = returned.everything(body, original, purse)
    except NotInThisCurrency:
        back = None
    head = _head(body, original) | _sums(tenders.moved(body), back, original, purse)
    if back is None:
        return without_nones(head)
    return first_that_adds_up(without_nones(head | _parts(back, original, purse, way)) for way in table.WAYS)


def _sums(moved: Sequence[Json], back: Returned | None, original: Content, purse: Purse) -> Json:
    """Money that moved in another currency is worth what came back for it in the original's."""
    if tenders.are_in(moved, purse):
        rounding = sum(tenders.rounding_of(each, purse) for each in moved)
        total = sum(tenders.amount_of(each, purse) for each in moved) + rounding
        paid = tenders.paid_out(moved, purse)
        return {"rounding": purse.plain(rounding), "total": purse.plain(total), "payments": paid}
    if back is None:
        raise Unreadable(errors=[FieldError("/transactions", "are in another currency than the order's receipt")])
    worth = back.worth(is_included=original.prices_include_tax)
    return {"total": purse.plain(worth), "payments": tenders.exchanged(moved, worth, purse)}


def _head(body: Json, original: Content) -> Json:
    refund_id, when = identity(body.get("id")), moment(body.get("processed_at"), body.get("created_at"))
    if refund_id is None or when is None:
        raise Unreadable(errors=[FieldError("/id" if refund_id is None else "/created_at", "is missing")])
    # The note is the staff's own remark: Shopify does not show it to the shopper either.
    private = {"note": text(body.get("note"), _MOST_NOTE), "order_id": identity(body.get("order_id"))}
    return {
        "kind": "refund",
        "external_id": external_id(refund_id),
        "original": {"external_id": original_of(body)},
        "issued_at": when.isoformat(),
        "currency": original.currency,
        "language": original.language,
        "flags": [flag for flag in original.flags if flag == "training"],
        "prices_include_tax": original.prices_include_tax,
        "metadata": without_nones(private),
    }


def _purse(body: Json, original: Content) -> Purse:
    """Bare members are in the shop's currency; which one that is, only a money bag tells."""
    bags = [record(line.get("subtotal_set")) for line in records(body.get("refund_line_items"))]
    shops = [
        record(bag.get("shop_money")).get("currency_code") for bag in (*bags, record(body.get("total_duties_set")))
    ]
    return Purse(original.currency, is_shop=all(shop in (None, original.currency) for shop in shops))


def _parts(back: Returned, original: Content, purse: Purse, way: table.Way) -> Json:
    goods = [*back.lines, *back.extras]
    taxed = any(good.taxes for good in goods)
    lines = [positions.line(good, purse, way, others_are_taxed=taxed) for good in back.lines]
    shares = merged([share for good in goods for share in good.taxes or ()])
    return {
        "lines": [line | reference for line, reference in zip(lines, back.references, strict=True)],
        "charges": [positions.charge(good, purse, way, others_are_taxed=taxed) for good in back.extras],
        "taxes": table.rows(shares, goods, purse, way, is_included=original.prices_include_tax),
        "tax_rounding": way.rounding,
    }
