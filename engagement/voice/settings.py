"""What a merchant wants done about answers: kept as JSON, one part for each of cases, referrals and reviews."""

from typing import Annotated, Final, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field, StringConstraints
from sqlalchemy import Connection, select

from accounts.fields import LINE, DeliverableAddress, Language, Slug
from engagement.voice.tables import VoiceSettings
from infra.database import upsert

Opens = Literal["always", "with_words", "never"]
Phrase = Annotated[str, StringConstraints(min_length=1, max_length=100, pattern=LINE)]
Line = Annotated[str, StringConstraints(min_length=1, max_length=300, pattern=LINE)]
_HOURS_OF_A_YEAR: Final = 8760


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid")


class Owner(_Part):
    """Who sees to cases. Without an address nobody is written to; programs hear of them by events."""

    staff: Slug | None = None
    email: DeliverableAddress | None = Field(None, description="Hears of a new case.")
    escalation_email: DeliverableAddress | None = Field(None, description="Hears of one whose time is over.")


class CaseSettings(Owner):
    opens: Opens = Field(
        "always",
        description="Whether a detractor's answer opens a case: always; only where they wrote something or wish to be "
        "called; or never.",
    )
    surveys: dict[Annotated[str, StringConstraints(pattern=r"^srv_[0-9a-z]{26}$")], Opens] = Field(
        {}, max_length=200, description="The same for single surveys, by their ids."
    )
    deadline_hours: int = Field(48, strict=True, ge=1, le=_HOURS_OF_A_YEAR)
    stores: dict[Slug, Owner] = Field({}, max_length=2000, description="Who sees to those of a store, by its slug.")

    def opens_for(self, survey_id: str) -> Opens:
        return self.surveys.get(survey_id, self.opens)

    def owner_of(self, store: str | None) -> Owner:
        """What a store leaves open is as for all."""
        own = self.stores.get(store or "", Owner())
        return Owner(
            staff=own.staff or self.staff,
            email=own.email or self.email,
            escalation_email=own.escalation_email or self.escalation_email,
        )


class ReferralSettings(_Part):
    is_on: bool = Field(False, strict=True, description="Whether promoters are given a code to hand on.")
    text: dict[Language, Line] = Field(
        {}, description="What a friend gets for it, by language, such as `10% off your first purchase`."
    )


class ReviewSettings(_Part):
    is_on: bool = Field(False, strict=True, description="Whether receipts offer to review what was bought.")
    publish: Literal["by_hand", "clean"] = Field(
        "by_hand", description="`clean` publishes at once what no rule holds back; else each review waits for approval."
    )
    window_days: int = Field(
        30, strict=True, ge=0, le=365, description="So long after it was first written its shopper may change a review."
    )
    words: list[Phrase] = Field([], max_length=1000, description="Words that hold a review back; `*` ends a beginning.")


_COLUMNS: Final = {
    CaseSettings: VoiceSettings.cases,
    ReferralSettings: VoiceSettings.referrals,
    ReviewSettings: VoiceSettings.reviews,
}
Settings = TypeVar("Settings", CaseSettings, ReferralSettings, ReviewSettings)


def of(conn: Connection, merchant_id: str, part: type[Settings]) -> Settings:
    """As they were put; where they were not, as they are without a word."""
    found = conn.scalar(select(_COLUMNS[part]).where(VoiceSettings.merchant_id == merchant_id))
    return part.model_validate_json(found) if found else part()


def put(conn: Connection, merchant_id: str, settings: CaseSettings | ReferralSettings | ReviewSettings) -> None:
    """In place of what was said before."""
    values = {_COLUMNS[type(settings)].key: settings.model_dump_json(exclude_defaults=True)}
    row = upsert(conn, VoiceSettings).values(values | {"merchant_id": merchant_id})
    conn.execute(row.on_conflict_do_update(index_elements=["merchant_id"], set_=values))
