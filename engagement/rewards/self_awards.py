"""Cards that members of staff gave for a sale to themselves, as far as it shows: the shopper has an address that stands
on their own business card."""

from collections import defaultdict
from collections.abc import Collection, Iterator
from datetime import datetime, timedelta
from typing import Any, Final

import orjson
from sqlalchemy import Connection, select

from cards.profile import Profile
from cards.tables import Card
from engagement.rewards.flagging import About
from engagement.rewards.tables import Reward
from infra.database import one_of, unindexed
from kernel.ids import least_id
from receipts.tables import ReceiptShopper

# It is looked for each hour.
_RECENT: Final = timedelta(days=2)
# The last digits of a number are the same with and without the code of its country.
_DIGITS: Final = 8


def self_awards(conn: Connection, merchant_id: str, now: datetime) -> Iterator[About]:
    """Each card is one."""
    recent = (Reward.merchant_id == merchant_id, Reward.id >= least_id("rwd", now - _RECENT))
    query = select(Reward.id, Reward.staff_id, ReceiptShopper.details)
    query = query.join(ReceiptShopper, ReceiptShopper.receipt_id == Reward.receipt_id)
    given = [
        (row.id, row.staff_id, marks)
        for row in conn.execute(query.where(*recent, Reward.staff_id.is_not(None)).order_by(Reward.id))
        if (marks := _of_shopper(row.details))
    ]
    own = _addresses(conn, merchant_id, {staff_id for _, staff_id, _ in given})
    for reward_id, staff_id, marks in given:
        if own[staff_id] & marks:
            yield About("self_award", reward_id, reward_id=reward_id, staff_id=staff_id)


def _of_shopper(details: str) -> set[str]:
    told = orjson.loads(details).get("shopper") or {}
    return _marks([told.get("email")], [told.get("phone")])


def _addresses(conn: Connection, merchant_id: str, staff_ids: Collection[str]) -> defaultdict[str, set[str]]:
    """What stands on the business cards of these members of staff, who may be none any more."""
    found: defaultdict[str, set[str]] = defaultdict(set)
    theirs = (unindexed(Card.merchant_id) == merchant_id, one_of(Card.staff_id, "staff"))
    for row in conn.execute(select(Card.staff_id, Card.profile).where(*theirs), {"staff": sorted(staff_ids)}):
        told = Profile.model_validate_json(row.profile)
        found[row.staff_id] |= _marks([each.address for each in told.emails], [each.number for each in told.phones])
    return found


def _marks(emails: list[Any], phones: list[Any]) -> set[str]:
    numbers = ("".join(sign for sign in each or "" if sign.isdigit()) for each in phones)
    return {each.strip().lower() for each in emails if each} | {
        each[-_DIGITS:] for each in numbers if len(each) >= _DIGITS
    }
