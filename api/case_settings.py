"""What a merchant wants done about answers: who sees to cases, what friends get, how reviews are published."""

from fastapi import APIRouter, Request, Response

from accounts.keys import Caller
from api import schemas
from api.answers import json_answer
from api.body import model_body
from api.house import House, TheHouse
from api.key_ring import TheCaller
from engagement.voice import settings
from engagement.voice.settings import CaseSettings, ReferralSettings, ReviewSettings

router = APIRouter(prefix="/v1", tags=["Cases and reviews"])


@router.get("/case-settings", response_model=CaseSettings, responses=schemas.READS)
async def get_case_settings(house: TheHouse, caller: TheCaller) -> Response:
    """Which answers open a case, who sees to it, and when it is late."""
    return await _read(house, caller, CaseSettings)


@router.put(
    "/case-settings", response_model=CaseSettings, responses=schemas.WRITES, openapi_extra=schemas.body("CaseSettings")
)
async def put_case_settings(request: Request, house: TheHouse, caller: TheCaller) -> Response:
    """For cases that are opened from now on."""
    return await _put(request, house, caller, CaseSettings)


@router.get("/referral-settings", response_model=ReferralSettings, responses=schemas.READS)
async def get_referral_settings(house: TheHouse, caller: TheCaller) -> Response:
    """Whether promoters get a code to hand on, and what a friend gets for it."""
    return await _read(house, caller, ReferralSettings)


@router.put(
    "/referral-settings",
    response_model=ReferralSettings,
    responses=schemas.WRITES,
    openapi_extra=schemas.body("ReferralSettings"),
)
async def put_referral_settings(request: Request, house: TheHouse, caller: TheCaller) -> Response:
    """Codes that were handed on stay good when no new ones are given."""
    return await _put(request, house, caller, ReferralSettings)


@router.get("/review-settings", response_model=ReviewSettings, responses=schemas.READS)
async def get_review_settings(house: TheHouse, caller: TheCaller) -> Response:
    """Whether receipts offer to review what was bought, and what is published at once."""
    return await _read(house, caller, ReviewSettings)


@router.put(
    "/review-settings",
    response_model=ReviewSettings,
    responses=schemas.WRITES,
    openapi_extra=schemas.body("ReviewSettings"),
)
async def put_review_settings(request: Request, house: TheHouse, caller: TheCaller) -> Response:
    """For reviews that are written from now on."""
    return await _put(request, house, caller, ReviewSettings)


async def _read(house: House, caller: Caller, part: type[settings.Settings]) -> Response:
    caller.require_whole("surveys:read")
    found = await house.read(lambda conn: settings.of(conn, caller.merchant_id, part))
    return json_answer(found.model_dump(mode="json"))


async def _put(request: Request, house: House, caller: Caller, part: type[settings.Settings]) -> Response:
    caller.require_whole("surveys:write")
    wanted = await model_body(request, part)
    await house.write(lambda conn: settings.put(conn, caller.merchant_id, wanted))
    # Receipts show what they offer.
    house.pages.clear()
    return json_answer(wanted.model_dump(mode="json"))
