"""Reading brands, stores, tills and staff."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, bindparam, select

from accounts.tables import Brand, Merchant, StaffMember, Store, Till
from kernel.errors import NotFound


@dataclass(frozen=True, slots=True)
class BrandLook:
    """What a page needs of a brand, as it is today."""

    id: str
    name: str
    colour: str
    languages: tuple[str, ...]
    website: str | None
    support_email: str | None
    support_phone: str | None
    support_url: str | None
    return_text: dict[str, str]
    logo_key: str | None


@dataclass(frozen=True, slots=True)
class MerchantInfo:
    slug: str
    name: str
    on_mismatch: str
    keep_days: int | None


@dataclass(frozen=True, slots=True)
class BrandInfo(BrandLook):
    slug: str


@dataclass(frozen=True, slots=True)
class StoreInfo:
    """``brand`` is the brand's slug, ``address`` a ``PostalAddress`` without what is not given."""

    slug: str
    name: str
    brand: str
    legal_name: str | None
    address: dict[str, Any]
    phone: str | None
    timezone: str
    tax_id: str | None
    opening_hours: dict[str, list[str]] | None
    id: str


@dataclass(frozen=True, slots=True)
class TillInfo:
    slug: str
    name: str
    id: str


@dataclass(frozen=True, slots=True)
class StaffInfo:
    """``store`` is the slug of the store that the member of staff belongs to, if it is one."""

    slug: str
    name: str
    store: str | None
    id: str


_LOOK = tuple(getattr(Brand, name) for name in BrandLook.__slots__)
_OF_BRAND = select(*_LOOK).where(Brand.merchant_id == bindparam("merchant_id"), Brand.id == bindparam("brand_id"))


def brand_look(conn: Connection, merchant_id: str, brand_id: str) -> BrandLook:
    row = conn.execute(_OF_BRAND, {"merchant_id": merchant_id, "brand_id": brand_id}).one()
    return BrandLook(**_looks(row))


def _looks(row: Row[Any]) -> dict[str, Any]:
    values = row._asdict()
    return values | {"languages": tuple(values["languages"])}


def merchant(conn: Connection, merchant_id: str) -> MerchantInfo:
    columns = select(*(getattr(Merchant, name) for name in MerchantInfo.__slots__))
    return MerchantInfo(*conn.execute(columns.where(Merchant.id == merchant_id)).one())


def merchants(conn: Connection) -> list[tuple[str, str, datetime]]:
    """Slug, name and when it was created, of all, oldest first: who runs the service asks."""
    query = select(Merchant.slug, Merchant.name, Merchant.created_at).order_by(Merchant.id)
    return [(row.slug, row.name, row.created_at) for row in conn.execute(query)]


def brands(conn: Connection, merchant_id: str) -> list[BrandInfo]:
    rows = conn.execute(select(Brand.slug, *_LOOK).where(Brand.merchant_id == merchant_id).order_by(Brand.slug))
    return [BrandInfo(**_looks(row)) for row in rows]


def logo_keys(conn: Connection) -> list[str]:
    """Under which the logos of all merchants are kept, each once: for backups, which are of the whole house."""
    found = conn.scalars(select(Brand.logo_key).where(Brand.logo_key.is_not(None)).distinct())
    return [key for key in found if key]


def stores(conn: Connection, merchant_id: str) -> list[StoreInfo]:
    columns = (Store.slug, Store.name, Brand.slug.label("brand"), Store.legal_name, Store.address, Store.phone)
    more = (Store.timezone, Store.tax_id, Store.opening_hours, Store.id)
    query = select(*columns, *more).join(Brand, Brand.id == Store.brand_id)
    return [StoreInfo(*row) for row in conn.execute(query.where(Store.merchant_id == merchant_id).order_by(Store.slug))]


def store_id(conn: Connection, merchant_id: str, slug: str) -> str:
    """Raises :class:`NotFound` for a store that the merchant does not have."""
    found = conn.scalar(select(Store.id).where(Store.merchant_id == merchant_id, Store.slug == slug))
    if found is None:
        raise NotFound("There is no such store")
    return found


def till_id(conn: Connection, merchant_id: str, of_store: str, slug: str) -> str:
    """The till with this slug in the store with the id ``of_store``. Raises :class:`NotFound`."""
    mine = (Till.merchant_id == merchant_id) & (Till.store_id == of_store) & (Till.slug == slug)
    found = conn.scalar(select(Till.id).where(mine))
    if found is None:
        raise NotFound("There is no such till in this store")
    return found


def tills(conn: Connection, merchant_id: str, store: str) -> list[TillInfo]:
    """Raises :class:`NotFound` for a store that the merchant does not have."""
    of_store = (Till.merchant_id == merchant_id) & (Till.store_id == store_id(conn, merchant_id, store))
    rows = conn.execute(select(Till.slug, Till.name, Till.id).where(of_store).order_by(Till.slug))
    return [TillInfo(*row) for row in rows]


def staff_id(conn: Connection, merchant_id: str, slug: str) -> str:
    """Raises :class:`NotFound` for a member of staff whom the merchant does not have."""
    found = conn.scalar(select(StaffMember.id).where(StaffMember.merchant_id == merchant_id, StaffMember.slug == slug))
    if found is None:
        raise NotFound("There is no such member of staff")
    return found


def staff(conn: Connection, merchant_id: str) -> list[StaffInfo]:
    query = select(StaffMember.slug, StaffMember.name, Store.slug.label("store"), StaffMember.id)
    query = query.outerjoin(Store, Store.id == StaffMember.store_id).where(StaffMember.merchant_id == merchant_id)
    return [StaffInfo(*row) for row in conn.execute(query.order_by(StaffMember.slug))]
