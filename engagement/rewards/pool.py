"""Codes that come from elsewhere, to be handed out as prizes. Sealed as they are written, since others' tills may tell
capitals apart; each is found by the HMAC of its tidied form."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import Connection, Engine, delete, func, insert, select, update
from sqlalchemy.exc import IntegrityError

from engagement.rewards import find, hands
from engagement.rewards.hands import Hand
from engagement.rewards.keys import RewardKeys, tidied
from engagement.rewards.records import PrizeRecord
from engagement.rewards.tables import PoolCode, Prize
from infra import secrets
from infra.database import reading
from kernel.errors import Conflict, FieldError, Invalid
from kernel.ids import new_id

# So many faults are told at once.
_WRONG: Final = 20


@dataclass(frozen=True, slots=True)
class SealedCode:
    """``line`` is where its file has it, ``digest`` that by which it is found."""

    line: int
    digest: str
    sealed: bytes


def sealed(keys: RewardKeys, codes: Mapping[int, str]) -> list[SealedCode]:
    """``codes`` are by their lines. Takes seconds for very many, so it is done before others are kept from writing."""
    return [
        SealedCode(line, keys.digest(tidied(code)), secrets.seal(keys.sealer, code)) for line, code in codes.items()
    ]


def put(
    engine: Engine, merchant_id: str, campaign_id: str, prize: str, wanted: Sequence[SealedCode], *, now: datetime
) -> int:
    """Make ``wanted`` the codes of the draft's prize with the slug ``prize``; how many there are. They are its stock,
    so an ally who supplies it has to consent anew. In slices between which others write: where that breaks off, the
    prize lacks codes until they are imported again.

    Raises :class:`Invalid` with the lines whose codes are another prize's already, :class:`NotFound`,
    :class:`CampaignStarted`, and :class:`Conflict` where somebody changes the draft meanwhile.
    """
    with reading(engine) as conn:
        of = _prize(conn, merchant_id, campaign_id, prize)
        _refuse_known(conn, merchant_id, of.id, wanted)
    hand = hands.take(engine, merchant_id, campaign_id)
    _take_out(hand, of.id, now)
    try:
        for start in range(0, len(wanted), hands.SLICE):
            with hand.slice() as conn:
                add(conn, merchant_id, of.id, wanted[start : start + hands.SLICE], now=now)
    except IntegrityError:
        # Another prize has got one of them meanwhile.
        with reading(engine) as conn:
            _refuse_known(conn, merchant_id, of.id, wanted)
        raise
    with hand.slice() as conn:
        finish(conn, merchant_id, of.id)
        hand.let_go(conn)
    return len(wanted)


def empty(engine: Engine, merchant_id: str, campaign_id: str, *, keeping: Collection[str] = (), now: datetime) -> None:
    """Before a draft is thrown away, or all of its prizes but those with the slugs ``keeping``: nobody has it in hand,
    and where these have very many codes they go first, slice by slice. Raises :class:`NotFound` and
    :class:`CampaignStarted`."""
    with reading(engine) as conn:
        prizes = find.campaign(conn, merchant_id, campaign_id).prizes
    full = [each.id for each in prizes if each.codes > hands.SLICE and each.slug not in keeping]
    if not full:
        hands.free(engine, merchant_id, campaign_id)
        return
    hand = hands.take(engine, merchant_id, campaign_id)
    for prize_id in full:
        _take_out(hand, prize_id, now)
    with hand.slice() as conn:
        hand.let_go(conn)


def _take_out(hand: Hand, prize_id: str, now: datetime) -> None:
    with hand.slice() as conn:
        begin(conn, hand.merchant_id, prize_id, now=now)
    is_more = True
    while is_more:
        with hand.slice() as conn:
            is_more = drop_some(conn, hand.merchant_id, prize_id)


def begin(conn: Connection, merchant_id: str, prize_id: str, *, now: datetime) -> None:
    """Until :func:`finish` the prize lacks codes, and its campaign cannot be launched."""
    mine = (Prize.merchant_id == merchant_id) & (Prize.id == prize_id)
    conn.execute(update(Prize).where(mine).values(consented_at=None, importing_since=now))


def drop_some(conn: Connection, merchant_id: str, prize_id: str) -> bool:
    """Of the codes of a draft's prize; whether there may be more."""
    mine = (PoolCode.merchant_id == merchant_id, PoolCode.prize_id == prize_id)
    some = select(PoolCode.id).where(*mine).limit(hands.SLICE)
    return conn.execute(delete(PoolCode).where(*mine, PoolCode.id.in_(some))).rowcount == hands.SLICE


def add(conn: Connection, merchant_id: str, prize_id: str, some: Sequence[SealedCode], *, now: datetime) -> None:
    """To the codes of a draft's prize: one code or more."""
    named = {"merchant_id": merchant_id, "prize_id": prize_id}
    rows = [named | {"id": new_id("cod", now), "digest": each.digest, "sealed": each.sealed} for each in some]
    conn.execute(insert(PoolCode), rows)


def finish(conn: Connection, merchant_id: str, prize_id: str) -> None:
    """All codes are there. Who consented meanwhile consented to fewer."""
    mine = (Prize.merchant_id == merchant_id) & (Prize.id == prize_id)
    conn.execute(update(Prize).where(mine).values(consented_at=None, importing_since=None))


def count(conn: Connection, merchant_id: str, prize_id: str) -> int:
    mine = (PoolCode.merchant_id == merchant_id) & (PoolCode.prize_id == prize_id)
    return conn.scalar(select(func.count()).select_from(PoolCode).where(mine)) or 0


def _prize(conn: Connection, merchant_id: str, campaign_id: str, slug: str) -> PrizeRecord:
    prizes = find.campaign(conn, merchant_id, campaign_id).prizes
    found = next((each for each in prizes if each.slug == slug), None)
    if found is None or found.definition.codes != "pool":
        raise Conflict("The campaign has no prize of this slug whose codes are a pool")
    return found


def _refuse_known(conn: Connection, merchant_id: str, prize_id: str, wanted: Sequence[SealedCode]) -> None:
    """Those of other prizes."""
    known: set[str] = set()
    for start in range(0, len(wanted), 1000):
        some = [each.digest for each in wanted[start : start + 1000]]
        others = (PoolCode.merchant_id == merchant_id, PoolCode.digest.in_(some), PoolCode.prize_id != prize_id)
        known |= set(conn.scalars(select(PoolCode.digest).where(*others)))
    lines = [each.line for each in wanted if each.digest in known]
    if lines:
        raise Invalid(
            errors=[FieldError(f"/{line}", "is the code of another prize already") for line in lines[:_WRONG]]
        )
