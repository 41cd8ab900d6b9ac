"""``POST /c/{token}/beacon``: the page of a card tells what its visitor does with it.

A page that is only fetched counts nothing: link previews and mail scanners fetch, and do not look.
"""

from dataclasses import dataclass
from typing import Any, Final, cast

import orjson
from sqlalchemy import Connection
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from api.answers import no_content
from api.card_behind import card_behind
from api.house import House
from api.visitors import address_of, agent_of, is_from_our_page, is_person
from cards import links, numbers
from cards.find import CardRecord
from cards.networks import MESSENGERS, NETWORKS
from cards.numbers import Act
from kernel.errors import BadRequest, TooLarge
from receipts import find as receipts_find

_MOST_BYTES: Final = 1024
# What a page tells. A visitor is counted with their first view, a contact where it is left.
_TOLD: Final = frozenset({"view", "save", "wallet", "share", "tap"})
_TARGETS: Final = frozenset({"phone", "email", "place", "link", "booking", *NETWORKS, *MESSENGERS})
_WALLETS: Final = frozenset({"apple", "google"})


@dataclass(frozen=True, slots=True)
class Told:
    """What a page says was done. ``mark`` is that of the receipt's link, as it came."""

    act: Act
    source: links.Source
    target: str
    mark: str


def routes() -> list[BaseRoute]:
    return [Route("/c/{token:token}/beacon", beacon, methods=["POST"])]


async def beacon(request: Request) -> Response:
    """204, whether it counts or not: nobody shall learn by trying what does.

    Raises :class:`BadRequest`, :class:`TooLarge`, and what :func:`api.card_behind.card_behind` does.
    """
    house: House = request.app.state.house
    told = _read(await _body(request))
    record = await card_behind(house, request.path_params["token"])
    if told is not None and is_person(request) and is_from_our_page(request, house):
        address = address_of(request, trusted=house.settings.server.trusted_proxies)
        agent = agent_of(request)
        await house.write(lambda conn: _count(conn, house, record, told, address, agent))
    return no_content()


def receipt_behind(conn: Connection, house: House, record: CardRecord, mark: str) -> str | None:
    """The receipt whose link was followed, as long as it is kept."""
    receipt_id = links.receipt_of(house.card_key, record.token, mark)
    is_kept = receipt_id is not None and receipts_find.stays(conn, record.merchant_id, receipt_id)
    return receipt_id if is_kept else None


async def _body(request: Request) -> Any:
    """``sendBeacon`` calls JSON plain text, which needs no question beforehand, so the type says nothing."""
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > _MOST_BYTES:
            raise TooLarge(f"The body may have at most {_MOST_BYTES} bytes")
    try:
        return orjson.loads(body)
    except orjson.JSONDecodeError:
        raise BadRequest("The body is not JSON") from None


def _read(body: Any) -> Told | None:
    """None where it says nothing that we know, as a page of another version may."""
    if not isinstance(body, dict):
        return None
    act, source, target, mark = (each if isinstance(each := body.get(name), str) else "" for name in "astr")
    if act not in _TOLD or (target and target not in _targets(act)):
        return None
    return Told(cast("Act", act), links.source_of(source), target, mark)


def _targets(act: str) -> frozenset[str]:
    return _TARGETS if act == "tap" else _WALLETS if act == "wallet" else frozenset()


def _count(conn: Connection, house: House, record: CardRecord, told: Told, address: str, agent: str) -> None:
    now = house.clock()
    receipt_id = receipt_behind(conn, house, record, told.mark) if told.mark else None
    visitor = numbers.visitor_of(conn, record.merchant_id, address, agent, now)
    numbers.count(
        conn,
        record,
        told.act,
        source=told.source,
        target=told.target,
        visitor=visitor,
        receipt_id=receipt_id,
        now=now,
    )
