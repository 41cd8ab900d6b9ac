"""What allies owe each other for prizes of one that the other handed out."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from sqlalchemy import ColumnElement, Connection, func, or_, select

from accounts.tables import Merchant
from engagement.rewards.tables import Prize, Redemption

Side = Literal["issuer", "supplier"]


@dataclass(frozen=True, slots=True)
class SettlementKey:
    """``ally`` is the other merchant's slug, ``side`` what we are, ``bearer`` who bears the cost."""

    ally: str
    side: Side
    campaign_id: str
    prize: str
    bearer: str
    currency: str


@dataclass(slots=True)
class Settled:
    """Of a period: how many redemptions, what they took off, and the same of those that were rolled back. Amounts are
    minor units."""

    redeemed: int = 0
    amount: int = 0
    rolled_back: int = 0
    amount_back: int = 0

    @property
    def net(self) -> int:
        return self.amount - self.amount_back


def owed(key: SettlementKey, found: Settled) -> tuple[int, int]:
    """To us, and by us. Who issued a prize and bears its cost owes what it took off to who handed it out; what the ally
    bears is its own affair."""
    if key.bearer != "issuer":
        return 0, 0
    return (found.net, 0) if key.side == "supplier" else (0, found.net)


def settlement(conn: Connection, merchant_id: str, *, since: datetime, until: datetime) -> dict[SettlementKey, Settled]:
    """From ``since`` on and before ``until``. A roll-back counts when it happens: what was settled for an earlier time
    stands, and is made good in a later one. What a merchant redeems for itself is no matter between two."""
    found: dict[SettlementKey, Settled] = {}
    for key, count, amount in _summed(conn, merchant_id, Redemption.redeemed_at, since, until):
        each = found.setdefault(key, Settled())
        each.redeemed, each.amount = count, amount
    for key, count, amount in _summed(conn, merchant_id, Redemption.rolled_back_at, since, until):
        each = found.setdefault(key, Settled())
        each.rolled_back, each.amount_back = count, amount
    return dict(sorted(found.items(), key=lambda each: _order(each[0])))


def _summed(
    conn: Connection, merchant_id: str, moment: Any, since: datetime, until: datetime
) -> list[tuple[SettlementKey, int, int]]:
    issuer, supplier = Merchant.__table__.alias("issuer"), Merchant.__table__.alias("supplier")
    columns = (
        Redemption.issuer_id,
        issuer.c.slug,
        supplier.c.slug,
        Redemption.campaign_id,
        Prize.slug,
        Redemption.bearer,
        Redemption.currency,
    )
    query = select(*columns, func.count(), func.sum(Redemption.amount)).select_from(Redemption)
    query = query.join(Prize, Prize.id == Redemption.prize_id).join(issuer, issuer.c.id == Redemption.issuer_id)
    query = query.join(supplier, supplier.c.id == Redemption.merchant_id)
    within: tuple[ColumnElement[bool], ...] = (moment >= since, moment < until)
    between = Redemption.merchant_id != Redemption.issuer_id
    ours = or_(Redemption.merchant_id == merchant_id, Redemption.issuer_id == merchant_id)
    rows = conn.execute(query.where(ours, between, *within).group_by(*columns))
    return [(_key(merchant_id, *key), count, int(amount)) for *key, count, amount in rows]


def _key(merchant_id: str, issuer_id: str, issuer: str, supplier: str, *rest: str) -> SettlementKey:
    is_issuer = issuer_id == merchant_id
    return SettlementKey(supplier if is_issuer else issuer, "issuer" if is_issuer else "supplier", *rest)


def _order(key: SettlementKey) -> tuple[str, ...]:
    return key.ally, key.currency, key.side, key.campaign_id, key.prize
