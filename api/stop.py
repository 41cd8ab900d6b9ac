"""``/u/{token}``: whoever gets receipts that they did not ask for has them stopped.

Mail programs post to it by themselves (RFC 8058), without a cookie or any other mark: the address is the right to do
so. It writes on POST only, since scanners and previews open every link of a mail.
"""

from dataclasses import replace

from sqlalchemy import Connection
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from accounts.find import BrandLook, brand_look
from api.house import House
from api.notices import HTML, content_policy, nothing_here
from api.page_cache import Rendered
from api.reader import wishes
from api.served import NEVER_KEEP, respond
from api.stop_page import stop_page
from engagement.surveys import reminders
from infra import pages
from kernel.errors import NotFound
from kernel.locale import LANGUAGES, choose
from notify import stopping
from notify.stopping import Addressee
from receipts import find


def routes() -> list[BaseRoute]:
    return [Route("/u/{token}", question, methods=["GET"]), Route("/u/{token}", stop, methods=["POST"])]


async def question(request: Request) -> Response:
    """The page with the button; or, where it was pressed before, the one that says so."""
    house, message_id = _asked(request)
    found = await house.read(lambda conn: _about(conn, message_id)) if message_id else None
    return respond(request, _page(request, *found) if found else nothing_here(request))


async def stop(request: Request) -> Response:
    """Whatever the body says: RFC 8058's ``List-Unsubscribe=One-Click`` adds nothing to the address."""
    house, message_id = _asked(request)
    found = await house.write(lambda conn: _stopped(conn, house, message_id)) if message_id else None
    return respond(request, _page(request, *found) if found else nothing_here(request))


def _asked(request: Request) -> tuple[House, str | None]:
    house: House = request.app.state.house
    return house, stopping.message_of(house.stop_key, request.path_params["token"])


def _stopped(conn: Connection, house: House, message_id: str) -> tuple[Addressee, BrandLook] | None:
    found = _about(conn, message_id)
    if found is None:
        return None
    stopping.stop(conn, message_id, "unsubscribed", now=house.clock())
    addressee, look = found
    return replace(addressee, is_stopped=True), look


def _about(conn: Connection, message_id: str) -> tuple[Addressee, BrandLook] | None:
    """None where the message, or the receipt that it is about, is kept no more."""
    addressee = stopping.addressee(conn, message_id)
    if addressee is None:
        return None
    receipt_id: str | None = addressee.subject_id
    if addressee.subject_id.startswith(reminders.ASK):
        receipt_id = reminders.receipt_of(conn, addressee.merchant_id, addressee.subject_id)
    try:
        record = find.one(conn, addressee.merchant_id, receipt_id or "")
    except NotFound:
        return None
    return addressee, brand_look(conn, addressee.merchant_id, record.brand_id)


def _page(request: Request, addressee: Addressee, look: BrandLook) -> Rendered:
    language = choose([*wishes(request), addressee.language, *look.languages], LANGUAGES, "en")
    page = stop_page(addressee, look, language=language)
    html = pages.render("stop.html", page, language)
    styles = (page.theme.csp_hash, pages.stylesheet_hash("page.css"), pages.stylesheet_hash("stop.css"))
    headers = (NEVER_KEEP, content_policy(pages.policy(*styles)), (b"content-language", language.encode()))
    return Rendered(html.encode(), HTML, headers)
