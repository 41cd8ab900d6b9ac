"""Links to surveys for programs of the merchant, which send them by ways of their own."""

from typing import Any

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel, ConfigDict
from sqlalchemy import Connection

from accounts.keys import Caller
from api import schemas, survey_stub
from api import survey_shapes as shapes
from api.answers import json_answer
from api.body import model_body
from api.house import House, TheHouse
from api.key_ring import TheCaller
from api.receipts import IdOrToken
from engagement.surveys import asking, hanging, links, manage
from engagement.surveys.links import Linked
from engagement.surveys.manage import SurveyRecord
from engagement.surveys.records import Event
from kernel.clock import iso
from kernel.errors import FieldError, Invalid, NotFound
from receipts import find as receipts_find
from receipts.records import ReceiptRecord

router = APIRouter(prefix="/v1/receipts", tags=["Surveys"])


class NewSurveyLink(BaseModel):
    """What shall be asked: after a delivery, say, `delivery`."""

    model_config = ConfigDict(extra="forbid")

    event: Event


@router.post(
    "/{token:receipt}/survey-links",
    response_model=shapes.SurveyLink,
    responses=schemas.WRITES,
    openapi_extra=schemas.body("NewSurveyLink"),
)
async def hand_out_survey_link(token: IdOrToken, request: Request, house: TheHouse, caller: TheCaller) -> Response:
    """The link by which the shopper of a receipt answers. From now on they count as asked, so hand it out. The same
    link once more for who asks again; none for whom sampling, throttle or quota spare."""
    caller.require("surveys:write")
    wanted = await model_body(request, NewSurveyLink)

    def write(conn: Connection) -> dict[str, Any]:
        where = {"store_id": caller.store_id, "till_id": caller.till_id}
        record = receipts_find.one(conn, caller.merchant_id, token, **where)
        return _handed_out(conn, house, _survey(conn, caller, record, wanted.event), record)

    return json_answer(await house.write(write))


def _survey(conn: Connection, caller: Caller, record: ReceiptRecord, event: Event) -> SurveyRecord:
    for survey in manage.active(conn, caller.merchant_id, record.brand_id):
        if survey.event == event:
            return survey
    raise Invalid(errors=[FieldError("/event", "is none that the brand of the receipt has an active survey for")])


def _handed_out(conn: Connection, house: House, survey: SurveyRecord, record: ReceiptRecord) -> dict[str, Any]:
    now, who = house.clock(), hanging.who_is(conn, survey_stub.keys(house), record)
    if not receipts_find.stays(conn, survey.merchant_id, record.id):
        raise NotFound("There is no such receipt")
    asking.hold_brand(conn, survey.merchant_id, survey.brand_id)
    before = asking.of_receipt(conn, survey.merchant_id, record.id).get(survey.id)
    why_not = asking.why_not(conn, house.survey_key, survey, record, before, who, now=now, is_linked=True)
    told: dict[str, Any] = {"survey": survey.id, "event": survey.event, "url": None, "closes_at": None}
    if why_not is None:
        asking.ask(conn, survey, record, who(), "link", now=now)
        asked = asking.of_receipt(conn, survey.merchant_id, record.id)[survey.id]
        token = links.link_token(house.survey_key, Linked(survey.id, record.id, "link"))
        told["url"] = f"{house.base_url}/s/{token}"
        told["closes_at"] = iso(asking.closes_at(survey, record, asked))
    return told | {"why_not": why_not}
