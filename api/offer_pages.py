"""What an offer's link opens, what its page tells of it, and its picture.

The address is signed and leads to the product's own link, and nowhere else. Opening it counts nothing: a tap is told by
the page that somebody looks at, or by the form that stands there for who has no script.
"""

from typing import Any, Final

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute, Route

from api import named
from api.answers import no_content
from api.body import beacon_body
from api.house import House
from api.notices import notice
from api.page_cache import Rendered
from api.reader import own_language
from api.served import respond
from api.visitors import is_from_our_page, is_person
from engagement.offers import links, pictures, products, taps
from engagement.offers.links import Mark
from engagement.offers.taps import Act
from infra import static
from infra.i18n import voice

_MOST_OFFERS: Final = 10
_TOLD: Final[dict[str, Act]] = {"view": "shown", "tap": "tapped"}
_FOREVER: Final = (b"cache-control", static.FOREVER.encode())
_NOT_KEPT: Final = {"Cache-Control": "no-store"}


def routes() -> list[BaseRoute]:
    named.register()
    return [
        Route("/o/beacon", beacon, methods=["POST"]),
        Route("/o/{mark:mark}", follow, methods=["GET"]),
        Route("/o/{mark:mark}", tap, methods=["POST"]),
        Route("/media/products/{shard}/{name}.webp", picture),
    ]


async def follow(request: Request) -> Response:
    """302 to the product's link; a page that says so where it is over. It writes nothing."""
    house: House = request.app.state.house
    link = await _link(house, request.path_params["mark"])
    return RedirectResponse(link, 302, _NOT_KEPT) if link else _over(request)


async def tap(request: Request) -> Response:
    """The form of who has no script: 303 to the product's link, and it counts."""
    house: House = request.app.state.house
    told = request.path_params["mark"]
    link, mark = await _link(house, told), links.read(house.offer_key, told)
    if not link or mark is None:
        return _over(request)
    if is_person(request) and is_from_our_page(request, house):
        await house.write(lambda conn: taps.note(conn, "tapped", [mark], now=house.clock()))
    return RedirectResponse(link, 303, _NOT_KEPT)


async def beacon(request: Request) -> Response:
    """204, whether it counts or not: nobody shall learn by trying what does.

    Raises :class:`BadRequest` and :class:`TooLarge`.
    """
    house: House = request.app.state.house
    told = _read(house, await beacon_body(request))
    if told is not None and is_person(request) and is_from_our_page(request, house):
        act, marks = told
        await house.write(lambda conn: taps.note(conn, act, marks, now=house.clock()))
    return no_content()


async def picture(request: Request) -> Response:
    """A product's, under a key made of its content: it never changes."""
    house: House = request.app.state.house
    key = "products/{shard}/{name}.jpg".format(**request.path_params)
    mark = house.logos.mark()
    rendered = house.logos.get(key)
    if rendered is None:
        data = await house.drawing.run(lambda: _picture(house, key))
        if data is None:
            return _over(request)
        rendered = Rendered(data, "image/webp", (_FOREVER,))
        house.logos.put(key, rendered, mark)
    return respond(request, rendered)


def _picture(house: House, key: str) -> bytes | None:
    try:
        data = house.storage.get(key)
    except ValueError:
        return None
    return pictures.small(data) if data else None


async def _link(house: House, told: str) -> str | None:
    """None where it is none of our marks, or there is nothing to be had any more."""
    mark = links.read(house.offer_key, told)
    product = await house.read(lambda conn: products.by_id(conn, mark.product_id)) if mark else None
    if product is None or not product.content.active or not product.content.link:
        return None
    return links.leads_to(product.content.link, told)


def _over(request: Request) -> Response:
    words = voice(own_language(request)).gettext
    return respond(request, notice(request, words("There is nothing here"), words("This offer is over."), status=404))


def _read(house: House, body: Any) -> tuple[Act, list[Mark]] | None:
    """None where it says nothing that we know, as a page of another version may."""
    if not isinstance(body, dict) or not isinstance(body.get("o"), list):
        return None
    act = _TOLD.get(body["a"]) if isinstance(body.get("a"), str) else None
    told = (links.read(house.offer_key, each) for each in body["o"][:_MOST_OFFERS] if isinstance(each, str))
    marks = [each for each in told if each is not None]
    return (act, marks) if act and marks else None
