"""Passes behind links: ``/c/{token}.pkpass``, ``/r/{token}.pkpass``, and the way into Google Wallet."""

import structlog
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from api.card_behind import card_behind
from api.house import House
from api.served import respond
from api.visitors import is_from_our_page
from api.wallets import buttons, led_to, of_card, of_receipt, require_apple, signed_pass
from cards import find as cards
from cards import google, wallets
from cards.find import CardRecord
from infra.google_wallet import GoogleWalletDown
from kernel.errors import Forbidden, Gone, NotFound
from kernel.ids import is_token
from receipts.retention import purged

_log = structlog.get_logger()


def routes() -> list[BaseRoute]:
    """They use the convertor that :func:`api.pages.routes` registers."""
    return [
        Route("/c/{token:token}.pkpass", card_pass, methods=["GET"]),
        Route("/c/{token:token}/google", to_google, methods=["POST"]),
        Route("/r/{token:token}.pkpass", receipt_pass, methods=["GET"]),
    ]


async def card_pass(request: Request) -> Response:
    house: House = request.app.state.house
    require_apple(house)
    record = await card_behind(house, request.path_params["token"])
    return respond(request, await signed_pass(house, of_card(record)))


async def receipt_pass(request: Request) -> Response:
    house: House = request.app.state.house
    require_apple(house)
    token = request.path_params["token"]
    found = await house.read(lambda conn: of_receipt(conn, house, token)) if is_token(token) else None
    if found is None:
        if await house.read(lambda conn: purged(conn, [token])):
            raise Gone("The receipt behind this link was deleted after the time for which its shop keeps receipts")
        raise NotFound("There is no receipt behind this link, or not yet")
    return respond(request, await signed_pass(house, found))


async def to_google(request: Request) -> Response:
    """Make the object, where Google does not have it as the card is, and lead to where it is taken.

    Raises :class:`Forbidden` for a form of another site, which shall make us ask Google of nothing.
    """
    house: House = request.app.state.house
    if not buttons(house).google:
        raise NotFound("This service makes no passes for Google Wallet")
    record = await card_behind(house, request.path_params["token"])
    if not is_from_our_page(request, house):
        raise Forbidden("The button must be pressed on the card's own page")
    try:
        link = await house.saving.run(lambda: _saved(house, record))
    except GoogleWalletDown as error:
        _log.error("google_wallet_down", why=error.why)
        raise
    return led_to(link)


def _saved(house: House, record: CardRecord) -> str:
    """It is noted first, so that whatever changes from here on is told; what came too early for that is seen when it is
    read again. Where it stands there as the card is, whoever presses the button makes nobody ask Google."""
    wallet, base_url = house.google_wallet, house.base_url

    def read() -> CardRecord:
        with house.engine.connect() as conn:
            return cards.one(conn, record.merchant_id, record.id)

    def missed() -> None:
        with house.engine.begin() as conn:
            google.ask(conn, house.post.jobs, record, now=house.clock())

    with house.engine.begin() as conn:
        is_written = wallets.note_object(conn, record)
    if not is_written:
        google.write_newest(wallet, read, missed, base_url=base_url)
        with house.engine.begin() as conn:
            wallets.note_written(conn, record)
    return wallet.link(google.object_id(wallet, record), google.class_id(wallet, record), origin=base_url)
