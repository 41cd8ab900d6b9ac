"""What a card holds: decided when it is issued, by the seed of its campaign and what is left."""

from dataclasses import dataclass, replace
from typing import Any, Final

from sqlalchemy import ColumnElement, Connection, Select, and_, bindparam, select, update

from engagement.rewards import locks, tallies
from engagement.rewards.live import Live
from engagement.rewards.records import PrizeRecord
from engagement.rewards.tables import PrizeSlot
from engagement.scratch import drawn, entry_digest


@dataclass(frozen=True, slots=True)
class Outcome:
    """``prize`` is None for a blank. For the rest see :class:`engagement.rewards.records.RewardRecord`."""

    prize: PrizeRecord | None
    nonce: int | None = None
    gone: tuple[int, ...] = ()
    position: int | None = None
    pool_code_id: str | None = None


def draw(conn: Connection, live: Live, entry: str, reward_id: str) -> Outcome | None:
    """None where the campaign has nothing left to give, blanks included. Within :func:`locks.giving`."""
    if live.record.definition.mode == "deck":
        return _next(conn, live, reward_id)
    return _drawn(conn, live, entry, reward_id)


def _drawn(conn: Connection, live: Live, entry: str, reward_id: str) -> Outcome | None:
    """A prize that is drawn and gone is left out, and the next number draws among the others."""
    weights = [*(each.weight for each in live.prizes), live.record.definition.nothing]
    gone: list[int] = []
    while sum(weights):
        nonce = len(gone)
        index = drawn(live.seed, campaign=live.id, receipt=entry_digest(entry), nonce=nonce, weights=weights)
        drawing = Outcome(None, nonce, tuple(gone))
        if index == len(live.prizes):
            return drawing
        prize = live.prizes[index]
        slot = _slot_of(conn, live, prize, reward_id)
        if slot is not None:
            return replace(drawing, prize=prize, pool_code_id=slot.pool_code_id)
        gone.append(index)
        weights[index] = 0
    return None


def _next(conn: Connection, live: Live, reward_id: str) -> Outcome | None:
    """The next card of the deck."""
    slot = _take(conn, live, reward_id)
    if slot is None:
        return None
    prize = next((each for each in live.prizes if each.id == slot.prize_id), None)
    return Outcome(prize, position=slot.position, pool_code_id=slot.pool_code_id)


def _slot_of(conn: Connection, live: Live, prize: PrizeRecord, reward_id: str) -> Any:
    """The budget first: who waits for it finds no slot in the hands of somebody who then lets it go."""
    if not tallies.spend(conn, live, prize):
        return None
    slot = _take(conn, live, reward_id, prize.id)
    if slot is None:
        tallies.unspend(conn, live, prize)
    return slot


def _take(conn: Connection, live: Live, reward_id: str, prize_id: str | None = None) -> Any:
    """The first slot that nobody has, of one prize or of the deck. Raises :class:`locks.Crowded` where there is none
    but those that others are just taking: who lets go leaves one, and what is told to be gone has to be gone."""
    named = {"of_merchant": live.record.merchant_id, "of_campaign": live.id, "by": reward_id, "of_prize": prize_id}
    take, look = (_NEXT, _IS_NEXT) if prize_id is None else (_OF_PRIZE, _IS_OF_PRIZE)
    found = conn.execute(take, named).one_or_none()
    if found is None and conn.dialect.name == "postgresql" and conn.scalar(look, named) is not None:
        raise locks.Crowded
    return found


def _first(*which: ColumnElement[bool]) -> Select[int]:
    """The position of the first free slot. Built once, as what follows: that costs more than to run."""
    free = (_MINE, PrizeSlot.reward_id.is_(None), *which)
    return select(PrizeSlot.position).where(*free).order_by(PrizeSlot.position).limit(1)


def _taking(first: Select[int]) -> Any:
    position = first.with_for_update(skip_locked=True).scalar_subquery()
    taken = update(PrizeSlot).where(_MINE, PrizeSlot.position == position, PrizeSlot.reward_id.is_(None))
    columns = (PrizeSlot.position, PrizeSlot.prize_id, PrizeSlot.pool_code_id)
    return taken.values(reward_id=bindparam("by")).returning(*columns)


_MINE: Final = and_(
    PrizeSlot.merchant_id == bindparam("of_merchant"), PrizeSlot.campaign_id == bindparam("of_campaign")
)
_IS_NEXT: Final = _first()
_IS_OF_PRIZE: Final = _first(PrizeSlot.prize_id == bindparam("of_prize"))
_NEXT: Final = _taking(_IS_NEXT)
_OF_PRIZE: Final = _taking(_IS_OF_PRIZE)
