"""Prizes in Google Wallet, which hear of what becomes of them.

Whoever changes a card tells it in the same transaction, and a job writes the object anew. A prize of Apple Wallet asks
for no changes: it ends by itself on its day.
"""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Final

from sqlalchemy import Connection, select, update

from engagement.rewards.records import RewardRecord
from engagement.rewards.tables import GooglePrize, Reward
from infra.database import insert_or_ignore
from infra.jobs import Jobs
from kernel.ids import new_id

# The kind of the jobs that write objects anew.
PRIZES: Final = "google-prizes"
# Prizes that one job writes.
_AT_ONCE: Final = 50


def note(conn: Connection, reward: RewardRecord, brand_id: str, country: str | None) -> None:
    """From here on the object hears of changes. It stays with the brand with which it was taken first.

    Who changes the card meanwhile waits, or is waited for: they see that it is noted, or are seen.
    """
    _lock(conn, reward)
    row = {"reward_id": reward.id, "merchant_id": reward.merchant_id, "brand_id": brand_id, "country": country}
    conn.execute(insert_or_ignore(conn, GooglePrize).values(row))


def _lock(conn: Connection, reward: RewardRecord) -> None:
    mine = (Reward.merchant_id == reward.merchant_id, Reward.id == reward.id)
    conn.execute(select(Reward.id).where(*mine).with_for_update())


def written(conn: Connection, merchant_id: str, reward_id: str) -> str | None:
    """The digest of what the button wrote last."""
    mine = (GooglePrize.merchant_id == merchant_id, GooglePrize.reward_id == reward_id)
    return conn.scalar(select(GooglePrize.written).where(*mine))


def note_written(conn: Connection, merchant_id: str, reward_id: str, digest: str) -> None:
    mine = (GooglePrize.merchant_id == merchant_id, GooglePrize.reward_id == reward_id)
    conn.execute(update(GooglePrize).where(*mine).values(written=digest))


def tell(conn: Connection, jobs: Jobs, reward_ids: Collection[str], *, now: datetime) -> None:
    """After cards were used, expired or became void, or are as good as before. They are those that were changed just
    now, of any merchant, so none is named. A job is enqueued only for those that are in a wallet."""
    if not reward_ids:
        return
    held = select(GooglePrize.merchant_id, GooglePrize.reward_id).where(GooglePrize.reward_id.in_(reward_ids))
    rows = conn.execute(held.order_by(GooglePrize.reward_id)).all()
    for first in range(0, len(rows), _AT_ONCE):
        ask(conn, jobs, [(row.merchant_id, row.reward_id) for row in rows[first : first + _AT_ONCE]], now=now)


def ask(conn: Connection, jobs: Jobs, prizes: Sequence[tuple[str, str]], *, now: datetime, delay: float = 0) -> None:
    """A job that writes these, each by its merchant's id and its own."""
    told = {"prizes": [list(each) for each in prizes]}
    jobs.enqueue(conn, PRIZES, told, job_id=new_id(PRIZES, now), delay=delay)
