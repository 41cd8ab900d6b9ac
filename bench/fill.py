"""A shop with many receipts, written as straight rows in the shape in which the intake writes them.

Everything about the receipt of one place is drawn from its number, so that a measurement can name any of them.
"""

import base64
import hashlib
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import islice
from typing import Any, Final

import orjson
import psycopg
from sqlalchemy import Connection, make_url

from accounts import keys, manage
from accounts.places import directories
from bench.intake import SALE
from cli.progress import Progress
from infra.database import connect, reading
from infra.jobs import APPLICATION, VERSION
from infra.schema import bring_up_to_date
from kernel.clock import iso, microseconds
from notify.asking import DELIVER
from pos.intake import arrive, draft_of
from receipts.reading import read_sale

STORES: Final = ("mitte", "kreuzberg", "altona", "sendling")
_TILLS: Final = ("till-1", "till-2", "till-3")
# Of the newest receipt; the others lie before it, one a minute, whatever their count.
NEWEST: Final = datetime(2026, 11, 20, 18, tzinfo=UTC)
_APART: Final = timedelta(seconds=61)
_TOGETHER: Final = 5_000
_MERCHANT: Final = "growth"
# So many receipts has a shopper; every third receipt names one, and every second of these is sent by email.
_OF_A_SHOPPER: Final = 10
_NAMED, _SENT, _KEYED, _REFUNDED = 3, 6, 10, 20
# The last messages still wait, as they would after a while without a mail server. Those before were sent by jobs, each
# with the messages of a few receipts.
_WAITING: Final = 60
_OF_A_JOB: Final = 30
_JOBS: Final = "workflow_status"
_TABLES: Final = ("receipts", "receipt_shoppers", "idempotency_keys", "returned_sums", "messages", _JOBS)

Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Shop:
    """A filled database, and a key of its one merchant. Receipts are numbered from 0, the oldest, to ``count`` - 1."""

    url: str
    key: str
    merchant_id: str
    count: int

    def token(self, place: int) -> str:
        return base64.urlsafe_b64encode(_drawn("token", place)).decode().rstrip("=")

    def number(self, place: int) -> str:
        return f"{place:08d}"

    def external_id(self, place: int) -> str:
        return f"till-{place:08d}"

    def email(self, place: int) -> str:
        """Of the shopper of a receipt that has one: every third does."""
        return f"shopper-{(place // _NAMED) % max(1, self.count // _NAMED // _OF_A_SHOPPER)}@example.com"

    def store(self, place: int) -> str:
        return STORES[_till_of(place) % len(STORES)]

    def issued_at(self, place: int) -> datetime:
        return NEWEST - (self.count - 1 - place) * _APART


def filled(url: str, count: int) -> Shop:
    """Make the tables and fill them."""
    bring_up_to_date(url)
    engine = connect(url)
    with engine.begin() as conn:
        merchant_id, key = _opened(conn)
    with reading(engine) as conn:
        patterns = _patterns(conn, merchant_id)
    engine.dispose()
    shop = Shop(url, key, merchant_id, count)
    progress = Progress("receipts", count)
    write = _copied if url.startswith("postgresql") else _inserted
    write(url, _batches(shop, patterns, progress))
    progress.end()
    return shop


def _opened(conn: Connection) -> tuple[str, str]:
    opened = NEWEST - timedelta(days=3650)
    merchant_id = manage.create_merchant(
        conn, _MERCHANT, manage.MerchantProfile(name="Growth", keep_days=1), now=opened
    )
    manage.put_brand(conn, merchant_id, _MERCHANT, manage.BrandProfile(name="Growth"), now=opened)
    for slug in STORES:
        store = manage.StoreProfile(name=slug.title(), brand=_MERCHANT, timezone="Europe/Berlin")
        manage.put_store(conn, merchant_id, slug, store, now=opened)
        for till in _TILLS:
            manage.put_till(conn, merchant_id, slug, till, manage.TillProfile(name=till.title()), now=opened)
    manage.put_staff_member(conn, merchant_id, "emma", manage.StaffProfile(name="Emma"), now=opened)
    return merchant_id, keys.create(conn, merchant_id, name="growth", scopes=list(keys.SCOPES), now=opened)[0]


def _patterns(conn: Connection, merchant_id: str) -> dict[tuple[str, int], Row]:
    """The rows of a sale and of a refund at each till, as the intake makes them."""
    known = directories(conn, [merchant_id])
    sale = orjson.loads(SALE.read_bytes())
    refund = {name: sale[name] for name in ("currency", "lines", "discounts", "charges", "taxes", "total", "payments")}
    made: dict[tuple[str, int], Row] = {}
    for at, (store, till) in enumerate((store, till) for till in _TILLS for store in STORES):
        here = {"store": store, "till": till, "issued_at": iso(NEWEST), "number": "1", "external_id": "1"}
        for kind, body in (("sale", sale), ("refund", refund | {"kind": "refund", "original": {"number": "1"}})):
            arrival = arrive(merchant_id, read_sale(body | here), now=NEWEST)
            draft = draft_of(arrival, known, NEWEST)
            made[kind, at] = draft.row | {"details": draft.shopper["details"] if draft.shopper else None}
    return made


def _batches(shop: Shop, patterns: dict[tuple[str, int], Row], progress: Progress) -> Iterator[dict[str, list[Row]]]:
    """The rows of some receipts and what hangs on them, by table."""
    places = iter(range(shop.count))
    while batch := list(islice(places, _TOGETHER)):
        rows: dict[str, list[Row]] = {name: [] for name in _TABLES}
        for place in batch:
            _add(rows, shop, patterns, place)
        yield {table: these for table, these in rows.items() if these}
        progress.done(len(batch))


def _add(rows: dict[str, list[Row]], shop: Shop, patterns: dict[tuple[str, int], Row], place: int) -> None:
    is_refund = place % _REFUNDED == _REFUNDED - 1
    pattern = patterns["refund" if is_refund else "sale", _till_of(place)]
    receipt = _receipt(shop, pattern, place, original=place - 7 if is_refund else None)
    rows["receipts"].append(receipt)
    mine = {"receipt_id": receipt["id"], "merchant_id": shop.merchant_id}
    if is_refund:
        sums = {"limit": receipt["total"], "returned": receipt["total"]}
        rows["returned_sums"].append(mine | sums | {"receipt_id": receipt["original_id"]})
    elif place % _NAMED == 0:
        rows["receipt_shoppers"].append(mine | {"email": shop.email(place), "details": pattern["details"]})
    if place % _KEYED == 0:
        rows["idempotency_keys"].append(mine | {"key": f"key-{place}", "created_at": receipt["accepted_at"]})
    if place % _SENT == 0:
        rows["messages"].append(_message(shop, receipt, place))
    if place % _OF_A_JOB == 0:
        rows[_JOBS].append(_job(place, receipt["accepted_at"] // 1000))


def _till_of(place: int) -> int:
    """Of all tills, the first of every store first. Each has its share of sales and of refunds."""
    return (place * 7 + place // _REFUNDED) % (len(STORES) * len(_TILLS))


def _receipt(shop: Shop, pattern: Row, place: int, original: int | None) -> Row:
    issued_at = shop.issued_at(place)
    return {name: value for name, value in pattern.items() if name != "details"} | {
        "id": _id("rct", place),
        "token": shop.token(place),
        "number": shop.number(place),
        "external_id": shop.external_id(place),
        "issued_at": microseconds(issued_at),
        "accepted_at": microseconds(issued_at),
        "original_id": None if original is None else _id("rct", original),
        "fingerprint": hashlib.sha256(b"%d" % place).hexdigest(),
        "content": pattern["content"].replace(iso(NEWEST), iso(issued_at), 1),
    }


def _message(shop: Shop, receipt: Row, place: int) -> Row:
    waits = place >= shop.count - _WAITING * _SENT
    return {
        "id": _id("msg", place),
        "merchant_id": shop.merchant_id,
        "subject_id": receipt["id"],
        "channel": "email",
        "address": shop.email(place),
        "ordinal": 0,
        "language": "de",
        "with_pdf": False,
        "is_automatic": True,
        "state": "waiting" if waits else "bounced" if place % 600 == 0 else "sent",
        "attempts": 0 if waits else 1,
        "detail": None if waits else "250 2.0.0 Ok: queued",
        "asked_at": receipt["accepted_at"],
        "claim": None,
        # In a hundred years, so that the worker beside the measured server leaves them alone.
        "due_at": receipt["accepted_at"] + 100 * 365 * 86_400_000_000 if waits else None,
        "settled_at": None if waits else receipt["accepted_at"],
    }


def _job(place: int, at: int) -> Row:
    """One that was done then, in milliseconds."""
    moments = dict.fromkeys(("created_at", "updated_at", "started_at_epoch_ms", "completed_at"), at)
    return moments | {
        "workflow_uuid": f"{DELIVER}:{_id('msg', place)}",
        "status": "SUCCESS",
        "name": DELIVER,
        "queue_name": DELIVER,
        "executor_id": "worker-1",
        "application_version": VERSION,
        "application_name": APPLICATION,
        "inputs": '{"args":[{},1],"kwargs":{}}',
        "output": '"done"',
    }


def _id(prefix: str, place: int) -> str:
    """Of the same length as real ones, and in the same order."""
    return f"{prefix}_{place:010d}{_drawn(prefix, place).hex()[:16]}"


def _drawn(what: str, place: int) -> bytes:
    return hashlib.blake2b(f"{what} {place}".encode(), digest_size=16).digest()


def _inserted(url: str, batches: Iterable[dict[str, list[Row]]]) -> None:
    """Through one connection that need not survive a crash."""
    with sqlite3.connect(make_url(url).database or "") as connection:
        for pragma in ("synchronous=OFF", "cache_size=-1000000"):
            connection.execute(f"PRAGMA {pragma}")
        for rows in batches:
            for table, these in rows.items():
                marks = ", ".join("?" * len(these[0]))
                insert = f"INSERT INTO {table} ({_named(these)}) VALUES ({marks})"  # noqa: S608
                connection.executemany(insert, _values(these))
            connection.commit()
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")


def _copied(url: str, batches: Iterable[dict[str, list[Row]]]) -> None:
    plain = make_url(url).set(drivername="postgresql").render_as_string(hide_password=False)
    with psycopg.connect(plain, autocommit=True) as connection:
        for rows in batches:
            for table, these in rows.items():
                into = f"dbos.{table}" if table == _JOBS else table
                with connection.cursor() as cursor, cursor.copy(f"COPY {into} ({_named(these)}) FROM STDIN") as copy:
                    for values in _values(these):
                        copy.write_row(values)
        # As autovacuum would do, soon after.
        connection.execute("VACUUM ANALYZE")
        connection.execute("CHECKPOINT")


def _named(rows: Sequence[Row]) -> str:
    return ", ".join(f'"{name}"' for name in rows[0])


def _values(rows: Sequence[Row]) -> list[list[Any]]:
    names = list(rows[0])
    return [[row[name] for name in names] for row in rows]
