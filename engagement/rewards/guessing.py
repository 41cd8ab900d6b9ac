"""Codes cannot be tried: a key that is wrong too often waits. Counted in the database, so that all servers count
together. Other keys of the merchant go on: who tries codes at one till must not stop the others."""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from math import ceil
from typing import Final, TypeVar

from sqlalchemy import Connection, delete, select

from engagement.rewards import flagging, locks
from engagement.rewards.tables import WrongCode
from infra.database import upsert
from kernel.clock import from_microseconds, iso, microseconds
from kernel.errors import NotFound, TooMany

Found = TypeVar("Found")
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
# Of all keys together: nobody is stopped, but a person should look.
_OF_MERCHANT: Final = _Limit(200, timedelta(hours=1))


def tried(conn: Connection, merchant_id: str, key_id: str, look: Callable[[], Found], *, now: datetime) -> Found | None:
    """What ``look`` finds; None where it raises :class:`NotFound`, which is counted: so the transaction has to be
    committed. Codes of one key are looked up one after the other, or many at once would all be tried before the first
    of them counts.

    Raises :class:`TooMany` where the key was wrong too often, before anything is looked up.
    """
    locks.in_turn_of_key(conn, merchant_id, key_id)
    found = looked(conn, merchant_id, key_id, look, now=now)
    if found is None:
        count(conn, merchant_id, key_id, now=now)
    return found


def looked(
    conn: Connection, merchant_id: str, key_id: str, look: Callable[[], Found], *, now: datetime
) -> Found | None:
    """The first half of :func:`tried`, which only reads, for who makes codes of one key wait for each other otherwise:
    where it is None, :func:`count` it before the next."""
    _check(conn, merchant_id, key_id, now)
    with suppress(NotFound):
        return look()
    return None


def _check(conn: Connection, merchant_id: str, key_id: str, now: datetime) -> None:
    began = _OF_KEY.began(now)
    named = {"merchant_id": merchant_id, "key_id": key_id, "began_at": began}
    times = conn.scalar(select(WrongCode.times).filter_by(**named)) or 0
    if times >= _OF_KEY.most:
        wait = ceil((began + _OF_KEY.stretch - now).total_seconds())
        raise TooMany("Too many codes were wrong", retry_after=max(wait, 1))


def count(conn: Connection, merchant_id: str, key_id: str, *, now: datetime) -> None:
    """One that is wrong. Always in the same order, so that nobody waits in a circle."""
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
