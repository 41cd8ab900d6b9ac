"""Creating and changing brands, stores, tills and staff. Each is put under its slug: twice is the same as once."""

import re
from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Any, Final, Literal
from zoneinfo import available_timezones

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints
from sqlalchemy import Connection, insert, select, update

from accounts.fields import (
    HOURS,
    SLUG,
    Colour,
    Country,
    DeliverableAddress,
    Language,
    Name,
    PhoneNumber,
    Short,
    Slug,
    Text,
    WebAddress,
)
from accounts.tables import Brand, Merchant, StaffMember, Store, Till
from infra.database import Base, insert_or_ignore
from kernel.errors import Conflict, FieldError, Invalid, NotFound
from kernel.ids import new_id
from kernel.locale import LANGUAGES

Day = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
# An end before its start lies in the next day.
Hours = Annotated[str, StringConstraints(pattern=HOURS)]
_TIMEZONES: Final = available_timezones()


def _timezone(name: str) -> str:
    if name not in _TIMEZONES:
        raise ValueError("is not a time zone of the IANA database; Europe/Berlin would be one")
    return name


def _each_once(languages: list[Language]) -> list[Language]:
    if len(set(languages)) < len(languages):
        raise ValueError("names a language twice; each belongs there once")
    return languages


class _Profile(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class MerchantProfile(_Profile):
    name: Name
    on_mismatch: Literal["refuse", "flag"] = Field(
        "refuse",
        description="What happens to a sale that does not add up: refused with 422, or accepted with a warning.",
    )
    keep_days: int | None = Field(
        None,
        strict=True,
        ge=1,
        le=36500,
        description="A receipt that was issued and accepted longer ago than so many days is deleted for good, with all "
        "that is known of its shopper; its link then answers 410. One that was refunded is kept as long as its refund. "
        "Null keeps all for ever. Mind how long the law asks you to keep them.",
    )


class BrandProfile(_Profile):
    name: Name
    colour: Colour = Field(
        "#1f5c47", description="The brand's colour; shades that are easy to read, also at night, are derived from it."
    )
    languages: Annotated[list[Language], AfterValidator(_each_once)] = Field(
        ["en"], min_length=1, max_length=len(LANGUAGES), description="Offered to shoppers; the first is the fallback."
    )
    website: WebAddress | None = None
    support_email: DeliverableAddress | None = None
    support_phone: PhoneNumber | None = None
    support_url: WebAddress | None = None
    return_text: dict[Language, Text] = Field({}, description="How to return goods, by language.")


class PostalAddress(_Profile):
    lines: list[Name] = Field([], max_length=6)
    postal_code: Short | None = None
    city: Name | None = None
    region: Name | None = None
    country: Country | None = None


class StoreProfile(_Profile):
    name: Name
    brand: Slug
    legal_name: Name | None = None
    address: PostalAddress = PostalAddress()
    phone: PhoneNumber | None = None
    timezone: Annotated[str, AfterValidator(_timezone)] = "UTC"
    tax_id: Short | None = None
    opening_hours: dict[Day, list[Hours]] = Field(
        {}, description='By day, in the store\'s time zone: `{"mon": ["09:00-13:00", "14:00-18:30"]}`.'
    )


class TillProfile(_Profile):
    name: Name


class StaffProfile(_Profile):
    name: Name
    store: Slug | None = None


def create_merchant(conn: Connection, slug: str, profile: MerchantProfile, *, now: datetime) -> str:
    """The new merchant's id. Raises :class:`Conflict` where the slug is taken."""
    if not re.fullmatch(SLUG, slug):
        raise Invalid(errors=[FieldError("/slug", "must be lower-case letters, digits, - and _, such as linden-rye")])
    if conn.scalar(select(Merchant.id).where(Merchant.slug == slug)):
        raise Conflict("There is a merchant with this slug already")
    merchant_id = new_id("mer", now)
    values = profile.model_dump() | {"id": merchant_id, "slug": slug, "created_at": now}
    conn.execute(insert(Merchant).values(values))
    return merchant_id


def merchant_by_slug(conn: Connection, slug: str) -> str:
    found = conn.scalar(select(Merchant.id).where(Merchant.slug == slug))
    if found is None:
        raise NotFound(f"There is no merchant {slug}; create one with: counterfoil merchants create {slug}")
    return found


def put_merchant(conn: Connection, merchant_id: str, profile: MerchantProfile) -> None:
    conn.execute(update(Merchant).where(Merchant.id == merchant_id).values(profile.model_dump()))


def put_brand(conn: Connection, merchant_id: str, slug: str, profile: BrandProfile, *, now: datetime) -> str:
    return _put(conn, Brand, merchant_id, {"slug": slug}, profile.model_dump(), "brd", now)


def put_store(conn: Connection, merchant_id: str, slug: str, profile: StoreProfile, *, now: datetime) -> str:
    values = profile.model_dump(exclude={"brand"}) | {"address": profile.address.model_dump(exclude_defaults=True)}
    values["brand_id"] = id_of(conn, Brand, merchant_id, profile.brand, at="/brand")
    return _put(conn, Store, merchant_id, {"slug": slug}, values, "sto", now)


def put_till(conn: Connection, merchant_id: str, store: str, slug: str, profile: TillProfile, *, now: datetime) -> str:
    store_id = id_of(conn, Store, merchant_id, store)
    return _put(conn, Till, merchant_id, {"store_id": store_id, "slug": slug}, profile.model_dump(), "til", now)


def put_staff_member(conn: Connection, merchant_id: str, slug: str, profile: StaffProfile, *, now: datetime) -> str:
    store_id = id_of(conn, Store, merchant_id, profile.store, at="/store") if profile.store else None
    return _put(
        conn, StaffMember, merchant_id, {"slug": slug}, {"name": profile.name, "store_id": store_id}, "stf", now
    )


def set_logo(conn: Connection, merchant_id: str, brand: str, logo_key: str | None) -> None:
    brand_id = id_of(conn, Brand, merchant_id, brand)
    mine = (Brand.merchant_id == merchant_id) & (Brand.id == brand_id)
    conn.execute(update(Brand).where(mine).values(logo_key=logo_key))


def id_of(conn: Connection, table: type[Any], merchant_id: str, slug: str, *, at: str = "") -> str:
    """The row of ``table`` with this slug. Raises :class:`Invalid` at the field ``at``, else :class:`NotFound`."""
    found: str | None = conn.scalar(select(table.id).where(table.merchant_id == merchant_id, table.slug == slug))
    if found is None and at:
        raise Invalid(errors=[FieldError(at, f"names none of this merchant's {table.__tablename__}")])
    if found is None:
        raise NotFound(f"There is no {slug} among this merchant's {table.__tablename__}")
    return found


def _put(
    conn: Connection,
    table: type[Base],
    merchant_id: str,
    key: Mapping[str, str],
    values: dict[str, Any],
    prefix: str,
    now: datetime,
) -> str:
    """Change the row under ``key``, or write it. Of two who write it first at once, the later changes it."""
    columns: Any = table
    mine = [columns.merchant_id == merchant_id, *(getattr(table, name) == value for name, value in key.items())]
    new = {"id": new_id(prefix, now), "merchant_id": merchant_id, **key, **values}
    conn.execute(insert_or_ignore(conn, table).values(new))
    conn.execute(update(table).where(*mine).values(values))
    return str(conn.scalar(select(columns.id).where(*mine)))
