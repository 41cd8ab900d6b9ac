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
from kernel.clock import Clock, iso
from kernel.ids import least_id
from receipts.sale import Shopper
from receipts.tables import Receipt, ReceiptShopper

_TOGETHER: Final = 1_000
# Longer than any transaction of the intake.
_BEING_WRITTEN: Final = timedelta(minutes=1)
# The kind of the jobs that catch up, and the time after which all servers know of a campaign.
CATCH_UP: Final = "first-purchases"
_REMEMBERED: Final = timedelta(seconds=10)
_MARKS: Final = ("customer_id", "loyalty_id", "email", "phone")


def look_back(engine: Engine, keys: RewardKeys, merchant_id: str, *, clock: Clock) -> datetime:
    """Write down who has bought before, as far as receipts are kept. It reads all of the merchant's, once a launch,
    page by page, and lets others write between; then what came while it did. The moment from which on to
    :func:`catch_up`."""
    began, last, is_more = clock(), None, True
    while is_more:
        with in_turn(engine) as conn:
            last = page(conn, keys, merchant_id, after=last)
            is_more = last is not None
    read = clock()
    see(engine, keys, merchant_id, since=began, until=read)
    return read


def page(
    conn: Connection, keys: RewardKeys, merchant_id: str, *, after: tuple[datetime, str] | None
) -> tuple[datetime, str] | None:
    """So many receipts from behind one on, by when they were issued, whoever they name; the last of them. None where
    there were no more."""
    query = select(Receipt.issued_at, Receipt.id).where(Receipt.merchant_id == merchant_id)
    if after is not None:
        place = tuple_(literal(after[0], Instant), literal(after[1]))
        query = query.where(tuple_(Receipt.issued_at, Receipt.id) > place)
    rows = conn.execute(query.order_by(Receipt.issued_at, Receipt.id).limit(_TOGETHER)).all()
    _look_at(conn, keys, merchant_id, [row.id for row in rows])
    return (rows[-1].issued_at, rows[-1].id) if len(rows) == _TOGETHER else None


def see(engine: Engine, keys: RewardKeys, merchant_id: str, *, since: datetime, until: datetime) -> None:
    """What was sold in a time, or was just being written when it began or ended, page by page as in :func:`look_back`.
    It is found by its ids, of all merchants together."""
    last: str | None = _begins(since)
    while last is not None:
        with in_turn(engine) as conn:
            last = _next(conn, keys, merchant_id, last, least_id("rct", until + _BEING_WRITTEN))


def catch_up(conn: Connection, keys: RewardKeys, merchant_id: str, *, since: datetime) -> None:
    """In the transaction of the launch: what was sold since :func:`look_back` was done, or was just being written then.
    That is little."""
    last: str | None = _begins(since)
    while last is not None:
        last = _next(conn, keys, merchant_id, last)


def ask_again(
    conn: Connection, jobs: Jobs, merchant_id: str, campaign_id: str, *, since: datetime, now: datetime
) -> None:
    """In the transaction of the launch: a job that looks once more, by :func:`see`. For some seconds other servers
    still remember that there was no campaign, and write nobody down."""
    told = {"merchant": merchant_id, "since": iso(since), "until": iso(now + _REMEMBERED)}
    delay = _REMEMBERED.total_seconds()
    jobs.enqueue(conn, CATCH_UP, told, job_id=f"{CATCH_UP}+{campaign_id}", delay=delay)


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


def _begins(since: datetime) -> str:
    return least_id("rct", since - _BEING_WRITTEN)


def _next(conn: Connection, keys: RewardKeys, merchant_id: str, after: str, before: str | None = None) -> str | None:
    """So many receipts from behind one on, by their ids; the last of them. None where there were no more."""
    mine = [unindexed(Receipt.merchant_id) == merchant_id, Receipt.id > after]
    mine += [] if before is None else [Receipt.id < before]
    ids = conn.scalars(select(Receipt.id).where(*mine).order_by(Receipt.id).limit(_TOGETHER)).all()
    _look_at(conn, keys, merchant_id, ids)
    return ids[-1] if len(ids) == _TOGETHER else None


def _look_at(conn: Connection, keys: RewardKeys, merchant_id: str, ids: Sequence[str]) -> None:
    """Write down who bought by these receipts, each shopper with the latest, as :func:`among` does."""
    sold = _held(conn, merchant_id, ids) if ids else []
    # In a statement of its own: what is read together with the receipts may be as it was before somebody was erased.
    named = select(ReceiptShopper.receipt_id, ReceiptShopper.details).where(
        unindexed(ReceiptShopper.merchant_id) == merchant_id, ReceiptShopper.receipt_id.in_(sold)
    )
    latest = {
        mark: row.receipt_id
        for row in (conn.execute(named.order_by(ReceiptShopper.receipt_id)) if sold else ())
        if (mark := _mark(keys, merchant_id, row.details)) is not None
    }
    _write(conn, merchant_id, latest)


def _held(conn: Connection, merchant_id: str, ids: Sequence[str]) -> list[str]:
    """The sales among these receipts that name somebody, held until the transaction ends: whoever purges or erases them
    meanwhile waits, and then finds who was written down by them."""
    mine = (unindexed(Receipt.merchant_id) == merchant_id, Receipt.id.in_(ids), unindexed(Receipt.kind) == "sale")
    query = select(Receipt.id, Receipt.content).join(ReceiptShopper, ReceiptShopper.receipt_id == Receipt.id)
    held = query.where(*mine).order_by(Receipt.id).with_for_update(read=True, key_share=True, of=Receipt)
    rows = conn.execute(held).all()
    return [row.id for row in rows if counts("sale", orjson.loads(row.content).get("flags", ()))]


def _write(conn: Connection, merchant_id: str, latest: dict[str, str]) -> None:
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
