"""Who buys for the first time, of merchants with campaigns for those who do."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final

import orjson
from sqlalchemy import Connection, Engine, literal, select, tuple_, update

from engagement import shoppers
from engagement.rewards.keys import RewardKeys
from engagement.rewards.sold import Sold, counts
from engagement.rewards.tables import SeenShopper
from infra.database import Instant, in_turn, insert_or_ignore, unindexed, upsert
from infra.jobs import Jobs
from kernel.clock import iso
from kernel.ids import least_id
from receipts.sale import Shopper
from receipts.tables import Receipt, ReceiptShopper

_TOGETHER: Final = 1_000
# Longer than any transaction of the intake.
_BEING_WRITTEN: Final = timedelta(minutes=1)
# The kind of the jobs that catch up, and the seconds after which all servers know of a campaign.
CATCH_UP: Final = "first-purchases"
_REMEMBERED: Final = 10.0
_MARKS: Final = ("customer_id", "loyalty_id", "email", "phone")


def look_back(engine: Engine, keys: RewardKeys, merchant_id: str) -> None:
    """Write down who has bought before, as far as receipts are kept. It reads all of the merchant's, once a launch,
    page by page, and lets others write between."""
    last, is_more = None, True
    while is_more:
        with in_turn(engine) as conn:
            last = page(conn, keys, merchant_id, after=last)
            is_more = last is not None


def page(
    conn: Connection, keys: RewardKeys, merchant_id: str, *, after: tuple[datetime, str] | None
) -> tuple[datetime, str] | None:
    """So many receipts from behind one on, by when they were issued, whoever they name; the last of them. None where
    there are no more."""
    query = select(Receipt.issued_at, Receipt.id).where(Receipt.merchant_id == merchant_id)
    if after is not None:
        place = tuple_(literal(after[0], Instant), literal(after[1]))
        query = query.where(tuple_(Receipt.issued_at, Receipt.id) > place)
    rows = conn.execute(query.order_by(Receipt.issued_at, Receipt.id).limit(_TOGETHER)).all()
    _look_at(conn, keys, merchant_id, [row.id for row in rows])
    return (rows[-1].issued_at, rows[-1].id) if rows else None


def catch_up(conn: Connection, keys: RewardKeys, merchant_id: str, *, since: datetime) -> None:
    """At the launch, and soon afterwards: what was sold while :func:`look_back` read, or was just being written when it
    began. That is little, of all merchants together, and found by its ids."""
    last: str | None = least_id("rct", since - _BEING_WRITTEN)
    while last is not None:
        mine = (unindexed(Receipt.merchant_id) == merchant_id, Receipt.id > last)
        ids = conn.scalars(select(Receipt.id).where(*mine).order_by(Receipt.id).limit(_TOGETHER)).all()
        _look_at(conn, keys, merchant_id, ids)
        last = ids[-1] if ids else None


def ask_again(conn: Connection, jobs: Jobs, merchant_id: str, campaign_id: str, *, since: datetime) -> None:
    """In the transaction of the launch: a job that catches up once more. For some seconds other servers still remember
    that there was no campaign, and write nobody down."""
    told = {"merchant": merchant_id, "since": iso(since)}
    jobs.enqueue(conn, CATCH_UP, told, job_id=f"{CATCH_UP}+{campaign_id}", delay=_REMEMBERED)


def among(conn: Connection, sold: Sequence[Sold]) -> set[str]:
    """The receipts of ``sold`` by which shoppers are seen for the first time. Their row is kept as long as the last of
    their receipts."""
    found = set()
    # In one order, as all locks: who writes the same shopper down meanwhile is waited for.
    for each in sorted(sold, key=lambda one: (one.merchant_id, one.shopper or "", one.receipt_id)):
        if each.shopper is None:
            continue
        row = {"merchant_id": each.merchant_id, "shopper": each.shopper, "receipt_id": each.receipt_id}
        if conn.scalar(insert_or_ignore(conn, SeenShopper).values(row).returning(SeenShopper.shopper)):
            found.add(each.receipt_id)
            continue
        known = (SeenShopper.merchant_id == each.merchant_id, SeenShopper.shopper == each.shopper)
        conn.execute(update(SeenShopper).where(*known).values(receipt_id=each.receipt_id))
    return found


def _look_at(conn: Connection, keys: RewardKeys, merchant_id: str, ids: Sequence[str]) -> None:
    """Write down who bought by these receipts, each shopper with the latest, as :func:`among` does."""
    if not ids:
        return
    named = select(Receipt.id, Receipt.content, ReceiptShopper.details)
    named = named.join(ReceiptShopper, ReceiptShopper.receipt_id == Receipt.id).where(
        unindexed(Receipt.merchant_id) == merchant_id, Receipt.id.in_(ids), unindexed(Receipt.kind) == "sale"
    )
    latest = {
        mark: row.id
        for row in conn.execute(named.order_by(Receipt.id))
        if counts("sale", orjson.loads(row.content).get("flags", ()))
        and (mark := _mark(keys, merchant_id, row.details)) is not None
    }
    _see(conn, merchant_id, latest)


def _see(conn: Connection, merchant_id: str, latest: dict[str, str]) -> None:
    """Shoppers with the latest of their receipts that is known. In one order, as all locks."""
    new = upsert(conn, SeenShopper)
    later = new.excluded.receipt_id
    seen = new.on_conflict_do_update(
        index_elements=[SeenShopper.merchant_id, SeenShopper.shopper],
        set_={"receipt_id": later},
        where=SeenShopper.receipt_id < later,
    )
    rows = [{"merchant_id": merchant_id, "shopper": mark, "receipt_id": latest[mark]} for mark in sorted(latest)]
    if rows:
        conn.execute(seen, rows)


def _mark(keys: RewardKeys, merchant_id: str, details: str) -> str | None:
    told = orjson.loads(details).get("shopper") or {}
    return shoppers.pseudonym(
        keys.shopper, merchant_id, Shopper.model_construct(**{name: told.get(name) for name in _MARKS})
    )
