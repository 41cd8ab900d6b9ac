"""Cards of the merchant's staff: created, listed, changed, paused, revoked."""

from typing import Annotated, ClassVar

from fastapi import APIRouter, Header, Path, Query, Request, Response
from sqlalchemy import Connection

from accounts import find as accounts_find
from accounts.fields import SLUG
from api import card_answers, named, schemas
from api import card_schemas as shapes
from api.answers import json_answer, no_content
from api.body import model_body
from api.card_schemas import CardContent, NewCard, NewState
from api.house import TheHouse
from api.key_ring import TheCaller
from cards import find, invites, manage
from cards.find import CardRecord
from cards.manage import Belongs, State
from kernel.errors import Problem

named.register()
router = APIRouter(prefix="/v1/cards", tags=["Cards"])
IdOrToken = Annotated[str, Path(pattern=schemas.ID_PATTERN, description="The card's `id`, or its token.")]
IfMatch = Annotated[str | None, Header(description="The card's `ETag`: it is changed only if it is still so.")]
_CURSOR = r"^crd_[0-9a-z]{26}$"


class ChangedMeanwhile(Problem):
    status: ClassVar[int] = 412
    slug: ClassVar[str] = "changed-meanwhile"
    title: ClassVar[str] = "Somebody else changed it meanwhile"


@router.post("", status_code=201, responses=shapes.NEW_CARD, openapi_extra=schemas.body("NewCard"))
async def create_card(request: Request, house: TheHouse, caller: TheCaller) -> Response:
    """A member of staff has one card. 409 names the one that is there."""
    card_answers.require_writer(caller)
    new = await model_body(request, NewCard)
    belongs = Belongs(new.staff, new.brand, new.store)

    def write(conn: Connection) -> CardRecord:
        card_id = manage.create(conn, caller.merchant_id, belongs, new.profile, now=house.clock())
        return find.one(conn, caller.merchant_id, card_id)

    record = await house.write(write)
    card_answers.show_anew(house)
    return card_answers.answer(house, record, 201)


@router.get("", response_model=shapes.CardList, responses=schemas.READS)
async def list_cards(
    house: TheHouse,
    caller: TheCaller,
    limit: Annotated[int, Query(ge=1, le=100)] = 20,
    cursor: Annotated[str | None, Query(pattern=_CURSOR)] = None,
    state: State | None = None,
    store: Annotated[str | None, Query(pattern=SLUG)] = None,
    staff: Annotated[str | None, Query(pattern=SLUG)] = None,
) -> Response:
    """Oldest first, revoked ones included. Follow `next_cursor` until it is null."""
    caller.require("cards:read")

    def look(conn: Connection) -> list[CardRecord]:
        where = {
            "store_id": card_answers.within(conn, caller, store),
            "staff_id": accounts_find.staff_id(conn, caller.merchant_id, staff) if staff else None,
        }
        return find.listed(conn, caller.merchant_id, limit=limit + 1, after=cursor, state=state, **where)

    found = await house.read(look)
    more = found[limit - 1].id if len(found) > limit else None
    return json_answer({"cards": [card_answers.shown(house, each) for each in found[:limit]], "next_cursor": more})


@router.get("/{card:card}", response_model=shapes.CardAnswer, responses=schemas.READS)
async def get_card(card: IdOrToken, house: TheHouse, caller: TheCaller) -> Response:
    """Its `profile` is as it was written; the brand's template is added where the card is shown."""
    caller.require("cards:read")
    return card_answers.answer(house, await house.read(lambda conn: card_answers.seen(conn, caller, card)))


@router.put(
    "/{card:card}",
    response_model=shapes.CardAnswer,
    responses=shapes.CHANGES,
    openapi_extra=schemas.body("CardContent"),
)
async def put_card(
    card: IdOrToken, request: Request, house: TheHouse, caller: TheCaller, if_match: IfMatch = None
) -> Response:
    """Replace the profile, the store and the brand. What the brand locks for its staff may be changed here.

    With `If-Match` only if nobody else changed it since.
    """
    card_answers.require_writer(caller)
    new = await model_body(request, CardContent)

    def change(conn: Connection, before: CardRecord) -> None:
        manage.require_alive(before)
        if if_match is not None and not _is_named(if_match, before):
            raise ChangedMeanwhile("Get it again, with its new ETag")
        manage.move(conn, before, Belongs(brand=new.brand, store=new.store), now=house.clock())
        manage.put_profile(conn, before, new.profile, now=house.clock())

    return card_answers.answer(house, await card_answers.changed(house, caller, card, change))


@router.put(
    "/{card:card}/state",
    response_model=shapes.CardAnswer,
    responses=schemas.WRITES,
    openapi_extra=schemas.body("NewState"),
)
async def put_state(card: IdOrToken, request: Request, house: TheHouse, caller: TheCaller) -> Response:
    """Pause a card, and let it be active again: its page says that it is paused, its pass in a wallet is void."""
    card_answers.require_writer(caller)
    state = (await model_body(request, NewState)).state
    record = await card_answers.changed(
        house, caller, card, lambda conn, before: manage.set_state(conn, before, state, now=house.clock())
    )
    return card_answers.answer(house, record)


@router.delete("/{card:card}", status_code=204, responses=schemas.READS)
async def revoke_card(card: IdOrToken, house: TheHouse, caller: TheCaller) -> Response:
    """Revoke it, for good: all of its links answer 410, its pass in a wallet is void. Twice is the same as once.

    Of its profile the name stays; the photo is deleted.
    """

    def revoke(conn: Connection, before: CardRecord) -> None:
        manage.set_state(conn, before, "revoked", now=house.clock())
        invites.withdraw(conn, before, now=house.clock())

    await card_answers.changed(house, caller, card, revoke)
    return no_content()


def _is_named(if_match: str, record: CardRecord) -> bool:
    """RFC 9110 section 13.1.1."""
    return if_match.strip() == "*" or card_answers.etag(record) in (each.strip() for each in if_match.split(","))
