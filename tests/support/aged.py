"""Receipts of long ago, and what deletes them."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from sqlalchemy import Engine, select, update

from accounts.places import directories
from accounts.tables import Merchant
from infra.storage import Storage
from kernel.errors import Problem
from pos.intake import arrive, take
from receipts import retention
from receipts.issue import Issued
from receipts.reading import read_sale
from receipts.tables import Receipt
from tests.support.sales import Body

NOW: Final = datetime(2026, 11, 22, 9, 0, tzinfo=UTC)
DAYS: Final = 30
DUE: Final = NOW - timedelta(days=DAYS, seconds=1)


def limit(engine: Engine, merchant: str) -> None:
    """From now on it keeps receipts for 30 days."""
    with engine.begin() as conn:
        conn.execute(update(Merchant).where(Merchant.id == merchant).values(keep_days=DAYS))


def accept(engine: Engine, merchant: str, body: Body, at: datetime, **options: Any) -> Issued:
    """As if it had been issued and accepted then."""
    answer = answered(engine, merchant, body | {"issued_at": at.isoformat()}, at, **options)
    assert isinstance(answer, Issued), answer
    return answer


def answered(engine: Engine, merchant: str, body: Body, at: datetime, **options: Any) -> Issued | Problem:
    return answers(engine, merchant, [body], at, **options)[0]


def answers(engine: Engine, merchant: str, bodies: list[Body], at: datetime, **options: Any) -> list[Issued | Problem]:
    """Of all in one transaction, as the writer takes what arrives together."""
    arrivals = [arrive(merchant, read_sale(body), now=at, **options) for body in bodies]
    with engine.begin() as conn:
        return take(conn, arrivals, directories=directories(conn, [merchant]), now=at)


def purge(engine: Engine, storage: Storage, *, now: datetime = NOW, stop: Callable[[], bool] = lambda: False) -> int:
    """As the worker does it by night."""
    return retention.purge_all(engine, storage, now=now, stop=stop)


def numbers(engine: Engine) -> set[str]:
    with engine.connect() as conn:
        return set(conn.scalars(select(Receipt.id)))
