"""What a sale earns, and what a refund takes back, in their own transaction."""

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
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
from infra.secrets import Unsealable
from infra.trouble import is_of_its_values, reason
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
            try:
                _tried(conn, partial(granting.tell_not_granted, conn, one, now=now))
            except _Failed as failed:
                _log.error("reward_not_granted", **reason(failed.error))

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
            _tried(conn, give)
        except _Failed as failed:
            _log.error("reward_not_granted", **reason(failed.error))
            return None if failed.has_waited else False
        return True

    def _campaigns(self, conn: Connection, merchants: set[str]) -> dict[str, tuple[Live, ...] | None]:
        """None where they cannot be read. A savepoint costs too, so there is none where all is remembered."""
        known = self.campaigns.remembered(merchants)
        new = merchants - known.keys()
        return known | self._read(conn, new) if new else known

    def _read(self, conn: Connection, merchants: set[str]) -> dict[str, tuple[Live, ...] | None]:
        """Together, or where that fails each by itself: what is wrong with one is no other merchant's affair."""
        try:
            return {**_tried(conn, partial(self.campaigns.of, conn, self.keys, merchants))}
        except _Failed as failed:
            if len(merchants) > 1:
                return {each: self._read(conn, {each})[each] for each in sorted(merchants)}
            [merchant_id] = merchants
            if is_of_its_values(failed.error):
                self.campaigns.remember_unread(merchant_id)
            why = {"why": failed.error.detail} if isinstance(failed.error, Unsealable) else reason(failed.error)
            _log.error("campaigns_not_read", merchant=merchant_id, **why)
            return {merchant_id: None}

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


class _Failed(Exception):
    """Nothing was written, because of ``error``."""

    def __init__(self, error: Exception) -> None:
        self.error = error

    @property
    def has_waited(self) -> bool:
        """Whether somebody held for too long what a card needs."""
        return isinstance(self.error, DBAPIError) and _state(self.error) in _WAITED


def _be_patient(conn: Connection, how_long: str) -> None:
    """A card is not worth that sales wait for as long as they would for one of their own."""
    if conn.dialect.name == "postgresql":
        conn.exec_driver_sql(f"SET LOCAL lock_timeout TO {how_long}")


def _tried(conn: Connection, act: Callable[[], Found]) -> Found:
    """Raises :class:`_Failed` where ``act`` failed. What the whole transaction lost goes on: it is tried again."""
    try:
        with conn.begin_nested():
            return act()
    except Exception as error:
        is_lost = isinstance(error, DBAPIError) and (error.connection_invalidated or _state(error) in _LOST_TO_ANOTHER)
        if is_lost:
            raise
        raise _Failed(error) from error


def _state(error: DBAPIError) -> str | None:
    return getattr(error.orig, "sqlstate", None)
