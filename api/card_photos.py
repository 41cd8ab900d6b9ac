"""Photos on cards."""

from typing import Final

from fastapi import APIRouter, Request, Response
from sqlalchemy import Connection

from api import card_answers, schemas
from api.answers import no_content
from api.body import binary_body
from api.cards import IdOrToken
from api.house import House, TheHouse
from api.key_ring import TheCaller
from cards import find, manage, photos
from cards.find import CardRecord

router = APIRouter(prefix="/v1/cards", tags=["Cards"])
MOST_BYTES: Final = 8_000_000


@router.put("/{card:card}/photo", status_code=204, responses=schemas.WRITES, openapi_extra=schemas.picture_body())
async def put_photo(card: IdOrToken, request: Request, house: TheHouse, caller: TheCaller) -> Response:
    """A PNG, JPEG or WebP of at most 8 MB; it is cut square and written anew, without metadata."""
    card_answers.require_writer(caller)
    data = await binary_body(request, most=MOST_BYTES)
    await house.read(lambda conn: find.one(conn, caller.merchant_id, card))
    # Before the transaction: it takes a second, and nobody else writes meanwhile.
    key = await house.drawing.run(lambda: photos.kept(house.storage, data))
    await _set(house, caller, card, key)
    return no_content()


@router.delete("/{card:card}/photo", status_code=204, responses=schemas.READS)
async def delete_photo(card: IdOrToken, house: TheHouse, caller: TheCaller) -> Response:
    """The card shows the initials instead."""
    await _set(house, caller, card, None)
    return no_content()


async def _set(house: House, caller: TheCaller, card: str, key: str | None) -> None:
    def change(conn: Connection, before: CardRecord) -> None:
        manage.require_alive(before)
        manage.set_photo(conn, before, key, now=house.clock())

    await card_answers.changed(house, caller, card, change)
