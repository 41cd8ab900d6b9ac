"""A till uses a code: looks it up, holds it while a sale is rung up, redeems it, takes that back.

Every change is one conditional UPDATE, so of two tills with the same code one wins. Only who supplies a prize redeems
it, which for an ally's prize is the ally and not the issuer.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Any, ClassVar, Final

import orjson
from sqlalchemy import ColumnElement, Connection, and_, case, or_, select, update

from engagement import events
from engagement.rewards import find, withdrawing
from engagement.rewards.amounts import plain
from engagement.rewards.keys import RewardKeys, tidied
from engagement.rewards.records import RewardRecord
from engagement.rewards.revealing import RewardOver
from engagement.rewards.tables import Redemption, Reward
from infra.database import insert_or_ignore
from kernel.errors import Conflict, FieldError, Forbidden, Invalid, NotFound
from kernel.ids import new_id

_FREE: Final = ("revealed", "claimed")


class NotYoursToRedeem(Forbidden):
    slug: ClassVar[str] = "not-yours-to-redeem"
    title: ClassVar[str] = "Another merchant hands this prize out"


class AlreadyRedeemed(Conflict):
    slug: ClassVar[str] = "already-redeemed"
    title: ClassVar[str] = "This code was used already"


class ReservedElsewhere(Conflict):
    slug: ClassVar[str] = "reserved-elsewhere"
    title: ClassVar[str] = "Another till holds this code just now"


@dataclass(frozen=True, slots=True)
class Till:
    """Whose key it is, and where that belongs."""

    key_id: str
    store_id: str | None = None
    till_id: str | None = None


@dataclass(frozen=True, slots=True)
class Use:
    """``amount`` is what was taken off, in minor units of the prize's currency; without it, all. ``external_id`` names
    the sale at the merchant who redeems."""

    holder: str
    amount: int | None = None
    external_id: str | None = None
    idempotency_key: str | None = None


@dataclass(frozen=True, slots=True)
class RedemptionRecord:
    id: str
    reward_id: str
    amount: int
    face_value: int
    currency: str
    external_id: str | None
    redeemed_at: datetime
    rolled_back_at: datetime | None


@dataclass(frozen=True, slots=True)
class Named:
    """How a till names a use that was made before: by its id, or by the idempotency key that it was made under."""

    redemption_id: str | None = None
    idempotency_key: str | None = None


def look_up(
    conn: Connection, keys: RewardKeys, merchant_id: str, typed: str, *, use: Named | None = None
) -> RewardRecord:
    """The reward of a code, for who issued it and who hands it out; ``use`` names one that was made of it. Raises
    :class:`NotFound`, also for the code of a card that nobody has scratched: nobody can know that."""
    known = (find.seen_by(merchant_id), Reward.code_digest == keys.digest(tidied(typed)))
    found = find.rewards(conn, *known, Reward.revealed_at.is_not(None))
    if not found:
        raise NotFound("There is no such code")
    # Two merchants may have imported the same code for one ally: the one that was used is meant where a use is named,
    # else the one that can still be used.
    used = _used(conn, merchant_id, use) if use and len(found) > 1 else None
    free = (each for each in found if each.state in (*_FREE, "reserved"))
    return next((each for each in found if each.id == used), next(free, found[-1]))


def _used(conn: Connection, merchant_id: str, use: Named) -> str | None:
    """The id of the reward that was used."""
    by_id, key = Redemption.id == use.redemption_id, use.idempotency_key
    named = by_id if key is None else Redemption.idempotency_key == key
    return conn.scalar(select(Redemption.reward_id).where(Redemption.merchant_id == merchant_id, named))


def reserve(
    conn: Connection, merchant_id: str, reward: RewardRecord, *, holder: str, seconds: int, now: datetime
) -> RewardRecord:
    """Hold it for a sale that is being rung up; the same holder may ask again, for longer. Raises
    :class:`NotYoursToRedeem`, :class:`AlreadyRedeemed`, :class:`ReservedElsewhere` and :class:`RewardOver`."""
    _require_supplier(merchant_id, reward)
    values = {"state": "reserved", "holder": holder, "reserved_until": now + timedelta(seconds=seconds)}
    free = update(Reward).where(*_mine(merchant_id, reward), _is_free(holder, now))
    if conn.execute(free.values(values)).rowcount != 1:
        raise _why_not(conn, reward, now)
    return _again(conn, reward)


def redeem(
    conn: Connection, merchant_id: str, reward: RewardRecord, use: Use, *, till: Till, now: datetime
) -> RedemptionRecord:
    """Use it, once. The same idempotency key again is answered as before, and changes nothing: where that use was taken
    back, it would be no use, so another key is asked for.

    Raises as :func:`reserve`, :class:`Invalid` for an amount that the prize does not allow, and :class:`Conflict` where
    the key stands for another use, or for one that was taken back.
    """
    _require_supplier(merchant_id, reward)
    fingerprint = _fingerprint(reward, use)
    if (earlier := _earlier(conn, merchant_id, use, fingerprint)) is not None:
        return earlier
    amount = _amount(reward, use)
    used = update(Reward).where(*_mine(merchant_id, reward), or_(_is_free(use.holder, now), _is_held(use.holder, now)))
    values = {"state": "redeemed", "redeemed_at": now, "holder": None, "reserved_until": None}
    if conn.execute(used.values(values)).rowcount != 1:
        # Of two that ask with the same key at once, the second waits for the first above.
        if (earlier := _earlier(conn, merchant_id, use, fingerprint)) is not None:
            return earlier
        raise _why_not(conn, reward, now)
    row = _row(merchant_id, reward, use, till, amount, fingerprint, now)
    written = insert_or_ignore(conn, Redemption).values(row).returning(Redemption.id)
    if conn.scalar(written) is None:
        # Two codes at once under the same key: the other was first.
        raise _other_use()
    taken_off = {"amount": plain(amount, row["currency"]), "currency": row["currency"]}
    _tell(conn, reward, "reward.redeemed", {"redemption": row["id"]} | taken_off, now)
    return _record(row | {"rolled_back_at": None})


def release(conn: Connection, merchant_id: str, reward: RewardRecord, *, holder: str, now: datetime) -> RewardRecord:
    """Let go of a reservation. Who holds none is told what it is."""
    _require_supplier(merchant_id, reward)
    held = update(Reward).where(*_mine(merchant_id, reward), Reward.state == "reserved", Reward.holder == holder)
    conn.execute(held.values(state=_before(), holder=None, reserved_until=None))
    return _again(conn, reward)


def roll_back(
    conn: Connection, merchant_id: str, reward: RewardRecord, *, redemption_id: str, now: datetime
) -> RewardRecord:
    """Take a use back; twice is the same as once. The code is as good as before, unless it is over or what earned it
    went back meanwhile. Raises :class:`NotFound` for a redemption that is not the merchant's and this reward's."""
    mine = (Redemption.merchant_id == merchant_id, Redemption.id == redemption_id, Redemption.reward_id == reward.id)
    if conn.scalar(select(Redemption.id).where(*mine)) is None:
        raise NotFound("There is no such redemption")
    if reward.receipt_id is not None:
        withdrawing.lock(conn, reward.merchant_id, reward.receipt_id)
    counts = update(Redemption).where(*mine, Redemption.rolled_back_at.is_(None))
    if conn.execute(counts.values(rolled_back_at=now)).rowcount == 1:
        used = update(Reward).where(*_mine(merchant_id, reward), Reward.state == "redeemed")
        conn.execute(used.values(state=_before(), redeemed_at=None))
        _tell(conn, reward, "reward.rolled_back", {"redemption": redemption_id}, now)
        if reward.receipt_id is not None:
            withdrawing.look_again(conn, reward.merchant_id, reward.receipt_id, now=now)
    return _again(conn, reward)


def _mine(merchant_id: str, reward: RewardRecord) -> tuple[ColumnElement[bool], ...]:
    return Reward.supplier_id == merchant_id, Reward.id == reward.id


def _is_free(holder: str, now: datetime) -> ColumnElement[bool]:
    """A reservation is in nobody's way but while it lasts, and never in its holder's."""
    held = and_(Reward.state == "reserved", or_(Reward.holder == holder, Reward.reserved_until <= now))
    return and_(or_(Reward.state.in_(_FREE), held), Reward.expires_at > now)


def _is_held(holder: str, now: datetime) -> ColumnElement[bool]:
    """Who holds it may still use it while they do, though it expires meanwhile: the sale is being rung up."""
    return and_(Reward.state == "reserved", Reward.holder == holder, Reward.reserved_until > now)


def _before() -> Any:
    """The state that a reward goes back to."""
    return case((Reward.claimed_at.is_not(None), "claimed"), else_="revealed")


def _require_supplier(merchant_id: str, reward: RewardRecord) -> None:
    if reward.prize is None or reward.supplier_id != merchant_id:
        raise NotYoursToRedeem("Only the merchant who supplies the prize can do that")


def _why_not(conn: Connection, reward: RewardRecord, now: datetime) -> Conflict:
    found = _again(conn, reward)
    if found.state == "redeemed":
        return AlreadyRedeemed("It cannot be used a second time")
    if found.state == "reserved" and found.reserved_until is not None and now < found.expires_at:
        seconds = max(int((found.reserved_until - now).total_seconds()), 0) + 1
        return ReservedElsewhere("It is free again when that till redeems, lets go or is late", retry_after=seconds)
    return RewardOver("It has expired, or was taken back")


def _amount(reward: RewardRecord, use: Use) -> int:
    assert reward.prize is not None
    whole, told = reward.face_value, reward.prize.definition
    least, most = plain(1, reward.prize.currency), plain(whole, reward.prize.currency)
    if told.kind == "percent_off":
        if use.amount is None or not 0 < use.amount <= whole:
            raise Invalid(errors=[FieldError("/amount", f"must be what was taken off: from {least} to {most}")])
        return use.amount
    if use.amount is None or use.amount == whole:
        return whole
    if not told.partial or not 0 < use.amount < whole:
        right = f"from {least} to {most}" if told.partial else f"{most}, or left out"
        raise Invalid(errors=[FieldError("/amount", f"must be {right}")])
    return use.amount


def _fingerprint(reward: RewardRecord, use: Use) -> str:
    return sha256(orjson.dumps([reward.id, use.amount, use.external_id])).hexdigest()


def _earlier(conn: Connection, merchant_id: str, use: Use, fingerprint: str) -> RedemptionRecord | None:
    if use.idempotency_key is None:
        return None
    mine = (Redemption.merchant_id == merchant_id, Redemption.idempotency_key == use.idempotency_key)
    row = conn.execute(select(Redemption.__table__).where(*mine)).mappings().one_or_none()
    if row is None:
        return None
    if row["fingerprint"] != fingerprint:
        raise _other_use()
    if row["rolled_back_at"] is not None:
        wrong = FieldError("header:Idempotency-Key", "names a use that was taken back; use a new key for a new use")
        raise Conflict("The use under this key was taken back", errors=[wrong])
    return _record(row)


def _other_use() -> Conflict:
    right = "was used with a different body; use a new key for a new use"
    wrong = FieldError("header:Idempotency-Key", right)
    return Conflict("Another use was accepted under this key", errors=[wrong])


def _row(
    merchant_id: str, reward: RewardRecord, use: Use, till: Till, amount: int, fingerprint: str, now: datetime
) -> dict[str, Any]:
    assert reward.prize is not None
    return {
        "id": new_id("rdm", now),
        "merchant_id": merchant_id,
        "issuer_id": reward.merchant_id,
        "reward_id": reward.id,
        "campaign_id": reward.campaign_id,
        "prize_id": reward.prize.id,
        "bearer": reward.bearer,
        "amount": amount,
        "face_value": reward.face_value,
        "currency": reward.currency,
        "idempotency_key": use.idempotency_key,
        "fingerprint": fingerprint,
        "key_id": till.key_id,
        "store_id": till.store_id,
        "till_id": till.till_id,
        "external_id": use.external_id,
        "redeemed_at": now,
    }


def _record(row: Any) -> RedemptionRecord:
    return RedemptionRecord(**{name: row[name] for name in RedemptionRecord.__slots__})


def _again(conn: Connection, reward: RewardRecord) -> RewardRecord:
    return find.reward(conn, reward.merchant_id, reward.id)


def _tell(conn: Connection, reward: RewardRecord, kind: str, more: dict[str, Any], now: datetime) -> None:
    """Both, where two have a part in it; the receipt is the issuer's."""
    data = {"reward": reward.id, "campaign": reward.campaign_id, "prize": reward.prize.id if reward.prize else None}
    events.tell(conn, reward.merchant_id, kind, data | more, now=now, receipt_id=reward.receipt_id)
    if reward.supplier_id not in (None, reward.merchant_id):
        events.tell(conn, str(reward.supplier_id), kind, data | more, now=now)
