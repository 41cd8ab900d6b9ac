"""What becomes of cards: how many are scratched, how many used, how soon, and where."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

from sqlalchemy import Connection, case, func, select

from accounts.tables import Store
from engagement.rewards.tables import Prize, Redemption, Reward

By = Literal["campaign", "prize", "day"]


@dataclass(slots=True)
class Becoming:
    """Of cards that were issued in a period. ``seconds`` are those from scratching to use, one for each that was used,
    in order."""

    issued: int = 0
    scratched: int = 0
    won: int = 0
    used: int = 0
    seconds: list[int] = field(default_factory=list)

    def within(self, share: int) -> int | None:
        """The seconds in which so many of a hundred were used; None where none was."""
        if not self.seconds:
            return None
        return self.seconds[max((share * len(self.seconds) + 99) // 100, 1) - 1]


@dataclass(frozen=True, slots=True)
class AtStore:
    """``amount`` is in minor units."""

    store: str | None
    currency: str
    used: int
    amount: int


def becoming(
    conn: Connection, merchant_id: str, by: By, *, since: datetime, until: datetime
) -> dict[tuple[str, str], Becoming]:
    """Of the merchant's own cards, by campaign and prize or day; the second part is empty by campaign, and for blanks.

    Days are those of UTC. ``won`` are the scratched ones with a prize.
    """
    found: dict[tuple[str, str], Becoming] = {}
    columns = (Reward.campaign_id, Prize.slug, Reward.issued_at, Reward.revealed_at, Reward.redeemed_at)
    issued = (Reward.merchant_id == merchant_id, Reward.issued_at >= since, Reward.issued_at < until)
    query = select(*columns).outerjoin(Prize, Prize.id == Reward.prize_id).where(*issued).order_by(Reward.id)
    for row in conn.execute(query.execution_options(yield_per=5_000)):
        name = {"campaign": "", "prize": row.slug or "", "day": row.issued_at.date().isoformat()}[by]
        each = found.setdefault((row.campaign_id, name), Becoming())
        each.issued += 1
        each.scratched += row.revealed_at is not None
        each.won += row.revealed_at is not None and row.slug is not None
        if row.redeemed_at is not None and row.revealed_at is not None:
            each.used += 1
            each.seconds.append(int((row.redeemed_at - row.revealed_at).total_seconds()))
    for each in found.values():
        each.seconds.sort()
    return dict(sorted(found.items()))


def by_store(conn: Connection, merchant_id: str, *, since: datetime, until: datetime) -> list[AtStore]:
    """What the merchant redeemed, own prizes and allies', by store: None where the key belongs to none."""
    mine = (
        Redemption.merchant_id == merchant_id,
        Redemption.redeemed_at >= since,
        Redemption.redeemed_at < until,
        Redemption.rolled_back_at.is_(None),
    )
    counted = (func.count(), func.sum(Redemption.amount))
    last = case((Store.slug.is_(None), 1), else_=0)
    query = select(Store.slug, Redemption.currency, *counted).select_from(Redemption)
    query = query.outerjoin(Store, Store.id == Redemption.store_id).where(*mine)
    query = query.group_by(Store.slug, Redemption.currency).order_by(last, Store.slug, Redemption.currency)
    return [AtStore(store, currency, used, int(amount)) for store, currency, used, amount in conn.execute(query)]
