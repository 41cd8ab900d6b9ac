"""What a person should look at: written down once, and told as an event."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

import orjson
from sqlalchemy import Connection, select

from engagement import events
from engagement.rewards.tables import RewardFlag
from infra.database import insert_or_ignore
from kernel.ids import new_id

FlagKind = Literal["refunded_after_use", "many_cards", "many_uses", "staff_favourite", "self_award", "guessing"]


@dataclass(frozen=True, slots=True)
class About:
    """``subject`` is what it is about, so that it is told once; ``data`` holds figures."""

    kind: FlagKind
    subject: str
    reward_id: str | None = None
    staff_id: str | None = None
    data: Mapping[str, int | str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Flag:
    id: str
    kind: FlagKind
    reward_id: str | None
    staff_id: str | None
    data: dict[str, int | str]
    flagged_at: datetime


def flag(conn: Connection, merchant_id: str, about: About, *, now: datetime) -> bool:
    """Whether it is new."""
    row = {
        "id": new_id("flg", now),
        "merchant_id": merchant_id,
        "kind": about.kind,
        "subject": about.subject,
        "reward_id": about.reward_id,
        "staff_id": about.staff_id,
        "data": orjson.dumps(dict(about.data)).decode(),
        "flagged_at": now,
    }
    if conn.scalar(insert_or_ignore(conn, RewardFlag).values(row).returning(RewardFlag.id)) is None:
        return False
    data = {"flag": row["id"], "kind": about.kind, "reward": about.reward_id, "staff": about.staff_id}
    events.tell(conn, merchant_id, "reward.flagged", data, now=now)
    return True


def listed(conn: Connection, merchant_id: str, *, at_most: int, after: str = "") -> list[Flag]:
    """Oldest first."""
    mine = (RewardFlag.merchant_id == merchant_id, RewardFlag.id > after)
    columns = (RewardFlag.id, RewardFlag.kind, RewardFlag.reward_id, RewardFlag.staff_id, RewardFlag.flagged_at)
    rows = conn.execute(select(*columns, RewardFlag.data).where(*mine).order_by(RewardFlag.id).limit(at_most))
    return [Flag(row.id, row.kind, row.reward_id, row.staff_id, orjson.loads(row.data), row.flagged_at) for row in rows]
