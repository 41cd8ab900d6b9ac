"""The link of a scratch card that came without a purchase: whoever has it may scratch it and use its code."""

import hmac
from base64 import urlsafe_b64encode
from typing import Final

from sqlalchemy import Connection, select

from engagement.rewards.tables import Reward

# What the key of links is derived for (infra.secrets.derived).
PURPOSE: Final = "scratch card links"
_MARK_BYTES: Final = 16
_ID: Final = 30


def told(key: bytes, reward_id: str) -> str:
    """What stands in the address: the card's id, and 128 bits that only we can make of it."""
    made = hmac.digest(key, reward_id.encode(), "sha256")[:_MARK_BYTES]
    return f"{reward_id}-{urlsafe_b64encode(made).rstrip(b'=').decode()}"


def card_behind(conn: Connection, key: bytes, link: str) -> tuple[str, str] | None:
    """The merchant's id and the card's. The link itself is the right to read, so the query names no merchant: it finds
    one."""
    reward_id = link[:_ID]
    if not hmac.compare_digest(told(key, reward_id).encode(), link.encode()):
        return None
    merchant_id = conn.scalar(select(Reward.merchant_id).where(Reward.id == reward_id))
    return (merchant_id, reward_id) if merchant_id else None
