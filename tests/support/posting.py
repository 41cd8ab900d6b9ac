"""Tills that post as fast as they can, while what they post to is killed, cut off or stopped."""

import random
import threading
import time
from collections import Counter
from collections.abc import Collection, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import httpx
from sqlalchemy import Engine, func, select

from receipts.tables import IdempotencyKey, Receipt, ReturnedSum
from tests.support.sales import Body, coffee, refund

CLIENTS = 8


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
    # Whether every second sale is to be sent to its shopper, each to an address of its own.
    with_mail: bool = False
    told: dict[str, Body] = field(default_factory=dict)
    unanswered: list[Posting] = field(default_factory=list)
    refused: Counter[int] = field(default_factory=Counter)
    enough: threading.Event = field(default_factory=threading.Event)
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _numbers: Iterator[int] = field(default_factory=lambda: iter(range(10**9)))

    def post(self, client: httpx.Client, posting: Posting, through: Collection[int] = ()) -> bool:
        """Whether the server answered. Refusals that are to be expected, ``through``, are posted again in the end."""
        try:
            answer = client.post(posting.path, json=posting.body, headers={"Idempotency-Key": posting.key})
        except httpx.TransportError:
            with self._lock:
                self.unanswered.append(posting)
            return False
        refused = [each for each in _statuses(answer) if each in through]
        if refused:
            with self._lock:
                self.unanswered.append(posting)
                self.refused.update(refused)
            return True
        assert answer.status_code in (200, 201), answer.text
        results = [each["receipt"] for each in answer.json()["results"]] if "batch" in posting.path else [answer.json()]
        with self._lock:
            for sale, receipt in zip(posting.sales, results, strict=True):
                assert self.told.setdefault(sale["number"], receipt) == receipt
        return True

    def until_it_dies(self, url: str, through: Collection[int] = ()) -> None:
        """Or until they are told that it is enough."""
        with httpx.Client(base_url=url, headers={"Authorization": f"Bearer {self.key}"}, timeout=30) as client:
            while not self.enough.is_set() and self.post(client, self._next(), through):
                pass

    def again(self, url: str) -> int:
        """How many of the unanswered postings there were. Now each is answered."""
        postings, self.unanswered = self.unanswered, []
        with httpx.Client(base_url=url, headers={"Authorization": f"Bearer {self.key}"}, timeout=30) as client:
            assert all(self.post(client, posting) for posting in postings)
        return len(postings)

    @contextmanager
    def busy(self, url: str, through: Collection[int] = ()) -> Iterator[None]:
        """They post for as long as the block lasts, or the server does."""
        self.enough.clear()
        with ThreadPoolExecutor(CLIENTS) as pool:
            running = [pool.submit(self.until_it_dies, url, through) for _ in range(CLIENTS)]
            try:
                yield
            finally:
                self.enough.set()
                for each in running:
                    each.result()

    def wait_for(self, count: int) -> None:
        """Until so many more sales were acknowledged."""
        enough, deadline = len(self.told) + count, time.monotonic() + 60
        while len(self.told) < enough:
            assert time.monotonic() < deadline, f"{len(self.told) - enough + count} of {count} sales within a minute"
            time.sleep(0.001)

    def asked(self) -> set[str]:
        """Addresses that an acknowledged sale is to be sent to."""
        return {f"{number.lower()}@example.com" for number in self.told if self.with_mail and _is_for_mail(number)}

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
        name = f"S{number}.{place}"
        if self.with_mail and _is_for_mail(name):
            changes |= {"deliver": ["email"], "shopper": {"email": f"{name.lower()}@example.com"}}
        return coffee(number=name, **changes)


def _statuses(answer: httpx.Response) -> list[int]:
    """Its own, and those of its results where it has some."""
    results = answer.json().get("results", []) if answer.status_code == 200 else []
    return [answer.status_code, *(each["status"] for each in results)]


def _is_for_mail(name: str) -> bool:
    number, _, place = name.removeprefix("S").partition(".")
    return name.startswith("S") and (int(number) // 2 + int(place)) % 2 == 0


def check(engine: Engine, tills: Tills) -> None:
    """What was acknowledged is there, once, and nothing else."""
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
