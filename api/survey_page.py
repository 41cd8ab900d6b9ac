"""The page of ``/s/{token}`` as a typed context."""

from dataclasses import replace

from accounts.find import BrandLook
from api import survey_view
from api.contexts import LanguageLink
from api.contexts_after_sale import SurveyPage
from api.house import House
from api.receipt_page import brand_view, language_links
from api.survey_view import Shown
from engagement.surveys import links
from engagement.surveys.links import Linked
from engagement.surveys.settings import scale_of
from infra.i18n import voice
from infra.theme import theme
from kernel.clock import Clock
from kernel.locale import LANGUAGES, direction
from receipts.records import ReceiptRecord
from receipts.wall_clock import zone_of


def survey_page(
    house: House, shown: Shown, record: ReceiptRecord, look: BrandLook, *, language: str, clock: Clock
) -> SurveyPage:
    spoken = voice(language)
    heading = spoken.gettext("How was it?")
    token = links.link_token(house.survey_key, Linked(shown.survey.id, record.id, shown.channel))
    return SurveyPage(
        language=language,
        direction=direction(language),
        title=f"{heading} · {look.name}",
        description=heading,
        theme=theme(look.colour),
        languages=_languages(shown, language),
        brand=brand_view(look, language),
        stub=survey_view.stub(house, shown, language, now=clock()),
        place=f"{record.issuer.store} · {spoken.formats.moment(record.issued_at, zone_of(record)).date}",
        receipt_url=f"/r/{record.token}?lang={language}",
        receipt=spoken.gettext("Open your receipt"),
        trap=f"/s/{token}?lang={language}&score={scale_of(shown.survey.event)[0]}&trap=1",
    )


def _languages(shown: Shown, language: str) -> tuple[LanguageLink, ...]:
    """The score that a link chose stays chosen."""
    rest = f"&score={shown.chosen}" if shown.chosen is not None else ""
    return tuple(replace(each, url=each.url + rest) for each in language_links(tuple(LANGUAGES), language))
