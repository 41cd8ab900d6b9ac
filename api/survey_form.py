"""What comes with a survey's forms, read and checked."""

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Annotated, Any, Final

from pydantic import AfterValidator, TypeAdapter, ValidationError
from starlette.requests import Request

from accounts.fields import DeliverableAddress, PhoneNumber, Text
from api.visitors import is_person
from engagement.surveys.manage import SurveyRecord
from engagement.surveys.records import Answer, Call, Channel, Given, Held, More
from engagement.surveys.settings import scale_of
from engagement.surveys.words import said
from infra.i18n import voice
from kernel.errors import FieldError, Invalid

# A field that people do not see, and programs fill in.
TRAP: Final = "website"
_TEXT: Final[TypeAdapter[str]] = TypeAdapter(Text)
# Kept in lower case, as all addresses are.
_CONTACTS: Final[tuple[TypeAdapter[str], ...]] = (
    TypeAdapter(Annotated[DeliverableAddress, AfterValidator(str.lower)]),
    TypeAdapter(PhoneNumber),
)


@dataclass(frozen=True, slots=True)
class Read:
    """``values`` are what was written; ``errors`` are by field, in the reader's language."""

    more: More
    values: dict[str, str]
    errors: dict[str, str]


def given(request: Request, sent: Mapping[str, str], survey: SurveyRecord, channel: Channel, language: str) -> Given:
    """Raises :class:`Invalid` for what is no score."""
    return Given(
        score=score_in(sent.get("score", ""), survey),
        channel=channel,
        language=language,
        by_itself=sent.get("auto") == "1",
        held=_held(request, sent),
    )


def score_in(told: str, survey: SurveyRecord) -> int:
    scale = scale_of(survey.event)
    for score in scale:
        if told == str(score):
            return score
    raise Invalid(errors=[FieldError("/score", f"must be from {scale[0]} to {scale[-1]}")])


def read(sent: Mapping[str, str], survey: SurveyRecord, brand: str, answer: Answer, language: str) -> Read:
    """What somebody says after their score. A contact is looked at only where a call is wished."""
    spoken = voice(language)
    values = {name: sent[name] for name in ("text", "call", "contact") if sent.get(name)}
    errors: dict[str, str] = {}
    text = values.get("text")
    if text is not None and _checked(_TEXT, text) is None:
        errors["text"] = spoken.gettext("Please shorten this.")
    call = None
    if "call" in values and answer.segment == "detractor":
        contact = next(filter(None, (_checked(each, values.get("contact", "")) for each in _CONTACTS)), None)
        consent, version = said(survey.settings, survey.event, brand, spoken).consent, survey.settings.consent_version
        if values["call"] != version:
            errors["call"] = spoken.gettext("This text has changed. Please read it, and tick it again.")
        if contact is None:
            errors["contact"] = spoken.gettext("An email address or a telephone number is needed.")
        call = Call(contact or "", consent, version)
    return Read(More(text, call, no_call=sent.get("no_call") == "1"), values, errors)


def _held(request: Request, sent: Mapping[str, str]) -> Held:
    if sent.get(TRAP):
        return "trap"
    return "" if is_person(request) else "robot"


def _checked(adapter: TypeAdapter[Any], value: str) -> str | None:
    with suppress(ValidationError):
        return str(adapter.validate_python(value))
    return None
