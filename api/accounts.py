"""The merchant's own accounts: brands, stores, tills, staff. Each is put under its slug: twice is the same as once."""

from collections.abc import Callable
from typing import Annotated, Any

from fastapi import APIRouter, Path, Request, Response
from sqlalchemy import Connection

from accounts import find, manage
from accounts.fields import SLUG
from accounts.keys import Caller
from accounts.tables import Brand
from api import schemas
from api.answers import json_answer, no_content
from api.body import binary_body, model_body
from api.house import House, TheHouse
from api.key_ring import TheCaller
from cards import shown
from infra import images
from infra.storage import content_key

router = APIRouter(prefix="/v1", tags=["Accounts"])
Slug = Annotated[str, Path(pattern=SLUG)]
_MOST_LOGO_BYTES = 2_000_000


@router.get("/merchant", response_model=schemas.MerchantAnswer, responses=schemas.READS)
async def get_merchant(house: TheHouse, caller: TheCaller) -> Response:
    """Whose key it is."""
    return await _read(house, caller, lambda conn: find.merchant(conn, caller.merchant_id))


@router.put("/merchant", status_code=204, responses=schemas.WRITES, openapi_extra=schemas.body("MerchantProfile"))
async def put_merchant(request: Request, house: TheHouse, caller: TheCaller) -> Response:
    """The name, whether a sale that does not add up is refused or flagged, and for how long receipts are kept."""
    profile = await model_body(request, manage.MerchantProfile)
    return await _write(house, caller, lambda conn: manage.put_merchant(conn, caller.merchant_id, profile))


@router.get("/brands", response_model=schemas.BrandList, responses=schemas.READS)
async def list_brands(house: TheHouse, caller: TheCaller) -> Response:
    """By slug. `logo_key` is null where a brand has no logo."""
    return await _read(house, caller, lambda conn: {"brands": find.brands(conn, caller.merchant_id)})


@router.put("/brands/{slug}", status_code=204, responses=schemas.WRITES, openapi_extra=schemas.body("BrandProfile"))
async def put_brand(slug: Slug, request: Request, house: TheHouse, caller: TheCaller) -> Response:
    """Colours, languages, contacts and return texts show on earlier receipts too."""
    profile = await model_body(request, manage.BrandProfile)

    def write(conn: Connection) -> None:
        now = house.clock()
        with shown.brand_changing(conn, house.post.jobs, caller.merchant_id, slug, now=now):
            manage.put_brand(conn, caller.merchant_id, slug, profile, now=now)

    return await _write(house, caller, write)


@router.put("/brands/{slug}/logo", status_code=204, responses=schemas.WRITES, openapi_extra=schemas.picture_body())
async def put_logo(slug: Slug, request: Request, house: TheHouse, caller: TheCaller) -> Response:
    """A PNG, JPEG or WebP of at most 2 MB; it is written anew, without metadata, at most 512 pixels wide."""
    caller.require_whole("accounts:write")
    data = await binary_body(request, most=_MOST_LOGO_BYTES)
    await house.read(lambda conn: manage.id_of(conn, Brand, caller.merchant_id, slug))
    # Before the transaction: it takes a second, and nobody else writes meanwhile.
    key = await house.drawing.run(lambda: _kept_logo(house, data))
    return await _write(house, caller, lambda conn: _set_logo(conn, house, caller.merchant_id, slug, key))


def _kept_logo(house: House, data: bytes) -> str:
    logo = images.logo(data)
    key = content_key("logos", logo, suffix=".png")
    house.storage.put(key, logo)
    return key


@router.delete("/brands/{slug}/logo", status_code=204, responses=schemas.READS)
async def delete_logo(slug: Slug, house: TheHouse, caller: TheCaller) -> Response:
    """Its receipts show the brand's initial instead."""
    return await _write(house, caller, lambda conn: _set_logo(conn, house, caller.merchant_id, slug, None))


def _set_logo(conn: Connection, house: House, merchant_id: str, slug: str, key: str | None) -> None:
    with shown.brand_changing(conn, house.post.jobs, merchant_id, slug, now=house.clock()):
        manage.set_logo(conn, merchant_id, slug, key)


@router.get("/stores", response_model=schemas.StoreList, responses=schemas.READS)
async def list_stores(house: TheHouse, caller: TheCaller) -> Response:
    """By slug."""
    return await _read(house, caller, lambda conn: {"stores": find.stores(conn, caller.merchant_id)})


@router.put("/stores/{slug}", status_code=204, responses=schemas.WRITES, openapi_extra=schemas.body("StoreProfile"))
async def put_store(slug: Slug, request: Request, house: TheHouse, caller: TheCaller) -> Response:
    """Receipts keep the store as it was when they were issued; a change shows on later ones, and on cards."""
    profile = await model_body(request, manage.StoreProfile)

    def write(conn: Connection) -> None:
        now = house.clock()
        with shown.store_changing(conn, house.post.jobs, caller.merchant_id, slug, now=now):
            manage.put_store(conn, caller.merchant_id, slug, profile, now=now)

    return await _write(house, caller, write)


@router.get("/stores/{store}/tills", response_model=schemas.TillList, responses=schemas.READS)
async def list_tills(store: Slug, house: TheHouse, caller: TheCaller) -> Response:
    """Of one store, by slug."""
    return await _read(house, caller, lambda conn: {"tills": find.tills(conn, caller.merchant_id, store)})


@router.put(
    "/stores/{store}/tills/{slug}", status_code=204, responses=schemas.WRITES, openapi_extra=schemas.body("TillProfile")
)
async def put_till(store: Slug, slug: Slug, request: Request, house: TheHouse, caller: TheCaller) -> Response:
    """A register of the store. Its slug is its own within the store."""
    profile = await model_body(request, manage.TillProfile)
    now = house.clock()
    return await _write(
        house, caller, lambda conn: manage.put_till(conn, caller.merchant_id, store, slug, profile, now=now)
    )


@router.get("/staff", response_model=schemas.StaffList, responses=schemas.READS)
async def list_staff(house: TheHouse, caller: TheCaller) -> Response:
    """By slug."""
    return await _read(house, caller, lambda conn: {"staff": find.staff(conn, caller.merchant_id)})


@router.put("/staff/{slug}", status_code=204, responses=schemas.WRITES, openapi_extra=schemas.body("StaffProfile"))
async def put_staff_member(slug: Slug, request: Request, house: TheHouse, caller: TheCaller) -> Response:
    """Sales name who served by this slug; receipts show the name."""
    profile = await model_body(request, manage.StaffProfile)
    now = house.clock()
    return await _write(
        house, caller, lambda conn: manage.put_staff_member(conn, caller.merchant_id, slug, profile, now=now)
    )


async def _read(house: House, caller: Caller, read: Callable[[Connection], Any]) -> Response:
    caller.require("accounts:read")
    return json_answer(await house.read(read))


async def _write(house: House, caller: Caller, write: Callable[[Connection], Any]) -> Response:
    """Accounts belong to the whole merchant: a key that is bound to one store may not change them."""
    caller.require_whole("accounts:write")
    await house.write(write)
    house.writer.places.forget()
    house.pages.clear()
    house.looks.forget()
    house.staff_cards.forget()
    return no_content()
