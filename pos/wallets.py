"""Receipts in the wallets of phones, which hear of what comes back on them."""

from collections.abc import Collection, Iterable
from datetime import datetime

from sqlalchemy import Connection, func, select
from sqlalchemy.orm import aliased

from cards.tables import PassRegistration
from cards.wallets import Change, tell
from infra.jobs import Jobs
from receipts.issue import Issued
from receipts.tables import Receipt


def tell_of_amended(conn: Connection, jobs: Jobs, issued: Iterable[tuple[str, Issued]], *, now: datetime) -> None:
    """After refunds, voids and exchanges, each with its merchant: the passes of their originals say so."""
    for merchant_id, each in issued:
        if each.is_new and each.original_token:
            serial = _registered(conn, merchant_id, each.original_token)
            if serial is not None:
                tell(conn, jobs, Change(merchant_id, serial=serial), now=now)


def _registered(conn: Connection, merchant_id: str, token: str) -> str | None:
    """The id of a receipt that is in the wallet of any phone."""
    query = select(Receipt.id).join(PassRegistration, PassRegistration.serial == Receipt.id)
    return conn.scalar(query.where(Receipt.merchant_id == merchant_id, Receipt.token == token).limit(1))


def token_of(conn: Connection, serial: str) -> str | None:
    """Of the link to a receipt that a pass shows. Whoever asks has the pass, so no merchant is named."""
    return conn.scalar(select(Receipt.token).where(Receipt.id == serial))


def changed_receipts(conn: Connection, serials: Collection[str]) -> dict[str, datetime]:
    """When each of these receipts was accepted, or the last that amends it. They are a phone's own, so no merchant is
    named."""
    amending = aliased(Receipt)
    query = select(Receipt.id, Receipt.accepted_at, func.max(amending.accepted_at).label("amended_at"))
    its_own = (amending.merchant_id == Receipt.merchant_id) & (amending.original_id == Receipt.id)
    query = query.outerjoin(amending, its_own).where(Receipt.id.in_(serials)).group_by(Receipt.id, Receipt.accepted_at)
    return {row.id: max(row.accepted_at, row.amended_at or row.accepted_at) for row in conn.execute(query)}
