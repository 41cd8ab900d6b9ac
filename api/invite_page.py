"""The page of ``/i/{token}`` as a typed context: the form as it is, or as it was sent with what is wrong in it."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from api.card_page import photo_url
from api.contexts_of_cards import Choice, Field, FieldGroup, InvitePage, Way
from api.invite_fields import HINTS, LABELS, ROWS, SINGLE, TRANSLATED, Cell, Rows, count_rows
from api.receipt_page import brand_view, language_links
from cards.find import CardRecord, own_face
from cards.invites import Invited
from cards.links import page_url
from cards.names import language_name
from cards.template import locked
from infra.i18n import Voice, voice
from infra.theme import theme
from kernel.clock import microseconds
from kernel.errors import FieldError
from kernel.locale import LANGUAGES, base_language, direction

# The hidden field that holds it.
VERSION: Final = "version"
_LONG = ("description", "hobbies")


@dataclass(frozen=True, slots=True)
class Draft:
    """Fields as they stand in the form, and what is wrong with them, by pointers into the profile."""

    fields: Mapping[str, str]
    errors: Sequence[FieldError] = ()
    is_saved: bool = False
    # Whether the card was changed since the form was opened.
    is_outdated: bool = False

    def error_at(self, pointer: str) -> str:
        return next((each.detail for each in self.errors if each.pointer == pointer), "")

    def error_below(self, pointer: str) -> str:
        """Of the whole of something, or of a part of it that has no field."""
        return next((each.detail for each in self.errors if f"{each.pointer}/".startswith(f"{pointer}/")), "")


def invite_page(invited: Invited, draft: Draft, *, base_url: str, language: str) -> InvitePage:
    record, words = invited.card, voice(language)
    draft = replace(draft, errors=[_worded(each, words) for each in draft.errors])
    face = own_face(record, base_url=base_url, wished=language)
    fixed = locked(record.template)
    heading = words.gettext("Your card")
    return InvitePage(
        language=language,
        direction=direction(language),
        title=f"{heading} · {record.look.name}",
        description=heading,
        theme=theme(record.look.colour),
        languages=language_links(tuple(LANGUAGES), language),
        brand=brand_view(record.look, language),
        name=face.name,
        initials=face.initials,
        photo=photo_url(record) if record.is_active else "",
        card_url=page_url(base_url, record.token),
        tools=tuple(_tools(record, words)),
        has_photo_field="photo" not in fixed,
        photo_error=draft.error_below("/photo"),
        groups=tuple(_groups(record, draft, fixed, words)),
        fixed=tuple(_fixed(record, fixed, face.organisation, words)),
        until=words.formats.moment(invited.expires_at).date,
        is_saved=draft.is_saved,
        has_errors=bool(draft.errors),
        is_outdated=draft.is_outdated,
        version=version_of(record),
    )


def version_of(record: CardRecord) -> str:
    """Of the card as the form shows it: whoever sends the form shall not undo what somebody else changed meanwhile."""
    return str(microseconds(record.changed_at))


def translations_of(record: CardRecord) -> tuple[str, ...]:
    """The brand's languages but for the one in which the card is written."""
    return tuple(tag for tag in record.look.languages if tag != base_language(record.own_language))


def _groups(record: CardRecord, draft: Draft, fixed: frozenset[str], words: Voice) -> Iterator[FieldGroup]:
    unnamed = draft.error_at("")
    for legend, layout in SINGLE:
        made = [
            tuple(_single(name, name, f"/{name}", draft, words) for name in names if name not in fixed)
            for names in layout
        ]
        if any(made):
            yield FieldGroup(words.gettext(legend), tuple(row for row in made if row), error=unnamed)
        unnamed = ""
    for rows in ROWS:
        if rows.name not in fixed:
            yield _listed(rows, draft, words)
    if "translations" not in fixed:
        for language in translations_of(record):
            yield _translated(language, draft, fixed, words)


def _single(name: str, field: str, pointer: str, draft: Draft, words: Voice) -> Field:
    kind = "area" if name in _LONG else "text"
    hint = words.gettext(HINTS[name]) if name in HINTS else ""
    label, value = words.gettext(LABELS[name]), draft.fields.get(field, "")
    return Field(field, label, value, kind, hint=hint, error=draft.error_below(pointer))


def _listed(rows: Rows, draft: Draft, words: Voice) -> FieldGroup:
    made = tuple(
        tuple(_cell(rows, number, cell, draft, words) for cell in rows.cells)
        for number in range(count_rows(draft.fields, rows))
    )
    shown = {field.error for row in made for field in row}
    told = draft.error_below(f"/{rows.name}")
    is_folded = len(made) == 1 and not told and rows.name not in ("phones", "emails")
    return FieldGroup(words.gettext(rows.legend), made, is_folded=is_folded, error="" if told in shown else told)


def _cell(rows: Rows, number: int, cell: Cell, draft: Draft, words: Voice) -> Field:
    name = f"{rows.name}.{number}.{cell.name}"
    at = f"/{rows.name}/{number}/"
    parts = ("handle", "url") if cell.name == "account" else (cell.name,)
    error = next((told for part in parts if (told := draft.error_below(at + part))), "")
    choices = tuple(Choice(value, words.gettext(label)) for value, label in (cell.choices or {}).items())
    return Field(name, words.gettext(cell.label), draft.fields.get(name, ""), cell.kind, choices, error=error)


def _translated(language: str, draft: Draft, fixed: frozenset[str], words: Voice) -> FieldGroup:
    names = [name for name in TRANSLATED if name not in fixed]
    at = f"translations.{language}."
    rows = tuple((_single(name, at + name, f"/translations/{language}/{name}", draft, words),) for name in names)
    legend = words.gettext("In %(language)s") % {"language": language_name(language, words.language)}
    is_folded = not any(field.error for row in rows for field in row)
    return FieldGroup(legend, rows, is_folded=is_folded)


def _fixed(record: CardRecord, fixed: frozenset[str], organisation: str, words: Voice) -> Iterator[tuple[str, str]]:
    yield words.gettext("Organisation"), organisation
    for name in LABELS:
        value = getattr(record.profile, name)
        if name in fixed and value:
            told = ", ".join(value) if isinstance(value, list) else str(value)
            yield words.gettext(LABELS[name]), told


def _tools(record: CardRecord, words: Voice) -> Iterator[Way]:
    """What else the person can do with a card that is shown."""
    if record.is_active:
        here = f"/c/{record.token}"
        yield Way("print", words.gettext("Print it"), f"{here}/print.pdf?sheet=1", "")
        yield Way("mail", words.gettext("Email signature"), f"{here}/signature", "")
        yield Way("card", words.gettext("Background for calls"), f"{here}/background.jpg", "")
        yield Way("qr", words.gettext("QR code"), f"{here}/qr.png?size=1024", "")


def _worded(error: FieldError, words: Voice) -> FieldError:
    """What the API would say of it is English; in other languages it is only said that something is to be done."""
    return error if words.language == "en" else replace(error, detail=words.gettext("Please check this"))
