"""Inviting members of staff to edit their cards."""

from fastapi import APIRouter, Request, Response
from sqlalchemy import Connection

from api import card_answers, schemas
from api import card_schemas as shapes
from api.answers import json_answer, no_content
from api.body import model_body
from api.card_schemas import NewInvite
from api.cards import IdOrToken
from api.deliveries import require_channel, require_open
from api.house import House, TheHouse
from api.key_ring import TheCaller
from cards import find, invites
from cards.invites import Invite
from kernel.clock import iso
from notify import asking

router = APIRouter(prefix="/v1/cards", tags=["Cards"])


@router.post(
    "/{card:card}/invites",
    status_code=201,
    responses=shapes.NEW_INVITE,
    openapi_extra=schemas.body("NewInvite", required=False),
)
async def create_invite(card: IdOrToken, request: Request, house: TheHouse, caller: TheCaller) -> Response:
    """A link by which the member of staff edits what the brand does not lock, as often as they like in 14 days.

    It takes the place of those before. With `send` it goes to the card's first email.
    """
    card_answers.require_writer(caller)
    wish = await model_body(request, NewInvite) if await request.body() else NewInvite()
    if wish.send:
        require_channel(house.post, "email", at="/send")
    new = await house.write(lambda conn: _invited(conn, house, caller.merchant_id, card, wish))
    url = f"{house.base_url}/i/{invites.link_token(house.invite_key, new.id)}"
    return json_answer({"id": new.id, "url": url, "expires_at": iso(new.expires_at)}, 201)


@router.delete("/{card:card}/invites", status_code=204, responses=schemas.READS)
async def withdraw_invites(card: IdOrToken, house: TheHouse, caller: TheCaller) -> Response:
    """None of the links opens the card any more. Twice is the same as once."""
    card_answers.require_writer(caller)

    def write(conn: Connection) -> None:
        invites.withdraw(conn, find.one(conn, caller.merchant_id, card), now=house.clock())

    await house.write(write)
    return no_content()


def _invited(conn: Connection, house: House, merchant_id: str, card: str, wish: NewInvite) -> Invite:
    now = house.clock()
    new = invites.invite(conn, merchant_id, card, now=now)
    if wish.send:
        wanted = invites.letter(find.one(conn, merchant_id, card), new)
        require_open(conn, wanted)
        asking.ask(conn, house.post, [wanted], now=now)
    return new
