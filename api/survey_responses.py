"""What shoppers answered: listed, exported, brought by programs, let count, deleted."""

from functools import partial
from typing import Annotated, Any, Final

from fastapi import APIRouter, Path, Query, Request, Response
from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy import Connection

from accounts.fields import Code, LanguageTag, Text
from accounts.keys import Caller
from api import schemas, survey_stub
from api import survey_shapes as shapes
from api.answers import csv_answer, json_answer, no_content
from api.body import model_body
from api.house import House, TheHouse
from api.key_ring import TheCaller
from api.survey_wanted import TheList, TheWish
from engagement.surveys import answers, find, hanging, manage, service, writing
from engagement.surveys.manage import SurveyRecord
from engagement.surveys.records import Answer, Event, Given, More
from engagement.voice import tag_rules
from infra.csv_text import csv_text
from kernel.errors import Conflict, FieldError, Invalid, NotFound
from kernel.locale import LANGUAGES, base_language
from receipts import find as receipts_find
from receipts.records import ReceiptRecord

router = APIRouter(prefix="/v1", tags=["Surveys"])
_ID: Final = r"^ans_[0-9a-z]{26}$"
_MOST_ROWS: Final = 10_000
Cursor = Annotated[str | None, Query(pattern=_ID)]
ResponseId = Annotated[str, Path(pattern=schemas.ID_PATTERN)]
NEW = {
    201: {"model": shapes.SurveyResponse, "description": "The response."},
    200: {"model": shapes.SurveyResponse, "description": "There was one already: this is how it is now."},
    **schemas.WRITES,
}


class NewSurveyResponse(BaseModel):
    """What somebody told a program of yours: a kiosk, an app, a call."""

    model_config = ConfigDict(extra="forbid")

    receipt: Code = Field(description="The receipt's id or token.")
    event: Event
    score: int = Field(strict=True, description="From 0 to 10, or from 1 to 5; see the survey.")
    text: Text | None = None
    language: LanguageTag = Field("en", description="In which they answered.")


class ResponseFixed(Conflict):
    slug, title = "response-fixed", "The answer can be changed no more"


@router.get("/survey-responses", response_model=shapes.SurveyResponseList, responses=schemas.READS)
async def list_survey_responses(
    house: TheHouse,
    caller: TheCaller,
    wish: TheWish,
    narrowed: TheList,
    limit: Annotated[int, Query(ge=1, le=100)] = 20,
    cursor: Cursor = None,
) -> Response:
    """Newest first. Follow `next_cursor` until it is null. A key that is bound to a store sees what was said of it."""
    caller.require("surveys:read")

    def look(conn: Connection) -> Response:
        wanted = narrowed.of(wish.wanted(conn, caller))
        found = find.listed(conn, caller.merchant_id, wanted, limit=limit + 1, after=cursor)
        more = found[limit - 1].id if len(found) > limit else None
        return json_answer({"responses": _shown(conn, caller, found[:limit]), "next_cursor": more})

    return await house.read(look)


@router.get("/survey-responses.csv", response_class=Response, responses=schemas.CSV)
async def survey_responses_csv(
    house: TheHouse,
    caller: TheCaller,
    wish: TheWish,
    narrowed: TheList,
    limit: Annotated[int, Query(ge=1, le=_MOST_ROWS)] = _MOST_ROWS,
    cursor: Cursor = None,
) -> Response:
    """The same as a table for spreadsheets, the newest 10,000; for older ones, the last row's `id` is the `cursor`.
    What was bought, and tags, stand in one cell each, with spaces between them."""
    caller.require("surveys:read")

    def table(conn: Connection) -> bytes:
        wanted = narrowed.of(wish.wanted(conn, caller))
        found = find.listed(conn, caller.merchant_id, wanted, limit=limit, after=cursor)
        return csv_text(tuple(shapes.SurveyResponse.model_fields), map(_row, _shown(conn, caller, found)))

    return csv_answer(await house.read_long(table), "survey-responses.csv")


@router.post("/survey-responses", responses=NEW, openapi_extra=schemas.body("NewSurveyResponse"))
async def bring_survey_response(request: Request, house: TheHouse, caller: TheCaller) -> Response:
    """An answer that somebody gave elsewhere. It takes the place of the one that the receipt has, as long as that can
    be changed."""
    caller.require("surveys:write")
    wanted = await model_body(request, NewSurveyResponse)

    def write(conn: Connection) -> tuple[Answer, Response]:
        answer, is_new = _brought(conn, house, caller, wanted)
        return answer, json_answer(_shown(conn, caller, [answer])[0], 201 if is_new else 200)

    _, response = await house.write(write)
    house.pages.clear()
    return response


@router.get("/survey-responses/{response_id}", response_model=shapes.SurveyResponse, responses=schemas.READS)
async def get_survey_response(response_id: ResponseId, house: TheHouse, caller: TheCaller) -> Response:
    """One, whether it counts or is held back."""
    caller.require("surveys:read")
    return await house.read(lambda conn: json_answer(_shown(conn, caller, [_one(conn, caller, response_id)])[0]))


@router.post(
    "/survey-responses/{response_id}/release",
    response_model=shapes.SurveyResponse,
    responses={**schemas.READS, **schemas.problems(409)},
)
async def release_survey_response(response_id: ResponseId, house: TheHouse, caller: TheCaller) -> Response:
    """Let one count that was held back. Twice is the same as once; where another answer counts for the receipt, this
    one cannot."""
    caller.require("surveys:write")

    def write(conn: Connection) -> Response:
        before = _one(conn, caller, response_id)
        survey = manage.one(conn, caller.merchant_id, before.survey_id)
        who = partial(hanging.who_is, conn, survey_stub.keys(house))
        after = answers.release(conn, caller.merchant_id, before.id, survey, who, now=house.clock())
        service.rate(conn, after, now=house.clock())
        return json_answer(_shown(conn, caller, [after])[0])

    answer = await house.write(write)
    house.pages.clear()
    return answer


@router.delete("/survey-responses/{response_id}", status_code=204, responses=schemas.READS)
async def delete_survey_response(response_id: ResponseId, house: TheHouse, caller: TheCaller) -> Response:
    """For good, with its tags and its case. The receipt may be answered again, as long as its survey is open."""
    caller.require("surveys:write")

    def write(conn: Connection) -> None:
        writing.remove(conn, caller.merchant_id, [_one(conn, caller, response_id).id], now=house.clock())

    await house.write(write)
    house.pages.clear()
    return no_content()


def _brought(conn: Connection, house: House, caller: Caller, wanted: NewSurveyResponse) -> tuple[Answer, bool]:
    """The answer, and whether there was none before."""
    record, survey = _asked(conn, caller, wanted)
    # Held before it is looked who bought: whoever erases them comes before or after.
    receipts_find.stays(conn, caller.merchant_id, record.id)
    before = find.of_receipt(conn, caller.merchant_id, record.id).get(survey.id)
    language = base_language(wanted.language)
    given = Given(wanted.score, "api", language if language in LANGUAGES else "en")
    who, now = hanging.who_is(conn, survey_stub.keys(house), record)(), house.clock()
    answer, became = answers.give(conn, survey, record, given, who, now=now)
    if became == "fixed":
        raise ResponseFixed("So long after it was first given it stays as it is")
    if wanted.text is not None:
        answers.add(conn, answer, More(text=wanted.text), survey, now=now)
    service.rate(conn, answer, now=now)
    return find.one(conn, caller.merchant_id, answer.id), before is None


def _asked(conn: Connection, caller: Caller, wanted: NewSurveyResponse) -> tuple[ReceiptRecord, SurveyRecord]:
    where = {"store_id": caller.store_id, "till_id": caller.till_id}
    try:
        record = receipts_find.one(conn, caller.merchant_id, wanted.receipt, **where)
    except NotFound:
        raise Invalid(errors=[FieldError("/receipt", "names none of this merchant's receipts")]) from None
    for survey in manage.active(conn, caller.merchant_id, record.brand_id):
        if survey.event == wanted.event:
            return record, survey
    raise Invalid(errors=[FieldError("/event", "is none that the brand of the receipt has an active survey for")])


def _one(conn: Connection, caller: Caller, response_id: str) -> Answer:
    found = find.one(conn, caller.merchant_id, response_id, store_id=caller.store_id)
    if caller.till_id not in (None, found.till_id):
        raise NotFound("There is no such response")
    return found


def _shown(conn: Connection, caller: Caller, found: list[Answer]) -> list[dict[str, Any]]:
    joined = find.joined(conn, caller.merchant_id, found)
    tags = tag_rules.tags_of(conn, caller.merchant_id, [each.id for each in found])
    return [shapes.response_shown(each, joined, list(tags.get(each.id, ()))) for each in found]


def _row(shown: dict[str, Any]) -> tuple[Any, ...]:
    return tuple(" ".join(value) if isinstance(value, list) else value for value in shown.values())
