"""kill -9 under load: what was acknowledged is there, once; what was not may be sent again."""

import random
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlalchemy import Engine, func, select

from receipts.tables import IdempotencyKey, Receipt, ReturnedSum
from tests.support.sales import Body, coffee, refund
from tests.support.server import Served
from tests.support.shops import Shops

CLIENTS = 8
ENOUGH = 40


@dataclass(frozen=True)
class Posting:
    """What a till sends, and sends again if it got no answer."""

    path: str
    body: Any
    key: str

    @property
    def sales(self) -> list[Body]:
        return list(self.body["receipts"]) if "receipts" in self.body else [self.body]


@dataclass
class Tills:
    """Tills that post as fast as they can, and remember what they were told."""

    key: str
    told: dict[str, Body] = field(default_factory=dict)
    unanswered: list[Posting] = field(default_factory=list)
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _numbers: Iterator[int] = field(default_factory=lambda: iter(range(10**9)))

    def post(self, client: httpx.Client, posting: Posting) -> bool:
        """Whether the server answered."""
        try:
            answer = client.post(posting.path, json=posting.body, headers={"Idempotency-Key": posting.key})
        except httpx.TransportError:
            with self._lock:
                self.unanswered.append(posting)
            return False
        assert answer.status_code in (200, 201), answer.text
        results = [each["receipt"] for each in answer.json()["results"]] if "batch" in posting.path else [answer.json()]
        with self._lock:
            for sale, receipt in zip(posting.sales, results, strict=True):
                assert self.told.setdefault(sale["number"], receipt) == receipt
        return True

    def until_it_dies(self, url: str) -> None:
        with httpx.Client(base_url=url, headers={"Authorization": f"Bearer {self.key}"}, timeout=30) as client:
            while self.post(client, self._next()):
                pass

    def again(self, url: str) -> int:
        """How many of the unanswered postings there were. Now each is answered."""
        postings, self.unanswered = self.unanswered, []
        with httpx.Client(base_url=url, headers={"Authorization": f"Bearer {self.key}"}, timeout=30) as client:
            assert all(self.post(client, posting) for posting in postings)
        return len(postings)

    def _next(self) -> Posting:
        with self._lock:
            number = next(self._numbers)
            originals = [number for number in self.told if not number.startswith("R")]
        # By their key alone, by their id too, many together, and money that goes back.
        match number % 4:
            case 0:
                return Posting("/v1/receipts", self._sale(number, external_id=None), f"key-{number}")
            case 1 if originals:
                back = refund(self.told[random.choice(originals)]["id"], "0.01", number=f"R{number}")
                return Posting("/v1/receipts", back, f"key-{number}")
            case 2:
                sales = [self._sale(number, place) for place in range(5)]
                return Posting("/v1/receipts/batch", {"receipts": sales}, f"key-{number}")
        return Posting("/v1/receipts", self._sale(number), f"key-{number}")

    def _sale(self, number: int, place: int = 0, **changes: Any) -> Body:
        return coffee(number=f"S{number}.{place}", **changes)


def survive(server: Served, tills: Tills, rounds: int) -> int:
    """Start, load and kill the server so many times; how many postings were left without an answer on the way."""
    left = 0
    for _ in range(rounds):
        server.start()
        left += tills.again(server.url)
        before = len(tills.told)
        with ThreadPoolExecutor(CLIENTS) as pool:
            running = [pool.submit(tills.until_it_dies, server.url) for _ in range(CLIENTS)]
            while len(tills.told) < before + ENOUGH:
                assert not any(each.done() and each.exception() for each in running)
                time.sleep(0.001)
            time.sleep(random.uniform(0, 0.1))
            server.kill()
            for each in running:
                each.result()
    server.start()
    return left + tills.again(server.url)


def check(engine: Engine, tills: Tills) -> None:
    with engine.connect() as conn:
        kept = conn.execute(select(Receipt.number, Receipt.id, Receipt.token)).all()
        keys = conn.scalars(select(IdempotencyKey.receipt_id)).all()
        of_original = select(Receipt.original_id, func.sum(Receipt.total)).where(Receipt.original_id.is_not(None))
        went_back = {each: int(total) for each, total in conn.execute(of_original.group_by(Receipt.original_id))}
        sums = {row.receipt_id: row.returned for row in conn.execute(select(ReturnedSum.__table__))}
    assert len(kept) == len({row.number for row in kept}), "a sale is there twice"
    there = {row.number: (row.id, row.token) for row in kept}
    assert there == {number: (receipt["id"], receipt["token"]) for number, receipt in tills.told.items()}
    assert set(keys) == {row.id for row in kept}
    assert sums == went_back


@pytest.fixture
def server(tmp_path: Path, database_url: str) -> Iterator[Served]:
    server = Served(tmp_path, database_url)
    yield server
    server.kill()


def test_what_was_acknowledged_outlives_the_server(server: Served, shops: Shops, engine: Engine) -> None:
    tills = Tills(shops.owner)
    assert survive(server, tills, rounds=3) > 0
    check(engine, tills)


@pytest.mark.long
def test_what_was_acknowledged_outlives_the_server_twenty_times(server: Served, shops: Shops, engine: Engine) -> None:
    tills = Tills(shops.owner)
    assert survive(server, tills, rounds=20) > 0
    check(engine, tills)
