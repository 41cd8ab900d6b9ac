"""The public pages of a campaign: ``/campaigns/{id}`` with its rules and odds, ``…/fair`` with the proof of its draws,
``…/entry`` where one plays without a purchase. Until it is launched there are none of them."""

import re
from datetime import datetime
from typing import Final

from sqlalchemy import Connection
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute, Route

from api import schemas
from api.contexts import Page
from api.fairness_entry import enter
from api.fairness_view import Told, entry_page, fair_page, rules_page, takes_entries
from api.form_body import form_fields
from api.house import House
from api.notices import HTML, content_policy, nothing_here
from api.page_cache import Rendered
from api.reader import wishes
from api.scratch_behind import look_of
from api.served import ASK_AGAIN, NEVER_KEEP, respond
from api.visitors import is_from_our_page
from engagement.rewards import find, stock
from engagement.rewards.records import Draw
from infra import pages
from infra.i18n import voice
from kernel.errors import Forbidden, NotFound
from kernel.ids import is_token
from kernel.locale import choose
from receipts import find as receipts_find

_MOST_ASKED: Final = 300
_ID: Final = re.compile(schemas.ID_PATTERN)
_MOST_BYTES: Final = 4_000
# A field that people do not see, and programs fill in.
_TRAP: Final = "website"


def routes() -> list[BaseRoute]:
    """They use the convertor that :func:`api.pages.routes` registers."""
    here = "/campaigns/{campaign:token}"
    return [
        Route(here, rules, methods=["GET"]),
        Route(f"{here}/fair", fair, methods=["GET"]),
        Route(f"{here}/entry", entry, methods=["GET"]),
        Route(f"{here}/entry", take_entry, methods=["POST"]),
    ]


async def rules(request: Request) -> Response:
    house: House = request.app.state.house
    told = await _told(house, request)
    if told is None:
        return respond(request, nothing_here(request))
    now = house.clock()
    is_gone = await house.read(lambda conn: stock.is_gone(conn, told.campaign, now=now))
    return respond(request, _rendered("rules.html", rules_page(told, is_gone=is_gone, now=now)))


async def fair(request: Request) -> Response:
    """``?card=`` is the card's id, or the link of the receipt that it came with."""
    house: House = request.app.state.house
    told = await _told(house, request)
    if told is None:
        return respond(request, nothing_here(request))
    asked = request.query_params.get("card", "").strip()[:_MOST_ASKED]
    draw = await house.read(lambda conn: _draw(conn, told, asked, house.clock())) if asked else None
    page = fair_page(told, None, asked=asked, base_url=house.base_url)
    if draw is not None:
        # Who asks first of a deck waits until it is shuffled, and nobody else does.
        page = await house.proving.run(lambda: fair_page(told, draw, asked=asked, base_url=house.base_url))
    return respond(request, _rendered("fair.html", page))


async def entry(request: Request) -> Response:
    house: House = request.app.state.house
    told = await _told(house, request)
    if told is None or not takes_entries(told.campaign, house.clock()):
        return respond(request, nothing_here(request))
    return respond(request, _rendered("entry.html", entry_page(told, values={}, errors={})))


async def take_entry(request: Request) -> Response:
    """303 to the card; where something is to be put right, the page with the form.

    Raises :class:`Forbidden` for a form of another site, and what :func:`api.form_body.form_fields` does.
    """
    house: House = request.app.state.house
    sent = await form_fields(request, most=_MOST_BYTES)
    if not is_from_our_page(request, house):
        raise Forbidden("The form must be sent from the campaign's own page")
    told = await _told(house, request)
    if told is None or not takes_entries(told.campaign, house.clock()):
        return respond(request, nothing_here(request))
    if sent.get(_TRAP):
        return RedirectResponse(told.address(), 303)
    found = await enter(house, request, told, sent)
    if found.card:
        return RedirectResponse(f"/x/{found.card}?lang={told.words.language}", 303)
    page = entry_page(told, values=found.values, errors=found.errors)
    return respond(request, _rendered("entry.html", page, status=found.status))


async def _told(house: House, request: Request) -> Told | None:
    campaign_id = request.path_params["campaign"]

    def look(conn: Connection) -> Told:
        campaign = find.published(conn, campaign_id)
        brand = look_of(conn, campaign)
        return Told(campaign, brand, voice(choose(wishes(request), brand.languages, brand.languages[0])))

    try:
        return await house.read(look)
    except NotFound:
        return None


def _draw(conn: Connection, told: Told, asked: str, now: datetime) -> Draw | None:
    """Of the card, or of the first card of this campaign on the receipt behind a link."""
    merchant_id, campaign_id = told.campaign.merchant_id, told.campaign.id
    token = asked.partition("?")[0].partition("#")[0].rpartition("/")[2]
    record = receipts_find.by_token(conn, token) if is_token(token) else None
    if record is None or record.merchant_id != merchant_id:
        return find.draw(conn, merchant_id, campaign_id, asked, now=now) if _ID.fullmatch(asked) else None
    cards = [each for each in find.of_receipt(conn, merchant_id, record.id) if each.campaign_id == campaign_id]
    return find.draw(conn, merchant_id, campaign_id, cards[0].id, now=now) if cards else None


def _rendered(template: str, page: Page, *, status: int = 200) -> Rendered:
    html = pages.render(template, page, page.language)
    policy = pages.policy(page.theme.csp_hash, pages.stylesheet_hash("page.css"))
    keeps = ASK_AGAIN if status == 200 else NEVER_KEEP
    headers = (keeps, content_policy(policy), (b"content-language", page.language.encode()))
    return Rendered(html.encode(), HTML, headers, status=status)
