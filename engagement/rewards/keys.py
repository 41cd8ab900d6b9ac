"""What it takes to make, find and read codes, and to tell shoppers apart."""

import hmac
from dataclasses import dataclass
from typing import Final, Self

from cryptography.fernet import Fernet
from sqlalchemy import Connection, select

from engagement import scratch, shoppers
from engagement.rewards.records import RewardRecord
from engagement.rewards.tables import PoolCode
from infra import secrets
from infra.settings import Data
from kernel.errors import NotFound

_CODES: Final = "reward codes"
_FINDING: Final = "finding reward codes"
_HINT: Final = 4


@dataclass(frozen=True, slots=True)
class RewardKeys:
    """``code`` makes codes of rewards' ids, ``finding`` their digests, ``shopper`` pseudonyms; ``sealer`` keeps seeds
    and imported codes."""

    code: bytes
    finding: bytes
    shopper: bytes
    sealer: Fernet

    @classmethod
    def of(cls, settings: Data, sealer: Fernet) -> Self:
        return cls(
            secrets.derived(settings, _CODES),
            secrets.derived(settings, _FINDING),
            secrets.derived(settings, shoppers.PURPOSE),
            sealer,
        )

    def digest(self, code: str) -> str:
        """64 hex digits, by which a code is found: it is not kept itself."""
        return hmac.digest(self.finding, code.encode(), "sha256").hex()


def hint_of(code: str) -> str | None:
    """Its last signs, by which people tell codes apart; None where these would be more than half of it."""
    return code[-_HINT:] if len(code) >= 2 * _HINT else None


def tidied(typed: str) -> str:
    """What somebody typed as it is looked up: a code of ours without what people add to it, or, since others' codes
    follow no rule that we know, in capitals and without spaces around it."""
    return scratch.tidy(typed) or typed.strip().upper()


def code_of(conn: Connection, keys: RewardKeys, reward: RewardRecord) -> str:
    """As it is typed, without groups. Raises :class:`NotFound` for a blank, and before it is scratched, and
    :class:`infra.secrets.Unsealable` where it was made with another secret key."""
    if reward.prize is None or reward.revealed_at is None:
        raise NotFound("There is no code yet")
    if reward.pool_code_id is None:
        return _minted(keys, reward)
    mine = (PoolCode.merchant_id == reward.merchant_id) & (PoolCode.id == reward.pool_code_id)
    return secrets.unseal(keys.sealer, conn.execute(select(PoolCode.sealed).where(mine)).scalar_one())


def _minted(keys: RewardKeys, reward: RewardRecord) -> str:
    """By another key it would be another code, which no till knows."""
    code = scratch.code_of(keys.code, reward.id)
    if keys.digest(code) != reward.code_digest:
        raise secrets.Unsealable("COUNTERFOIL_SECRET_KEY (or secret.key) is not the key that made this code")
    return code
