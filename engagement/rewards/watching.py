"""What does not look right: too many cards for one shopper, too many codes by one key, staff who favour somebody, or
themselves."""

import hmac
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import Connection, func, select

from engagement.rewards.flagging import About
from engagement.rewards.keys import RewardKeys
from engagement.rewards.self_awards import self_awards
from engagement.rewards.tables import Campaign, Redemption, Reward
from kernel.clock import iso
from kernel.ids import least_id

_DAY: Final = timedelta(days=1)
_MONTH: Final = timedelta(days=30)
_HOUR: Final = timedelta(hours=1)
# Cards of one shopper in a day, uses by one key in an hour.
MANY_CARDS: Final = 10
MANY_USES: Final = 60
# Of a member of staff with so many cards for known shoppers in a month, this share to one of them.
FROM_CARDS: Final = 10
FAVOURED: Final = 5
SHARE: Final = 0.3


def merchants(conn: Connection) -> Sequence[str]:
    """Who has launched a campaign."""
    launched = select(Campaign.merchant_id).where(Campaign.launched_at.is_not(None))
    return conn.scalars(launched.distinct().order_by(Campaign.merchant_id)).all()


def seen(conn: Connection, merchant_id: str, keys: RewardKeys, *, now: datetime) -> list[About]:
    """What to flag. It reads a month, so it is read apart from what :func:`engagement.rewards.flagging.flag` writes."""
    return [
        *_many_cards(conn, keys, merchant_id, now),
        *_many_uses(conn, merchant_id, now),
        *_favourites(conn, merchant_id, now),
        *self_awards(conn, merchant_id, now),
    ]


def _many_cards(conn: Connection, keys: RewardKeys, merchant_id: str, now: datetime) -> Iterator[About]:
    count = func.count()
    query = select(Reward.shopper, count, func.max(Reward.id)).where(*_since(merchant_id, now - _DAY))
    for shopper, cards, last in conn.execute(query.group_by(Reward.shopper).having(count >= MANY_CARDS)):
        # The subject tells days of one shopper apart, and nobody who they are.
        subject = hmac.digest(keys.shopper, f"{shopper} {now.date()}".encode(), "sha256").hex()
        yield About("many_cards", subject, reward_id=last, data={"cards": cards, "hours": 24})


def _many_uses(conn: Connection, merchant_id: str, now: datetime) -> Iterator[About]:
    count = func.count()
    of_hour = (Redemption.merchant_id == merchant_id, Redemption.redeemed_at >= now - _HOUR)
    query = select(Redemption.key_id, count).where(*of_hour).group_by(Redemption.key_id).having(count >= MANY_USES)
    for key_id, uses in conn.execute(query):
        subject = f"{key_id} {iso(now)[:13]}"
        yield About("many_uses", subject, data={"key": key_id, "uses": uses, "hours": 1})


def _favourites(conn: Connection, merchant_id: str, now: datetime) -> Iterator[About]:
    query = select(Reward.staff_id, Reward.shopper, func.count().label("cards"))
    query = query.where(*_since(merchant_id, now - _MONTH), Reward.staff_id.is_not(None))
    by_staff: dict[str | None, list[int]] = {}
    for staff_id, _, cards in conn.execute(query.group_by(Reward.staff_id, Reward.shopper)):
        by_staff.setdefault(staff_id, []).append(cards)
    for staff_id, counts in by_staff.items():
        most, every = max(counts), sum(counts)
        if every >= FROM_CARDS and most >= FAVOURED and most >= SHARE * every:
            subject = f"{staff_id} {now.date().isoformat()[:7]}"
            yield About("staff_favourite", subject, staff_id=staff_id, data={"cards": most, "of": every, "days": 30})


def _since(merchant_id: str, moment: datetime) -> tuple[Any, ...]:
    """Cards of known shoppers from then on; by their ids, which sort by age."""
    return Reward.merchant_id == merchant_id, Reward.id >= least_id("rwd", moment), Reward.shopper.is_not(None)
