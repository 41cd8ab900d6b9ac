"""Products of the merchant: put one by one or many at once, listed, deleted, and given a picture."""

from functools import partial
from typing import Annotated, Any, Final

from fastapi import APIRouter, Path, Query, Request, Response
from pydantic import BaseModel, Field
from sqlalchemy import Connection

from accounts.fields import LINE
from api import named, offer_answers, schemas
from api.answers import json_answer, no_content
from api.body import binary_body, json_body
from api.house import House, TheHouse
from api.key_ring import TheCaller
from engagement import alliances
from engagement.offers import catalogue, pictures, products
from engagement.offers.catalogue import Product
from engagement.offers.products import ProductRecord
from kernel.errors import FieldError, Invalid, Problem

named.register()
router = APIRouter(prefix="/v1", tags=["Products"])
MOST_IN_A_BATCH: Final = 500
_MOST_BYTES: Final = 8_000_000
Sku = Annotated[str, Path(pattern=LINE, min_length=1, max_length=128, description="The till's SKU, escaped.")]
Limit = Annotated[int, Query(ge=1, le=100)]


class ProductBatch(BaseModel):
    """Each product stands by itself: one that is refused leaves the others alone."""

    products: list[Product] = Field(min_length=1, max_length=MOST_IN_A_BATCH)


@router.get("/products", response_model=offer_answers.ProductList, responses=schemas.READS)
async def list_products(
    house: TheHouse,
    caller: TheCaller,
    limit: Limit = 20,
    cursor: Annotated[str | None, Query(pattern=LINE, max_length=128)] = None,
) -> Response:
    """By their SKUs. Follow `next_cursor` until it is null."""
    caller.require_whole("offers:read")
    found = await house.read(
        lambda conn: products.listed(conn, caller.merchant_id, limit=limit + 1, after=cursor or "")
    )
    more = found[limit - 1].sku if len(found) > limit else None
    return json_answer(
        {"products": [offer_answers.product(house, each) for each in found[:limit]], "next_cursor": more}
    )


@router.post(
    "/products/batch",
    response_model=offer_answers.ProductBatchAnswer,
    responses=schemas.WRITES,
    openapi_extra=schemas.body("ProductBatch"),
)
async def put_products(request: Request, house: TheHouse, caller: TheCaller) -> Response:
    """Up to 500, each under its `sku`. The same batch again changes nothing; of two with one SKU the last holds."""
    caller.require_whole("offers:write")
    read = [_read(body, f"/products/{at}") for at, body in enumerate(_batch(await json_body(request)))]
    wanted = {each.sku: catalogue.content_of(each) for each in read if isinstance(each, Product)}
    outcomes = await house.write(lambda conn: products.put(conn, caller.merchant_id, wanted, now=house.clock()))
    offer_answers.show_anew(house)
    return json_answer({"results": [_result(each, outcomes) for each in read]})


@router.get("/allied-products", response_model=offer_answers.AlliedProductList, responses=schemas.READS)
async def list_allied_products(
    house: TheHouse,
    caller: TheCaller,
    limit: Limit = 20,
    cursor: Annotated[str | None, Query(pattern=schemas.ID_PATTERN)] = None,
) -> Response:
    """What allies share: a rule may show it on your receipts. Follow `next_cursor` until it is null."""
    caller.require_whole("offers:read")

    def look(conn: Connection) -> tuple[list[ProductRecord], dict[str, str]]:
        slugs = {ally_id: slug for slug, ally_id in alliances.allies(conn, caller.merchant_id).items()}
        return products.shared_by_allies(conn, caller.merchant_id, limit=limit + 1, after=cursor or ""), slugs

    found, slugs = await house.read(look)
    more = found[limit - 1].id if len(found) > limit else None
    shown = [offer_answers.allied(each, slugs[each.merchant_id]) for each in found[:limit]]
    return json_answer({"products": shown, "next_cursor": more})


@router.put(
    "/product-pictures/{sku:sku}", status_code=204, responses=schemas.WRITES, openapi_extra=schemas.picture_body()
)
async def put_product_picture(sku: Sku, request: Request, house: TheHouse, caller: TheCaller) -> Response:
    """A PNG, JPEG or WebP of at most 8 MB; it is cut square and written anew, without metadata."""
    caller.require_whole("offers:write")
    data = await binary_body(request, most=_MOST_BYTES)
    await house.read(lambda conn: products.one(conn, caller.merchant_id, sku))
    # Before the transaction: it takes a second, and nobody else writes meanwhile.
    key = await house.drawing.run(partial(pictures.kept, house.storage, data))
    await _set_picture(house, caller.merchant_id, sku, key)
    await house.drawing.run(partial(pictures.stays, house.storage, key, data))
    return no_content()


@router.delete("/product-pictures/{sku:sku}", status_code=204, responses=schemas.READS)
async def delete_product_picture(sku: Sku, house: TheHouse, caller: TheCaller) -> Response:
    """Its name stands for it instead."""
    caller.require_whole("offers:write")
    await _set_picture(house, caller.merchant_id, sku, None)
    return no_content()


@router.get("/products/{sku:sku}", response_model=offer_answers.ProductAnswer, responses=schemas.READS)
async def get_product(sku: Sku, house: TheHouse, caller: TheCaller) -> Response:
    """As it was put."""
    caller.require_whole("offers:read")
    record = await house.read(lambda conn: products.one(conn, caller.merchant_id, sku))
    return json_answer(offer_answers.product(house, record))


@router.put(
    "/products/{sku:sku}",
    response_model=offer_answers.ProductAnswer,
    responses=schemas.WRITES,
    openapi_extra=schemas.body("ProductContent"),
)
async def put_product(sku: Sku, request: Request, house: TheHouse, caller: TheCaller) -> Response:
    """Create it, or put it in the place of what was there. Its picture stays."""
    caller.require_whole("offers:write")
    content = catalogue.read_content(await json_body(request))

    def write(conn: Connection) -> ProductRecord:
        products.put(conn, caller.merchant_id, {sku: content}, now=house.clock())
        return products.one(conn, caller.merchant_id, sku)

    record = await house.write(write)
    offer_answers.show_anew(house)
    return json_answer(offer_answers.product(house, record))


@router.delete("/products/{sku:sku}", status_code=204, responses=schemas.READS)
async def delete_product(sku: Sku, house: TheHouse, caller: TheCaller) -> Response:
    """It is offered no more. Numbers of it stay."""
    caller.require_whole("offers:write")
    gone = await house.write(lambda conn: products.remove(conn, caller.merchant_id, sku))
    offer_answers.show_anew(house)
    await _forget_picture(house, gone.picture_key)
    return no_content()


async def _set_picture(house: House, merchant_id: str, sku: str, key: str | None) -> None:
    before = await house.write(lambda conn: products.set_picture(conn, merchant_id, sku, key, now=house.clock()))
    offer_answers.show_anew(house)
    if before != key:
        await _forget_picture(house, before)


async def _forget_picture(house: House, key: str | None) -> None:
    """Where no product has it any more."""
    if key is not None and not await house.read(lambda conn: products.is_shown(conn, key)):
        await house.drawing.run(partial(house.storage.delete, key))


def _batch(body: Any) -> list[Any]:
    found = body.get("products") if isinstance(body, dict) else None
    if not isinstance(found, list) or not 1 <= len(found) <= MOST_IN_A_BATCH:
        raise Invalid(errors=[FieldError("/products", f"must be a list of 1 to {MOST_IN_A_BATCH} products")])
    return found


def _read(body: Any, at: str) -> Product | Problem:
    try:
        return catalogue.read_product(body, at)
    except Problem as problem:
        return problem


def _result(each: Product | Problem, outcomes: dict[str, products.Outcome]) -> dict[str, Any]:
    if isinstance(each, Problem):
        return {"sku": None, "outcome": "refused", "problem": each.as_json()}
    return {"sku": each.sku, "outcome": outcomes[each.sku]}
