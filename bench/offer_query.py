"""What a page waits for its offers: of a receipt of ten items, where 100,000 baskets were learned from."""

import os
import random
import tempfile
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from itertools import accumulate, islice
from pathlib import Path
from statistics import median
from typing import Any, Final

import orjson
from sqlalchemy import Connection, Engine, insert, select, text, update

from bench.fill import NEWEST, Shop, filled
from bench.table import Limit, Row
from engagement import shoppers
from engagement.offers import apart, find, products, rebuild
from engagement.offers.books import claim, settle
from engagement.offers.catalogue import read_content
from engagement.offers.lesson import Lesson
from engagement.offers.tables import Basket
from infra.database import connect, reading
from kernel.clock import utc_now
from receipts import find as receipts_find
from receipts.records import ReceiptRecord
from receipts.sale import Shopper
from receipts.tables import Receipt, ReceiptShopper
from tests.support import postgres

BASKETS: Final = 100_000
ITEMS: Final = 4_000
_LINES: Final = 10
_AT_MOST: Final = 3.0  # milliseconds
_ROUNDS: Final = 1_000
# As a server that has answered before: what is asked for is in memory, and statements are prepared.
_NOT_COUNTED: Final = 200
_KEY: Final = b"k" * 32
# As many as a regular has bought before.
_REGULARS: Final = 2_000
# Of a basket, so many items are of its own corner of the shop.
_CORNER: Final = 40


def rows(_seconds: float) -> Iterator[Row]:
    lesson: Lesson | None = None
    with tempfile.TemporaryDirectory() as folder:
        server = postgres.start(owner=os.getpid(), durable=True)
        for database, url in {
            "SQLite": f"sqlite:///{Path(folder)}/offers.db",
            "PostgreSQL": server.create("offers"),
        }.items():
            shop = filled(url, BASKETS)
            engine = connect(url)
            _stock(engine, shop)
            began = time.monotonic()
            # Of items that go together, as neighbours cost more than the popular do.
            lesson = lesson or apart.learn(rebuild._rows(engine, shop.merchant_id), aim="basket")
            assert lesson.neighbours.items
            learned = time.monotonic() - began
            if database == "SQLite":
                print(f"learned in {learned:.1f} s")
            _hold(engine, shop, lesson)
            for known in (False, True):
                who = "of a regular" if known else "of somebody"
                taken = _asked(engine, shop, known=known)
                what = f"offers for a receipt of ten items {who}, {database}, p50"
                yield Limit(what, round(median(taken) * 1000, 2), at_most=_AT_MOST, unit="ms")
            engine.dispose()


def _batched(every: Iterable[Any], size: int) -> Iterator[list[Any]]:
    waiting = iter(every)
    while some := list(islice(waiting, size)):
        yield some


def _sku(at: int) -> str:
    return f"sku-{at:05d}"


def _baskets() -> Iterator[list[str]]:
    """Some sell a thousand times as often as others, and what stands in one corner goes together."""
    drawn = random.Random(1)
    weights = list(accumulate(1 / (at + 20) for at in range(ITEMS)))
    while True:
        first = drawn.choices(range(ITEMS), cum_weights=weights)[0]
        corner = first - first % _CORNER
        near = [corner + drawn.randrange(_CORNER) for _ in range(drawn.randrange(8))]
        yield [_sku(each) for each in dict.fromkeys([first, *near])]


def _stock(engine: Engine, shop: Shop) -> None:
    names = {"price": "5.40", "currency": "EUR", "link": "https://shop.example/it"}
    catalogue = {_sku(at): read_content({"name": {"en": f"Product {at}"}} | names) for at in range(ITEMS)}
    with engine.begin() as conn:
        for some in _batched(catalogue.items(), 500):
            products.put(conn, shop.merchant_id, dict(some), now=NEWEST)
        held = select(Receipt.id, Receipt.store_id, Receipt.issued_at).where(Receipt.merchant_id == shop.merchant_id)
        receipts = conn.execute(held.order_by(Receipt.id)).all()
    for some in _batched(zip(receipts, _baskets(), range(len(receipts)), strict=False), 5_000):
        with engine.begin() as conn:
            conn.execute(insert(Basket), [_basket(shop, *each) for each in some])
    if engine.dialect.name == "postgresql":
        _analyse(engine)


def _basket(shop: Shop, receipt: Any, skus: Sequence[str], at: int) -> dict[str, Any]:
    items = orjson.dumps([f"s:{sku}" for sku in skus]).decode()
    mine = {"receipt_id": receipt.id, "merchant_id": shop.merchant_id, "store_id": receipt.store_id}
    return mine | {"shopper": _pseudonym(shop, at), "at": receipt.issued_at, "items": items, "returned": "[]"}


def _pseudonym(shop: Shop, at: int) -> str | None:
    return shoppers.pseudonym(_KEY, shop.merchant_id, Shopper(customer_id=f"regular-{at % _REGULARS}"))


def _hold(engine: Engine, shop: Shop, lesson: Lesson) -> None:
    with engine.begin() as conn:
        edition = claim(conn, shop.merchant_id, now=utc_now())
    assert edition is not None
    rebuild._write(engine, shop.merchant_id, edition, lesson)
    with engine.begin() as conn:
        assert settle(conn, shop.merchant_id, edition, report=lesson.report, is_learned=True, now=utc_now())
    if engine.dialect.name == "postgresql":
        _analyse(engine)


def _analyse(engine: Engine) -> None:
    """As autovacuum would do, soon after."""
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as conn:
        conn.execute(text("VACUUM ANALYZE"))


def _asked(engine: Engine, shop: Shop, *, known: bool) -> list[float]:
    drawn, taken = random.Random(2), []
    with reading(engine) as conn:
        desk = find.desk(conn, shop.merchant_id)
        for at in range(-_NOT_COUNTED, _ROUNDS):
            record = _of_ten(conn, shop, drawn)
            if known:
                _name(engine, record, drawn.randrange(_REGULARS))
            began = time.perf_counter()
            offers = find.offers_for(conn, desk, record, key=_KEY)
            if at >= 0:
                taken.append(time.perf_counter() - began)
            assert len(offers) == desk.book.at_most
    return taken


def _of_ten(conn: Connection, shop: Shop, drawn: random.Random) -> ReceiptRecord:
    record = None
    while record is None or record.kind != "sale":
        record = receipts_find.by_token(conn, shop.token(drawn.randrange(shop.count)))
    corners = [drawn.randrange(ITEMS // 4) for _ in range(_LINES)]
    lines = [
        {"id": str(at), "sku": _sku(each), "name": f"Product {each}", "total": "5.40"}
        for at, each in enumerate(corners)
    ]
    return replace(record, content_json=orjson.dumps({"lines": lines}).decode())


def _name(engine: Engine, record: ReceiptRecord, regular: int) -> None:
    told = orjson.dumps({"shopper": {"customer_id": f"regular-{regular}"}}).decode()
    with engine.begin() as conn:
        mine = (ReceiptShopper.merchant_id == record.merchant_id, ReceiptShopper.receipt_id == record.id)
        if conn.execute(update(ReceiptShopper).where(*mine).values(details=told)).rowcount == 0:
            row = {"receipt_id": record.id, "merchant_id": record.merchant_id, "email": None, "details": told}
            conn.execute(insert(ReceiptShopper).values(row))
