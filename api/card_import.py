"""Cards out of files of staff."""

import asyncio
from functools import partial
from typing import Annotated, Any, Final

import orjson
from fastapi import APIRouter, Query, Request, Response
from pydantic import StringConstraints
from starlette.concurrency import run_in_threadpool

from accounts.keys import Caller
from api import card_answers
from api import card_schemas as shapes
from api.answers import json_answer
from api.body import UnsupportedMediaType, binary_body
from api.house import House, TheHouse
from api.key_ring import TheCaller
from cards import importing, reading
from cards.importing import Import, Outcome
from cards.reading import StaffFile
from infra import row_by_row
from infra.row_by_row import PAUSE, TROUBLE
from kernel.errors import FieldError, Invalid


class NeitherTableNorCards(UnsupportedMediaType):
    slug, title = "neither-table-nor-cards", "The body must be CSV or vCards"


router = APIRouter(prefix="/v1/cards", tags=["Cards"])
_MOST_BYTES: Final = 20_000_000
# All of them fit into the line of a request, of which servers take 64 KB: a sign may be twelve bytes in it.
_MOST_MAPPED: Final = 20
_LONGEST_MAP: Final = 200
_KINDS: Final = {
    "text/csv": reading.CSV,
    "text/vcard": reading.VCARD,
    "text/x-vcard": reading.VCARD,
    "text/directory": reading.VCARD,
}
Map = Annotated[
    list[Annotated[str, StringConstraints(max_length=_LONGEST_MAP)]],
    Query(
        max_length=_MOST_MAPPED,
        description="`Column:field`, once a column, or several as a JSON object. Goes before what the column's name "
        "says; a column that is mapped to nothing is left out.",
    ),
]
DryRun = Annotated[bool, Query(description="Give the same report, and change nothing.")]


@router.post("/import", response_model=shapes.ImportAnswer, responses=shapes.IMPORTS, openapi_extra=shapes.table_body())
async def import_cards(
    request: Request,
    house: TheHouse,
    caller: TheCaller,
    map: Map = [],  # noqa: A002, B006 – the name of the parameter; FastAPI copies it
    dry_run: DryRun = False,
) -> Response:
    """A table of at most 5,000 rows, or vCards. Each row by itself creates a card, changes one, or is refused.

    A row is of whom `staff` names, else of who has its first email, else of somebody new. What it says nothing of stays
    as it is. The same file again changes nothing.
    """
    card_answers.require_writer(caller)
    kind = _KINDS.get(request.headers.get("content-type", "").partition(";")[0].strip().lower())
    if kind is None:
        raise NeitherTableNorCards("Send the file as Content-Type: text/csv or text/vcard")
    data = await binary_body(request, most=_MOST_BYTES)
    file = await house.reporting.run(lambda: reading.read(data, kind, asked=mapping(map)))
    outcomes = await _imported(house, caller, file, dry_run=dry_run)
    return json_answer(_report(file, outcomes, dry_run=dry_run))


def mapping(told: list[str]) -> dict[str, str]:
    """Fields by columns. A column's name may hold colons, a field's does not."""
    found: dict[str, str] = {}
    for each in told:
        if each.lstrip().startswith("{"):
            found |= _object(each)
            continue
        column, colon, path = each.rpartition(":")
        if not colon:
            raise Invalid(errors=[FieldError("query:map", "must be Column:field, or a JSON object of such")])
        found[column] = path.strip()
    return found


def _object(told: str) -> dict[str, str]:
    try:
        found = orjson.loads(told)
    except orjson.JSONDecodeError:
        found = None
    if not isinstance(found, dict) or not all(isinstance(each, str) for each in found.values()):
        raise Invalid(errors=[FieldError("query:map", 'is no JSON object such as {"Mobile": "phones.mobile"}')])
    return found


async def _imported(house: House, caller: Caller, file: StaffFile, *, dry_run: bool) -> list[Outcome]:
    work = Import(caller.merchant_id, house.post.jobs, dry_run)
    outcomes: list[Outcome] = []
    for some in row_by_row.slices(file.entries, importing.TOGETHER):
        await asyncio.sleep(PAUSE if outcomes else 0)
        try:
            rows = await run_in_threadpool(importing.ready, house.storage, some, dry_run=dry_run)
            outcomes += await house.write(partial(importing.bring, work=work, rows=rows, now=house.clock()))
            if not dry_run:
                await run_in_threadpool(importing.photos_stay, house.storage, rows)
        except TROUBLE as trouble:
            if not outcomes:
                raise
            return outcomes + importing.not_reached(file.entries[len(outcomes) :], trouble)
        card_answers.show_anew(house)
    return outcomes


def _report(file: StaffFile, outcomes: list[Outcome], *, dry_run: bool) -> dict[str, Any]:
    counts = row_by_row.counted(outcomes)
    columns = [{"column": column, "field": path} for column, path in file.columns]
    rows = [_row(each) for each in outcomes]
    return {"dry_run": dry_run, "counts": counts, "columns": columns, "rows": rows}


def _row(outcome: Outcome) -> dict[str, Any]:
    faults = [{"column": each.column, "pointer": each.pointer, "detail": each.detail} for each in outcome.faults]
    head = {"row": outcome.row, "state": outcome.state, "card": outcome.card_id}
    return head | {"errors": faults, "lost": list(outcome.lost)}
