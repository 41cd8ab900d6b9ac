"""Photos on cards."""

from functools import partial
from typing import Final

from fastapi import APIRouter, Request, Response
from sqlalchemy import Connection

from api import card_answers, schemas
from api.answers import no_content
from api.body import binary_body
from api.cards import IdOrToken
from api.house import House, TheHouse
from api.key_ring import TheCaller
from cards import find, manage, photos, stale
from cards.find import CardRecord
from cards.stale import Stale

router = APIRouter(prefix="/v1/cards", tags=["Cards"])
MOST_BYTES: Final = 8_000_000
# Seconds within which a photo that was kept is on its card.
_TO_BE_USED: Final = 60.0


@router.put("/{card:card}/photo", status_code=204, responses=schemas.WRITES, openapi_extra=schemas.picture_body())
async def put_photo(card: IdOrToken, request: Request, house: TheHouse, caller: TheCaller) -> Response:
    """A PNG, JPEG or WebP of at most 8 MB; it is cut square and written anew, without metadata."""
    card_answers.require_writer(caller)
    data = await binary_body(request, most=MOST_BYTES)
    await house.read(lambda conn: find.one(conn, caller.merchant_id, card))
    # Before the transaction: it takes a second, and nobody else writes meanwhile.
    key = await kept(house, caller.merchant_id, data)
    await _set(house, caller, card, key)
    await stays(house, key=key, data=data)
    return no_content()


@router.delete("/{card:card}/photo", status_code=204, responses=schemas.READS | schemas.problems(409))
async def delete_photo(card: IdOrToken, house: TheHouse, caller: TheCaller) -> Response:
    """The card shows the initials instead."""
    await _set(house, caller, card, None)
    return no_content()


async def kept(house: House, merchant_id: str, data: bytes) -> str:
    """The key of a photo for a card. If no card has it a minute later, it goes. Raises as :func:`cards.photos.kept`."""
    key = await house.drawing.run(partial(photos.kept, house.storage, data))
    unused = Stale(merchant_id, photos=[key])
    now = house.clock()
    await house.write(partial(stale.let_go, jobs=house.post.jobs, stale=unused, now=now, delay=_TO_BE_USED))
    return key


async def stays(house: House, *, key: str, data: bytes) -> None:
    """After a card was given it: as :func:`cards.photos.stays`."""
    await house.drawing.run(partial(photos.stays, house.storage, key, data))


async def _set(house: House, caller: TheCaller, card: str, key: str | None) -> None:
    def change(conn: Connection, before: CardRecord) -> None:
        manage.require_alive(before)
        manage.set_photo(conn, before, key, now=house.clock())

    await card_answers.changed(house, caller, card, change)
