"""A prize as a pass of Apple Wallet, in the style ``coupon``: its QR code is the code that a till reads. It wears the
brand of who hands the prize out.

Wallet asks for no changes of it. It ends by itself on the day of the prize, and a till knows what is used.
"""

from typing import Any, Final

import structlog
from sqlalchemy import Connection
from starlette.requests import Request
from starlette.responses import Response

from accounts.find import BrandLook
from api import scratch_behind
from api.house import House
from api.page_cache import Rendered
from api.scratch_behind import Shown, behind, words_for
from api.served import NEVER_KEEP, respond
from api.wallets import require_apple
from engagement.rewards.supplying import ally_of
from engagement.rewards.words import from_ally
from infra import pass_pictures, pkpass
from infra.i18n import Voice
from infra.pass_parts import Fields, PassField, PassOffice, PassParts, Told, head, localised
from infra.pass_signer import PassesUnsigned
from infra.storage import at_hand
from infra.theme import theme
from kernel.clock import iso
from kernel.errors import NotFound

_log = structlog.get_logger()
_ASKS: Final = ("webServiceURL", "authenticationToken")


async def scratch_pass(request: Request) -> Response:
    """Raises :class:`NotFound` where no passes are made, and where there is no code, not yet or no more."""
    house: House = request.app.state.house
    office = require_apple(house)

    def look(conn: Connection) -> tuple[Shown, BrandLook | None]:
        found = scratch_behind.shown(conn, house, behind(conn, house, request))
        reward = found.held.reward
        return found, ally_of(conn, reward.merchant_id, reward.prize) if reward.prize else None

    found, ally = await house.read(look)
    if not found.held.code:
        raise NotFound("There is no code to take along")
    words = words_for(request, found)

    def make() -> bytes:
        parts = _parts(house, found, ally, words, office)
        return pkpass.build(house.pass_signer, parts.content, parts.images, parts.strings)

    try:
        data = await house.drawing.run(make)
    except PassesUnsigned as error:
        _log.error("pass_not_signed", why=error.why)
        raise
    named = (b"content-disposition", f'attachment; filename="{found.held.reward.id}.pkpass"'.encode())
    return respond(request, Rendered(data, pkpass.MEDIA_TYPE, (NEVER_KEEP, named)))


def _parts(house: House, found: Shown, ally: BrandLook | None, words: Voice, office: PassOffice) -> PassParts:
    look, reward = ally or found.look, found.held.reward
    issuer = [PassField("from", "", from_ally(found.look.name, words))] if ally else []
    style, strings = localised(words.language, {words.language: _fields(house, found, issuer, words)})
    told = Told(
        serial=reward.id,
        organisation=look.name,
        description=words.gettext("Your scratch card"),
        colour=look.colour,
        link=found.held.code,
        beside_logo="" if look.logo_key else look.name,
    )
    palette = theme(look.colour).light
    logo = at_hand(house.storage, look.logo_key) if look.logo_key else None
    content: dict[str, Any] = head(office, told)
    content = {name: value for name, value in content.items() if name not in _ASKS}
    content |= {"coupon": style, "expirationDate": iso(reward.expires_at)}
    return PassParts(content, pass_pictures.of_brand(logo, look.name, palette.brand, palette.on_brand), strings)


def _fields(house: House, found: Shown, issuer: list[PassField], words: Voice) -> Fields:
    _ = words.gettext
    won = scratch_behind.view(house, found, words).won
    if won is None or won.until is None:
        raise NotFound("There is no code to take along")
    place = [PassField("place", _("Store"), won.place)] if won.place else []
    terms = [PassField("terms", _("Terms"), won.terms)] if won.terms else []
    return {
        "primaryFields": [PassField("prize", "", won.value or won.name)],
        "secondaryFields": [PassField("until", _("Valid until"), won.until.text), *place],
        "auxiliaryFields": [PassField("code", _("Code"), won.code), *issuer],
        "backFields": [PassField("name", _("Prize"), won.name), *terms],
    }
