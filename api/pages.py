"""What a shopper's link opens: the receipt's page, and the files that it needs.

The routes are plain Starlette's. This is what everybody opens, and FastAPI's own share would cost more than the answer.
"""

from functools import lru_cache
from typing import Final

from sqlalchemy import Connection
from starlette.convertors import Convertor, register_url_convertor
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from accounts.find import BrandLook
from api import (
    card_routes,
    fairness_pages,
    form_pages,
    jwks,
    mailbox,
    offer_pages,
    review_pages,
    review_shown,
    scratch_pages,
    stop,
    stubs,
    survey_pages,
    verify,
)
from api.house import House
from api.notices import HTML, absent, content_policy, nothing_here
from api.page_cache import Rendered
from api.reader import language_of, wants_copy, wishes
from api.receipt_page import receipt_page
from api.served import ASK_AGAIN, respond
from api.stubs import Hanging
from infra import images, pages, static
from infra.static import Asset
from kernel.ids import is_token
from receipts.records import ReceiptRecord

_LOGO_FORMS: Final = ("webp", "png")
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
        Route("/media/logos/{shard}/{name}.{form}", logo),
        *form_pages.routes(),
        *scratch_pages.routes(),
        *fairness_pages.routes(),
        *offer_pages.routes(),
        *card_routes.routes(),
        *verify.routes(),
        *jwks.routes(),
        *stop.routes(),
        *survey_pages.routes(),
        *review_pages.routes(),
        *review_shown.routes(),
        *mailbox.routes(),
    ]


async def receipt(request: Request) -> Response:
    """The page; a notice where the till has not told us yet or the receipt is gone; else that there is nothing."""
    house: House = request.app.state.house
    token = request.path_params["token"]
    key, mark = (token, wishes(request), wants_copy(request)), house.pages.mark()
    rendered = house.pages.get(key)
    if rendered is None:
        rendered = await _rendered(house, request, token)
        if rendered.status == 200:
            house.pages.put(key, rendered, mark)
    return respond(request, rendered)


async def asset(request: Request) -> Response:
    found = static.find(request.url.path)
    if found is None:
        return respond(request, nothing_here(request))
    return respond(request, _asset(found))


@lru_cache(maxsize=256)
def _asset(found: Asset) -> Rendered:
    forms = {"br": found.brotli, "gzip": found.gzip}
    packed = {coding: data for coding, data in forms.items() if data is not None}
    return Rendered(found.body, found.media_type, (_FOREVER,), forms=packed)


async def logo(request: Request) -> Response:
    """A brand's logo, under a key made of its content: it never changes. Pages show the WebP, emails the PNG."""
    house: House = request.app.state.house
    key, form = "logos/{shard}/{name}.png".format(**request.path_params), request.path_params["form"]
    mark = house.logos.mark()
    rendered = house.logos.get((key, form))
    if rendered is None:
        data = await house.drawing.run(lambda: _logo(house, key, form)) if form in _LOGO_FORMS else None
        if data is None:
            return respond(request, nothing_here(request))
        rendered = Rendered(data, f"image/{form}", (_FOREVER,))
        house.logos.put((key, form), rendered, mark)
    return respond(request, rendered)


def _logo(house: House, key: str, form: str) -> bytes | None:
    try:
        data = house.storage.get(key)
    except ValueError:
        return None
    return images.small(data) if data and form == "webp" else data


async def _rendered(house: House, request: Request, token: str) -> Rendered:
    if not is_token(token):
        return nothing_here(request)
    found = await house.read(lambda conn: _found(conn, house, token))
    return _receipt(house, request, *found) if found else await absent(house, request, token)


def _found(conn: Connection, house: House, token: str) -> tuple[ReceiptRecord, BrandLook, Hanging] | None:
    found = house.looks.with_record(conn, token)
    return (*found, stubs.find(conn, house, found[0])) if found else None


def _receipt(house: House, request: Request, record: ReceiptRecord, look: BrandLook, hanging: Hanging) -> Rendered:
    language, copy = language_of(request, record, look), wants_copy(request)
    hung = tuple(stubs.stubs(house, record, hanging, language))
    has_pass = not house.settings.wallet.lacking_for_apple
    page = receipt_page(
        record,
        look,
        base_url=house.base_url,
        language=language,
        copy=copy,
        stubs=hung,
        said=hanging.said,
        has_pass=has_pass,
    )
    html = pages.render("receipt.html", page, language)
    # Stubs tell what is done with them.
    leads_to = " ".join(sorted({origin for each in hung for origin in each.leads_to}))
    of_stubs = (pages.stylesheet_hash(each.style) for each in hung if each.style)
    styles = (page.theme.csp_hash, pages.stylesheet_hash("page.css"), *of_stubs)
    policy = pages.policy(*styles, asks=bool(hung), leads_to=leads_to)
    headers = (ASK_AGAIN, content_policy(policy), (b"content-language", language.encode()))
    return Rendered(html.encode(), HTML, headers, subject=record.token)
