"""Codes cannot be tried: who is wrong too often waits. Counted in the database, so that all servers count together."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from math import ceil
from typing import Final

from sqlalchemy import Connection, delete, select

from engagement.rewards import flagging
from engagement.rewards.tables import WrongCode
from infra.database import upsert
from kernel.clock import from_microseconds, iso, microseconds
from kernel.errors import TooMany

_OF_ALL: Final = ""


@dataclass(frozen=True, slots=True)
class _Limit:
    most: int
    stretch: timedelta

    def began(self, now: datetime) -> datetime:
        length = self.stretch // timedelta(microseconds=1)
        return from_microseconds(microseconds(now) // length * length)


# A code has 54 bits: at this pace the first hit among a million open ones is centuries away.
_OF_KEY: Final = _Limit(20, timedelta(minutes=10))
_OF_MERCHANT: Final = _Limit(200, timedelta(hours=1))


def check(conn: Connection, merchant_id: str, key_id: str, *, now: datetime) -> None:
    """Raises :class:`TooMany` where the key, or all keys of the merchant together, were wrong too often."""
    for subject, limit in ((key_id, _OF_KEY), (_OF_ALL, _OF_MERCHANT)):
        began = limit.began(now)
        named = {"merchant_id": merchant_id, "key_id": subject, "began_at": began}
        times = conn.scalar(select(WrongCode.times).filter_by(**named)) or 0
        if times >= limit.most:
            wait = ceil((began + limit.stretch - now).total_seconds())
            raise TooMany("Too many codes were wrong", retry_after=max(wait, 1))


def count(conn: Connection, merchant_id: str, key_id: str, *, now: datetime) -> None:
    """Another code was wrong. Always in the same order, so that nobody waits in a circle."""
    for subject, limit in ((_OF_ALL, _OF_MERCHANT), (key_id, _OF_KEY)):
        row = {"merchant_id": merchant_id, "key_id": subject, "began_at": limit.began(now), "times": 1}
        again = upsert(conn, WrongCode).values(row)
        counted = again.on_conflict_do_update(
            index_elements=["merchant_id", "key_id", "began_at"], set_={"times": WrongCode.times + 1}
        )
        times = conn.scalar(counted.returning(WrongCode.times))
        if times == limit.most:
            subject_of_day = f"{subject or 'all'} {iso(limit.began(now))}"
            flagging.flag(conn, merchant_id, flagging.About("guessing", subject_of_day, data={"times": times}), now=now)


def forget(conn: Connection, *, now: datetime) -> None:
    """What is a day old. Of all merchants: the clock asks."""
    conn.execute(delete(WrongCode).where(WrongCode.began_at < now - timedelta(days=1)))
