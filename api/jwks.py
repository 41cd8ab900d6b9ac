"""Public keys for whoever verifies a receipt by themselves: a JSON Web Key Set of all merchants, and one of each."""

import re
from typing import Final

from sqlalchemy import Connection
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from accounts.fields import SLUG
from accounts.manage import merchant_by_slug
from accounts.signing_keys import all_public_keys, public_keys
from api.house import House
from api.page_cache import Rendered
from api.served import respond
from kernel.errors import NotFound
from receipts.jwks import key_set

# A leaked key is to be forgotten soon. Whoever verifies in a browser, on whatever site, may read them.
_HEADERS: Final = ((b"cache-control", b"public, max-age=300"), (b"access-control-allow-origin", b"*"))


def routes() -> list[BaseRoute]:
    return [Route("/.well-known/jwks.json", everybodys), Route("/.well-known/{merchant}/jwks.json", merchants)]


async def everybodys(request: Request) -> Response:
    return await _answer(request, "")


async def merchants(request: Request) -> Response:
    """Raises :class:`NotFound`."""
    slug: str = request.path_params["merchant"]
    if not re.fullmatch(SLUG, slug):
        raise NotFound("There is no such merchant")
    return await _answer(request, slug)


async def _answer(request: Request, slug: str) -> Response:
    house: House = request.app.state.house
    mark, rendered = house.key_sets.mark(), house.key_sets.get(slug)
    if rendered is None:
        rendered = Rendered(await house.read(lambda conn: _written(conn, slug)), "application/json", _HEADERS)
        house.key_sets.put(slug, rendered, mark)
    return respond(request, rendered)


def _written(conn: Connection, slug: str) -> bytes:
    if not slug:
        return key_set(all_public_keys(conn))
    try:
        return key_set(public_keys(conn, merchant_by_slug(conn, slug)))
    except NotFound:
        raise NotFound("There is no such merchant") from None
