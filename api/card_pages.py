"""``/c/{token}``: what the QR code of a card opens, and the worker that keeps it for when there is no network."""

from collections.abc import Mapping
from typing import Final

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from api.card_behind import language_of
from api.card_page import card_page
from api.contexts_of_cards import ExchangeForm
from api.exchange_form import exchange_form
from api.house import House
from api.notices import HTML, content_policy, nothing_here, notice
from api.page_cache import Rendered
from api.reader import own_language
from api.served import ASK_AGAIN, NEVER_KEEP, respond
from api.wallets import buttons
from cards import find
from cards.find import CardRecord
from cards.links import SOURCES
from infra import pages, static
from infra.google_wallet import ORIGIN
from infra.i18n import voice
from kernel.ids import is_token

_LONGEST_MARK: Final = 100


def routes() -> list[BaseRoute]:
    """They use the convertor that :func:`api.pages.routes` registers."""
    return [Route("/c/{token:token}", card), Route("/c/{token:token}/worker.js", worker)]


async def card(request: Request) -> Response:
    house: House = request.app.state.house
    token = request.path_params["token"]
    record = await house.read(lambda conn: find.by_token(conn, token)) if is_token(token) else None
    if record is None:
        return respond(request, nothing_here(request))
    if not record.is_active:
        return respond(request, _put_away(request, record))
    return respond(request, shown(request, house, record, is_left=request.query_params.get("left") == "1"))


def shown(
    request: Request,
    house: House,
    record: CardRecord,
    *,
    exchange: ExchangeForm | None = None,
    tags: Mapping[str, str] | None = None,
    is_left: bool = False,
    status: int = 200,
) -> Rendered:
    """The page; ``exchange`` is the form as it was sent, with its ``tags``, where something is to be put right."""
    language = language_of(request, record)
    page = card_page(
        record,
        base_url=house.base_url,
        language=language,
        exchange=exchange or exchange_form(record, language, is_left=is_left),
        tags=_known(request.query_params if tags is None else tags),
        wallets=buttons(house),
    )
    html = pages.render("card.html", page, language)
    styles = (page.theme.csp_hash, pages.stylesheet_hash("page.css"), pages.stylesheet_hash("card.css"))
    policy = pages.policy(*styles, asks=True, leads_to=ORIGIN if page.links.google else "")
    keeps = ASK_AGAIN if status == 200 else NEVER_KEEP
    headers = (keeps, content_policy(policy), (b"content-language", language.encode()))
    return Rendered(html.encode(), HTML, headers, status=status)


def _known(tags: Mapping[str, str]) -> dict[str, str]:
    """How the visitor came here, to be handed on by the form; nothing else that stood in the address."""
    source, mark = tags.get("s", ""), tags.get("r", "")
    known = {"s": source if source in SOURCES else "", "r": mark if len(mark) <= _LONGEST_MARK else ""}
    return {name: value for name, value in known.items() if value}


async def worker(request: Request) -> Response:
    """The same script for each card. It may keep this card's addresses, and no others."""
    script = static.body("card-worker.js")
    scope = (b"service-worker-allowed", f"/c/{request.path_params['token']}".encode())
    policy = content_policy("default-src 'none'; connect-src 'self'")
    headers = ((b"cache-control", b"no-cache"), scope, policy)
    return respond(request, Rendered(script, "text/javascript; charset=utf-8", headers))


def _put_away(request: Request, record: CardRecord) -> Rendered:
    """A card that is paused may come back, one that was revoked does not (RFC 9110 section 15.5.11)."""
    words = voice(own_language(request)).gettext
    if record.state == "paused":
        text = words("Its owner does not show it at the moment. Please ask in the shop.")
        return notice(request, words("This card is paused"), text, status=404)
    text = words("It is no longer used. The shop is still there for you.")
    return notice(request, words("This card is no longer valid"), text, status=410)
