"""What the reports of scratch cards answer."""

from datetime import date

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from engagement.rewards.redeemed_numbers import By
from engagement.rewards.settlement import Side
from receipts.fields import Amount


class _Answer(BaseModel):
    model_config = ConfigDict(json_schema_mode_override="serialization")


class CardsWorth(_Answer):
    cards: int
    face_value: Amount


class ExpectedWorth(_Answer):
    cards: str = Field(description="How many hold the prize on average: a decimal string, to a tenth.")
    face_value: Amount


class LiabilityFigures(_Answer):
    unscratched: ExpectedWorth = Field(
        description="What is to be expected of cards under their foil, by the odds and by what is left of each prize. "
        "It is not what they hold: nobody is told that."
    )
    open: CardsWorth = Field(description="Scratched, and good for use.")
    redeemed: CardsWorth
    expired: CardsWorth
    void: CardsWorth
    taken_off: Amount = Field(description="What redemptions took off in truth.")
    due: Amount = Field(description="What is to be reckoned with: unscratched and open, at face value.")


class PrizeLiability(LiabilityFigures):
    issuer: str = Field(description="The slug of the merchant whose campaign it is.")
    supplier: str = Field(description="The slug of the merchant who hands it out.")
    campaign_id: str
    prize: str
    bearer: str = Field(description="Who bears the cost: `issuer` or `ally`.")
    currency: str


class BorneLiability(LiabilityFigures):
    borne_by: str = Field(description="The merchant's slug.")
    currency: str


class LiabilityAnswer(_Answer):
    as_of: AwareDatetime
    unscratched: int = Field(description="How many of your own cards are under their foil, blanks too.")
    prizes: list[PrizeLiability]
    total: list[BorneLiability] = Field(description="Of these prizes, by who bears them.")


class SettlementRow(_Answer):
    ally: str = Field(description="The other merchant's slug.")
    side: Side = Field(description="What you are: who issued the prize, or who handed it out.")
    campaign_id: str
    prize: str
    bearer: str
    currency: str
    redeemed: int
    amount: Amount
    rolled_back: int
    amount_back: Amount
    owed_to_us: Amount = Field(description="Less what was rolled back, so it may be negative.")
    owed_by_us: Amount


class AllyBalance(_Answer):
    ally: str
    currency: str
    owed_to_us: Amount
    owed_by_us: Amount
    balance: Amount = Field(description="What they owe you in the end; negative: what you owe them.")


class SettlementAnswer(_Answer):
    """`from` and `to` are days of UTC, both counted."""

    first: date = Field(alias="from")
    to: date
    rows: list[SettlementRow]
    allies: list[AllyBalance]


class RedemptionRow(_Answer):
    campaign: str
    prize: str | None = Field(None, description="Null for blanks.")
    day: date | None = None
    issued: int = Field(description="By `prize` only cards that can no longer be scratched.")
    scratched: int
    won: int = Field(description="Scratched, with a prize.")
    used: int
    scratched_percent: str | None
    used_percent: str | None = Field(description="Of those that won.")
    seconds_to_use_median: int | None = Field(description="From scratching to use.")
    seconds_to_use_90_percent: int | None


class StoreRedemptions(_Answer):
    store: str | None = Field(description="Null where the key that redeemed belongs to no store.")
    currency: str
    used: int
    amount: Amount


class RedemptionReport(_Answer):
    """`from` and `to` are days of UTC, both counted."""

    first: date = Field(alias="from")
    to: date
    by: By
    rows: list[RedemptionRow]
    stores: list[StoreRedemptions]


class UpliftGroup(_Answer):
    shoppers: int = Field(description="Known ones whose time is over.")
    came_back: int
    spent: Amount
    mean: Amount | None = Field(description="A shopper's.")


class SpendDifference(_Answer):
    """Of a shopper's mean spend, and the interval in which it lies in 95 of 100 cases."""

    value: Amount
    low: Amount
    high: Amount


class ShareDifference(_Answer):
    """Of the share who bought again, in percentage points."""

    value: str
    low: str
    high: str


class UpliftAnswer(_Answer):
    campaign: str
    days: int
    currency: str
    holdout: int
    with_cards: UpliftGroup
    held_out: UpliftGroup
    spend: SpendDifference | None
    came_back: ShareDifference | None
