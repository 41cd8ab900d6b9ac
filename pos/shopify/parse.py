"""Shopify's JSON as canonical sales: pure, so that a webhook and an import of files lead to the same receipts."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from kernel.errors import Problem
from pos.event import Json, Known, Reading
from pos.shopify import orders, refunds
from pos.shopify.fields import identity, parsed, record, records
from receipts.reading import read_sale
from receipts.sale import Content

SOURCE: Final = "shopify"

_ORDER_TOPIC: Final = "orders/paid"
_REFUND_TOPIC: Final = "refunds/create"
# What a file may hold beside orders and refunds, by the member that shows it.
_OTHERS: Final = {
    "draft_order": "a draft order, which makes no receipt until it is completed",
    "checkout": "a checkout, which makes no receipt until it is an order",
    "fulfillment": "a fulfillment, which makes no receipt",
    "product": "a product",
    "customer": "a customer",
}


@dataclass(frozen=True, slots=True)
class Documents:
    """What a file holds. ``others`` says what was found that makes no receipt."""

    orders: list[Json] = field(default_factory=list)
    refunds: list[Json] = field(default_factory=list)
    transactions: list[Json] = field(default_factory=list)
    others: list[str] = field(default_factory=list)


def read_event(topic: str, body: bytes, known: Known) -> Reading:
    """What a verified webhook means. Raises :class:`Problem` where it cannot be read.

    Only ``orders/paid`` makes a sale: an order that is created or changed is not paid yet, or was taken already.
    """
    if topic not in (_ORDER_TOPIC, _REFUND_TOPIC):
        return Reading(reason=f"{topic or 'an event without topic'} makes no receipt")
    found = documents(body)
    if topic == _ORDER_TOPIC and found.orders:
        return read_order(found.orders[0], (), known)
    if topic == _REFUND_TOPIC and found.refunds:
        return read_refund(found.refunds[0], known)
    return Reading(reason="the payload holds neither an order nor a refund")


def read_order(order: Json, transactions: Sequence[Json], known: Known) -> Reading:
    """The sale, and a refund for each one inside the order in which money went back. Raises :class:`Problem`."""
    reason = orders.why_none(order)
    if reason:
        return Reading(reason=reason)
    own_id = identity(order.get("id"))
    sale = orders.sale(order, _of_order([*records(order.get("transactions")), *transactions], own_id))
    original: Content = known(sale["external_id"]) or read_sale(sale)
    inside = (each | {"order_id": order.get("id")} for each in records(order.get("refunds")))
    back, left_out = _refunds([each for each in inside if not refunds.why_none(each)], original)
    return Reading((sale, *back), left_out=tuple(left_out))


def _refunds(inside: Sequence[Json], original: Content) -> tuple[list[Json], list[Problem]]:
    """One that cannot be read must not keep its order out."""
    back: list[Json] = []
    left_out: list[Problem] = []
    for each in inside:
        try:
            back.append(refunds.refund(each, original))
        except Problem as problem:
            left_out.append(problem)
    return back, left_out


def _of_order(transactions: Sequence[Json], own_id: str | None) -> list[Json]:
    """Each transaction of the order once, though several files may hold it."""
    mine = [each for each in transactions if identity(each.get("order_id")) in (None, own_id)]
    return list({identity(each.get("id")) or f"#{index}": each for index, each in enumerate(mine)}.values())


def read_refund(refund: Json, known: Known) -> Reading:
    """The refund; without its order's receipt there is nothing yet to refund. Raises :class:`Problem`."""
    reason = refunds.why_none(refund)
    if reason:
        return Reading(reason=reason)
    order = refunds.original_of(refund)
    original = known(order)
    return Reading((refunds.refund(refund, original),)) if original else Reading(waits_for=order)


def documents(body: bytes) -> Documents:
    """Orders, refunds and transactions: bare, wrapped (``{"order": …}``) or listed. Raises :class:`Unreadable`."""
    found = Documents()
    _sort(parsed(body), found)
    return found


def _sort(value: Any, found: Documents) -> None:
    if isinstance(value, list):
        for each in records(value):
            _sort(each, found)
        return
    held = record(value)
    wrapped = list(_wrapped(held))
    if wrapped:
        for name, each in wrapped:
            _put(name, each, found)
    else:
        _put(_kind(held), held, found)


def _wrapped(held: Json) -> Iterator[tuple[str, Json]]:
    """``{"order": …}`` and ``{"orders": […]}`` as ("order", …), where that is all there is."""
    for name in ("order", "refund", "transaction", *_OTHERS):
        if isinstance(held.get(name), dict) and "line_items" not in held and "id" not in held:
            yield name, held[name]
        if isinstance(held.get(f"{name}s"), list) and "id" not in held:
            yield from ((name, each) for each in records(held[f"{name}s"]))


def _kind(held: Json) -> str:
    if "refund_line_items" in held:
        return "refund"
    if "line_items" not in held:
        return "transaction" if "kind" in held and "gateway" in held else ""
    if "invoice_url" in held:
        return "draft_order"
    if "abandoned_checkout_url" in held:
        return "checkout"
    return "fulfillment" if "order_id" in held and "total_price" not in held else "order"


def _put(name: str, held: Json, found: Documents) -> None:
    if name == "order":
        found.orders.append(held)
    elif name == "refund":
        found.refunds.append(held)
    elif name == "transaction":
        found.transactions.append(held)
    else:
        found.others.append(_OTHERS.get(name, "nothing that makes a receipt"))
