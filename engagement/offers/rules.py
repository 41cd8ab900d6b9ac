"""What a merchant decides themselves: what is always offered, what never, what goes with what, and which ally's."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, Literal

from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy import Connection, delete, func, insert, select, update

from accounts import find as accounts_find
from accounts.fields import Code, Slug
from accounts.tables import Merchant, Store
from engagement import alliances
from engagement.offers import products
from engagement.offers.tables import OfferRule
from kernel.errors import FieldError, Invalid, NotFound
from kernel.ids import new_id

Kind = Literal["pin", "ban", "complement", "ally"]
MOST_RULES: Final = 500


class RuleWish(BaseModel):
    """A rule. Those who are pinned come first, then allies', then what goes with what was bought."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    kind: Kind = Field(description="`pin`: always offered. `ban`: never. `complement`: where `beside` was bought.")
    product: Code = Field(description="The SKU; with `ally`, that of the ally's product.")
    beside: Code | None = Field(None, description="The SKU that must be on the receipt.")
    ally: Slug | None = Field(None, description="The slug of the ally whose product it is.")
    store: Slug | None = Field(None, description="Only on receipts of this store.")


@dataclass(frozen=True, slots=True)
class Rule:
    """``ally`` and ``store`` are slugs, ``ally_name`` the other merchant's name."""

    id: str
    kind: Kind
    sku: str
    beside: str | None
    ally_id: str | None
    ally: str | None
    ally_name: str | None
    store_id: str | None
    store: str | None


def create(conn: Connection, merchant_id: str, wish: RuleWish, *, now: datetime) -> Rule:
    """Raises :class:`Invalid` where what it names is not there, or beyond 500 rules: each page looks at all of them."""
    products.hold(conn, merchant_id)
    mine = select(func.count()).select_from(OfferRule).where(OfferRule.merchant_id == merchant_id)
    if (conn.scalar(mine) or 0) >= MOST_RULES:
        detail = f"is one more than the {MOST_RULES} rules that there may be; `complements` stand with the product"
        raise Invalid(errors=[FieldError("", detail)])
    rule_id = new_id("rul", now)
    conn.execute(insert(OfferRule).values({"id": rule_id, "merchant_id": merchant_id} | _row(conn, merchant_id, wish)))
    return one(conn, merchant_id, rule_id)


def change(conn: Connection, merchant_id: str, rule_id: str, wish: RuleWish) -> Rule:
    """Raises :class:`NotFound`, and as :func:`create`."""
    mine = (OfferRule.merchant_id == merchant_id, OfferRule.id == rule_id)
    one(conn, merchant_id, rule_id)
    conn.execute(update(OfferRule).where(*mine).values(_row(conn, merchant_id, wish)))
    return one(conn, merchant_id, rule_id)


def remove(conn: Connection, merchant_id: str, rule_id: str) -> None:
    """Raises :class:`NotFound`."""
    gone = delete(OfferRule).where(OfferRule.merchant_id == merchant_id, OfferRule.id == rule_id)
    if conn.execute(gone).rowcount != 1:
        raise NotFound("There is no such rule")


def one(conn: Connection, merchant_id: str, rule_id: str) -> Rule:
    """Raises :class:`NotFound`."""
    found = _listed(conn, merchant_id, OfferRule.id == rule_id)
    if not found:
        raise NotFound("There is no such rule")
    return found[0]


def listed(conn: Connection, merchant_id: str) -> Sequence[Rule]:
    """Oldest first, which is also who comes first."""
    return _listed(conn, merchant_id)


def _listed(conn: Connection, merchant_id: str, *where: Any) -> list[Rule]:
    columns = (OfferRule.id, OfferRule.kind, OfferRule.sku, OfferRule.beside, OfferRule.ally_id)
    others = (Merchant.slug.label("ally"), Merchant.name.label("ally_name"), OfferRule.store_id)
    query = select(*columns, *others, Store.slug.label("store"))
    query = query.outerjoin(Merchant, Merchant.id == OfferRule.ally_id).outerjoin(Store, Store.id == OfferRule.store_id)
    rows = conn.execute(query.where(OfferRule.merchant_id == merchant_id, *where).order_by(OfferRule.id))
    return [Rule(**row) for row in rows.mappings()]


def _row(conn: Connection, merchant_id: str, wish: RuleWish) -> dict[str, Any]:
    ally_id = _ally(conn, merchant_id, wish)
    found = products.with_skus(conn, ally_id or merchant_id, [wish.product]).get(wish.product)
    if found is None or (ally_id and not found.content.shared):
        whose = "that the ally shares" if ally_id else "of this merchant"
        raise Invalid(errors=[FieldError("/product", f"is not the SKU of a product {whose}")])
    if (wish.beside is None) and wish.kind == "complement":
        raise Invalid(errors=[FieldError("/beside", "is missing; a complement needs the SKU that it goes with")])
    return {
        "kind": wish.kind,
        "sku": wish.product,
        "beside": wish.beside,
        "ally_id": ally_id,
        "store_id": _store(conn, merchant_id, wish.store),
    }


def _ally(conn: Connection, merchant_id: str, wish: RuleWish) -> str | None:
    if (wish.kind == "ally") != (wish.ally is not None):
        raise Invalid(errors=[FieldError("/ally", "belongs to a rule of the kind ally, and to no other")])
    ally_id = alliances.allies(conn, merchant_id).get(wish.ally) if wish.ally else None
    if wish.ally and ally_id is None:
        raise Invalid(errors=[FieldError("/ally", "is not the slug of a merchant with whom an alliance is agreed")])
    return ally_id


def _store(conn: Connection, merchant_id: str, slug: str | None) -> str | None:
    try:
        return accounts_find.store_id(conn, merchant_id, slug) if slug else None
    except NotFound:
        raise Invalid(errors=[FieldError("/store", "names none of this merchant's stores")]) from None
