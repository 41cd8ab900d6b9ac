"""Reviews of products by who bought them: written on a receipt, decided on, answered."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final, Literal

import orjson
from sqlalchemy import Connection, Select, delete, select, update

from engagement import events
from engagement.voice import held, settings
from engagement.voice.bought import Product
from engagement.voice.held import Hold
from engagement.voice.settings import ReviewSettings
from engagement.voice.tables import Review
from infra.database import insert_or_ignore, unindexed
from kernel.errors import Conflict, NotFound
from kernel.ids import new_id

State = Literal["waiting", "approved", "rejected"]
BY_RULES: Final = "rules"
# What is left of one that was taken back after somebody had decided on it: no words, and shown to nobody.
_WITHDRAWN: Final = "withdrawn"
STARS: Final = range(1, 6)


@dataclass(frozen=True, slots=True)
class Words:
    """What a shopper wrote, checked: 1 to 5 stars; empty where they wrote nothing."""

    stars: int
    title: str
    text: str
    display_name: str


@dataclass(frozen=True, slots=True)
class Author:
    """Of a receipt; ``mark`` is the shopper's pseudonym, or the receipt's id where they are not known. Who is no
    ``is_person`` calls itself a program."""

    receipt_id: str
    mark: str
    language: str
    brand_id: str | None = None
    is_person: bool = True


@dataclass(frozen=True, slots=True)
class ReviewRecord:
    id: str
    merchant_id: str
    receipt_id: str | None
    brand_id: str | None
    sku: str
    product: str
    stars: int
    title: str
    text: str
    display_name: str
    language: str
    state: State
    holds: tuple[Hold, ...]
    reason: str | None
    reply: str | None
    revision: int
    written_at: datetime
    changed_at: datetime
    decided_at: datetime | None
    decided_by: str | None
    replied_at: datetime | None
    is_by_hand: bool

    @property
    def words(self) -> Words:
        return Words(self.stars, self.title, self.text, self.display_name)


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which reviews of a list."""

    state: State | None = None
    sku: str | None = None
    stars: int | None = None


_WAITING: Final = {"state": "waiting", "decided_at": None, "decided_by": None}
_EMPTIED: Final = _WAITING | {
    **dict.fromkeys(("title", "text", "display_name", "product"), ""),
    **dict.fromkeys(("reason", "reply", "replied_at")),
    "state": _WITHDRAWN,
    "stars": 0,
    "holds": "[]",
}
_REVIEWS: Final = select(*(getattr(Review, name) for name in ReviewRecord.__slots__)).where(Review.state != _WITHDRAWN)


def write(
    conn: Connection, merchant_id: str, product: Product, words: Words, author: Author, *, now: datetime
) -> ReviewRecord:
    """New, or in place of what the shopper said of it before; the same again changes nothing. The receipt is held
    meanwhile (:func:`receipts.find.stays`). Raises :class:`Conflict` where it may be changed no more."""
    wanted = settings.of(conn, merchant_id, ReviewSettings)
    values = _judged(words, wanted, now) | {"product": product.name}
    is_by_hand = _cleared(conn, merchant_id, product.sku, author.mark)
    if is_by_hand or not author.is_person:
        values |= _WAITING
    values |= {"language": author.language, "brand_id": author.brand_id}
    row = values | {"id": new_id("rev", now), "merchant_id": merchant_id, "receipt_id": author.receipt_id}
    row |= {"author": author.mark, "sku": product.sku, "revision": 1, "written_at": now}
    row |= {"is_by_hand": is_by_hand}
    if conn.scalar(insert_or_ignore(conn, Review).values(row).returning(Review.id)) is not None:
        after = one(conn, merchant_id, row["id"])
        _tell(conn, after, "written", now=now)
        return after
    before = _held(conn, merchant_id, product.sku, author.mark)
    if before.words == words:
        return before
    if not may_change(before, wanted, now=now):
        raise Conflict("This review can be changed no more")
    if before.is_by_hand:
        values |= _WAITING
    # What the shop replied was said of other words.
    changed = values | {"receipt_id": author.receipt_id, "revision": before.revision + 1, "reason": None}
    changed |= {"reply": None, "replied_at": None}
    conn.execute(update(Review).where(Review.merchant_id == merchant_id, Review.id == before.id).values(changed))
    after = one(conn, merchant_id, before.id)
    _tell(conn, after, "changed", now=now)
    return after


def withdraw(conn: Connection, merchant_id: str, sku: str, mark: str, *, now: datetime) -> None:
    """Its shopper takes it back, whenever they like; nothing where there is none. That somebody had decided on it
    stays: what comes in its place waits for them too."""
    mine = (Review.merchant_id == merchant_id, Review.sku == sku, Review.author == mark)
    for record in _found(conn, _REVIEWS.where(*mine).with_for_update()):
        this = (Review.merchant_id == merchant_id, Review.id == record.id)
        emptied = _EMPTIED | {"revision": record.revision + 1, "changed_at": now}
        conn.execute(update(Review).where(*this).values(emptied) if record.is_by_hand else delete(Review).where(*this))
        _tell(conn, record, "withdrawn", now=now)


def may_change(record: ReviewRecord, wanted: ReviewSettings, *, now: datetime) -> bool:
    """Until somebody has decided on it, and for some days in any case."""
    return record.state == "waiting" or now < record.written_at + timedelta(days=wanted.window_days)


def decide(
    conn: Connection,
    before: ReviewRecord,
    state: State,
    reason: str | None,
    *,
    revision: int,
    by: str,
    now: datetime,
) -> bool:
    """Whether it was still as it was read, at ``revision``: then it is decided by the key ``by``."""
    decided = {"decided_at": now, "decided_by": by, "is_by_hand": True}
    values = decided | {"state": state, "reason": reason, "changed_at": now}
    if not _changed(conn, before, revision, values):
        return False
    if state != before.state:
        _tell(conn, one(conn, before.merchant_id, before.id), state, now=now)
    return True


def answer(conn: Connection, before: ReviewRecord, text: str | None, *, revision: int, now: datetime) -> bool:
    """Whether it was still as it was read: then the merchant's reply stands below it; None takes that away."""
    values = {"reply": text, "replied_at": now if text else None, "changed_at": now}
    if not _changed(conn, before, revision, values):
        return False
    if text:
        _tell(conn, one(conn, before.merchant_id, before.id), "replied", now=now)
    return True


def one(conn: Connection, merchant_id: str, review_id: str) -> ReviewRecord:
    """Raises :class:`NotFound`."""
    found = _found(conn, _REVIEWS.where(Review.merchant_id == merchant_id, Review.id == review_id))
    if not found:
        raise NotFound("There is no such review")
    return found[0]


def of_author(conn: Connection, merchant_id: str, skus: Sequence[str], mark: str) -> dict[str, ReviewRecord]:
    """What the shopper has written of these products, by sku."""
    mine = (Review.merchant_id == merchant_id, Review.sku.in_(skus), Review.author == mark)
    return {each.sku: each for each in _found(conn, _REVIEWS.where(*mine))}


def is_any_of(conn: Connection, merchant_id: str, receipt_id: str) -> bool:
    """Whether something was written with this receipt, and not taken back."""
    mine = (unindexed(Review.merchant_id) == merchant_id, Review.receipt_id == receipt_id, Review.state != _WITHDRAWN)
    return conn.scalar(select(Review.id).where(*mine).limit(1)) is not None


def listed(
    conn: Connection, merchant_id: str, wanted: Wanted, *, limit: int, after: str | None = None
) -> list[ReviewRecord]:
    """Newest first; ``after`` is the id of the last one seen."""
    query = _REVIEWS.where(Review.merchant_id == merchant_id)
    if wanted.state is not None:
        query = query.where(Review.state == wanted.state)
    if wanted.sku is not None:
        query = query.where(Review.sku == wanted.sku)
    if wanted.stars is not None:
        query = query.where(unindexed(Review.stars) == wanted.stars)
    if after is not None:
        query = query.where(Review.id < after)
    return _found(conn, query.order_by(Review.id.desc()).limit(limit))


def _judged(words: Words, wanted: ReviewSettings, now: datetime) -> dict[str, Any]:
    """What is written of a review that nobody has read yet."""
    found = held.holds((words.title, words.text, words.display_name), wanted.words)
    is_clean = wanted.publish == "clean" and not found
    return {
        "stars": words.stars,
        "title": words.title,
        "text": words.text,
        "display_name": words.display_name,
        "state": "approved" if is_clean else "waiting",
        "holds": orjson.dumps(found).decode(),
        "changed_at": now,
        "decided_at": now if is_clean else None,
        "decided_by": BY_RULES if is_clean else None,
    }


def _cleared(conn: Connection, merchant_id: str, sku: str, mark: str) -> bool:
    """Whether one that somebody had decided on was taken back: what is left of it makes room."""
    left = (Review.merchant_id == merchant_id, Review.sku == sku, Review.author == mark, Review.state == _WITHDRAWN)
    return conn.execute(delete(Review).where(*left)).rowcount == 1


def _held(conn: Connection, merchant_id: str, sku: str, mark: str) -> ReviewRecord:
    """Which is there, and which nobody else changes until the transaction ends."""
    mine = (Review.merchant_id == merchant_id, Review.sku == sku, Review.author == mark)
    found = _found(conn, _REVIEWS.where(*mine).with_for_update())
    if not found:
        # It was withdrawn between our two looks.
        raise Conflict("This review was just withdrawn")
    return found[0]


def _changed(conn: Connection, before: ReviewRecord, revision: int, values: dict[str, Any]) -> bool:
    """By one conditional UPDATE: of two who have read the same, one changes it."""
    mine = (Review.merchant_id == before.merchant_id, Review.id == before.id, Review.revision == revision)
    return conn.execute(update(Review).where(*mine).values(values | {"revision": revision + 1})).rowcount == 1


def _tell(conn: Connection, record: ReviewRecord, what: str, *, now: datetime) -> None:
    data = {"review_id": record.id, "sku": record.sku, "stars": record.stars, "state": record.state}
    events.tell(conn, record.merchant_id, f"review.{what}", data, now=now, receipt_id=record.receipt_id)


def _found(conn: Connection, query: Select[Any]) -> list[ReviewRecord]:
    rows = (row._asdict() for row in conn.execute(query))
    return [ReviewRecord(**row | {"holds": tuple(orjson.loads(row["holds"]))}) for row in rows]
