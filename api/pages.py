"""What a shopper's link opens: the receipt's page, and the files that it needs.

The routes are plain Starlette's. This is what everybody opens, and FastAPI's own share would cost more than the answer.
"""

from typing import Final

from starlette.convertors import Convertor, register_url_convertor
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from accounts.find import BrandLook
from api import form_pages
from api.house import House
from api.page_cache import Rendered
from api.reader import language_of, own_language, wants_copy, wishes
from api.receipt_page import error_page, pending_page, receipt_page
from api.served import ASK_AGAIN, NEVER_KEEP, respond
from infra import pages, static
from infra.i18n import voice
from kernel.ids import is_token
from receipts.records import ReceiptRecord

_HTML: Final = "text/html; charset=utf-8"
_FOREVER: Final = (b"cache-control", static.FOREVER.encode())


class _Token(Convertor[str]):
    """A link's token, and not ``token.pdf``."""

    regex = "[A-Za-z0-9_-]+"

    def convert(self, value: str) -> str:
        return value

    def to_string(self, value: str) -> str:
        return value


def routes() -> list[BaseRoute]:
    """The page comes first, since it is asked for most and a request passes the routes in order."""
    register_url_convertor("token", _Token())
    return [
        Route("/r/{token:token}", receipt),
        Route("/static/{path:path}", asset),
        Route("/media/logos/{shard}/{name}.png", logo),
        *form_pages.routes(),
        Route("/r/{path:path}", nothing),
    ]


async def receipt(request: Request) -> Response:
    """The page; the notice that it is on its way where the till has not told us yet; else that there is nothing."""
    house: House = request.app.state.house
    token = request.path_params["token"]
    key, mark = (token, wishes(request), wants_copy(request)), house.pages.mark()
    rendered = house.pages.get(key)
    if rendered is None:
        rendered = await _rendered(house, request, token)
        if rendered.status == 200:
            house.pages.put(key, rendered, mark)
    return respond(request, rendered)


async def nothing(request: Request) -> Response:
    return respond(request, nothing_here(request))


async def asset(request: Request) -> Response:
    found = static.find(request.url.path)
    if found is None:
        return respond(request, nothing_here(request))
    return respond(request, Rendered(found.body, found.media_type, (_FOREVER,)))


async def logo(request: Request) -> Response:
    """A brand's logo, under a key made of its content: it never changes."""
    house: House = request.app.state.house
    shard, name = request.path_params["shard"], request.path_params["name"]
    try:
        data = house.storage.get(f"logos/{shard}/{name}.png")
    except ValueError:
        data = None
    if data is None:
        return respond(request, nothing_here(request))
    return respond(request, Rendered(data, "image/png", (_FOREVER,)))


def nothing_here(request: Request) -> Rendered:
    language = own_language(request)
    words = voice(language).gettext
    heading = words("There is nothing here")
    text = words("Check the link, or scan the code on your receipt again.")
    page = error_page(heading, text, language=language)
    html = pages.render("error.html", page, language)
    policy = pages.policy(page.theme.csp_hash, pages.stylesheet_hash("page.css"))
    return Rendered(html.encode(), _HTML, (NEVER_KEEP, _policy(policy)), status=404)


async def _rendered(house: House, request: Request, token: str) -> Rendered:
    if not is_token(token):
        return nothing_here(request)
    found = await house.read(lambda conn: house.looks.with_record(conn, token))
    return _receipt(house, request, *found) if found else _pending(request, token)


def _receipt(house: House, request: Request, record: ReceiptRecord, look: BrandLook) -> Rendered:
    language, copy = language_of(request, record, look), wants_copy(request)
    page = receipt_page(record, look, base_url=house.base_url, language=language, copy=copy)
    html = pages.render("receipt.html", page, language)
    policy = pages.policy(page.theme.csp_hash, pages.stylesheet_hash("page.css"))
    headers = (ASK_AGAIN, _policy(policy), (b"content-language", language.encode()))
    return Rendered(html.encode(), _HTML, headers, subject=record.token)


def _pending(request: Request, token: str) -> Rendered:
    """A till that was offline has printed this link before it could tell us: 202 says that more is to come."""
    language = own_language(request)
    page = pending_page(token, language=language)
    html = pages.render("pending.html", page, language)
    policy = pages.policy(page.theme.csp_hash, pages.stylesheet_hash("page.css"), asks=True)
    return Rendered(html.encode(), _HTML, (NEVER_KEEP, _policy(policy), (b"retry-after", b"5")), status=202)


def _policy(policy: str) -> tuple[bytes, bytes]:
    return b"content-security-policy", policy.encode()
