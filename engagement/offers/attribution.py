"""Which purchases came of an offer: of the same shopper after a tap, or on a receipt that carries the offer's mark.

A shopper is recognised at the merchant on whose receipt they tapped, and nowhere else: what they buy at an ally counts
by the mark alone.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

import orjson
from sqlalchemy import Connection, Row, select, update

from engagement import events
from engagement.offers import books, counts, links
from engagement.offers.counts import Counted
from engagement.offers.items import all_of, is_bought, is_goods, item_of
from engagement.offers.links import Mark
from engagement.offers.tables import Basket, OfferSale, OfferTouch, Product, ProductItem
from infra.database import insert_or_ignore
from kernel import money
from receipts.document import read_content
from receipts.tables import Receipt
from receipts.worth import worth

_NAMES: Final = ("offer", "coupon")
_MOST_MARKS: Final = 20


@dataclass(frozen=True, slots=True)
class Purchase:
    """``content`` is the receipt's JSON, ``marks`` is what it carries that may be one of ours."""

    receipt_id: str
    merchant_id: str
    kind: str
    currency: str
    at: datetime
    shopper: str | None
    content: str
    marks: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Lead:
    """An offer that may have led to a purchase: on whose receipt it stood, and when it was tapped."""

    mark: Mark
    shown_by: str
    tapped_at: datetime


def marks(content: Mapping[str, Any], metadata: Mapping[str, Any]) -> tuple[str, ...]:
    """What a receipt carries as ``metadata.offer``, ``metadata.coupon`` or the code of a discount."""
    discounts = [
        *content.get("discounts", ()),
        *(each for line in content["lines"] for each in line.get("discounts", ())),
    ]
    told = [*(metadata.get(name) for name in _NAMES), *(each.get("code") for each in discounts)]
    return tuple(dict.fromkeys(each for each in told if isinstance(each, str)))[:_MOST_MARKS]


def attribute(conn: Connection, purchases: Sequence[Purchase], key: bytes, *, now: datetime) -> None:
    """Each purchase is attributed to the offer that was tapped last, each offer to the first purchase after it."""
    tapped = _tapped(conn, purchases)
    windows: dict[str, timedelta] = {}
    for purchase in sorted(purchases, key=lambda each: (each.at, each.receipt_id)):
        leads = [*_marked(conn, purchase, key), *tapped.get((purchase.merchant_id, purchase.shopper), ())]
        if not leads:
            continue
        if purchase.merchant_id not in windows:
            windows[purchase.merchant_id] = books.book(conn, purchase.merchant_id).window
        within = [each for each in leads if purchase.at - each.tapped_at <= windows[purchase.merchant_id]]
        _settle(conn, purchase, sorted(within, key=lambda each: each.tapped_at, reverse=True), now=now)


def take_back(
    conn: Connection, merchant_id: str, receipt_id: str, back: Mapping[str, int] | None, *, now: datetime
) -> None:
    """What came of an offer and went back counts as returned: so much of it in minor units, by item; all of it where
    ``back`` is None. Whoever calls holds the sale's basket."""
    of = (OfferSale.merchant_id == merchant_id, OfferSale.receipt_id == receipt_id)
    for sale in conn.execute(select(OfferSale.__table__).where(*of)).all():
        gone = _gone(sale, back)
        if gone is None or (sale.returned_at is not None and not gone):
            continue
        values = {"returned_at": sale.returned_at or now, "returned_amount": sale.returned_amount + gone}
        conn.execute(update(OfferSale).where(*of, OfferSale.product_id == sale.product_id).values(values))
        counted = Counted(sale.shown_by, merchant_id, sale.sku, sale.reason, sale.currency, gone)
        counts.count(conn, "returned", counted, now=now, times=int(sale.returned_at is None))


def _gone(sale: Row[Any], back: Mapping[str, int] | None) -> int | None:
    """How much of the purchase went back now; None where nothing did."""
    left = int(sale.amount - sale.returned_amount)
    if back is None:
        return left
    worths = [back[item] for item in orjson.loads(sale.items) if item in back]
    return min(left, sum(worths)) if worths else None


def _tapped(conn: Connection, purchases: Sequence[Purchase]) -> dict[tuple[str, str | None], list[Lead]]:
    """What the shoppers of ``purchases`` tapped and did not buy yet, by merchant and shopper."""
    found: dict[tuple[str, str | None], list[Lead]] = {}
    for merchant_id in sorted({each.merchant_id for each in purchases}):
        shoppers = {each.shopper for each in purchases if each.merchant_id == merchant_id and each.shopper}
        query = (
            select(Basket.shopper, OfferTouch.__table__)
            .join(OfferTouch, OfferTouch.receipt_id == Basket.receipt_id)
            .where(Basket.merchant_id == merchant_id, Basket.shopper.in_(shoppers))
            .where(OfferTouch.tapped_at.is_not(None), OfferTouch.bought_at.is_(None))
        )
        for row in conn.execute(query) if shoppers else ():
            lead = Lead(Mark(row.receipt_id, row.product_id, row.reason), merchant_id, row.tapped_at)
            found.setdefault((merchant_id, row.shopper), []).append(lead)
    return found


def _marked(conn: Connection, purchase: Purchase, key: bytes) -> Iterator[Lead]:
    """By the marks that it carries, of whatever merchant's receipt: they are signed. One whose tap nobody told of was
    tapped all the same, some time after its receipt."""
    for mark in filter(None, (links.read(key, told) for told in purchase.marks)):
        shown = select(Receipt.merchant_id, Receipt.accepted_at).where(Receipt.id == mark.receipt_id)
        receipt = conn.execute(shown.with_for_update(read=True, key_share=True)).one_or_none()
        mine = (OfferTouch.receipt_id == mark.receipt_id, OfferTouch.product_id == mark.product_id)
        touch = conn.execute(select(OfferTouch.tapped_at).where(*mine)).one_or_none()
        if receipt is not None and mark.receipt_id != purchase.receipt_id:
            tapped_at = touch.tapped_at if touch and touch.tapped_at else receipt.accepted_at
            yield Lead(mark, receipt.merchant_id, min(tapped_at, purchase.at))


def _settle(conn: Connection, purchase: Purchase, leads: Sequence[Lead], *, now: datetime) -> None:
    """``leads`` come best first."""
    content = orjson.loads(purchase.content)
    # What comes back in an exchange was not bought with it.
    lines = {line["id"]: line for line in content["lines"] if is_goods(line) and is_bought(purchase.kind, line)}
    skus = _skus(conn, purchase.merchant_id, {lead.mark.product_id for lead in leads}, lines)
    done: set[str] = set()
    for lead in leads:
        product_id = lead.mark.product_id
        if lead.tapped_at > purchase.at or product_id in done or product_id not in skus:
            continue
        sku, on = skus[product_id]
        if _claimed(conn, purchase, lead, now=now):
            done.add(product_id)
            items = sorted({item_of(lines[each]) for each in on})
            _write(conn, purchase, lead, sku, items, _amount(purchase, on), now=now)


def _skus(
    conn: Connection, merchant_id: str, product_ids: set[str], lines: Mapping[str, Mapping[str, Any]]
) -> dict[str, tuple[str, set[str]]]:
    """For each of the merchant's products that were bought, its SKU and the ids of its lines."""
    known = {line_id: all_of(line) for line_id, line in lines.items()}
    query = select(Product.id, Product.sku, ProductItem.item).join(ProductItem, ProductItem.product_id == Product.id)
    mine = (Product.merchant_id == merchant_id, ProductItem.merchant_id == merchant_id, Product.id.in_(product_ids))
    found: dict[str, tuple[str, set[str]]] = {}
    for row in conn.execute(query.where(*mine)):
        on = {line_id for line_id, keys in known.items() if row.item in keys}
        if on:
            found.setdefault(row.id, (row.sku, set()))[1].update(on)
    return found


def _claimed(conn: Connection, purchase: Purchase, lead: Lead, *, now: datetime) -> bool:
    """Whether this offer led to no purchase yet, and this purchase came of no other."""
    key = {"receipt_id": lead.mark.receipt_id, "product_id": lead.mark.product_id}
    seen = {"merchant_id": lead.shown_by, "reason": lead.mark.reason, "shown_at": now}
    conn.execute(insert_or_ignore(conn, OfferTouch).values(key | seen))
    known = select(OfferSale.receipt_id).where(
        OfferSale.receipt_id == purchase.receipt_id, OfferSale.product_id == lead.mark.product_id
    )
    if conn.scalar(known) is not None:
        return False
    open_ = update(OfferTouch).filter_by(**key).where(OfferTouch.bought_at.is_(None))
    return conn.execute(open_.values(bought_at=now)).rowcount == 1


def _amount(purchase: Purchase, lines: set[str]) -> int:
    content = read_content(purchase.content, purchase.currency)
    return worth(content, [line for line in content.lines if line.id in lines and line.total > 0])


def _write(
    conn: Connection, purchase: Purchase, lead: Lead, sku: str, items: Sequence[str], amount: int, *, now: datetime
) -> None:
    told = {"sku": sku, "reason": lead.mark.reason, "currency": purchase.currency, "amount": amount}
    key = {"receipt_id": purchase.receipt_id, "product_id": lead.mark.product_id}
    row = key | told | {"merchant_id": purchase.merchant_id, "shown_by": lead.shown_by}
    row |= {"items": orjson.dumps(items).decode(), "returned_amount": 0}
    conn.execute(insert_or_ignore(conn, OfferSale).values(row))
    counted = Counted(lead.shown_by, purchase.merchant_id, sku, lead.mark.reason, purchase.currency, amount)
    counts.count(conn, "bought", counted, now=now)
    said = told | {"amount": money.plain(amount, money.exponent(purchase.currency))}
    events.tell(conn, purchase.merchant_id, "offer.bought", said, now=now, receipt_id=purchase.receipt_id)
    if lead.shown_by != purchase.merchant_id:
        # What one of their shoppers spent elsewhere is told to nobody: the numbers have the sum.
        events.tell(conn, lead.shown_by, "offer.bought", {"sku": sku, "reason": lead.mark.reason}, now=now)
