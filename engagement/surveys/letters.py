"""What emails ask: a question with a link for each score. A link only opens a page on which the score is chosen."""

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal

from accounts.find import BrandLook
from engagement.surveys import links
from engagement.surveys.links import Linked
from engagement.surveys.manage import SurveyRecord
from engagement.surveys.settings import scale_of
from engagement.surveys.words import said
from infra import pages
from infra.i18n import Voice, voice
from infra.letter_style import Styles, dressed, styles
from kernel.locale import isolated
from notify.letters import LONGEST_SUBJECT, Composed, one_line, short
from receipts.columns import wrapped
from receipts.letter import asked_in_text
from receipts.letter_view import Choice, Question
from receipts.records import ReceiptRecord


@dataclass(frozen=True, slots=True)
class Reminder:
    """Every field is a variable of the template. ``initial`` stands in for the logo."""

    language: str
    direction: str
    subject: str
    styles: Styles
    logo_url: str
    initial: str
    brand: str
    place: str
    title: str
    question: Question
    why: str
    stop_url: str


def question(
    survey: SurveyRecord, record: ReceiptRecord, brand: str, spoken: Voice, *, key: bytes, base_url: str
) -> Question:
    """``key`` is derived for :data:`engagement.surveys.links.PURPOSE`."""
    words, scale = said(survey.settings, survey.event, brand, spoken), scale_of(survey.event)
    token = links.link_token(key, Linked(survey.id, record.id, "email"))
    url = f"{base_url}/s/{token}?lang={spoken.language}"
    meanings = {scale[0]: words.low, scale[-1]: words.high}
    figures = {score: spoken.formats.number(Decimal(score)) for score in scale}
    ends = ", ".join(f"{figures[score]}: {meaning}" for score, meaning in meanings.items())
    return Question(
        text=words.question,
        ends=ends,
        choices=tuple(
            Choice(text, f"{text}, {meanings[score]}" if score in meanings else text, f"{url}&score={score}")
            for score, text in figures.items()
        ),
        url=url,
        trap=f"{url}&score={scale[0]}&trap=1",
    )


def reminder(
    survey: SurveyRecord,
    record: ReceiptRecord,
    look: BrandLook,
    *,
    key: bytes,
    base_url: str,
    language: str,
    stop_url: str,
) -> Composed:
    """The one letter that asks again."""
    spoken = voice(language)
    words, names = spoken.gettext, {"brand": isolated(look.name, spoken.direction)}
    page = Reminder(
        language=language,
        direction=spoken.direction,
        subject=_subject(spoken, look.name),
        styles=styles(look.colour),
        logo_url=f"{base_url}/media/{look.logo_key}" if look.logo_key else "",
        initial=look.name[:1].upper(),
        brand=look.name,
        place=record.issuer.store,
        title=words("How was it?"),
        question=question(survey, record, look.name, spoken, key=key, base_url=base_url),
        why=words("%(brand)s asks once more, and not again, since your receipt came by email.") % names,
        stop_url=stop_url,
    )
    html = pages.render("email/survey.html", page, language)
    html = dressed(html, colour=look.colour, direction=spoken.direction)
    return Composed(page.subject, html, "\n".join(_text(page, words("Stop these emails"))) + "\n", language)


def _subject(spoken: Voice, brand: str) -> str:
    """A long brand gives way to the words around it."""

    def written(name: str) -> str:
        return spoken.gettext("How was it at %(brand)s?") % {"brand": isolated(name, spoken.direction)}

    name = one_line(brand)
    over = len(written(name)) - LONGEST_SUBJECT
    return written(short(name, max(len(name) - over, 1)))


def _text(page: Reminder, stop: str) -> Iterator[str]:
    yield from (*wrapped(page.brand), *wrapped(page.place), "", *asked_in_text(page.question))
    yield from ("", "--", *wrapped(page.why), "", f"{stop}:", page.stop_url)
