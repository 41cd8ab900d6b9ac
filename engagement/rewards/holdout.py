"""Shoppers who earn cards and get none: what they buy afterwards tells what cards are good for.

Who they are is decided once and for all, by a hash that nobody outside can tell. Only who is known can be compared, so
nobody else goes without.
"""

import hmac
from collections.abc import Collection
from datetime import datetime
from typing import Final

from sqlalchemy import Connection, delete

from engagement.rewards.keys import RewardKeys
from engagement.rewards.live import Live
from engagement.rewards.tables import WithheldCard
from infra.database import insert_or_ignore

_HUNDRED: Final = 100


def is_withheld(keys: RewardKeys, live: Live, shopper: str | None) -> bool:
    """The same for all receipts of a shopper."""
    percent = live.record.definition.holdout
    if not percent or shopper is None:
        return False
    told = hmac.digest(keys.shopper, f"holdout\n{live.id}\n{shopper}".encode(), "sha256")
    return int.from_bytes(told[:8]) % _HUNDRED < percent


def remember(conn: Connection, live: Live, shopper: str, receipt_id: str, *, now: datetime) -> None:
    row = {
        "campaign_id": live.id,
        "receipt_id": receipt_id,
        "merchant_id": live.record.merchant_id,
        "shopper": shopper,
        "withheld_at": now,
    }
    conn.execute(insert_or_ignore(conn, WithheldCard), row)


def forget_receipts(conn: Connection, merchant_id: str, receipt_ids: Collection[str]) -> None:
    """Also where only the shopper is forgotten: nothing else is remembered of them."""
    mine = WithheldCard.merchant_id == merchant_id
    conn.execute(delete(WithheldCard).where(mine, WithheldCard.receipt_id.in_(receipt_ids)))
