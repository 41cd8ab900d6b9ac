"""Caps of a whole campaign: one row is counted up, if it may be. Who counts meanwhile waits for it.

A campaign whose stock cannot break its budget has no such row, and nobody waits.
"""

from datetime import datetime
from typing import Any, Final
from zoneinfo import ZoneInfo

from sqlalchemy import Connection, update

from engagement.rewards.live import Live
from engagement.rewards.records import PrizeRecord
from engagement.rewards.tables import CampaignTally
from infra.database import insert_or_ignore

_WHOLE: Final = ""


def day_of(live: Live, now: datetime) -> str:
    """By the campaign's time zone."""
    return now.astimezone(ZoneInfo(live.record.definition.timezone)).date().isoformat()


def count_card(conn: Connection, live: Live, now: datetime) -> bool:
    """Whether the day has room for another card, which is then counted."""
    most = live.record.definition.caps.per_day
    if most is None:
        return True
    row = _opened(conn, live, day_of(live, now))
    one_more = update(CampaignTally).where(*row, CampaignTally.cards < most).values(cards=CampaignTally.cards + 1)
    return conn.execute(one_more).rowcount == 1


def discount_card(conn: Connection, live: Live, now: datetime) -> None:
    """After :func:`count_card`, in the same transaction: it was not given."""
    if live.record.definition.caps.per_day is not None:
        row = _row(live, day_of(live, now))
        conn.execute(update(CampaignTally).where(*row).values(cards=CampaignTally.cards - 1))


def spend(conn: Connection, live: Live, prize: PrizeRecord) -> bool:
    """Whether the budget has room for the prize, which is then spent."""
    if not live.may_break_budget:
        return True
    budget = live.record.definition.budget
    room = [*_opened(conn, live, _WHOLE)]
    if budget.amount is not None:
        room.append(CampaignTally.amount + prize.face_value <= budget.amount)
    if budget.prizes is not None:
        room.append(CampaignTally.prizes < budget.prizes)
    more = {"amount": CampaignTally.amount + prize.face_value, "prizes": CampaignTally.prizes + 1}
    return conn.execute(update(CampaignTally).where(*room).values(more)).rowcount == 1


def unspend(conn: Connection, live: Live, prize: PrizeRecord) -> None:
    """After :func:`spend`, in the same transaction: it was not given."""
    if live.may_break_budget:
        less = {"amount": CampaignTally.amount - prize.face_value, "prizes": CampaignTally.prizes - 1}
        conn.execute(update(CampaignTally).where(*_row(live, _WHOLE)).values(less))


def _opened(conn: Connection, live: Live, day: str) -> tuple[Any, ...]:
    row = {"campaign_id": live.id, "day": day, "merchant_id": live.record.merchant_id}
    conn.execute(insert_or_ignore(conn, CampaignTally), row | {"cards": 0, "prizes": 0, "amount": 0})
    return _row(live, day)


def _row(live: Live, day: str) -> tuple[Any, ...]:
    mine = CampaignTally.merchant_id == live.record.merchant_id
    return mine, CampaignTally.campaign_id == live.id, CampaignTally.day == day
