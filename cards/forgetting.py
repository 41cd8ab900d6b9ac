"""What is known of visitors and shoppers goes: hashes with their day, contacts with their time, and what hangs on a
receipt with the receipt."""

from collections.abc import Callable, Collection
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import ColumnElement, Connection, Engine, delete, select, tuple_, update

from accounts.tables import Merchant
from cards import contacts
from cards.numbers import day_of
from cards.tables import (
    CardContact,
    CardInvite,
    CardVisit,
    CardVisitor,
    DailySalt,
    PassRegistration,
    ServiceRating,
)
from infra.database import in_turn, reading, unindexed
from kernel.ids import least_id

# Small, so that who writes waits for no more than a moment (SQLite).
_ROWS_TOGETHER: Final = 500
_CONTACTS_TOGETHER: Final = 100


def forget_days(engine: Engine, *, now: datetime, stop: Callable[[], bool]) -> None:
    """Delete what tells visitors of past days apart, at all merchants. The salts go first: without them nobody can find
    out whose hash one was."""
    today = day_of(now)
    with in_turn(engine) as conn:
        conn.execute(delete(DailySalt).where(DailySalt.day < today))
    _forget(engine, CardVisitor, CardVisitor.day < today, stop)


def forget_invites(engine: Engine, *, now: datetime, stop: Callable[[], bool]) -> None:
    """Delete those that are over, of all merchants: they open nothing, withdrawn or not."""
    _forget(engine, CardInvite, CardInvite.expires_at < now, stop)


def purge_contacts(engine: Engine, *, now: datetime, stop: Callable[[], bool], merchant_id: str | None = None) -> int:
    """Delete contacts that are older than their merchants keep what is personal, or one of them does; how many."""
    limited = select(Merchant.id, Merchant.keep_days).where(Merchant.keep_days.is_not(None))
    if merchant_id is not None:
        limited = limited.where(Merchant.id == merchant_id)
    with reading(engine) as conn:
        limits = {row.id: now - timedelta(days=row.keep_days) for row in conn.execute(limited)}
    return sum(_purge(engine, each, before, stop) for each, before in limits.items())


def forget_receipts(conn: Connection, merchant_id: str, receipt_ids: Collection[str]) -> None:
    """After receipts were purged: what came of their cards goes with them. A contact was left for its own sake and has
    its own time; where it came from is forgotten."""
    _forget_answers(conn, merchant_id, receipt_ids)
    of_receipts = (unindexed(CardContact.merchant_id) == merchant_id, CardContact.receipt_id.in_(receipt_ids))
    conn.execute(update(CardContact).where(*of_receipts).values(receipt_id=None))


def forget_shopper(conn: Connection, merchant_id: str, receipt_id: str) -> None:
    """Where the shopper of a receipt is erased: also the contact that they left by it, and their phone."""
    _forget_answers(conn, merchant_id, [receipt_id])
    of_receipt = (unindexed(CardContact.merchant_id) == merchant_id, CardContact.receipt_id == receipt_id)
    contacts.erase(conn, merchant_id, list(conn.scalars(select(CardContact.id).where(*of_receipt))))


def _forget_answers(conn: Connection, merchant_id: str, receipt_ids: Collection[str]) -> None:
    for table in (CardVisit, ServiceRating):
        mine = (unindexed(table.merchant_id) == merchant_id, table.receipt_id.in_(receipt_ids))
        conn.execute(delete(table).where(*mine))
    # Phones that have the receipt as a pass: nobody will tell them more.
    phones = (PassRegistration.merchant_id == merchant_id, PassRegistration.serial.in_(receipt_ids))
    conn.execute(delete(PassRegistration).where(*phones))


def _forget(engine: Engine, table: Any, is_over: ColumnElement[bool], stop: Callable[[], bool]) -> None:
    """Delete the rows of ``table`` that are over, some at a time."""
    key = table.__table__.primary_key.columns
    some = select(*key).where(is_over).limit(_ROWS_TOGETHER)
    count = _ROWS_TOGETHER
    while count == _ROWS_TOGETHER and not stop():
        with in_turn(engine) as conn:
            count = conn.execute(delete(table).where(tuple_(*key).in_(some))).rowcount


def _purge(engine: Engine, merchant_id: str, before: datetime, stop: Callable[[], bool]) -> int:
    """Ids sort by age, so what is due is found without looking at the rest."""
    due = select(CardContact.id).where(CardContact.merchant_id == merchant_id, CardContact.id < least_id("con", before))
    count = 0
    while not stop():
        with in_turn(engine) as conn:
            ids = list(conn.scalars(due.order_by(CardContact.id).limit(_CONTACTS_TOGETHER)))
            count += contacts.erase(conn, merchant_id, ids) if ids else 0
        if not ids:
            break
    return count
