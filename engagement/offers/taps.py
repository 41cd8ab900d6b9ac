"""What a shopper does with an offer on their receipt: it was seen, it was tapped, each once."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Literal

from sqlalchemy import Connection, select, update

from engagement import events
from engagement.offers import counts, products
from engagement.offers.counts import Counted
from engagement.offers.links import Mark
from engagement.offers.tables import OfferTouch
from infra.database import insert_or_ignore
from receipts.tables import Receipt

Act = Literal["shown", "tapped"]


def note(conn: Connection, act: Act, marks: Sequence[Mark], *, now: datetime) -> None:
    """``marks`` are signed, so they name their merchant by their receipt. What is gone meanwhile does not count."""
    for mark in sorted(set(marks), key=lambda each: (each.receipt_id, each.product_id)):
        _note(conn, act, mark, now)


def _note(conn: Connection, act: Act, mark: Mark, now: datetime) -> None:
    # Held, so that whoever purges it meanwhile finds what is written here.
    held = select(Receipt.merchant_id).where(Receipt.id == mark.receipt_id)
    shown_by = conn.scalar(held.with_for_update(read=True, key_share=True))
    product = products.by_id(conn, mark.product_id)
    if shown_by is None or product is None:
        return
    counted = Counted(shown_by, product.merchant_id, product.sku, mark.reason)
    row = {"receipt_id": mark.receipt_id, "product_id": mark.product_id, "merchant_id": shown_by}
    new = insert_or_ignore(conn, OfferTouch).values(row | {"reason": mark.reason, "shown_at": now})
    if conn.scalar(new.returning(OfferTouch.product_id)) is not None:
        counts.count(conn, "shown", counted, now=now)
    if act == "tapped" and _is_first(conn, row, now):
        counts.count(conn, "tapped", counted, now=now)
        _tell(conn, mark, counted, now)


def _is_first(conn: Connection, row: dict[str, str], now: datetime) -> bool:
    untapped = update(OfferTouch).filter_by(**row).where(OfferTouch.tapped_at.is_(None))
    return conn.execute(untapped.values(tapped_at=now)).rowcount == 1


def _tell(conn: Connection, mark: Mark, counted: Counted, now: datetime) -> None:
    """An ally hears of their product, not of the receipt on which it stood."""
    told: dict[str, Any] = {"sku": counted.sku, "reason": counted.reason}
    events.tell(conn, counted.shown_by, "offer.tapped", told, now=now, receipt_id=mark.receipt_id)
    if counted.owner_id != counted.shown_by:
        events.tell(conn, counted.owner_id, "offer.tapped", told, now=now)
