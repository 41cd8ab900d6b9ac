"""What becomes of cards: how many are scratched, how many used, how soon, and where."""

from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any, Final, Literal

from sqlalchemy import BigInteger, Connection, case, func, outerjoin, select, type_coerce

from accounts.tables import Store
from engagement.rewards.tables import Prize, Redemption, Reward
from kernel.ids import least_id

By = Literal["campaign", "prize", "day"]
_SECOND: Final = 1_000_000


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

    Days are those of UTC. ``won`` are the scratched ones with a prize. By prize cards under their foil are left out.
    """
    # An id begins with the moment in which it was issued, and has an index.
    within = (Reward.id >= least_id("rwd", since), Reward.id < least_id("rwd", until))
    issued = [Reward.merchant_id == merchant_id, *within, *([Reward.state != "issued"] if by == "prize" else [])]
    key = (Reward.campaign_id, _part(by))
    won = case((Reward.revealed_at.is_not(None) & Reward.prize_id.is_not(None), 1), else_=0)
    counted = (func.count(), func.count(Reward.revealed_at), func.sum(won), func.count(Reward.redeemed_at))
    cards = outerjoin(Reward.__table__, Prize.__table__, Prize.id == Reward.prize_id)
    query = select(*key, *counted).select_from(cards).where(*issued).group_by(*key)
    found = {_key(by, *row[:2]): Becoming(*row[2:]) for row in conn.execute(query)}
    seconds = (_micros(Reward.redeemed_at) - _micros(Reward.revealed_at)) // _SECOND
    used = (Reward.redeemed_at.is_not(None), Reward.revealed_at.is_not(None))
    for campaign_id, part, each in conn.execute(select(*key, seconds).select_from(cards).where(*issued, *used)):
        found[_key(by, campaign_id, part)].seconds.append(int(each))
    for becoming in found.values():
        becoming.seconds.sort()
    return dict(sorted(found.items()))


def _part(by: By) -> Any:
    if by == "day":
        return _micros(Reward.issued_at) // (86_400 * _SECOND)
    return Prize.slug if by == "prize" else Reward.campaign_id


def _key(by: By, campaign_id: str, part: str | int | None) -> tuple[str, str]:
    if by == "day":
        return campaign_id, (date(1970, 1, 1) + timedelta(days=int(part or 0))).isoformat()
    return campaign_id, str(part or "") if by == "prize" else ""


def _micros(moment: Any) -> Any:
    """As it is kept (infra.database.Instant), to be reckoned with in the database."""
    return type_coerce(moment, BigInteger)


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
