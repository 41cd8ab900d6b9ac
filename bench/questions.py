"""What tills, integrators and shoppers ask of a server, each time about another receipt."""

import http.client
import random
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, Final
from urllib.parse import urlencode, urlsplit

import orjson

from bench.fill import STORES, Shop
from bench.intake import SALE
from kernel.clock import iso

_SALE: Final[dict[str, Any]] = orjson.loads(SALE.read_bytes())


@dataclass(slots=True)
class Client:
    """One connection that is kept, to the server of a shop."""

    shop: Shop
    address: str
    drawn: random.Random = field(default_factory=random.Random)
    _line: http.client.HTTPConnection = field(init=False)

    def __post_init__(self) -> None:
        parts = urlsplit(self.address)
        self._line = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=120)

    def ask(self, method: str, path: str, body: bytes | None = None) -> tuple[float, bytes]:
        """Seconds until the whole answer was there, and its body. Raises RuntimeError for a refusal."""
        headers = {"Authorization": f"Bearer {self.shop.key}", "Content-Type": "application/json"}
        began = time.perf_counter()
        self._line.request(method, path, body, headers)
        answer = self._line.getresponse()
        said = answer.read()
        taken = time.perf_counter() - began
        if answer.status >= 400:
            raise RuntimeError(f"{method} {path}: {answer.status} {said[:500]!r}")
        return taken, said

    def place(self, every: int = 1, at: int = 0) -> int:
        """Of some receipt, of those whose place leaves ``at`` when divided by ``every``."""
        return self.drawn.randrange(self.shop.count // every) * every + at

    def close(self) -> None:
        self._line.close()


# Seconds that the answer took.
Question = Callable[[Client], float]


def listed(**filters: str) -> str:
    return f"/v1/receipts?{urlencode(filters)}"


def _found(client: Client, **filters: str) -> float:
    taken, said = client.ask("GET", listed(**filters))
    if not orjson.loads(said)["receipts"]:
        raise RuntimeError(f"{filters} found nothing")
    return taken


def _posted(client: Client, **changes: Any) -> float:
    names = {"external_id": f"new-{time.monotonic_ns()}", "number": f"N{time.monotonic_ns()}"}
    return client.ask("POST", "/v1/receipts", orjson.dumps(_SALE | names | changes))[0]


def _refunded(client: Client) -> float:
    """A cent of a sale goes back; its till knows the number that is printed on it."""
    original = {"number": client.shop.number(client.place(20, 5))}
    said = {"kind": "refund", "original": original, "currency": "EUR", "total": "0.01"}
    new = {"external_id": f"new-{time.monotonic_ns()}", "store": "mitte", "issued_at": _SALE["issued_at"]}
    return client.ask("POST", "/v1/receipts", orjson.dumps(said | new))[0]


def _a_day(client: Client) -> float:
    begin = client.shop.issued_at(client.place())
    return _found(client, issued_from=iso(begin), issued_before=iso(begin + timedelta(days=1)))


def _in_its_store(client: Client) -> float:
    place = client.place()
    return _found(client, store=client.shop.store(place), number=client.shop.number(place))


def _deep(client: Client) -> float:
    """The page after one in the middle: its cursor is asked for first, and not timed."""
    before = iso(client.shop.issued_at(client.shop.count // 2 + client.place(100) // 4))
    _, said = client.ask("GET", listed(issued_before=before))
    return _found(client, cursor=orjson.loads(said)["next_cursor"])


def _messages(client: Client, path: str) -> float:
    taken, said = client.ask("GET", path)
    if not orjson.loads(said)["deliveries"]:
        raise RuntimeError(f"{path} found nothing")
    return taken


def _store(client: Client) -> str:
    return client.drawn.choice(STORES)


QUESTIONS: Final[dict[str, Question]] = {
    "accept a sale": _posted,
    "accept a refund of a printed number": _refunded,
    "page of a receipt, each once": lambda client: client.ask("GET", f"/r/{client.shop.token(client.place())}")[0],
    "a receipt by its token": lambda c: c.ask("GET", f"/v1/receipts/{c.shop.token(c.place())}")[0],
    "list, newest": _found,
    "list of a store": lambda client: _found(client, store=_store(client)),
    "list of a till": lambda client: _found(client, store=_store(client), till="till-1"),
    "list of refunds": lambda client: _found(client, kind="refund"),
    "list of refunds of a store": lambda client: _found(client, kind="refund", store=_store(client)),
    "list, a page in the middle by its cursor": _deep,
    "search by email": lambda client: _found(client, email=client.shop.email(client.place(3))),
    "search by number": lambda client: _found(client, number=client.shop.number(client.place())),
    "search by number in a store": _in_its_store,
    "search by external id": lambda client: _found(client, external_id=client.shop.external_id(client.place())),
    "search by a day": _a_day,
    "messages, newest": lambda client: _messages(client, "/v1/deliveries"),
    "messages that bounced": lambda client: _messages(client, "/v1/deliveries?state=bounced"),
    "messages of a receipt": lambda c: _messages(c, f"/v1/receipts/{c.shop.token(c.place(6))}/deliveries"),
}


@contextmanager
def calling(shop: Shop, address: str) -> Iterator[Client]:
    client = Client(shop, address)
    try:
        yield client
    finally:
        client.close()
