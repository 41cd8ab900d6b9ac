"""An order as a canonical sale."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Final

from kernel.errors import FieldError, Invalid
from pos.event import Json
from pos.shopify import discounts, positions, removals, table, tenders
from pos.shopify import goods as of
from pos.shopify.fields import Unreadable, identity, moment, records, text, without_nones
from pos.shopify.goods import Good
from pos.shopify.purse import NotInThisCurrency, Purse, purses
from pos.shopify.shopper import language, shopper
from receipts import totals
from receipts.reading import read_sale

# As the canonical sale.
_MOST_LINES: Final = 2000
# Of the order, for the merchant: a note may be the staff's own, so it is not printed.
_KEPT: Final = ("note", "source_name", "tags", "po_number", "cancel_reason")
_KEPT_IDS: Final = ("location_id", "user_id", "device_id")


@dataclass(frozen=True, slots=True)
class _Basket:
    """``off`` is what order-wide discounts take off no line in particular."""

    lines: list[Good]
    tips: list[Good]
    charges: list[Good]
    off: int
    total: int


def external_id(order_id: str) -> str:
    return f"order:{order_id}"


def why_none(order: Json) -> str:
    """Why an order makes no receipt; empty where it makes one.

    A test order always makes one, for training: the order that Shopify sends to try a webhook is a voided one.
    """
    if order.get("test") is True:
        return ""
    status = text(order.get("financial_status"))
    if status == "voided":
        return "its payment was voided"
    if order.get("cancelled_at") and status in (None, "pending", "authorized", "expired"):
        return "it was cancelled before it was paid"
    return ""


def sale(order: Json, transactions: Sequence[Json] = ()) -> Json:
    """The canonical body. Raises :class:`Unreadable` where id, time, currency or total are missing.

    In the shopper's currency where everything is stated in it and adds up, else in the shop's; with the taxes taken in
    the way that leads to the stated ones.
    """
    missing = list(_missing(order))
    if missing:
        raise Unreadable(errors=missing)
    return first_that_adds_up(_bodies(order, transactions))


def _missing(order: Json) -> Iterator[FieldError]:
    found = purses(order)
    if identity(order.get("id")) is None:
        yield FieldError("/id", "is missing")
    if _when(order) is None:
        yield FieldError("/created_at", "is missing, and so are processed_at and updated_at")
    if not found:
        yield FieldError("/currency", "is not a currency of ISO 4217")
    elif found[-1].amount(order, "total_price") is None:
        yield FieldError("/total_price", "is missing")
    if len(records(order.get("line_items"))) > _MOST_LINES:
        yield FieldError("/line_items", f"holds more than {_MOST_LINES} lines")


def _when(order: Json) -> str | None:
    found = moment(*(order.get(name) for name in ("processed_at", "created_at", "updated_at")))
    return found.isoformat() if found else None


def _bodies(order: Json, transactions: Sequence[Json]) -> Iterator[Json]:
    for purse in purses(order):
        try:
            for total in _totals(order, purse):
                yield from _in_every_way(order, transactions, total, purse)
        except NotInThisCurrency:
            continue


def _totals(order: Json, purse: Purse) -> Iterator[int]:
    """``total_price``. Where taxes came onto an order that an API client made, only the current total holds them."""
    total = purse.amount(order, "total_price") or 0
    yield total
    current = purse.amount(order, "current_total_price")
    if current is not None and current != total and not order.get("refunds"):
        yield current


def _in_every_way(order: Json, transactions: Sequence[Json], total: int, purse: Purse) -> Iterator[Json]:
    basket, head = _basket(order, transactions, total, purse), _head(order, purse) | _beside(order)
    sums = _sums(order, transactions, basket, purse)
    for way in table.WAYS:
        yield without_nones(head | _goods(order, basket, purse, way) | sums)


def first_that_adds_up(bodies: Iterator[Json]) -> Json:
    """The first of all where none does: it is then flagged with what is wrong."""
    first = next(bodies)
    return next((body for body in chain([first], bodies) if _adds_up(body)), first)


def _adds_up(body: Json) -> bool:
    try:
        return not totals.check(read_sale(body))
    except Invalid:
        return False


def _sums(order: Json, transactions: Sequence[Json], basket: _Basket, purse: Purse) -> Json:
    rounding = purse.amount(order, "total_cash_rounding_payment_adjustment") or 0
    tip = sum(good.net for good in basket.tips) if basket.tips else purse.amount(order, "total_tip_received") or 0
    total = basket.total + rounding
    sums = {"tip": purse.plain(tip), "rounding": purse.plain(rounding), "total": purse.plain(total)}
    return sums | tenders.sums(order, purse, transactions, total)


def _basket(order: Json, transactions: Sequence[Json], total: int, purse: Purse) -> _Basket:
    lines, shipping = of.lines(order, purse), of.shipping(order, purse)
    off = discounts.unallocated(order, [*lines, *shipping], purse)
    reduced = discounts.off_shipping(order, shipping, off, purse)
    off -= sum(good.net for good in shipping) - sum(good.net for good in reduced)
    gone = removals.removed(order, purse, total, tenders.received(order, purse, transactions))
    included = order.get("taxes_included") is True
    return _Basket(
        lines=[good for good in removals.without(lines, gone, purse) if not of.is_tip(good)],
        tips=[good for good in lines if of.is_tip(good)],
        charges=[*reduced, *of.duties(order, purse)],
        off=off,
        total=total - sum(removals.value_of(line, purse, is_included=included) for line in gone),
    )


def _head(order: Json, purse: Purse) -> Json:
    number = text(order.get("name"), 128) or text(order.get("order_number"), 128) or text(order.get("number"), 128)
    return {
        "kind": "sale",
        "external_id": external_id(identity(order.get("id")) or ""),
        "number": number,
        "issued_at": _when(order),
        "currency": purse.currency,
        "language": language(order),
        "service": "online" if order.get("source_name") == "web" else None,
        "flags": ["training"] if order.get("test") is True else [],
        "prices_include_tax": order.get("taxes_included") is True,
    }


def _goods(order: Json, basket: _Basket, purse: Purse, way: table.Way) -> Json:
    everything = [*basket.lines, *basket.charges]
    taxed = any(good.taxes for good in everything)
    included = order.get("taxes_included") is True
    shares = table.stated(everything, of.order_taxes(order, purse))
    saved = basket.off + sum(cut.amount for good in everything for cut in good.cuts)
    return {
        "lines": [positions.line(good, purse, way, others_are_taxed=taxed) for good in basket.lines],
        "discounts": discounts.whole(order, basket.lines, basket.off, purse),
        "charges": [positions.charge(good, purse, way, others_are_taxed=taxed) for good in basket.charges],
        "tax_rounding": way.rounding,
        "taxes": table.rows(shares, everything, purse, way, is_included=included),
        "savings": purse.plain(saved) if saved > 0 else None,
    }


def _beside(order: Json) -> Json:
    """What only the merchant sees."""
    kept: Json = {name: identity(order.get(name)) for name in _KEPT_IDS} | {"order_id": identity(order.get("id"))}
    kept |= {name: text(order.get(name), 2000) for name in _KEPT}
    notes = records(order.get("note_attributes"))
    attributes = {text(each.get("name"), 128): text(each.get("value"), 2000) for each in notes}
    kept["attributes"] = {name: value for name, value in attributes.items() if name and value}
    return {"shopper": shopper(order), "metadata": without_nones(kept)}
