"""Codes that come from elsewhere, to be handed out as prizes. Sealed as they are written, since others' tills may tell
capitals apart; each is found by the HMAC of its tidied form."""

import codecs
import csv
import io
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import Connection, Engine, delete, func, insert, select, update
from sqlalchemy.exc import IntegrityError

from engagement.rewards import find, hands
from engagement.rewards.definition import MOST_SLOTS
from engagement.rewards.hands import Hand
from engagement.rewards.keys import RewardKeys, tidied
from engagement.rewards.records import PrizeRecord
from engagement.rewards.tables import PoolCode, Prize
from infra import secrets
from infra.csv_text import told
from infra.database import reading
from kernel.errors import BadRequest, Conflict, FieldError, Invalid
from kernel.ids import new_id

_LONGEST: Final = 64
_HEADS: Final = frozenset({"code", "codes", "voucher", "coupon"})
_WRONG: Final = 20


@dataclass(frozen=True, slots=True)
class SealedCode:
    """``digest`` is that by which it is found."""

    digest: str
    sealed: bytes


def read(data: bytes) -> list[str]:
    """The codes of a text with one a line, or of the first column of a CSV file; a head and empty lines are left out.
    Raises :class:`BadRequest` where it is not UTF-8."""
    try:
        text = data.removeprefix(codecs.BOM_UTF8).decode()
    except UnicodeDecodeError:
        raise BadRequest("The codes must be UTF-8, one a line") from None
    delimiter = next((each for each in (";", "\t") if each in text.partition("\n")[0]), ",")
    try:
        rows = [row[0] for row in csv.reader(io.StringIO(text, newline=""), delimiter=delimiter) if row]
    except csv.Error:
        raise BadRequest("The codes must be one a line, or the first column of a CSV file") from None
    found = [told(each).strip() for each in rows]
    found = found[1:] if found and found[0].lower() in _HEADS else found
    return [each for each in found if each]


def sealed(keys: RewardKeys, wanted: Sequence[str]) -> list[SealedCode]:
    """Takes seconds for very many, so it is done before others are kept from writing. Raises :class:`Invalid` with the
    lines at fault (from 0, empty ones not counted) where a code is there twice, or cannot be one."""
    tidy = [tidied(each) for each in wanted]
    wrong = _wrong(tidy)
    if wrong:
        raise Invalid(errors=wrong)
    pairs = zip(tidy, wanted, strict=True)
    return [SealedCode(keys.digest(code), secrets.seal(keys.sealer, each.strip())) for code, each in pairs]


def put(
    engine: Engine, merchant_id: str, campaign_id: str, prize: str, wanted: Sequence[SealedCode], *, now: datetime
) -> int:
    """Make ``wanted`` the codes of the draft's prize with the slug ``prize``; how many there are. They are its stock,
    so an ally who supplies it has to consent anew. In slices between which others write: where that breaks off, the
    prize lacks codes until they are imported again.

    Raises :class:`Invalid` with the lines whose codes are another prize's already, :class:`NotFound`,
    :class:`CampaignStarted`, and :class:`Conflict` where somebody changes the draft meanwhile.
    """
    digests = [each.digest for each in wanted]
    with reading(engine) as conn:
        of = _prize(conn, merchant_id, campaign_id, prize)
        _refuse_known(conn, merchant_id, of.id, digests)
    hand = hands.take(engine, merchant_id, campaign_id)
    _take_out(hand, of.id, now)
    try:
        for start in range(0, len(wanted), hands.SLICE):
            with hand.slice() as conn:
                add(conn, merchant_id, of.id, wanted[start : start + hands.SLICE], now=now)
    except IntegrityError:
        # Another prize has got one of them meanwhile.
        with reading(engine) as conn:
            _refuse_known(conn, merchant_id, of.id, digests)
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


def _wrong(codes: list[str]) -> list[FieldError]:
    if len(codes) > MOST_SLOTS:
        return [FieldError("", f"must hold at most {MOST_SLOTS} codes")]
    first: dict[str, int] = {}
    wrong = []
    for index, code in enumerate(codes):
        if len(code) > _LONGEST or not code.isprintable() or _is_no_segment(code):
            detail = f"must be a code of at most {_LONGEST} printable characters, and have no slash"
            wrong.append(FieldError(f"/{index}", detail))
        elif first.setdefault(code, index) != index:
            wrong.append(FieldError(f"/{index}", f"is the code of line {first[code]} again"))
    return wrong[:_WRONG]


def _is_no_segment(code: str) -> bool:
    """A code is part of an address when it is looked up, where these would lead elsewhere."""
    return "/" in code or not code.strip(".")


def _refuse_known(conn: Connection, merchant_id: str, prize_id: str, digests: list[str]) -> None:
    """Those of other prizes."""
    known: set[str] = set()
    for start in range(0, len(digests), 1000):
        some = digests[start : start + 1000]
        others = (PoolCode.merchant_id == merchant_id, PoolCode.digest.in_(some), PoolCode.prize_id != prize_id)
        known |= set(conn.scalars(select(PoolCode.digest).where(*others)))
    wrong = [
        FieldError(f"/{at}", "is the code of another prize already") for at, each in enumerate(digests) if each in known
    ]
    if wrong:
        raise Invalid(errors=wrong[:_WRONG])
