"""A campaign as its merchant writes it down: pure data, checked. What a draft may lack, a launch asks for."""

from datetime import UTC, datetime
from hashlib import sha256
from typing import Annotated, Any, Final, Literal
from zoneinfo import ZoneInfo, available_timezones

import orjson
from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    SerializationInfo,
    StringConstraints,
    field_serializer,
    field_validator,
)

from accounts.fields import LINE, Code, Country, Language, Name, Slug, Text
from engagement.rewards.amounts import Amount, KnownCurrency, written
from engagement.rewards.rules import Eligibility
from kernel import jcs
from receipts.fields import context_for

Mode = Literal["draw", "deck"]
Kind = Literal["amount_off", "percent_off", "free_product", "points", "text"]
Bearer = Literal["issuer", "ally"]
Codes = Literal["minted", "pool"]
MOST_SLOTS: Final = 200_000
MOST_PRIZES: Final = 50
_LOCAL: Final = r"^2[0-9]{3}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}(:[0-9]{2})?$"
_PARAGRAPHS: Final = r"^[^\x00-\x09\x0b\x0c\x0e-\x1f\x7f]*$"


def _known_zone(name: str) -> str:
    if name not in available_timezones():
        raise ValueError("is not a time zone of the IANA database; Europe/Berlin would be one")
    return name


def _wall_clock(value: object) -> object:
    if not isinstance(value, str):
        return value
    try:
        told = datetime.fromisoformat(value)
    except ValueError:
        raise ValueError("is not a date and time such as 2026-12-24T18:00") from None
    if told.tzinfo is not None:
        raise ValueError("must be by the clock in timezone, without an offset; 2026-12-24T18:00 would be right")
    return told.replace(second=0).isoformat(timespec="minutes")


Count = Annotated[int, Field(strict=True, ge=1, le=1_000_000_000)]
TimeZone = Annotated[str, StringConstraints(max_length=64, pattern=LINE), AfterValidator(_known_zone)]
WallClock = Annotated[str, BeforeValidator(_wall_clock), StringConstraints(pattern=_LOCAL)]
Rules = Annotated[str, StringConstraints(min_length=1, max_length=20_000, pattern=_PARAGRAPHS)]


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class PrizeDefinition(_Part):
    """What a card can give."""

    slug: Slug
    name: dict[Language, Name] = Field(min_length=1, description="By language.")
    terms: dict[Language, Text] = Field({}, description="What the shopper should know of it, by language.")
    kind: Kind
    currency: KnownCurrency | None = Field(None, description="Of `face_value`; else the campaign's.")
    face_value: Amount = Field(
        description="A decimal string. What one costs who bears it, at most: the sum taken off, the most that a "
        "percentage takes off, the price of the free product, the worth of the points."
    )
    percent: int | None = Field(None, strict=True, ge=1, le=100, description="Of `percent_off`.")
    product: Code | None = Field(None, description="The SKU of `free_product`.")
    points: int | None = Field(None, strict=True, ge=1, le=10**9, description="Of `points`.")
    weight: int | None = Field(
        None, strict=True, ge=1, le=10**9, description="In a draw: how often it is drawn, against all weights."
    )
    stock: int | None = Field(
        None, strict=True, ge=1, le=MOST_SLOTS, description="How many there are; of imported codes all that there are."
    )
    codes: Codes = Field("minted", description="`pool`: handed out from imported codes, else made here.")
    supplier: Slug | None = Field(None, description="The ally who hands it out and redeems it; else it is you.")
    bearer: Bearer = Field("issuer", description="Who bears the cost, of you (`issuer`) and the supplier (`ally`).")
    partial: bool = Field(False, strict=True, description="Whether less than all of it may be used. The rest lapses.")
    valid_days: int | None = Field(None, strict=True, ge=1, le=3650, description="From when it was scratched.")
    valid_until: WallClock | None = Field(None, description="A fixed end, by the campaign's time zone.")

    @field_serializer("face_value", when_used="json")
    def _write(self, face_value: int, info: SerializationInfo) -> str:
        return written(face_value, self.currency, info)


class Budget(_Part):
    """What may be given in all. A prize that would break it counts as gone."""

    amount: Amount | None = Field(None, description="Face value of all prizes, of the campaign's currency.")
    prizes: Count | None = Field(None, description="How many prizes; blanks are none.")


class Caps(_Part):
    """How many cards. A shopper whom the till does not name is somebody else with each receipt."""

    per_shopper: Count | None = None
    per_shopper_per_day: Count | None = None
    per_day: Count | None = Field(None, description="Of all shoppers, by the campaign's time zone.")
    per_receipt: int = Field(1, strict=True, ge=1, le=20)


class FreeEntry(_Part):
    """Cards without a purchase, at the campaign's page."""

    per_shopper: int = Field(1, strict=True, ge=1, le=100)


class Definition(_Part):
    """A campaign but for its prizes. What is stored is read by it too: a stricter rule belongs into ``checking``, or
    campaigns that stand could not be read any more."""

    name: dict[Language, Name] = Field(min_length=1, description="By language.")
    rules: dict[Language, Rules] = Field({}, description="The rules that the page shows, by language.")
    brands: list[Slug] = Field([], max_length=50, description="Whose receipts earn cards; all of yours where empty.")
    countries: list[Country] = Field(
        [], max_length=50, description="Only stores there, and free entries of who lives there; all where empty."
    )
    minimum_age: int | None = Field(None, strict=True, ge=1, le=99, description="Which the shopper declares.")
    timezone: TimeZone = "UTC"
    starts_at: WallClock = Field(description="By a clock in `timezone`.")
    ends_at: WallClock = Field(description="By a clock in `timezone`; the first minute that is too late.")
    currency: KnownCurrency
    eligibility: Eligibility | None = Field(None, description="Which sales earn a card; all where it is missing.")
    for_each: Amount | None = Field(
        None, description="A card for each so much of net spend, up to `per_receipt`; else one card a receipt."
    )
    mode: Mode = "draw"
    nothing: int = Field(
        0,
        strict=True,
        ge=0,
        le=10**9,
        description="In a draw the weight of a blank, in a deck the number of blanks. 0: every card wins.",
    )
    budget: Budget = Budget()
    caps: Caps = Caps()
    free_entry: FreeEntry | None = None
    scratch_days: int = Field(30, strict=True, ge=1, le=3650, description="How long a card can be scratched.")
    holdout: int = Field(
        0,
        strict=True,
        ge=0,
        le=50,
        description="Of a hundred known shoppers, how many get no card, so that the others can be compared with them.",
    )
    late_days: int = Field(
        3, strict=True, ge=0, le=3650, description="How late a till may tell of a sale that still earns a card."
    )

    @field_validator("for_each")
    @classmethod
    def _is_something(cls, value: int | None) -> int | None:
        if value == 0:
            raise ValueError("must be more than 0")
        return value


class NewCampaign(Definition):
    """A campaign with its prizes."""

    prizes: list[PrizeDefinition] = Field([], max_length=MOST_PRIZES)

    @field_validator("prizes")
    @classmethod
    def _has_each_once(cls, prizes: list[PrizeDefinition]) -> list[PrizeDefinition]:
        if len({each.slug for each in prizes}) < len(prizes):
            raise ValueError("has a slug twice")
        return prizes


def read_campaign(body: dict[str, Any]) -> NewCampaign:
    """Raises :class:`pydantic.ValidationError`."""
    return NewCampaign.model_validate(body, context=context_for(body.get("currency")))


def stored(campaign: NewCampaign) -> str:
    """As it is kept, without its prizes: what :func:`restored` reads."""
    of_campaign = context_for(campaign.currency)
    return campaign.model_dump_json(exclude={"prizes"}, exclude_defaults=True, context=of_campaign)


def restored(definition: str) -> Definition:
    told = orjson.loads(definition)
    return Definition.model_validate(told, context=context_for(told["currency"]))


def stored_prize(prize: PrizeDefinition, currency: str) -> str:
    """``currency`` is the prize's, or else the campaign's."""
    return prize.model_dump_json(exclude_defaults=True, context=context_for(currency))


def restored_prize(definition: str, currency: str) -> PrizeDefinition:
    return PrizeDefinition.model_validate_json(definition, context=context_for(currency))


def instant(wall_clock: str, timezone: str, *, is_end: bool = False) -> datetime:
    """In UTC. Where a clock shows a time twice, as it is put back, a start is the first of them and an end the second;
    a time that a clock skips is the one that it would have shown (PEP 495)."""
    told = datetime.fromisoformat(wall_clock).replace(tzinfo=ZoneInfo(timezone), fold=int(is_end))
    if is_end and not _exists(told):
        told = told.replace(fold=0)
    return told.astimezone(UTC)


def _exists(told: datetime) -> bool:
    return told.astimezone(UTC).astimezone(told.tzinfo).replace(tzinfo=None) == told.replace(tzinfo=None)


_FRAMING: Final = ("timezone", "starts_at", "ends_at", "late_days", "scratch_days", "currency")


def terms_digest(campaign: Definition, prize: PrizeDefinition, *, codes: int) -> str:
    """SHA-256 in hex of what an ally consents to, with how many codes were imported: these are its stock. How long
    cards are given and can be scratched is a part of it, since ``valid_days`` begin only then. How often it is drawn is
    the issuer's affair."""
    framing = {name: getattr(campaign, name) for name in _FRAMING}
    terms = framing | {"prize": prize.model_dump(exclude={"weight"}), "codes": codes}
    return sha256(jcs.canonicalise(terms)).hexdigest()


def published(campaign_id: str, definition: Definition, prizes: list[dict[str, Any]]) -> dict[str, Any]:
    """The table of prizes as it is told to everybody before the first card: what can be drawn, how often, how many
    there are, and the budget, by which a prize can be gone before that. Its canonical JSON (RFC 8785) is what the
    digest is of. Amounts are whole minor units: it is what sums are done with."""
    return {
        "campaign": campaign_id,
        "mode": definition.mode,
        "nothing": definition.nothing,
        "budget": definition.budget.model_dump(),
        "prizes": prizes,
    }
