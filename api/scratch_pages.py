"""``POST /r/{token}/scratch/{card}``: a shopper scratches. No GET does: whoever fetches every link reveals nothing."""

from typing import Final
from urllib.parse import quote

from sqlalchemy import Connection
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute, Route

from api import scratch_stub
from api.answers import no_content
from api.form_body import form_fields
from api.house import House
from api.notices import HTML, nothing_here
from api.page_cache import Rendered
from api.reader import own_language
from api.scratch_view import Held, card_view
from api.served import NEVER_KEEP, respond
from api.visitors import is_from_our_page
from engagement.rewards import find, revealing
from engagement.rewards.revealing import RewardOver
from infra import pages
from infra.i18n import voice
from kernel.errors import Forbidden, NotFound
from kernel.ids import is_token
from kernel.locale import LANGUAGES
from receipts import find as receipts_find
from receipts.records import ReceiptRecord

_MOST_BYTES: Final = 1024


def routes() -> list[BaseRoute]:
    here = "/r/{token:token}/scratch/{card:token}"
    return [
        Route(here, back, methods=["GET"]),
        Route(here, reveal, methods=["POST"]),
        Route(f"{here}/taken", taken, methods=["POST"]),
    ]


async def back(request: Request) -> Response:
    """Of who loads the address anew: to the receipt. It reveals nothing."""
    return _to_receipt(request) if is_token(request.path_params["token"]) else respond(request, nothing_here(request))


async def reveal(request: Request) -> Response:
    """303 to the receipt, which shows what the card gave; with ``?part=1`` the card itself, for a script. Scratched
    again, it is what it is.

    Raises :class:`Invalid` where an age was asked for and not declared, :class:`Forbidden` for a form of another site,
    and :class:`NotFound` where the receipt has no such card.
    """
    house: House = request.app.state.house
    sent = await form_fields(request, most=_MOST_BYTES)
    _require_our_page(request, house)
    token, of_age = request.path_params["token"], sent.get("of_age") == "1"
    record, card = await house.write(lambda conn: _revealed(conn, house, request, of_age=of_age))
    house.pages.forget(token)
    return respond(request, _part(request, house, record, card)) if _wants_part(request) else _to_receipt(request)


async def taken(request: Request) -> Response:
    """204, whether it is worth noting or not: a page says that its reader copied the code or put it into a wallet."""
    house: House = request.app.state.house
    _require_our_page(request, house)
    await house.write(lambda conn: _claim(conn, request))
    return no_content()


def _revealed(conn: Connection, house: House, request: Request, *, of_age: bool) -> tuple[ReceiptRecord, Held]:
    record, card = card_behind(conn, request)
    try:
        reward = revealing.reveal(conn, record.merchant_id, card, now=house.clock(), of_age=of_age)
    except RewardOver:
        # The receipt says so in the reader's words.
        reward = find.reward(conn, record.merchant_id, card)
    return record, scratch_stub.held(conn, house, reward, find.campaign(conn, record.merchant_id, reward.campaign_id))


def card_behind(conn: Connection, request: Request) -> tuple[ReceiptRecord, str]:
    """The receipt of a link, and the id of one of its cards. Raises :class:`NotFound`."""
    token, card = request.path_params["token"], request.path_params["card"]
    record = receipts_find.by_token(conn, token) if is_token(token) else None
    if record is not None and any(each.id == card for each in find.of_receipt(conn, record.merchant_id, record.id)):
        return record, card
    raise NotFound("There is no such receipt, or no such card on it")


def _claim(conn: Connection, request: Request) -> None:
    house: House = request.app.state.house
    record, card = card_behind(conn, request)
    try:
        revealing.claim(conn, record.merchant_id, card, now=house.clock())
    except RewardOver:
        return


def _require_our_page(request: Request, house: House) -> None:
    if not is_from_our_page(request, house):
        raise Forbidden("The form must be sent from the card's own page")


def _wants_part(request: Request) -> bool:
    return request.query_params.get("part") == "1"


def _part(request: Request, house: House, record: ReceiptRecord, card: Held) -> Rendered:
    language = own_language(request)
    words = voice(language, record.issuer.address.get("country"))
    links = scratch_stub.links_of(house, card, f"/r/{record.token}/scratch", language)
    view = card_view(card, links, words, now=house.clock())
    html = pages.part("scratch/card.html", "scratch_card", view, language)
    return Rendered(html.encode(), HTML, (NEVER_KEEP,))


def _to_receipt(request: Request) -> Response:
    token, language = quote(request.path_params["token"], safe=""), request.query_params.get("lang")
    return RedirectResponse(f"/r/{token}{f'?lang={language}' if language in LANGUAGES else ''}#scratch", 303)
