"""Who has a draft in hand: to launch it, or to import its codes, slice by slice.

SQLite lets one write at a time, and 200,000 rows take seconds: between two slices tills are served. Who comes later
takes the draft over, and who had it before is refused its next slice. So nobody waits for a process that has died, and
what that left behind is taken up first.
"""

import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final

from sqlalchemy import ColumnElement, Connection, Engine, delete, select, update

from engagement.rewards import managing
from engagement.rewards.tables import Campaign, PrizeSlot
from infra.database import in_turn, reading
from kernel.errors import Conflict

# Rows that one transaction writes or removes.
SLICE: Final = 2_000


@dataclass(frozen=True, slots=True)
class Hand:
    """A draft in hand. ``mark`` tells one hand from another."""

    engine: Engine
    merchant_id: str
    campaign_id: str
    mark: str

    @contextmanager
    def slice(self) -> Iterator[Connection]:
        """A transaction, after which others write. Raises :class:`Conflict` where somebody took the draft over."""
        with in_turn(self.engine) as conn:
            held = select(Campaign.in_hand).where(*self._mine, Campaign.state == "draft").with_for_update()
            if conn.scalar(held) != self.mark:
                raise Conflict("Somebody else has changed or launched it meanwhile")
            yield conn

    def let_go(self, conn: Connection) -> None:
        """In the last slice."""
        conn.execute(update(Campaign).where(*self._mine).values(in_hand=None))

    def take_up_slots(self, conn: Connection) -> bool:
        """Some of those that a launch left that was not finished; whether there may be more."""
        mine = (PrizeSlot.merchant_id == self.merchant_id, PrizeSlot.campaign_id == self.campaign_id)
        some = select(PrizeSlot.position).where(*mine).order_by(PrizeSlot.position).limit(SLICE)
        return conn.execute(delete(PrizeSlot).where(*mine, PrizeSlot.position.in_(some))).rowcount == SLICE

    @property
    def _mine(self) -> tuple[ColumnElement[bool], ...]:
        return Campaign.merchant_id == self.merchant_id, Campaign.id == self.campaign_id


def take(engine: Engine, merchant_id: str, campaign_id: str) -> Hand:
    """The draft with no slots. Raises :class:`kernel.errors.NotFound`,
    :class:`engagement.rewards.managing.CampaignStarted`, and :class:`Conflict` where somebody takes it over at once."""
    hand = Hand(engine, merchant_id, campaign_id, secrets.token_hex(16))
    with in_turn(engine) as conn:
        managing.lock_draft(conn, merchant_id, campaign_id, take_over=True)
        conn.execute(update(Campaign).where(*hand._mine).values(in_hand=hand.mark))
        is_more = hand.take_up_slots(conn)
    while is_more:
        with hand.slice() as conn:
            is_more = hand.take_up_slots(conn)
    return hand


def free(engine: Engine, merchant_id: str, campaign_id: str) -> None:
    """Before a draft is changed: nobody has it in hand, and nothing of a launch is left. What is no draft of the
    merchant's is left as it is."""
    mine = (Campaign.merchant_id == merchant_id, Campaign.id == campaign_id, Campaign.state == "draft")
    with reading(engine) as conn:
        held = conn.scalar(select(Campaign.in_hand).where(*mine))
    if held is not None:
        hand = take(engine, merchant_id, campaign_id)
        with hand.slice() as conn:
            hand.let_go(conn)
