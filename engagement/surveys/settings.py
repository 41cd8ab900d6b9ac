"""How a survey asks: its words, whom and how often, and for how long an answer is taken."""

from datetime import timedelta
from typing import Final

from pydantic import BaseModel, ConfigDict, Field

from accounts.fields import Language, Name, Short, Text, WebAddress
from engagement import nps
from engagement.surveys.records import RECOMMENDING, Event, Segment

CONSENT_VERSION: Final = "1"
# Days in which a shopper is not asked twice.
_OF_TRANSACTIONS: Final = 90
_OF_RELATIONS: Final = 180
# Days after which somebody knows what they bought.
_TRIED: Final = 7


class Wording(BaseModel):
    """In one language. What is not given is said in words of ours."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    question: Name | None = None
    low: Name | None = Field(None, description="What the lowest score means.")
    high: Name | None = Field(None, description="What the highest score means.")
    follow_up: dict[Segment, Name] = Field({}, description="What is asked after the score.")
    thanks: dict[Segment, Text] = Field({}, description="What is said at the end.")
    consent: Text | None = Field(None, description="What somebody agrees to who wishes to be called back.")


class Settings(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    texts: dict[Language, Wording] = Field({}, description="By language. Default: words of ours, in all languages.")
    review_url: WebAddress | None = Field(None, description="Where promoters are asked to tell others, too.")
    sample_percent: int = Field(
        100, strict=True, ge=0, le=100, description="Of so many receipts in a hundred it is asked."
    )
    throttle_days: int | None = Field(
        None,
        strict=True,
        ge=0,
        le=730,
        description="A shopper who is known is not asked again for so long, by any survey of the brand of this kind. "
        "Default: 180 for `relationship`, 90 for the others.",
    )
    # Each page that asks counts them.
    quota: int | None = Field(
        None, strict=True, ge=1, le=10_000, description="Nobody is asked once there are so many answers."
    )
    quota_days: int = Field(30, strict=True, ge=1, le=366, description="In how many days.")
    after_days: int | None = Field(
        None,
        strict=True,
        ge=0,
        le=365,
        description="From when on after the sale it is asked. Default: 7 for `product`, else 0.",
    )
    valid_days: int = Field(30, strict=True, ge=1, le=365, description="For how long from then on it can be answered.")
    edit_hours: int = Field(24, strict=True, ge=0, le=720, description="For how long an answer can be changed.")
    in_email: bool = Field(True, strict=True, description="Whether emails with the receipt ask it, too.")
    reminder_days: int | None = Field(
        None, strict=True, ge=1, le=60, description="After so many days without an answer, one email reminds of it."
    )
    consent_version: Short = Field(CONSENT_VERSION, description="Change it with the text: each answer keeps both.")

    def throttle(self, event: Event) -> timedelta:
        usual = _OF_TRANSACTIONS if event != "relationship" else _OF_RELATIONS
        return timedelta(days=usual if self.throttle_days is None else self.throttle_days)

    def after(self, event: Event) -> timedelta:
        usual = _TRIED if event == "product" else 0
        return timedelta(days=usual if self.after_days is None else self.after_days)

    @property
    def valid(self) -> timedelta:
        return timedelta(days=self.valid_days)

    @property
    def quota_period(self) -> timedelta:
        return timedelta(days=self.quota_days)

    @property
    def editable(self) -> timedelta:
        return timedelta(hours=self.edit_hours)


def scale_of(event: Event) -> range:
    """The scores that there are."""
    return nps.RECOMMEND if event in RECOMMENDING else nps.SATISFIED
