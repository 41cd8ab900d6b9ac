"""What cards show of their brand and of their store: where that is changed, they change with it."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Connection, Row, select, update

from accounts.tables import Brand, Store
from cards import stale, wallets
from cards.stale import Stale
from cards.tables import Card
from cards.wallets import Change
from infra.jobs import Jobs

_OF_BRAND: Final = ("id", "name", "colour", "languages", "website", "logo_key")
_OF_STORE: Final = ("id", "name", "address", "phone", "timezone", "opening_hours")


@contextmanager
def brand_changing(conn: Connection, jobs: Jobs, merchant_id: str, slug: str, *, now: datetime) -> Iterator[None]:
    """Around what puts a brand: the cards that show what is another afterwards are touched, and wallets told."""
    before = _held(conn, Brand, _OF_BRAND, merchant_id, slug)
    yield
    after = _held(conn, Brand, _OF_BRAND, merchant_id, slug)
    if after is not None and after != before:
        _follow(conn, jobs, Change(merchant_id, brand_id=after.id), now)


@contextmanager
def store_changing(conn: Connection, jobs: Jobs, merchant_id: str, slug: str, *, now: datetime) -> Iterator[None]:
    """The same around what puts a store. Its cards may be of any brand."""
    before = _held(conn, Store, _OF_STORE, merchant_id, slug)
    yield
    after = _held(conn, Store, _OF_STORE, merchant_id, slug)
    if after is not None and after != before:
        _follow(conn, jobs, Change(merchant_id, store_id=after.id), now)


def _held(conn: Connection, table: Any, names: tuple[str, ...], merchant_id: str, slug: str) -> Row[Any] | None:
    """None where it is not there yet. Of those who put it at once, each compares with what the one before left; sales,
    which refer to it, do not wait for that."""
    query = select(*(getattr(table, name) for name in names))
    mine = query.where(table.merchant_id == merchant_id, table.slug == slug)
    return conn.execute(mine.with_for_update(key_share=True)).one_or_none()


def _follow(conn: Connection, jobs: Jobs, change: Change, now: datetime) -> None:
    conn.execute(update(Card).where(wallets.shows(change)).values(changed_at=now))
    wallets.tell(conn, jobs, change, now=now)
    stale.let_go(conn, jobs, Stale(change.merchant_id, brand=change.brand_id, store=change.store_id), now=now)
