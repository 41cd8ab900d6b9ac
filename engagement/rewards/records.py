"""Campaigns, prizes and rewards as they are read."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from engagement.rewards.definition import Bearer, Definition, PrizeDefinition

CampaignState = Literal["draft", "live", "paused", "ended"]
RewardState = Literal["issued", "revealed", "claimed", "reserved", "redeemed", "expired", "void"]
Origin = Literal["receipt", "free"]


@dataclass(frozen=True, slots=True)
class PrizeRecord:
    """``supplier`` is the slug of who hands it out. Amounts are minor units of ``currency``. ``codes`` is how many were
    imported; where ``importing_since`` is something, not all that should have been."""

    id: str
    slug: str
    position: int
    supplier_id: str
    supplier: str
    supplier_name: str
    definition: PrizeDefinition
    face_value: int
    currency: str
    bearer: Bearer
    stock: int
    weight: int
    consented_at: datetime | None
    codes: int = 0
    importing_since: datetime | None = None


@dataclass(frozen=True, slots=True)
class CampaignRecord:
    """``published`` is the table of prizes as it was told at the launch; ``seed`` is in hex, once it has ended, unless
    the key that sealed it is lost."""

    id: str
    merchant_id: str
    state: CampaignState
    starts_at: datetime
    ends_at: datetime
    definition: Definition
    prizes: tuple[PrizeRecord, ...]
    seed: str | None
    seed_digest: str | None
    table_digest: str | None
    published: dict[str, Any] | None
    created_at: datetime
    changed_at: datetime
    launched_at: datetime | None
    ended_at: datetime | None

    @property
    def has_ended(self) -> bool:
        return self.state == "ended"

    @property
    def is_always_win(self) -> bool:
        return self.definition.nothing == 0


@dataclass(frozen=True, slots=True)
class RewardRecord:
    """One scratch card. ``prize`` is None for a blank; nobody but who scratches it may be told before it is revealed.

    ``gone`` are the indices of prizes that were drawn at nonce 0, 1, … and had none left; the outcome is that of
    ``nonce``, without them.
    """

    id: str
    merchant_id: str
    campaign_id: str
    entry: str
    origin: Origin
    receipt_id: str | None
    state: RewardState
    prize: PrizeRecord | None
    supplier_id: str | None
    face_value: int
    currency: str | None
    bearer: Bearer | None
    nonce: int | None
    gone: tuple[int, ...]
    position: int | None
    code_digest: str | None
    code_hint: str | None
    pool_code_id: str | None
    issued_at: datetime
    revealed_at: datetime | None
    claimed_at: datetime | None
    expires_at: datetime
    holder: str | None
    reserved_until: datetime | None
    redeemed_at: datetime | None
    void_reason: str | None

    def is_over(self, now: datetime) -> bool:
        """Whether it can neither be scratched nor used any more."""
        if self.state in ("redeemed", "expired", "void"):
            return True
        return now >= self.expires_at or (self.prize is None and self.state == "revealed")


@dataclass(frozen=True, slots=True)
class Draw:
    """What a verifier repeats: see :class:`RewardRecord`; ``entry`` is its digest.

    ``outcome`` is the prize's index, or that after the last for a blank; while ``is_hidden`` the card is under its
    foil, and nobody may be told. ``void`` is why it was taken back.
    """

    reward_id: str
    entry: str
    nonce: int | None
    gone: tuple[int, ...]
    position: int | None
    outcome: int
    void: str | None = None
    is_hidden: bool = False
