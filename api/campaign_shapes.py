"""What the OpenAPI document says of campaigns and rewards: their bodies and answers. Amounts are decimal strings, but
for those of the published table."""

import re
from typing import Annotated, Any, Final, Literal

from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, Field, JsonValue

from accounts.fields import Code
from engagement.rewards.amounts import Amount
from engagement.rewards.definition import Definition, NewCampaign, PrizeDefinition
from engagement.rewards.flagging import FlagKind
from engagement.rewards.records import CampaignState, Origin, RewardState

MOST_CODES_BYTES = 8_000_000
_DIGEST: Final = "[0-9a-f]{64}"


class _Body(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class NewCampaignState(_Body):
    """`live` launches a draft, and lets a paused campaign go on. `ended` is for good."""

    state: Literal["live", "paused", "ended"]


def _digest(text: str) -> str:
    if re.fullmatch(_DIGEST, text) is None:
        raise ValueError("must be the prize's `terms` as GET /v1/prizes-to-supply tells them, a SHA-256 in hex")
    return text


class PrizeConsent(_Body):
    terms: Annotated[str, AfterValidator(_digest)] = Field(
        description="The `terms` of the prize as GET /v1/prizes-to-supply told them: what is agreed to.",
        json_schema_extra={"pattern": f"^{_DIGEST}$"},
    )


class Reservation(_Body):
    """Who holds a code, and for how long."""

    holder: Code | None = Field(
        None, description="In your own words, such as the sale's number: the same may ask again. Else it is the key."
    )
    seconds: int = Field(300, strict=True, ge=1, le=3600)


class RewardUse(_Body):
    """How a code is used."""

    amount: Amount | None = Field(
        None, description="What was taken off, of the prize's currency; else all of it. Of a percentage it is needed."
    )
    holder: Code | None = Field(None, description="Who reserved it, if it is reserved.")
    external_id: Code | None = Field(None, description="Your own id of the sale that it was used in.")


class RewardRollback(_Body):
    """What is taken back: a `redemption`, or the reservation of a `holder`; else that of the key."""

    redemption: Annotated[str, Field(pattern=r"^rdm_[0-9a-z]{26}$")] | None = None
    holder: Code | None = None


class _Answer(BaseModel):
    model_config = ConfigDict(json_schema_mode_override="serialization")


class PrizeAnswer(PrizeDefinition):
    """As it was written, and what became of it."""

    id: str
    imported: int = Field(description="How many codes were imported.")
    consented_at: AwareDatetime | None = Field(description="When the ally who supplies it agreed to its terms.")


class CampaignAnswer(Definition):
    """As it was written, and what became of it."""

    id: str
    state: CampaignState
    missing_allies: list[str] = Field(
        description="Slugs of merchants who hand out its prizes, and with whom no alliance is agreed. While there are "
        "any, it gives no cards."
    )
    always_win: bool = Field(description="Whether every card wins: `nothing` is 0.")
    prizes: list[PrizeAnswer]
    seed_digest: str | None = Field(description="SHA-256 of the seed, from the launch on.")
    table_digest: str | None = Field(description="SHA-256 of `table` as canonical JSON (RFC 8785).")
    table: dict[str, JsonValue] | None = Field(
        description="The prizes as they were published at the launch. Its amounts are whole numbers of the currency's "
        "smallest unit: it is what sums are done with, and its hash was told."
    )
    seed: str | None = Field(
        description="In hex, once it has ended: everybody can now repeat each draw. Null after that where the service "
        "has lost the key that sealed it."
    )
    created_at: AwareDatetime
    changed_at: AwareDatetime
    launched_at: AwareDatetime | None
    ended_at: AwareDatetime | None


class CampaignList(_Answer):
    campaigns: list[CampaignAnswer]
    next_cursor: str | None


class PrizeToSupply(_Answer):
    """A prize of another merchant's campaign."""

    id: str
    campaign_id: str
    campaign: dict[str, str] = Field(description="The campaign's name, by language.")
    issuer: str = Field(description="The other merchant's slug.")
    state: CampaignState
    starts_at: str = Field(description="By a clock in `timezone`.")
    ends_at: str
    timezone: str
    late_days: int = Field(description="How long after `ends_at` a sale that is told late still earns a card.")
    scratch_days: int = Field(description="How long a card can be scratched: the `valid_days` of its prize begin then.")
    prize: PrizeDefinition
    currency: str
    imported: int = Field(description="How many codes were imported, which are then its stock.")
    terms: str = Field(description="What consent is to; another once the prize or the number of its codes is changed.")
    consented_at: AwareDatetime | None


class PrizesToSupply(_Answer):
    prizes: list[PrizeToSupply]
    next_cursor: str | None


class ImportedCodes(_Answer):
    codes: int = Field(description="How many the prize has now.")


class RewardPrize(_Answer):
    slug: str
    name: dict[str, str]
    terms: dict[str, str]
    kind: str
    face_value: Amount
    currency: str
    percent: int | None
    product: str | None
    points: int | None
    partial: bool
    bearer: str
    supplier: str = Field(description="The slug of who hands it out and redeems it.")


class RewardAnswer(_Answer):
    id: str
    campaign_id: str
    state: RewardState
    redeemable: bool = Field(description="Whether you can redeem it now, if nobody else holds it.")
    prize: RewardPrize | None = Field(description="Null for a blank, and before the card is scratched.")
    hint: str | None = Field(description="The last four signs of the code, where it has eight or more.")
    origin: Origin | None = Field(
        description="Null where another merchant issued it, as are `receipt_id`, `issued_at` and `void_reason`."
    )
    receipt_id: str | None
    issued_at: AwareDatetime | None
    revealed_at: AwareDatetime | None
    expires_at: AwareDatetime
    reserved_until: AwareDatetime | None
    redeemed_at: AwareDatetime | None
    void_reason: str | None


class RewardList(_Answer):
    rewards: list[RewardAnswer]
    next_cursor: str | None


class RedemptionAnswer(_Answer):
    id: str
    reward_id: str
    amount: Amount
    face_value: Amount
    currency: str
    external_id: str | None
    redeemed_at: AwareDatetime
    rolled_back_at: AwareDatetime | None


class RewardFlagAnswer(_Answer):
    id: str
    kind: FlagKind
    reward_id: str | None
    staff_id: str | None
    data: dict[str, JsonValue]
    flagged_at: AwareDatetime


class RewardFlagList(_Answer):
    flags: list[RewardFlagAnswer]
    next_cursor: str | None


BODIES: tuple[type[BaseModel], ...] = (
    NewCampaign,
    NewCampaignState,
    PrizeConsent,
    Reservation,
    RewardUse,
    RewardRollback,
)
CODES_BODY: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {kind: {"schema": {"type": "string"}} for kind in ("text/plain", "text/csv")},
    }
}
