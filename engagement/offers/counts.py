"""Counting what comes of offers, at the merchant on whose receipt one stood and at the one whose product it is."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final, Literal

from sqlalchemy import Connection

from engagement.offers.links import Reason
from engagement.offers.tables import OfferCount
from infra.database import upsert

Act = Literal["shown", "tapped", "bought", "returned"]
ACTS: Final[tuple[Act, ...]] = ("shown", "tapped", "bought", "returned")


@dataclass(frozen=True, slots=True)
class Counted:
    """``owner_id`` is whose product it is. ``amount`` is in minor units of ``currency``."""

    shown_by: str
    owner_id: str
    sku: str
    reason: Reason
    currency: str = ""
    amount: int = 0


def count(conn: Connection, act: Act, counted: Counted, *, now: datetime, times: int = 1) -> None:
    """So many ``times`` more; none where only the amount grew. All take their rows in the same order."""
    day = now.astimezone(UTC).date().isoformat()
    told = {"day": day, "sku": counted.sku, "reason": counted.reason, "act": act, "currency": counted.currency}
    key = [column.name for column in OfferCount.__table__.primary_key]
    for row in sorted(_sides(counted), key=lambda side: side["merchant_id"]):
        new = upsert(conn, OfferCount).values(row | told | {"times": times, "amount": counted.amount})
        more = {"times": OfferCount.times + times, "amount": OfferCount.amount + counted.amount}
        conn.execute(new.on_conflict_do_update(index_elements=key, set_=more))


def _sides(counted: Counted) -> Iterator[dict[str, Any]]:
    if counted.shown_by == counted.owner_id:
        yield {"merchant_id": counted.owner_id, "ally_id": "", "side": ""}
        return
    yield {"merchant_id": counted.shown_by, "ally_id": counted.owner_id, "side": "ours"}
    yield {"merchant_id": counted.owner_id, "ally_id": counted.shown_by, "side": "theirs"}
