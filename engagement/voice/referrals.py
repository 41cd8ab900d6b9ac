"""Codes that promoters hand on to friends: offered with an answer, kept as hashes, counted where a sale carries one."""

import hmac
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import reduce
from typing import Any, Final

from sqlalchemy import ColumnElement, Connection, and_, func, select, update

from accounts.tables import Store
from engagement import scratch
from engagement.surveys.records import Answer
from engagement.voice import settings
from engagement.voice.settings import ReferralSettings
from engagement.voice.tables import Referral, ReferralUse
from infra.database import insert_or_ignore, unindexed
from kernel.ids import least_id, new_id
from receipts.tables import ReturnedSum

PURPOSE: Final = "referrals"
_LAST: Final = 4


@dataclass(frozen=True, slots=True)
class Offered:
    """``code`` is as a person reads it out; ``text`` is what a friend gets, by language."""

    code: str
    text: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Sums:
    """``shoppers`` are known ones, each once, and ``new_shoppers`` those of them who had bought nothing before;
    ``revenue`` is by currency, in minor units, without what went back."""

    sales: int = 0
    shoppers: int = 0
    new_shoppers: int = 0
    revenue: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ReferralInfo:
    """``last4`` is None for the moment until the code is minted."""

    id: str
    answer_id: str | None
    receipt_id: str | None
    store: str | None
    last4: str | None
    offered_at: datetime
    is_retired: bool
    sums: Sums


@dataclass(frozen=True, slots=True)
class ReferralNumbers:
    """Of codes that were offered in a time, and of what came of them until now."""

    offered: int
    used: int
    sums: Sums


def follow(conn: Connection, answer: Answer, *, now: datetime) -> None:
    """A promoter gets a code, where the merchant gives some. Its hash is made later, by the worker: the key stays
    out of the way of an answer."""
    if answer.segment != "promoter" or not settings.of(conn, answer.merchant_id, ReferralSettings).is_on:
        return
    of_receipt = (unindexed(Referral.merchant_id) == answer.merchant_id, Referral.receipt_id == answer.receipt_id)
    if conn.scalar(select(Referral.id).where(*of_receipt, Referral.is_retired).limit(1)) is not None:
        return
    row = {"id": new_id("ref", now), "merchant_id": answer.merchant_id, "answer_id": answer.id, "offered_at": now}
    row |= {"receipt_id": answer.receipt_id, "store_id": answer.store_id, "is_retired": False}
    conn.execute(insert_or_ignore(conn, Referral).values(row))


def offered(conn: Connection, merchant_id: str, answer: Answer, *, key: bytes) -> Offered | None:
    """What to show to who gave this answer; None for who is no promoter, or where no code was offered."""
    if answer.segment != "promoter":
        return None
    mine = (Referral.merchant_id == merchant_id, Referral.answer_id == answer.id, ~Referral.is_retired)
    if conn.scalar(select(Referral.id).where(*mine)) is None:
        return None
    wanted = settings.of(conn, merchant_id, ReferralSettings)
    text = {str(language): line for language, line in wanted.text.items()}
    return Offered(scratch.shown(code_of(key, answer.id)), text)


def code_of(key: bytes, answer_id: str) -> str:
    """``key`` is derived for :data:`PURPOSE` (infra.secrets); without it nobody tells a code by its answer."""
    return scratch.code_of(key, answer_id)


def hashed(key: bytes, merchant_id: str, code: str) -> str:
    """What is kept of a code, and found by it."""
    return hmac.digest(key, f"{merchant_id}\n{code}".encode(), "sha256").hex()


def listed(
    conn: Connection, merchant_id: str, *, limit: int, after: str | None = None, store_id: str | None = None
) -> list[ReferralInfo]:
    """Newest first; ``after`` is the id of the last one seen."""
    columns = (Referral.id, Referral.answer_id, Referral.receipt_id, Store.slug, Referral.last4, Referral.offered_at)
    of_store = and_(Store.merchant_id == Referral.merchant_id, Store.id == Referral.store_id)
    query = select(*columns, Referral.is_retired).outerjoin(Store, of_store).where(Referral.merchant_id == merchant_id)
    if store_id is not None:
        query = query.where(Referral.store_id == store_id)
    if after is not None:
        query = query.where(Referral.id < after)
    rows = conn.execute(query.order_by(Referral.id.desc()).limit(limit)).all()
    sums = _sums(conn, merchant_id, ReferralUse.referral_id.in_([row.id for row in rows]))
    return [ReferralInfo(*row[:6], row.is_retired, sums.get(row.id, _NONE)) for row in rows]


def numbers(
    conn: Connection, merchant_id: str, *, since: datetime, before: datetime, store_id: str | None = None
) -> ReferralNumbers:
    # Ids sort by age.
    in_time = (Referral.id >= least_id("ref", since), Referral.id < least_id("ref", before))
    mine = [Referral.merchant_id == merchant_id, *in_time]
    mine += [Referral.store_id == store_id] if store_id is not None else []
    count = conn.scalar(select(func.count()).select_from(Referral).where(*mine)) or 0
    sums = _sums(conn, merchant_id, ReferralUse.referral_id.in_(select(Referral.id).where(*mine)))
    return ReferralNumbers(count, len(sums), reduce(_added, sums.values(), _NONE))


_NONE: Final = Sums()


def _sums(conn: Connection, merchant_id: str, which: ColumnElement[bool]) -> dict[str, Sums]:
    """By the id of the code."""
    found: dict[str, Sums] = {}
    for row in conn.execute(_by_currency(merchant_id, which)):
        sums = Sums(row.sales, row.shoppers, row.new_shoppers, {row.currency: int(row.revenue)})
        found[row.referral_id] = _added(found.get(row.referral_id, _NONE), sums)
    return found


def _added(one: Sums, other: Sums) -> Sums:
    currencies = {**one.revenue, **other.revenue}
    revenue = {each: one.revenue.get(each, 0) + other.revenue.get(each, 0) for each in sorted(currencies)}
    new = one.new_shoppers + other.new_shoppers
    return Sums(one.sales + other.sales, one.shoppers + other.shoppers, new, revenue)


def _by_currency(merchant_id: str, which: ColumnElement[bool]) -> Any:
    # Looked up sale by sale: joined, PostgreSQL would rather read all that ever went back.
    of_sale = (ReturnedSum.merchant_id == ReferralUse.merchant_id, ReturnedSum.receipt_id == ReferralUse.receipt_id)
    returned = func.coalesce(select(ReturnedSum.returned).where(*of_sale).scalar_subquery(), 0)
    columns = (
        ReferralUse.referral_id,
        ReferralUse.currency,
        func.count().label("sales"),
        func.count().filter(ReferralUse.is_known).label("shoppers"),
        func.count().filter(ReferralUse.is_new).label("new_shoppers"),
        func.sum(ReferralUse.total - returned).label("revenue"),
    )
    query = select(*columns).where(ReferralUse.merchant_id == merchant_id, which)
    return query.group_by(ReferralUse.referral_id, ReferralUse.currency)


def retire(conn: Connection, merchant_id: str, receipt_id: str) -> None:
    """The promoter behind a receipt is forgotten: their code counts no more, what came of it stays. The receipt tells
    of nobody by then, and by it nobody gets the same code again."""
    mine = (unindexed(Referral.merchant_id) == merchant_id, Referral.receipt_id == receipt_id)
    gone = {"answer_id": None, "shopper": None, "digest": None, "last4": None, "is_retired": True}
    conn.execute(update(Referral).where(*mine).values(gone))
