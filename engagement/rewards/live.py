"""Campaigns that give cards just now, as the intake remembers them."""

from collections.abc import Collection
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import cached_property
from typing import Final

from sqlalchemy import Connection, select

from engagement import alliances
from engagement.rewards import find
from engagement.rewards.definition import Definition
from engagement.rewards.keys import RewardKeys
from engagement.rewards.records import CampaignRecord, PrizeRecord
from engagement.rewards.rules import FirstPurchaseRule, parts
from engagement.rewards.tables import Campaign
from infra import secrets
from infra.changes import Remembered

_SECONDS: Final = 2.0
# Clocks of tills run ahead.
_AHEAD: Final = timedelta(hours=1)


def asks_for_first_purchase(told: Definition) -> bool:
    return told.eligibility is not None and any(
        isinstance(each, FirstPurchaseRule) for each in parts(told.eligibility.rule)
    )


@dataclass(frozen=True)
class Live:
    """A campaign with its seed. One that is not ``gives`` gives nothing just now, and sees who buys: for them it is no
    first purchase when it goes on."""

    record: CampaignRecord
    seed: bytes
    gives: bool = True

    @property
    def id(self) -> str:
        return self.record.id

    @property
    def prizes(self) -> tuple[PrizeRecord, ...]:
        return self.record.prizes

    @cached_property
    def asks_for_first_purchase(self) -> bool:
        return asks_for_first_purchase(self.record.definition)

    @cached_property
    def may_break_budget(self) -> bool:
        """Whether there are more prizes than the budget has money for: else its stock keeps it."""
        budget = self.record.definition.budget
        count = sum(each.stock for each in self.prizes)
        amount = sum(each.stock * each.face_value for each in self.prizes)
        is_over = budget.prizes is not None and count > budget.prizes
        return is_over or (budget.amount is not None and amount > budget.amount)

    def takes(self, sold_at: datetime, now: datetime) -> bool:
        """Whether a sale of that moment may earn a card when it arrives ``now``."""
        late = timedelta(days=self.record.definition.late_days)
        is_within = self.record.starts_at <= sold_at < self.record.ends_at
        return is_within and sold_at - _AHEAD <= now <= sold_at + late + _AHEAD


@dataclass(frozen=True, slots=True)
class _Known:
    lives: tuple[Live, ...] | None


class LiveCampaigns:
    """Each merchant's, asked for no more than once in two seconds, so that who has none, or some that cannot be read,
    pays nothing. Whether a campaign is still live is asked again where a card is given."""

    def __init__(self) -> None:
        self._known: Remembered[_Known] = Remembered(_SECONDS)

    def remembered(self, merchant_ids: Collection[str]) -> dict[str, tuple[Live, ...] | None]:
        """Of those of the merchants that are; None where they could not be read."""
        found = {each: self._known.get(each) for each in merchant_ids}
        return {each: known.lives for each, known in found.items() if known is not None}

    def of(self, conn: Connection, keys: RewardKeys, merchant_ids: Collection[str]) -> dict[str, tuple[Live, ...]]:
        """Of all of them, read anew."""
        mark = self._known.mark()
        read = dict.fromkeys(merchant_ids, ()) | _read(conn, keys, merchant_ids)
        for each, lives in read.items():
            self._known.put(each, _Known(lives), mark)
        return read

    def remember_unread(self, merchant_id: str) -> None:
        """They cannot be read just now."""
        self._known.put(merchant_id, _Known(None), self._known.mark())

    def forget(self) -> None:
        """After a campaign was changed in this process: at once."""
        self._known.forget()


def _read(conn: Connection, keys: RewardKeys, merchant_ids: Collection[str]) -> dict[str, tuple[Live, ...]]:
    """Those that give nothing just now only where they ask for first purchases."""
    found: dict[str, tuple[Live, ...]] = {}
    for record in find.running(conn, list(merchant_ids)):
        gives = record.state == "live" and has_its_allies(conn, record)
        live = with_seed(conn, keys, record) if gives or asks_for_first_purchase(record.definition) else None
        if live is not None:
            found[record.merchant_id] = (*found.get(record.merchant_id, ()), replace(live, gives=gives))
    return found


def has_its_allies(conn: Connection, record: CampaignRecord) -> bool:
    """Whether it is agreed with all who hand out its prizes: else no new ones are given."""
    suppliers = {each.supplier_id for each in record.prizes} - {record.merchant_id}
    return all(alliances.is_agreed(conn, record.merchant_id, each) for each in suppliers)


def with_seed(conn: Connection, keys: RewardKeys, record: CampaignRecord) -> Live | None:
    """None where it has ended meanwhile. Raises :class:`infra.secrets.Unsealable`."""
    mine = (Campaign.merchant_id == record.merchant_id, Campaign.id == record.id, Campaign.state != "ended")
    sealed = conn.scalar(select(Campaign.sealed_seed).where(*mine))
    return None if sealed is None else Live(record, bytes.fromhex(secrets.unseal(keys.sealer, sealed)))
