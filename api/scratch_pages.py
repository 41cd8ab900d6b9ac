"""A shopper scratches, by a POST to the card's address. No GET does: whoever fetches every link reveals nothing.

A card of a receipt is at ``/r/{token}/scratch/{card}`` and shown on the receipt; one of a free entry is at
``/x/{card}``, which is a page.
"""

from typing import Final

from sqlalchemy import Connection
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute, Route

from api import scratch_behind
from api.answers import no_content
from api.contexts_after_sale import ScratchPage
from api.form_body import form_fields
from api.house import House
from api.notices import HTML, content_policy, nothing_here
from api.page_cache import Rendered
from api.receipt_page import brand_view, language_links
from api.scratch_behind import Behind, Shown, behind, words_for
from api.scratch_google import scratch_to_google
from api.scratch_pass import scratch_pass
from api.served import NEVER_KEEP, respond
from api.visitors import is_from_our_page
from api.wallets import buttons
from engagement.rewards import revealing
from engagement.rewards.revealing import RewardOver
from infra import pages
from infra.google_wallet import ORIGIN
from infra.theme import theme
from kernel.errors import Forbidden, NotFound
from kernel.ids import is_token
from kernel.locale import LANGUAGES

_MOST_BYTES: Final = 1024


def routes() -> list[BaseRoute]:
    """They use the convertor that :func:`api.pages.routes` registers."""
    of_receipt, free = "/r/{token:token}/scratch/{card:token}", "/x/{card:token}"
    return [
        Route(of_receipt, back, methods=["GET"]),
        Route(free, page, methods=["GET"]),
        *(Route(here, reveal, methods=["POST"]) for here in (of_receipt, free)),
        *(Route(f"{here}/taken", taken, methods=["POST"]) for here in (of_receipt, free)),
        *(Route(f"{here}.pkpass", scratch_pass, methods=["GET"]) for here in (of_receipt, free)),
        *(Route(f"{here}/google", scratch_to_google, methods=["POST"]) for here in (of_receipt, free)),
    ]


async def back(request: Request) -> Response:
    """Of who loads the address anew: to the receipt. It reveals nothing."""
    token = request.path_params["token"]
    return _to(request, f"/r/{token}") if is_token(token) else respond(request, nothing_here(request))


async def page(request: Request) -> Response:
    house: House = request.app.state.house
    try:
        found = await house.read(lambda conn: scratch_behind.shown(conn, house, behind(conn, house, request)))
    except NotFound:
        return respond(request, nothing_here(request))
    return respond(request, _page(request, house, found))


async def reveal(request: Request) -> Response:
    """303 to where the card is shown; with ``?part=1`` the card by itself, for a script. Scratched again, it is what it
    is.

    Raises :class:`Invalid` where an age was asked for and not declared, :class:`Forbidden` for a form of another site,
    and :class:`NotFound` where there is no such card.
    """
    house: House = request.app.state.house
    sent = await form_fields(request, most=_MOST_BYTES)
    _require_our_page(request, house)
    of_age = sent.get("of_age") == "1"
    found = await house.write(lambda conn: _revealed(conn, house, request, of_age=of_age))
    record = found.behind.record
    if record is not None:
        house.pages.forget(record.token)
    if request.query_params.get("part") == "1":
        return respond(request, _part(request, house, found))
    return _to(request, found.behind.here if record is None else f"/r/{record.token}")


async def taken(request: Request) -> Response:
    """204, whether it is worth noting or not: a page says that its reader copied the code or put it into a wallet."""
    house: House = request.app.state.house
    _require_our_page(request, house)
    await house.write(lambda conn: _claim(conn, house, behind(conn, house, request)))
    return no_content()


def _revealed(conn: Connection, house: House, request: Request, *, of_age: bool) -> Shown:
    found = behind(conn, house, request)
    try:
        reward = revealing.reveal(conn, found.merchant_id, found.reward_id, now=house.clock(), of_age=of_age)
    except RewardOver:
        # The card says so in the reader's words.
        return scratch_behind.shown(conn, house, found)
    return scratch_behind.shown(conn, house, found, reward)


def _claim(conn: Connection, house: House, found: Behind) -> None:
    try:
        revealing.claim(conn, found.merchant_id, found.reward_id, now=house.clock())
    except RewardOver:
        return


def _require_our_page(request: Request, house: House) -> None:
    if not is_from_our_page(request, house):
        raise Forbidden("The form must be sent from the card's own page")


def _part(request: Request, house: House, found: Shown) -> Rendered:
    words = words_for(request, found)
    card = scratch_behind.view(house, found, words)
    html = pages.part("scratch/card.html", "scratch_card", card, words.language)
    return Rendered(html.encode(), HTML, (NEVER_KEEP,))


def _page(request: Request, house: House, found: Shown) -> Rendered:
    words, look = words_for(request, found), found.look
    title = words.gettext("Your scratch card")
    shown = ScratchPage(
        language=words.language,
        direction=words.direction,
        title=f"{title} · {look.name}",
        description=title,
        theme=theme(look.colour),
        languages=language_links(look.languages, words.language),
        brand=brand_view(look, words.language),
        card=scratch_behind.view(house, found, words),
    )
    html = pages.render("scratch.html", shown, words.language)
    styles = (pages.stylesheet_hash(each) for each in ("page.css", "scratch.css"))
    leads_to = ORIGIN if buttons(house).google else ""
    policy = pages.policy(shown.theme.csp_hash, *styles, asks=True, leads_to=leads_to)
    headers = (NEVER_KEEP, content_policy(policy), (b"content-language", words.language.encode()))
    return Rendered(html.encode(), HTML, headers)


def _to(request: Request, address: str) -> Response:
    language = request.query_params.get("lang")
    return RedirectResponse(f"{address}{f'?lang={language}' if language in LANGUAGES else ''}#scratch", 303)
