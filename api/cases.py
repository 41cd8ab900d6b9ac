"""Cases of shoppers who were let down: listed, worked on, counted."""

from typing import Annotated, Any, Final

from fastapi import APIRouter, Query, Request, Response
from sqlalchemy import Connection

from accounts import find as accounts_find
from accounts.fields import SLUG
from accounts.keys import Caller
from api import card_answers, case_shapes, schemas
from api.answers import csv_answer, json_answer
from api.body import model_body
from api.cards import ChangedMeanwhile, IfMatch
from api.case_shapes import shown
from api.days import TheDays
from api.house import House, TheHouse
from api.key_ring import TheCaller
from engagement.voice import case_work, cases
from engagement.voice.case_work import CaseWork
from engagement.voice.cases import CaseRecord, State, Wanted
from infra.csv_text import csv_text

router = APIRouter(prefix="/v1", tags=["Cases and reviews"])
_MOST_ROWS: Final = 10_000
Cursor = Annotated[str | None, Query(pattern=r"^cas_[0-9a-z]{26}$")]
Slug = Annotated[str | None, Query(pattern=SLUG)]
CHANGES: Final = {**schemas.WRITES, **schemas.problems(412)}


@router.get("/cases", response_model=case_shapes.CaseList, responses=schemas.READS)
async def list_cases(
    house: TheHouse,
    caller: TheCaller,
    limit: Annotated[int, Query(ge=1, le=100)] = 20,
    cursor: Cursor = None,
    state: State | None = None,
    store: Slug = None,
    owner: Slug = None,
    overdue: bool = False,
) -> Response:
    """Newest first. Follow `next_cursor` until it is null. A key that is bound to a store sees the cases of that
    store."""
    caller.require("surveys:read")
    found = await house.read(
        lambda conn: _listed(conn, house, caller, (state, store, owner, overdue), limit + 1, cursor)
    )
    more = found[limit - 1].id if len(found) > limit else None
    return json_answer({"cases": [_shown(house, each) for each in found[:limit]], "next_cursor": more})


@router.get("/cases.csv", response_class=Response, responses=schemas.CSV)
async def cases_csv(
    house: TheHouse,
    caller: TheCaller,
    limit: Annotated[int, Query(ge=1, le=_MOST_ROWS)] = _MOST_ROWS,
    cursor: Cursor = None,
    state: State | None = None,
    store: Slug = None,
    owner: Slug = None,
    overdue: bool = False,
) -> Response:
    """The same as a table for spreadsheets, the newest 10,000; for older ones, the last row's `id` is the `cursor`."""
    caller.require("surveys:read")

    def table(conn: Connection) -> bytes:
        found = _listed(conn, house, caller, (state, store, owner, overdue), limit, cursor)
        return csv_text(
            tuple(case_shapes.CaseSummary.model_fields), [tuple(_shown(house, each).values()) for each in found]
        )

    return csv_answer(await house.read_long(table), "cases.csv")


@router.get("/cases/{case_id}", response_model=case_shapes.CaseDetail, responses=schemas.READS)
async def get_case(case_id: schemas.Id, house: TheHouse, caller: TheCaller) -> Response:
    """With all that was done with it, and an `ETag`."""
    caller.require("surveys:read")

    def look(conn: Connection) -> Response:
        return _answer(conn, house, cases.one(conn, caller.merchant_id, case_id, store_id=caller.store_id))

    return await house.read(look)


@router.patch(
    "/cases/{case_id}",
    response_model=case_shapes.CaseDetail,
    responses=CHANGES,
    openapi_extra=schemas.body("CaseWork"),
)
async def change_case(
    case_id: schemas.Id, request: Request, house: TheHouse, caller: TheCaller, if_match: IfMatch = None
) -> Response:
    """Work on it: take it, hand it to somebody, set another deadline, resolve it by an outcome or dismiss it.

    With `If-Match` only if nobody else changed it since.
    """
    caller.require("surveys:write")
    wish = await model_body(request, CaseWork)

    def change(conn: Connection) -> Response:
        before = case_work.hold(conn, caller.merchant_id, case_id, store_id=caller.store_id)
        if if_match is not None and not names(if_match, etag(before)):
            raise ChangedMeanwhile("Get it again, with its new ETag")
        case_work.work(conn, before, wish, by=caller.key_id, now=house.clock())
        return _answer(conn, house, cases.one(conn, caller.merchant_id, case_id))

    return await house.write(change)


@router.get("/case-numbers", response_model=case_shapes.CaseNumbers, responses=schemas.READS)
async def case_numbers(house: TheHouse, caller: TheCaller, days: TheDays, store: Slug = None) -> Response:
    """How many were opened in a time and what became of them, and how long it took to resolve one."""
    caller.require("surveys:read")

    def look(conn: Connection) -> Response:
        store_id = card_answers.within(conn, caller, store)
        time = {"since": days.since, "before": days.before, "now": house.clock()}
        found = cases.numbers(conn, caller.merchant_id, store_id=store_id, **time)
        return json_answer(days.as_json() | case_shapes.figures(found))

    return await house.read_long(look)


def etag(record: Any) -> str:
    return f'"{record.revision}"'


def names(if_match: str, tag: str) -> bool:
    """RFC 9110 section 13.1.1."""
    return if_match.strip() == "*" or tag in (each.strip() for each in if_match.split(","))


def _listed(
    conn: Connection,
    house: House,
    caller: Caller,
    where: tuple[State | None, str | None, str | None, bool],
    limit: int,
    cursor: str | None,
) -> list[CaseRecord]:
    state, store, owner, overdue = where
    wanted = Wanted(
        state=state,
        store_id=card_answers.within(conn, caller, store),
        owner_id=accounts_find.staff_id(conn, caller.merchant_id, owner) if owner else None,
        overdue_at=house.clock() if overdue else None,
    )
    return cases.listed(conn, caller.merchant_id, wanted, limit=limit, after=cursor)


def _shown(house: House, record: CaseRecord) -> dict[str, Any]:
    return shown(record, overdue=record.is_overdue(house.clock()))


def _answer(conn: Connection, house: House, record: CaseRecord) -> Response:
    history = cases.history(conn, record.merchant_id, record.id)
    told = case_shapes.detail(record, history, overdue=record.is_overdue(house.clock()))
    return json_answer(told, headers={"ETag": etag(record)})
