"""What showed cards as they were: pictures and papers that were made of them, and photos that no card shows any more.

All of it goes by a job, which is enqueued where the change is written: so it goes however the change came, and a
storage that is down is asked again.
"""

from collections.abc import Collection, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import ColumnElement, Connection, select

from cards.find import CardRecord
from cards.tables import Card
from infra.jobs import Jobs
from kernel.ids import new_id

# The kind of the job that forgets.
FORGET: Final = "forget-pictures"


@dataclass(frozen=True, slots=True)
class Stale:
    """Of a merchant: ``cards`` by their ids, or those of a brand or store, each by its id; of these, those whose ids
    come behind ``after``. ``photos`` are keys of which each may be another card's too."""

    merchant: str
    cards: Sequence[str] = ()
    brand: str | None = None
    store: str | None = None
    photos: Sequence[str] = ()
    after: str = ""


def let_go(conn: Connection, jobs: Jobs, stale: Stale, *, now: datetime, delay: float = 0) -> None:
    """``delay`` is in seconds."""
    jobs.enqueue(conn, FORGET, asdict(stale), job_id=new_id(FORGET, now), delay=delay)


def changed(
    merchant_id: str, changes: Collection[tuple[CardRecord, CardRecord]], *, photos: Collection[str] = ()
) -> Stale:
    """What is stale of cards, each as it was and as it is; ``photos`` are others that may not be shown."""
    dropped = {before.photo_key for before, after in changes if before.photo_key != after.photo_key}
    keys = sorted(key for key in {*dropped, *photos} if key)
    return Stale(merchant_id, cards=[after.id for _, after in changes], photos=keys)


def tokens(conn: Connection, stale: Stale, *, limit: int) -> dict[str, str]:
    """By the ids of its cards, in their order."""
    mine = (Card.merchant_id == stale.merchant, _named(stale), Card.id > stale.after)
    found = conn.execute(select(Card.id, Card.token).where(*mine).order_by(Card.id).limit(limit))
    return {row.id: row.token for row in found}


def is_shown(conn: Connection, photo_key: str) -> bool:
    """Whether a card has the photo. Its key is made of its bytes, so another merchant's may: none is named."""
    return conn.scalar(select(Card.id).where(Card.photo_key == photo_key).limit(1)) is not None


def _named(stale: Stale) -> ColumnElement[bool]:
    if stale.store is not None:
        return Card.store_id == stale.store
    if stale.brand is not None:
        return Card.brand_id == stale.brand
    return Card.id.in_(stale.cards)
