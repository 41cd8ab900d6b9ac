"""What the merchant decides of offers themselves: rules, and whether any are shown."""

from typing import Annotated

from fastapi import APIRouter, Path, Request, Response
from pydantic import BaseModel, ConfigDict, Field, StrictBool

from api import offer_answers, schemas
from api.answers import json_answer, no_content
from api.body import model_body
from api.house import TheHouse
from api.key_ring import TheCaller
from engagement.offers import books, rules
from engagement.offers.books import MOST_SHOWN, Book
from engagement.offers.rules import RuleWish

router = APIRouter(prefix="/v1", tags=["Offers"])
RuleId = Annotated[str, Path(pattern=schemas.ID_PATTERN)]


class OfferSettings(BaseModel):
    model_config = ConfigDict(extra="forbid")

    is_on: StrictBool = Field(True, description="Whether receipts show offers at all.")
    at_most: int = Field(MOST_SHOWN, strict=True, ge=1, le=MOST_SHOWN, description="So many on a receipt.")
    window_days: int = Field(
        30, strict=True, ge=1, le=365, description="A purchase within so many days of a tap came of the offer."
    )


@router.get("/offer-rules", response_model=offer_answers.RuleList, responses=schemas.READS)
async def list_offer_rules(house: TheHouse, caller: TheCaller) -> Response:
    """In the order in which they hold: of a kind, the oldest first."""
    caller.require_whole("offers:read")
    found = await house.read(lambda conn: rules.listed(conn, caller.merchant_id))
    return json_answer({"rules": [offer_answers.rule(each) for each in found]})


@router.post(
    "/offer-rules",
    status_code=201,
    response_model=offer_answers.RuleAnswer,
    responses=schemas.WRITES,
    openapi_extra=schemas.body("RuleWish"),
)
async def create_offer_rule(request: Request, house: TheHouse, caller: TheCaller) -> Response:
    """Who is pinned comes first, then allies', then what goes with what was bought; then what was learned."""
    caller.require_whole("offers:write")
    wish = await model_body(request, RuleWish)
    made = await house.write(lambda conn: rules.create(conn, caller.merchant_id, wish, now=house.clock()))
    offer_answers.show_anew(house)
    return json_answer(offer_answers.rule(made), 201, {"Location": f"/v1/offer-rules/{made.id}"})


@router.put(
    "/offer-rules/{rule_id}",
    response_model=offer_answers.RuleAnswer,
    responses=schemas.WRITES,
    openapi_extra=schemas.body("RuleWish"),
)
async def put_offer_rule(rule_id: RuleId, request: Request, house: TheHouse, caller: TheCaller) -> Response:
    """Put it in the place of what was there; it keeps its place among the others."""
    caller.require_whole("offers:write")
    wish = await model_body(request, RuleWish)
    changed = await house.write(lambda conn: rules.change(conn, caller.merchant_id, rule_id, wish))
    offer_answers.show_anew(house)
    return json_answer(offer_answers.rule(changed))


@router.delete("/offer-rules/{rule_id}", status_code=204, responses=schemas.READS)
async def delete_offer_rule(rule_id: RuleId, house: TheHouse, caller: TheCaller) -> Response:
    """It holds no more."""
    caller.require_whole("offers:write")
    await house.write(lambda conn: rules.remove(conn, caller.merchant_id, rule_id))
    offer_answers.show_anew(house)
    return no_content()


@router.get("/offer-settings", response_model=OfferSettings, responses=schemas.READS)
async def get_offer_settings(house: TheHouse, caller: TheCaller) -> Response:
    """Those that hold; where none were put, the defaults."""
    caller.require_whole("offers:read")
    return json_answer(_settings(await house.read(lambda conn: books.book(conn, caller.merchant_id))))


@router.put(
    "/offer-settings",
    response_model=OfferSettings,
    responses=schemas.WRITES,
    openapi_extra=schemas.body("OfferSettings"),
)
async def put_offer_settings(request: Request, house: TheHouse, caller: TheCaller) -> Response:
    """What is left out is as by default."""
    caller.require_whole("offers:write")
    wanted = await model_body(request, OfferSettings)
    await house.write(lambda conn: books.set_wishes(conn, caller.merchant_id, **wanted.model_dump()))
    offer_answers.show_anew(house)
    return json_answer(wanted.model_dump())


def _settings(book: Book) -> dict[str, object]:
    return {"is_on": book.is_on, "at_most": book.at_most, "window_days": book.window_days}
