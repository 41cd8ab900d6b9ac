"""Products out of tables."""

import asyncio
from functools import partial
from typing import Annotated, Any, Final

from fastapi import APIRouter, Query, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from accounts.fields import Language
from accounts.keys import Caller
from api import card_schemas, offer_answers, schemas
from api.answers import json_answer
from api.body import UnsupportedMediaType, binary_body
from api.card_import import DryRun, Map, mapping
from api.house import House, TheHouse
from api.key_ring import TheCaller
from engagement.offers import importing, table
from engagement.offers.importing import Import, Outcome
from engagement.offers.table import ProductFile
from infra import row_by_row
from infra.row_by_row import PAUSE, TROUBLE, State
from receipts.fields import Currency


class NoTable(UnsupportedMediaType):
    slug, title = "no-table", "The body must be CSV"


router = APIRouter(prefix="/v1/products", tags=["Products"])
_MOST_BYTES: Final = 20_000_000
_EXAMPLE: Final = "sku,name,name.de,price,currency,stock,care\r\nKN-20,Chef's knife,Kochmesser,79.00,EUR,12,By hand\r\n"


class ImportedProduct(BaseModel):
    model_config = ConfigDict(json_schema_mode_override="serialization")

    row: int = Field(description="As a spreadsheet counts: 2 is the first row below the head.")
    state: State
    sku: str | None
    errors: list[card_schemas.ImportFault]
    lost: list[str] = Field(description="What the row says and a product cannot.")


class ProductImportAnswer(BaseModel):
    model_config = ConfigDict(json_schema_mode_override="serialization")

    dry_run: bool
    counts: dict[str, int] = Field(description="How many rows by their `state`.")
    columns: list[card_schemas.MappedColumn]
    rows: list[ImportedProduct]


TableLanguage = Annotated[
    Language | None,
    Query(description="Of texts whose column names none, as `name.de` does. Default: the first of your first brand."),
]
TableCurrency = Annotated[Currency | None, Query(description="Of prices whose row names none.")]
_BODY: Final[dict[str, Any]] = {
    "requestBody": {"required": True, "content": {"text/csv": {"schema": {}, "example": _EXAMPLE}}}
}


@router.post("/import", response_model=ProductImportAnswer, responses=schemas.WRITES, openapi_extra=_BODY)
async def import_products(
    request: Request,
    house: TheHouse,
    caller: TheCaller,
    map: Map = [],  # noqa: A002, B006 – the name of the parameter; FastAPI copies it
    dry_run: DryRun = False,
    language: TableLanguage = None,
    currency: TableCurrency = None,
) -> Response:
    """A table of at most 20,000 rows. Each row by itself creates the product of its SKU, changes it, or is refused.

    What a row says nothing of stays as it is. The same file again changes nothing.
    """
    caller.require_whole("offers:write")
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != "text/csv":
        raise NoTable("Send the file as Content-Type: text/csv")
    data = await binary_body(request, most=_MOST_BYTES)
    told: str | None = language
    if told is None:
        told = await house.read(lambda conn: importing.language_of(conn, caller.merchant_id))
    file = await house.reporting.run(lambda: table.read(data, asked=mapping(map), language=told, currency=currency))
    outcomes = await _imported(house, caller, file, dry_run=dry_run)
    return json_answer(_report(file, outcomes, dry_run=dry_run))


async def _imported(house: House, caller: Caller, file: ProductFile, *, dry_run: bool) -> list[Outcome]:
    work, run = Import(caller.merchant_id, dry_run), house.read if dry_run else house.write
    outcomes: list[Outcome] = []
    for some in row_by_row.slices(file.rows, importing.TOGETHER):
        if outcomes and not dry_run:
            await asyncio.sleep(PAUSE)
        try:
            outcomes += await run(partial(importing.bring, work=work, rows=some, now=house.clock()))
        except TROUBLE as trouble:
            if not outcomes:
                raise
            return outcomes + importing.not_reached(file.rows[len(outcomes) :], trouble)
        if not dry_run:
            offer_answers.show_anew(house)
    return outcomes


def _report(file: ProductFile, outcomes: list[Outcome], *, dry_run: bool) -> dict[str, Any]:
    columns = [{"column": column, "field": path} for column, path in file.columns]
    rows = [_row(each) for each in outcomes]
    return {"dry_run": dry_run, "counts": row_by_row.counted(outcomes), "columns": columns, "rows": rows}


def _row(outcome: Outcome) -> dict[str, Any]:
    faults = [{"column": each.column, "pointer": each.pointer, "detail": each.detail} for each in outcome.faults]
    head = {"row": outcome.row, "state": outcome.state, "sku": outcome.sku}
    return head | {"errors": faults, "lost": list(outcome.lost)}
