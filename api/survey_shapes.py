"""How surveys and their responses look in the API."""

from typing import Any

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from accounts.fields import Slug
from engagement.surveys.find import Joined
from engagement.surveys.manage import SurveyRecord
from engagement.surveys.records import Answer, Channel, Event, Segment
from engagement.surveys.settings import Settings
from engagement.surveys.words import said
from infra.i18n import voice
from kernel.clock import iso
from kernel.locale import LANGUAGES


class SurveyChange(Settings):
    """All of it is put anew; what is left out is as usual."""

    active: bool = Field(True, strict=True, description="Whether it is asked, and answers are taken.")

    def settings(self) -> Settings:
        return Settings(**{name: getattr(self, name) for name in Settings.model_fields})


class NewSurvey(SurveyChange):
    brand: Slug
    event: Event = Field(
        description="`transaction` and `relationship` ask from 0 to 10 how likely one is to recommend the brand; "
        "`product`, `delivery` and `service` ask from 1 to 5 how satisfied one is. A brand has one survey for each."
    )


class _Answer(BaseModel):
    model_config = ConfigDict(json_schema_mode_override="serialization")


class Spoken(_Answer):
    """What it says in one language, with words of ours where the brand gave none."""

    question: str
    low: str
    high: str
    follow_up: dict[Segment, str]
    thanks: dict[Segment, str]
    consent: str


class Survey(_Answer):
    id: str
    brand: str
    event: Event
    active: bool
    settings: Settings = Field(description="As it was put, with what is usual where it was not.")
    says: dict[str, Spoken] = Field(description="By language.")
    created_at: AwareDatetime
    changed_at: AwareDatetime


class SurveyList(_Answer):
    surveys: list[Survey]


class SurveyResponse(_Answer):
    """`brand`, `store`, `till` and `staff` are slugs."""

    id: str
    survey: str = Field(description="The survey's id.")
    event: Event
    brand: str
    receipt_id: str | None = Field(description="Null once the receipt was deleted; words and contact go with it.")
    store: str
    till: str | None
    staff: str | None
    score: int
    segment: Segment
    text: str | None
    wants_call: bool
    contact: str | None = Field(description="How to call back; there only where a call was wished.")
    consent: str | None = Field(description="What the person agreed to, word for word.")
    consent_version: str | None
    language: str
    channel: Channel
    held: str | None = Field(
        description="Why it does not count: `trap` (a field that people do not see was filled in), `burst` (several "
        "scores within seconds), `robot` (a program by its name). Null where it counts."
    )
    skus: list[str] = Field(description="What was on the receipt.")
    tags: list[str] = Field(description="What its text is about, by your rules.")
    answered_at: AwareDatetime
    changed_at: AwareDatetime


class SurveyResponseList(_Answer):
    responses: list[SurveyResponse]
    next_cursor: str | None


class SurveyLink(_Answer):
    survey: str
    event: Event
    url: str | None = Field(description="Null where it is not to be asked.")
    closes_at: AwareDatetime | None
    why_not: str | None = Field(
        description="`sampled_out`, `throttled`, `quota`, `anonymous`, `late` or `unfit`; null where it is to be asked."
    )


def survey_shown(survey: SurveyRecord) -> dict[str, Any]:
    settings = survey.settings.model_dump(mode="json")
    settings["throttle_days"] = survey.settings.throttle(survey.event).days
    settings["after_days"] = survey.settings.after(survey.event).days
    return {
        "id": survey.id,
        "brand": survey.brand,
        "event": survey.event,
        "active": survey.is_active,
        "settings": settings,
        "says": {language: _said(survey, language) for language in LANGUAGES},
        "created_at": iso(survey.created_at),
        "changed_at": iso(survey.changed_at),
    }


def _said(survey: SurveyRecord, language: str) -> dict[str, Any]:
    words = said(survey.settings, survey.event, survey.brand_name, voice(language))
    return {name: getattr(words, name) for name in Spoken.model_fields}


def response_shown(answer: Answer, joined: Joined, tags: list[str]) -> dict[str, Any]:
    """In the order of :class:`SurveyResponse`."""
    return {
        "id": answer.id,
        "survey": answer.survey_id,
        "event": answer.event,
        "brand": joined.slugs[answer.brand_id],
        "receipt_id": answer.receipt_id,
        "store": joined.slugs[answer.store_id],
        "till": joined.slugs[answer.till_id] if answer.till_id else None,
        "staff": joined.slugs[answer.staff_id] if answer.staff_id else None,
        "score": answer.score,
        "segment": answer.segment,
        "text": answer.text,
        "wants_call": answer.wants_call,
        "contact": answer.contact,
        "consent": answer.consent,
        "consent_version": answer.consent_version,
        "language": answer.language,
        "channel": answer.channel,
        "held": answer.held or None,
        "skus": joined.skus.get(answer.id, []),
        "tags": tags,
        "answered_at": iso(answer.answered_at),
        "changed_at": iso(answer.changed_at),
    }
