"""Cards that members of staff gave for a sale to themselves, as far as it shows: the shopper has an address that stands
on their own business card."""

from collections import defaultdict
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any, Final

import orjson
from sqlalchemy import Connection, select

from cards.profile import Profile
from cards.tables import Card
from engagement.rewards.flagging import About
from engagement.rewards.tables import Reward
from kernel.ids import least_id
from receipts.tables import ReceiptShopper

# It is looked for each hour.
_RECENT: Final = timedelta(days=2)
# The last digits of a number are the same with and without the code of its country.
_DIGITS: Final = 8


def self_awards(conn: Connection, merchant_id: str, now: datetime) -> Iterator[About]:
    """Each card is one."""
    own = _addresses(conn, merchant_id)
    if not own:
        return
    recent = (Reward.merchant_id == merchant_id, Reward.id >= least_id("rwd", now - _RECENT), Reward.staff_id.in_(own))
    query = select(Reward.id, Reward.staff_id, ReceiptShopper.details)
    query = query.join(ReceiptShopper, ReceiptShopper.receipt_id == Reward.receipt_id)
    for row in conn.execute(query.where(*recent).order_by(Reward.id)):
        told = orjson.loads(row.details).get("shopper") or {}
        if own[row.staff_id] & _marks([told.get("email")], [told.get("phone")]):
            yield About("self_award", row.id, reward_id=row.id, staff_id=row.staff_id)


def _addresses(conn: Connection, merchant_id: str) -> dict[str, set[str]]:
    """What stands on the cards of each member of staff, former ones too."""
    found: defaultdict[str, set[str]] = defaultdict(set)
    for row in conn.execute(select(Card.staff_id, Card.profile).where(Card.merchant_id == merchant_id)):
        told = Profile.model_validate_json(row.profile)
        found[row.staff_id] |= _marks([each.address for each in told.emails], [each.number for each in told.phones])
    return {staff_id: marks for staff_id, marks in found.items() if marks}


def _marks(emails: list[Any], phones: list[Any]) -> set[str]:
    numbers = ("".join(sign for sign in each or "" if sign.isdigit()) for each in phones)
    return {each.strip().lower() for each in emails if each} | {
        each[-_DIGITS:] for each in numbers if len(each) >= _DIGITS
    }
