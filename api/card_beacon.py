"""``POST /c/{token}/beacon``: the page of a card tells what its visitor does with it.

A page that is only fetched counts nothing: link previews and mail scanners fetch, and do not look.
"""

from dataclasses import dataclass
from typing import Any, Final, cast

from sqlalchemy import Connection
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from api.answers import no_content
from api.body import beacon_body
from api.card_behind import card_behind
from api.house import House
from api.visitors import is_from_our_page, is_person, receipt_behind, visitor_of
from cards import links, numbers
from cards.find import CardRecord
from cards.networks import MESSENGERS, NETWORKS
from cards.numbers import Act

# What a page tells. A visitor is counted with their first view, a contact where it is left.
_TOLD: Final = frozenset({"view", "save", "wallet", "share", "tap"})
# Apple's button is a tap, as far as a page can tell: its pass is added when a phone registers it.
_TARGETS: Final = frozenset({"phone", "sms", "email", "place", "link", "booking", "apple", *NETWORKS, *MESSENGERS})
_WALLETS: Final = frozenset({"google"})


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

    Raises what :func:`api.body.beacon_body` does, and what :func:`api.card_behind.card_behind` does.
    """
    house: House = request.app.state.house
    told = _read(await beacon_body(request))
    record = await card_behind(house, request.path_params["token"])
    if told is not None and is_person(request) and is_from_our_page(request, house):
        await house.write(lambda conn: _count(conn, house, request, record, told))
    return no_content()


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


def _count(conn: Connection, house: House, request: Request, record: CardRecord, told: Told) -> None:
    numbers.count(
        conn,
        record,
        told.act,
        source=told.source,
        target=told.target,
        receipt_id=receipt_behind(conn, house, record, told.mark),
        visitor=visitor_of(conn, house, request, record),
        now=house.clock(),
    )
