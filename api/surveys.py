"""A merchant's surveys: what their brands ask after a sale."""

from fastapi import APIRouter, Request, Response
from sqlalchemy import Connection

from api import schemas
from api import survey_shapes as shapes
from api.answers import json_answer, no_content
from api.body import model_body
from api.house import House, TheHouse
from api.key_ring import TheCaller
from engagement.surveys import manage
from engagement.surveys.manage import SurveyRecord

router = APIRouter(prefix="/v1", tags=["Surveys"])
NEW = {201: {"model": shapes.Survey, "description": "The new survey."}, **schemas.WRITES}


@router.get("/surveys", response_model=shapes.SurveyList, responses=schemas.READS)
async def list_surveys(house: TheHouse, caller: TheCaller) -> Response:
    """All of them, oldest first, with what each says in every language."""
    caller.require("surveys:read")
    found = await house.read(lambda conn: manage.listed(conn, caller.merchant_id))
    return json_answer({"surveys": [shapes.survey_shown(each) for each in found]})


@router.post("/surveys", status_code=201, responses=NEW, openapi_extra=schemas.body("NewSurvey"))
async def create_survey(request: Request, house: TheHouse, caller: TheCaller) -> Response:
    """A brand has one for each event. It hangs on receipts at once, also on those that are there already, as long as
    they can be answered."""
    caller.require_whole("surveys:write")
    wanted = await model_body(request, shapes.NewSurvey)

    def write(conn: Connection) -> SurveyRecord:
        return manage.create(
            conn,
            caller.merchant_id,
            wanted.brand,
            wanted.event,
            wanted.settings(),
            is_active=wanted.active,
            now=house.clock(),
        )

    made = await house.write(write)
    _show_anew(house)
    return json_answer(shapes.survey_shown(made), 201, {"Location": f"/v1/surveys/{made.id}"})


@router.get("/surveys/{survey_id}", response_model=shapes.Survey, responses=schemas.READS)
async def get_survey(survey_id: schemas.Id, house: TheHouse, caller: TheCaller) -> Response:
    """One, with what it says in every language."""
    caller.require("surveys:read")
    found = await house.read(lambda conn: manage.one(conn, caller.merchant_id, survey_id))
    return json_answer(shapes.survey_shown(found))


@router.put(
    "/surveys/{survey_id}",
    response_model=shapes.Survey,
    responses=schemas.WRITES,
    openapi_extra=schemas.body("SurveyChange"),
)
async def change_survey(survey_id: schemas.Id, request: Request, house: TheHouse, caller: TheCaller) -> Response:
    """All settings anew. Brand and event stay, and so do answers."""
    caller.require_whole("surveys:write")
    wanted = await model_body(request, shapes.SurveyChange)

    def write(conn: Connection) -> SurveyRecord:
        settings, now = wanted.settings(), house.clock()
        return manage.change(conn, caller.merchant_id, survey_id, settings, is_active=wanted.active, now=now)

    changed = await house.write(write)
    _show_anew(house)
    return json_answer(shapes.survey_shown(changed))


@router.delete("/surveys/{survey_id}", status_code=204, responses={**schemas.READS, **schemas.problems(409)})
async def delete_survey(survey_id: schemas.Id, house: TheHouse, caller: TheCaller) -> Response:
    """One without answers; one that has some is switched off instead."""
    caller.require_whole("surveys:write")
    await house.write(lambda conn: manage.remove(conn, caller.merchant_id, survey_id))
    _show_anew(house)
    return no_content()


def _show_anew(house: House) -> None:
    """Receipts show surveys, so nothing of any page comes from memory."""
    house.surveys.forget()
    house.pages.clear()
