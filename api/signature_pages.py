"""``/c/{token}/signature``: a card at the end of an email, to be copied into a mail program."""

from html import escape
from typing import Final

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from api.card_behind import card_behind, face_for
from api.card_page import photo_url
from api.contexts_of_cards import SignaturePage
from api.house import House
from api.notices import HTML, content_policy
from api.page_cache import Rendered
from api.receipt_page import language_links
from api.served import ASK_AGAIN, respond
from cards.find import CardRecord
from cards.signature import Signature, signature
from infra import pages
from infra.i18n import voice
from infra.theme import theme
from kernel.locale import direction

_ALONE: Final[dict[str, str]] = {
    "default-src": "'none'",
    # Mail programs keep no other styles.
    "style-src": "'unsafe-inline'",
    "img-src": "'self'",
    "form-action": "'none'",
    "base-uri": "'none'",
    "frame-ancestors": "'self'",
    "sandbox": "allow-popups allow-popups-to-escape-sandbox",
}


def routes() -> list[BaseRoute]:
    """They use the convertor that :func:`api.pages.routes` registers."""
    return [
        Route("/c/{token:token}/signature", page),
        Route("/c/{token:token}/signature.html", alone),
        Route("/c/{token:token}/signature.txt", text),
    ]


async def page(request: Request) -> Response:
    record, language, made = await _made(request)
    words = voice(language).gettext
    shown = SignaturePage(
        language=language,
        direction=direction(language),
        title=f"{words('Email signature')} · {record.look.name}",
        description=words("Email signature"),
        theme=theme(record.look.colour),
        languages=language_links(record.languages, language),
        html_url=f"/c/{record.token}/signature.html?lang={language}",
        text_url=f"/c/{record.token}/signature.txt?lang={language}",
        html=made.html,
        text=made.text,
    )
    styles = (shown.theme.csp_hash, pages.stylesheet_hash("page.css"), pages.stylesheet_hash("signature.css"))
    policy = f"{pages.policy(*styles)}; frame-src 'self'"
    headers = (ASK_AGAIN, content_policy(policy), (b"content-language", language.encode()))
    return respond(request, Rendered(pages.render("signature.html", shown, language).encode(), HTML, headers))


async def alone(request: Request) -> Response:
    """What is copied, in a document of its own that may do nothing."""
    record, _, made = await _made(request)
    policy = "; ".join(f"{directive} {source}" for directive, source in _ALONE.items())
    title = escape(record.profile.full_name())
    document = f'<!doctype html><meta charset="utf-8"><title>{title}</title>{made.html}'
    return respond(request, Rendered(document.encode(), HTML, (ASK_AGAIN, content_policy(policy))))


async def text(request: Request) -> Response:
    _, _, made = await _made(request)
    return respond(request, Rendered(made.text.encode(), "text/plain; charset=utf-8", (ASK_AGAIN,)))


async def _made(request: Request) -> tuple[CardRecord, str, Signature]:
    house: House = request.app.state.house
    record = await card_behind(house, request.path_params["token"])
    face = face_for(request, house, record)
    photo = photo_url(record).replace("photo.webp", "photo.jpg")
    absolute = f"{house.base_url}{photo}" if photo else ""
    return record, face.language, signature(face, record.look, photo_url=absolute, base_url=house.base_url)
