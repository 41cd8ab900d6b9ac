"""The form in which a visitor leaves their contact: as it is shown, and as it is read."""

from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Annotated, Any, Final

from pydantic import AfterValidator, TypeAdapter, ValidationError

from accounts.fields import DeliverableAddress, Name, PhoneNumber, Text
from api.contexts_of_cards import ExchangeForm
from cards.find import CardRecord
from infra.i18n import Voice, later, voice
from kernel.ids import digest
from kernel.locale import base_language

_FIELDS: Final[dict[str, TypeAdapter[Any]]] = {
    "name": TypeAdapter(Name),
    # Kept in lower case, as all addresses are.
    "email": TypeAdapter(Annotated[DeliverableAddress, AfterValidator(str.lower)]),
    "phone": TypeAdapter(PhoneNumber),
    "organisation": TypeAdapter(Name),
    "note": TypeAdapter(Text),
}
_WRONG: Final = {
    "name": later("Please check this"),
    "email": later("Please check this address."),
    "phone": later("Please check this number."),
    "organisation": later("Please shorten this."),
    "note": later("Please shorten this."),
}
_NO_NAME: Final = later("Please tell your name.")
_NO_WAY: Final = later("An email address or a telephone number is needed.")
_NOT_AGREED: Final = later("Please tick this, so that your contact may be kept.")
_NEW_TEXT: Final = later("This text has changed. Please read it, and tick it again.")
_CONSENT: Final = later(
    "I agree that %(brand)s keeps what I have entered here, and that %(name)s uses it to get in touch with me. I can "
    "take this back at any time."
)


@dataclass(frozen=True, slots=True)
class Read:
    """``values`` are what was written; ``checked`` is what of it is right, as it is kept; ``errors`` are by field, in
    the reader's language."""

    values: dict[str, str]
    checked: dict[str, str]
    errors: dict[str, str]


def exchange_form(record: CardRecord, language: str, *, is_left: bool = False) -> ExchangeForm:
    """Before anybody wrote into it. Its id tells which text was shown with it, so that what was agreed to is known word
    for word."""
    consent, version = _consent(record, language), record.template.consent_version
    return ExchangeForm(
        values={},
        errors={},
        form_id=digest(f"{record.id}\n{language}\n{version}\n{consent}")[:32],
        consent=consent,
        version=version,
        privacy_url=record.template.privacy_url or "",
        is_left=is_left,
    )


def read(sent: Mapping[str, str], form: ExchangeForm, language: str) -> Read:
    """``form`` is that which would be shown now."""
    spoken = voice(language)
    values = {name: sent[name] for name in _FIELDS if sent.get(name)}
    checked = dict(_checked(values))
    errors = {name: spoken.gettext(_WRONG[name]) for name in values if name not in checked}
    if "name" not in values:
        errors["name"] = spoken.gettext(_NO_NAME)
    if "email" not in values and "phone" not in values:
        errors["email"] = spoken.gettext(_NO_WAY)
    return Read(values, checked, errors | _of_consent(sent, form, spoken))


def _of_consent(sent: Mapping[str, str], form: ExchangeForm, spoken: Voice) -> dict[str, str]:
    if sent.get("form_id") != form.form_id:
        return {"consent": spoken.gettext(_NEW_TEXT)}
    return {} if sent.get("consent") == form.version else {"consent": spoken.gettext(_NOT_AGREED)}


def _checked(values: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    for name, value in values.items():
        with suppress(ValidationError):
            yield name, _FIELDS[name].validate_python(value)


def _consent(record: CardRecord, language: str) -> str:
    """The brand's text in the reader's language, or in one that the card is offered in; else ours."""
    told = {str(tag): text for tag, text in record.template.consent.items()}
    for tag in (base_language(language), *record.languages):
        if said := told.get(tag):
            return said
    names = {"brand": record.look.name, "name": record.profile.name_in(language)}
    return voice(language).gettext(_CONSENT) % names
