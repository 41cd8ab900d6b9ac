"""What a brand says on all of its cards."""

from fastapi import APIRouter, Request, Response
from sqlalchemy import Connection

from accounts import manage as accounts
from accounts.tables import Brand
from api import card_answers, schemas
from api import card_schemas as shapes
from api.accounts import Slug
from api.answers import json_answer, no_content
from api.body import model_body
from api.house import TheHouse
from api.key_ring import TheCaller
from cards import find, manage, stale, wallets
from cards.stale import Stale
from cards.template import Template

router = APIRouter(prefix="/v1/brands", tags=["Cards"])


@router.get("/{slug}/card-template", responses=shapes.TEMPLATE)
async def get_card_template(slug: Slug, house: TheHouse, caller: TheCaller) -> Response:
    """As it was put, with the defaults of what was not."""
    caller.require("cards:read")

    def look(conn: Connection) -> Template:
        return find.template_of(conn, caller.merchant_id, accounts.id_of(conn, Brand, caller.merchant_id, slug))

    return json_answer((await house.read(look)).model_dump(mode="json"))


@router.put(
    "/{slug}/card-template", status_code=204, responses=schemas.WRITES, openapi_extra=schemas.body("CardTemplate")
)
async def put_card_template(slug: Slug, request: Request, house: TheHouse, caller: TheCaller) -> Response:
    """All of the brand's cards show it at once. What it locks stays on each card as it is."""
    card_answers.require_writer(caller)
    template = await model_body(request, Template)

    def write(conn: Connection) -> None:
        now = house.clock()
        brand_id = manage.put_template(conn, caller.merchant_id, slug, template, now=now)
        if brand_id is not None:
            wallets.tell_wallets_of_brand(conn, house.post.jobs, caller.merchant_id, brand_id, now=now)
            stale.let_go(conn, house.post.jobs, Stale(caller.merchant_id, brand=brand_id), now=now)

    await house.write(write)
    card_answers.show_anew(house)
    return no_content()
