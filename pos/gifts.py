"""What a sale earns, and what a refund takes back, in their own transaction."""

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
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
from infra.trouble import kind
from receipts.issue import Issued

if TYPE_CHECKING:
    from pos.intake import Arrival

Found = TypeVar("Found")

_log = structlog.get_logger()
# PostgreSQL's deadlock_detected and serialization_failure: the writer does the batch again.
_LOST_TO_ANOTHER: Final = ("40P01", "40001")
# Its lock_not_available and query_canceled. The writer would not do a batch again that has waited so long.
_WAITED: Final = ("55P03", "57014")
_PATIENCE: Final = "'2s'"


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
        sold = [
            self._sold(arrival, issued, directories)
            for arrival, issued in new
            if campaigns.get(arrival.merchant_id, ()) != ()
        ]
        for one in self._left_without(conn, campaigns, sold, now):
            with suppress(_InTheWay):
                _safely(conn, partial(granting.tell_not_granted, conn, one, now=now))

    def _left_without(
        self, conn: Connection, campaigns: Mapping[str, tuple[Live, ...] | None], sold: Sequence[Sold], now: datetime
    ) -> Iterator[Sold]:
        """Those of ``sold`` that a fault, or somebody in the way, may have cost their card."""
        known = {merchant: lives for merchant, lives in campaigns.items() if lives is not None}
        wanted = [each for each in sold if each.merchant_id in known]
        yield from (each for each in sold if each.merchant_id not in known and each.counts)
        if not wanted or self._has_given(conn, known, wanted, now) is True:
            return
        waited: set[str] = set()
        for one in sorted(wanted, key=lambda each: each.receipt_id):
            # Who waited once for somebody of a merchant's does not wait for them with each of its sales.
            gave = False if len(wanted) == 1 or one.merchant_id in waited else self._has_given(conn, known, [one], now)
            if gave is None:
                waited.add(one.merchant_id)
            if not gave:
                yield one

    def _has_given(
        self, conn: Connection, campaigns: dict[str, tuple[Live, ...]], sold: Sequence[Sold], now: datetime
    ) -> bool | None:
        """None where somebody was in the way for too long."""

        def give() -> list[str]:
            _be_patient(conn, _PATIENCE)
            given = granting.grant(conn, self.keys, campaigns, sold, now=now)
            _be_patient(conn, "DEFAULT")
            return given

        try:
            return _safely(conn, give) is not None
        except _InTheWay:
            return None

    def _campaigns(self, conn: Connection, merchants: set[str]) -> Mapping[str, tuple[Live, ...] | None]:
        """Of merchants who have any; None where they cannot be read, which is no other merchant's affair. A savepoint
        costs too, so there is none where all is remembered."""
        known = self.campaigns.remembered(merchants)
        if known is None:
            known = self._read(conn, merchants)
        return known if known is not None else {each: self._read_one(conn, each) for each in sorted(merchants)}

    def _read_one(self, conn: Connection, merchant_id: str) -> tuple[Live, ...] | None:
        found = self.campaigns.remembered({merchant_id})
        found = found if found is not None else self._read(conn, {merchant_id})
        return None if found is None else found.get(merchant_id, ())

    def _read(self, conn: Connection, merchants: set[str]) -> dict[str, tuple[Live, ...]] | None:
        try:
            return _safely(conn, partial(self.campaigns.of, conn, self.keys, merchants))
        except _InTheWay:
            return None

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


class _InTheWay(Exception):
    """Somebody held for too long what a card needs."""


def _be_patient(conn: Connection, how_long: str) -> None:
    """A card is not worth that sales wait for as long as they would for one of their own."""
    if conn.dialect.name == "postgresql":
        conn.exec_driver_sql(f"SET LOCAL lock_timeout TO {how_long}")


def _safely(conn: Connection, act: Callable[[], Found]) -> Found | None:
    """None where ``act`` failed, and nothing of it was written. What the whole transaction lost goes on: it is tried
    again. Raises :class:`_InTheWay`."""
    try:
        with conn.begin_nested():
            return act()
    except DBAPIError as error:
        state = getattr(error.orig, "sqlstate", None)
        if error.connection_invalidated or state in _LOST_TO_ANOTHER:
            raise
        _log.error("reward_not_granted", error=kind(error))
        if state in _WAITED:
            raise _InTheWay from None
    except Exception as error:
        _log.error("reward_not_granted", exc_info=error)
    return None
