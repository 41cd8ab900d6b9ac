"""Rewards as the API tells them, and who may ask for one by its code."""

from asyncio import Lock
from collections.abc import Callable
from datetime import datetime
from functools import partial
from typing import Any

from sqlalchemy import Connection

from accounts.keys import Caller
from api.house import House
from engagement.rewards import guessing, redeeming, sealed
from engagement.rewards.amounts import plain
from engagement.rewards.flagging import Flag
from engagement.rewards.records import RewardRecord
from engagement.rewards.redeeming import Named, RedemptionRecord
from kernel.clock import iso
from kernel.errors import NotFound


async def found(house: House, caller: Caller, code: str, use: Named | None = None) -> RewardRecord:
    """By its code, and by a use that was made of it before. One that is wrong is counted, which is all that asking ever
    writes. Raises :class:`NotFound`, and :class:`kernel.errors.TooMany` where the key was wrong too often; and
    :class:`infra.secrets.Unsealable` where right ones are not found either, since the secret key is another by now."""
    reward = await _tried(
        house, caller, lambda conn: redeeming.look_up(conn, house.reward_keys, caller.merchant_id, code, use=use)
    )
    if reward is None:
        await house.read(lambda conn: sealed.require_own_key(conn, house.sealer, caller.merchant_id))
        raise NotFound("There is no such code")
    return reward


async def _tried(house: House, caller: Caller, look: Callable[[Connection], RewardRecord]) -> RewardRecord | None:
    """Codes of one key one after the other (engagement.rewards.guessing)."""
    merchant_id, key_id, now = caller.merchant_id, caller.key_id, house.clock()
    if house.engine.dialect.name != "sqlite":
        return await house.write(lambda conn: guessing.tried(conn, merchant_id, key_id, partial(look, conn), now=now))
    # SQLite has one server, so they can take turns here: a right code waits for nobody who writes.
    async with house.code_turns.setdefault(key_id, Lock()):
        reward = await house.read(lambda conn: guessing.looked(conn, merchant_id, key_id, partial(look, conn), now=now))
        if reward is None:
            await house.write(lambda conn: guessing.count(conn, merchant_id, key_id, now=now))
    return reward


def shown(reward: RewardRecord, merchant_id: str, now: datetime) -> dict[str, Any]:
    """As ``merchant_id`` may see it: an ally learns nothing of the receipt, neither when it was nor that it went back,
    and nobody what is under a foil."""
    is_ours, is_seen = reward.merchant_id == merchant_id, reward.revealed_at is not None
    is_ours_to_redeem = reward.supplier_id == merchant_id and is_seen and not reward.is_over(now)
    return {
        "id": reward.id,
        "campaign_id": reward.campaign_id,
        "state": reward.state,
        "redeemable": is_ours_to_redeem,
        "prize": _prize(reward) if is_seen else None,
        "hint": reward.code_hint if is_seen else None,
        "origin": reward.origin if is_ours else None,
        "receipt_id": reward.receipt_id if is_ours else None,
        "issued_at": iso(reward.issued_at) if is_ours else None,
        "revealed_at": _iso(reward.revealed_at),
        "expires_at": iso(reward.expires_at),
        "reserved_until": _iso(reward.reserved_until),
        "redeemed_at": _iso(reward.redeemed_at),
        "void_reason": reward.void_reason if is_ours else None,
    }


def _prize(reward: RewardRecord) -> dict[str, Any] | None:
    prize = reward.prize
    if prize is None:
        return None
    told = prize.definition
    return {
        "slug": prize.slug,
        "name": dict(told.name),
        "terms": dict(told.terms),
        "kind": told.kind,
        "face_value": plain(reward.face_value, prize.currency),
        "currency": prize.currency,
        "percent": told.percent,
        "product": told.product,
        "points": told.points,
        "partial": told.partial,
        "bearer": prize.bearer,
        "supplier": prize.supplier,
    }


def redemption(record: RedemptionRecord) -> dict[str, Any]:
    return {
        "id": record.id,
        "reward_id": record.reward_id,
        "amount": plain(record.amount, record.currency),
        "face_value": plain(record.face_value, record.currency),
        "currency": record.currency,
        "external_id": record.external_id,
        "redeemed_at": iso(record.redeemed_at),
        "rolled_back_at": _iso(record.rolled_back_at),
    }


def flag(each: Flag) -> dict[str, Any]:
    return {
        "id": each.id,
        "kind": each.kind,
        "reward_id": each.reward_id,
        "staff_id": each.staff_id,
        "data": each.data,
        "flagged_at": iso(each.flagged_at),
    }


def _iso(moment: datetime | None) -> str | None:
    return None if moment is None else iso(moment)
