"""What a sale earns, and what a refund takes back, in their own transaction."""

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING, Final, TypeVar

import structlog
from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError

from accounts.places import Directory
from engagement import shoppers
from engagement.rewards import granting, withdrawing
from engagement.rewards.keys import RewardKeys
from engagement.rewards.live import Live, LiveCampaigns
from engagement.rewards.sold import Sold
from receipts.issue import Issued

if TYPE_CHECKING:
    from pos.intake import Arrival

Found = TypeVar("Found")

_log = structlog.get_logger()
# PostgreSQL's deadlock_detected, serialization_failure, lock_not_available and query_canceled: others were in the way.
_LOST_TO_ANOTHER: Final = ("40P01", "40001", "55P03", "57014")


class Giver:
    """What it takes to give cards, and what is remembered of campaigns: whoever changes one tells it to forget."""

    def __init__(self, keys: RewardKeys) -> None:
        self.keys = keys
        self.campaigns = LiveCampaigns()

    def give(
        self,
        conn: Connection,
        new: "Sequence[tuple[Arrival, Issued]]",
        directories: Mapping[str, Directory],
        now: datetime,
    ) -> None:
        """Cards for the receipts that are new. What goes wrong with a card costs no sale: it is left out."""
        merchants = {arrival.merchant_id for arrival, _ in new if arrival.sale.kind == "sale"}
        campaigns = self._campaigns(conn, merchants) if merchants else {}
        sold = [self._sold(arrival, issued, directories) for arrival, issued in new if arrival.merchant_id in campaigns]
        if not sold or _safely(conn, partial(granting.grant, conn, self.keys, campaigns, sold, now=now)) is not None:
            return
        for one in sorted(sold, key=lambda each: each.receipt_id):
            alone = partial(granting.grant, conn, self.keys, campaigns, [one], now=now)
            if len(sold) == 1 or _safely(conn, alone) is None:
                _safely(conn, partial(granting.tell_not_granted, conn, one, now=now))

    def _campaigns(self, conn: Connection, merchants: set[str]) -> dict[str, tuple[Live, ...]]:
        """A savepoint costs too, so there is none where all is remembered."""
        known = self.campaigns.remembered(merchants)
        return (
            known if known is not None else _safely(conn, partial(self.campaigns.of, conn, self.keys, merchants)) or {}
        )

    def _sold(self, arrival: "Arrival", issued: Issued, directories: Mapping[str, Directory]) -> Sold:
        directory = directories[arrival.merchant_id]
        place = directory.store_of(arrival.sale.store, arrival.store_id)
        assert place is not None
        staff = directory.staff.get(arrival.sale.staff) if arrival.sale.staff else None
        return Sold(
            merchant_id=arrival.merchant_id,
            receipt_id=issued.id,
            sale=arrival.sale,
            source=arrival.source,
            shopper=shoppers.pseudonym(self.keys.shopper, arrival.merchant_id, arrival.sale.shopper),
            store_id=place.id,
            store=place.slug,
            brand=place.brand,
            country=place.address.get("country"),
            timezone=place.timezone,
            staff_id=staff[0] if staff else None,
        )


def take_back(conn: Connection, new: "Sequence[tuple[Arrival, Issued]]", now: datetime) -> list[str]:
    """What the receipts that are new make void of what earlier ones have earned: the ids of these cards."""
    amending: dict[str, list[str]] = defaultdict(list)
    for arrival, issued in new:
        if arrival.sale.kind != "sale" and "training" not in arrival.sale.flags:
            amending[arrival.merchant_id].append(issued.id)
    void: list[str] = []
    for merchant_id in sorted(amending):
        void += withdrawing.after_amendments(conn, merchant_id, amending[merchant_id], now=now)
    return void


def _safely(conn: Connection, act: Callable[[], Found]) -> Found | None:
    """None where ``act`` failed, and nothing of it was written. What the whole transaction lost goes on: it is tried
    again."""
    try:
        with conn.begin_nested():
            return act()
    except DBAPIError as error:
        if error.connection_invalidated or getattr(error.orig, "sqlstate", None) in _LOST_TO_ANOTHER:
            raise
        _log.error("reward_not_granted", error=type(error).__name__)
    except Exception as error:
        _log.error("reward_not_granted", exc_info=error)
    return None
