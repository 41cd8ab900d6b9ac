"""Finished answers of the shopper's pages, kept in memory for a moment."""

import gzip
import time
from collections import OrderedDict
from collections.abc import Callable, Hashable
from dataclasses import dataclass, field
from hashlib import blake2b
from typing import Any, Final, Literal

import brotli

from infra import metrics
from infra.changes import Changes

# What compresses a page in well under a millisecond.
_EFFORT: Final[dict[str, dict[str, Any]]] = {"br": {"quality": 5}, "gzip": {"compresslevel": 5, "mtime": 0}}


@dataclass(slots=True)
class Rendered:
    """The bytes of an answer and what goes with them."""

    body: bytes
    media_type: str
    headers: tuple[tuple[bytes, bytes], ...] = ()
    status: int = 200
    # What the bytes belong to, so that it can be forgotten when that changes.
    subject: str = ""
    # Its compressed forms by their content coding; one that is not there is made when first asked for.
    forms: dict[str, bytes] = field(default_factory=dict)
    # Weak, since it names all forms (RFC 9110 section 8.8.1).
    etag: str = field(init=False)

    def __post_init__(self) -> None:
        self.etag = f'W/"{blake2b(self.body, digest_size=12).hexdigest()}"'

    @property
    def is_text(self) -> bool:
        return self.media_type.startswith(("text/", "application/json", "application/ld+json", "image/svg"))

    def packed(self, encoding: Literal["br", "gzip"]) -> bytes:
        if encoding not in self.forms:
            pack = brotli.compress if encoding == "br" else gzip.compress
            self.forms[encoding] = pack(self.body, **_EFFORT[encoding])
        return self.forms[encoding]


class PageCache:
    """Least recently used goes first. An entry lives ``seconds``: so long may another process's change stay unseen."""

    def __init__(
        self,
        name: str = "pages",
        *,
        seconds: float = 2.0,
        most_bytes: int = 5_000_000,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._hits, self._misses = (metrics.CACHE.labels(name, outcome) for outcome in ("hit", "miss"))
        self._seconds = seconds
        self._most_bytes = most_bytes
        self._clock = clock
        self._entries: OrderedDict[Hashable, tuple[float, Rendered]] = OrderedDict()
        self._keys_of: dict[str, set[Hashable]] = {}
        self._changes = Changes()
        self._bytes = 0

    def mark(self) -> int:
        """To be taken before what a page shows is read, and handed over with it."""
        return self._changes.mark()

    def get(self, key: Hashable) -> Rendered | None:
        entry = self._entries.get(key)
        if entry is None or entry[0] < self._clock():
            self._misses.inc()
            self._drop(key)
            return None
        self._hits.inc()
        self._entries.move_to_end(key)
        return entry[1]

    def put(self, key: Hashable, rendered: Rendered, mark: int) -> None:
        """Nothing is kept where its subject changed since the mark: it may show what was before."""
        self._drop(key)
        if self._changes.since(mark, rendered.subject):
            return
        self._drop_expired()
        self._entries[key] = (self._clock() + self._seconds, rendered)
        self._keys_of.setdefault(rendered.subject, set()).add(key)
        self._bytes += 2 * len(rendered.body)
        while self._bytes > self._most_bytes:
            self._drop(next(iter(self._entries)))

    def _drop_expired(self) -> None:
        """Those that nobody asked for since: they stand first."""
        now = self._clock()
        while self._entries and (oldest := next(iter(self._entries.items())))[1][0] < now:
            self._drop(oldest[0])

    def forget(self, subject: str) -> None:
        """Everything that shows ``subject``, after its change was committed."""
        self._changes.tell(subject)
        for key in list(self._keys_of.get(subject, ())):
            self._drop(key)

    def clear(self) -> None:
        self._changes.tell_all()
        self._entries.clear()
        self._keys_of.clear()
        self._bytes = 0

    def _drop(self, key: Hashable) -> None:
        entry = self._entries.pop(key, None)
        if entry is None:
            return
        _, rendered = entry
        self._bytes -= 2 * len(rendered.body)
        keys = self._keys_of[rendered.subject]
        keys.remove(key)
        if not keys:
            del self._keys_of[rendered.subject]
