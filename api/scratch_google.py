"""A prize into Google Wallet: the object is made first, and a short link leads to where it is taken."""

from contextlib import suppress

import structlog
from sqlalchemy import Connection
from starlette.requests import Request
from starlette.responses import Response

from api import scratch_behind
from api.house import House
from api.scratch_behind import Shown, behind
from api.visitors import is_from_our_page
from api.wallets import buttons, led_to
from engagement.rewards import google, prize_wallets, revealing
from engagement.rewards.google import Taken
from engagement.rewards.revealing import RewardOver
from infra.database import reading
from infra.google_wallet import GoogleWalletDown, write_newest
from kernel.errors import Forbidden, NotFound

_log = structlog.get_logger()


async def scratch_to_google(request: Request) -> Response:
    """Make the object, where Google does not have it as the prize is, and lead to where it is taken.

    Raises :class:`NotFound` where Google is not set up, and where there is no code, not yet or no more;
    :class:`Forbidden` for a form of another site, which shall make us ask Google of nothing.
    """
    house: House = request.app.state.house
    if not buttons(house).google:
        raise NotFound("This service makes no passes for Google Wallet")
    found = await house.read(lambda conn: scratch_behind.shown(conn, house, behind(conn, house, request)))
    if not is_from_our_page(request, house):
        raise Forbidden("The button must be pressed on the card's own page")
    if not found.held.code:
        raise NotFound("There is no code to take along")
    try:
        return led_to(await house.saving.run(lambda: _saved(house, found)))
    except GoogleWalletDown as error:
        _log.error("google_wallet_down", why=error.why)
        raise


def _saved(house: House, found: Shown) -> str:
    """It is noted first, so that whatever changes from here on is told; what came too early for that is seen when it is
    read again. Where it stands there as the prize is, whoever presses the button makes nobody ask Google."""
    wallet, base_url, reward = house.google_wallet, house.base_url, found.held.reward

    def read() -> Taken:
        with reading(house.engine) as conn:
            return google.taken(conn, house.reward_keys, reward.merchant_id, reward.id, now=house.clock())

    def missed() -> None:
        with house.engine.begin() as conn:
            prize_wallets.ask(conn, house.post.jobs, [(reward.merchant_id, reward.id)], now=house.clock(), delay=5)

    with house.engine.begin() as conn:
        before = _noted(conn, house, found)
    taken = read()
    digest = google.digest(google.content(wallet, taken, base_url=base_url))
    if before != digest:
        write_newest(read, lambda newest: google.write(wallet, newest, base_url=base_url), missed)
    with house.engine.begin() as conn:
        if before != digest:
            prize_wallets.note_written(conn, reward.merchant_id, reward.id, digest)
        # Not before there is something to take along: the merchant is told. A card of Apple's tells it by a script.
        with suppress(RewardOver):
            revealing.claim(conn, reward.merchant_id, reward.id, now=house.clock())
    return wallet.link(google.object_id(wallet, taken), google.class_id(wallet, taken), origin=base_url)


def _noted(conn: Connection, house: House, found: Shown) -> str | None:
    """The digest of what was written before."""
    reward, record = found.held.reward, found.behind.record
    prize_wallets.note(conn, reward, found.look.id, record.issuer.address.get("country") if record else None)
    return prize_wallets.written(conn, reward.merchant_id, reward.id)
