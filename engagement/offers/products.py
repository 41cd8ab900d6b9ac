"""The catalogue of a merchant: products put, found, listed and deleted."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, Literal

from sqlalchemy import Connection, Row, bindparam, delete, insert, select, update

from accounts.tables import Merchant
from engagement import alliances
from engagement.offers.catalogue import ProductContent
from engagement.offers.items import keys
from engagement.offers.tables import Product, ProductItem
from infra.database import one_of, unindexed, upsert
from kernel.errors import NotFound
from kernel.ids import new_id

Outcome = Literal["created", "changed", "unchanged"]
_CONTENT: Final = tuple(ProductContent.model_fields)
_COLUMNS: Final = tuple(
    getattr(Product, name) for name in ("id", "merchant_id", "sku", "picture_key", "changed_at", *_CONTENT)
)
# Built once: a page asks these.
_BY_IDS: Final = select(*_COLUMNS).where(one_of(Product.id, "ids"))
_BY_SKUS: Final = select(*_COLUMNS).where(Product.merchant_id == bindparam("merchant_id"), one_of(Product.sku, "skus"))


@dataclass(frozen=True, slots=True)
class ProductRecord:
    id: str
    merchant_id: str
    sku: str
    content: ProductContent
    # In the storage; None where no picture was uploaded.
    picture_key: str | None
    changed_at: datetime

    @property
    def is_offered(self) -> bool:
        return self.content.active and self.content.stock != 0

    def named(self, language: str) -> str:
        return next(
            (name for tag, name in self.content.name.items() if tag == language), next(iter(self.content.name.values()))
        )


def put(
    conn: Connection, merchant_id: str, products: Mapping[str, ProductContent], *, now: datetime
) -> dict[str, Outcome]:
    """Each under its SKU: what became of each. What is as it was is not written.

    Whoever else changes the catalogue waits, so that what a product is known by is always its own.
    """
    hold(conn, merchant_id)
    before = _by_sku(conn, merchant_id, list(products))
    outcomes = foreseen(before, products)
    rows: list[dict[str, Any]] = []
    for sku, content in sorted(products.items()):
        if outcomes[sku] != "unchanged":
            product_id = before[sku].id if sku in before else new_id("prd", now)
            named = {"id": product_id, "merchant_id": merchant_id, "sku": sku}
            rows.append(named | {name: getattr(content, name) for name in _CONTENT} | {"changed_at": now})
    if rows:
        _write(conn, rows)
        _know_by(conn, merchant_id, rows)
    return outcomes


def hold(conn: Connection, merchant_id: str) -> None:
    """Nobody else changes the catalogue until the transaction ends."""
    conn.execute(select(Merchant.id).where(Merchant.id == merchant_id).with_for_update(key_share=True))


def foreseen(before: Mapping[str, ProductRecord], products: Mapping[str, ProductContent]) -> dict[str, Outcome]:
    """What would become of each, of what there was ``before``."""
    return {sku: _outcome(before.get(sku), content) for sku, content in products.items()}


def _outcome(known: ProductRecord | None, content: ProductContent) -> Outcome:
    if known is None:
        return "created"
    return "unchanged" if _is_same(known.content, content) else "changed"


def one(conn: Connection, merchant_id: str, sku: str) -> ProductRecord:
    """Raises :class:`NotFound`."""
    found = _by_sku(conn, merchant_id, [sku]).get(sku)
    if found is None:
        raise NotFound("There is no such product")
    return found


def by_id(conn: Connection, product_id: str) -> ProductRecord | None:
    """Of whatever merchant: whoever has a signed link to it may know it, so no merchant is named."""
    row = conn.execute(select(*_COLUMNS).where(Product.id == product_id)).one_or_none()
    return record_of(row) if row else None


def listed(conn: Connection, merchant_id: str, *, limit: int, after: str = "") -> list[ProductRecord]:
    """By their SKUs, from behind ``after`` on."""
    query = select(*_COLUMNS).where(Product.merchant_id == merchant_id, Product.sku > after)
    return [record_of(row) for row in conn.execute(query.order_by(Product.sku).limit(limit))]


def shared_by_allies(conn: Connection, merchant_id: str, *, limit: int, after: str = "") -> list[ProductRecord]:
    """What allies let the merchant show, by the ids, from behind ``after`` on."""
    theirs = Product.merchant_id.in_(alliances.allies(conn, merchant_id).values())
    query = select(*_COLUMNS).where(theirs, Product.shared.is_(True), Product.active, Product.id > after)
    return [record_of(row) for row in conn.execute(query.order_by(Product.id).limit(limit))]


def remove(conn: Connection, merchant_id: str, sku: str) -> ProductRecord:
    """Also from what it was known by; numbers stay. Raises :class:`NotFound`."""
    hold(conn, merchant_id)
    found = one(conn, merchant_id, sku)
    conn.execute(delete(ProductItem).where(_known_by(merchant_id, [found.id])))
    conn.execute(delete(Product).where(Product.merchant_id == merchant_id, Product.id == found.id))
    return found


def set_picture(conn: Connection, merchant_id: str, sku: str, key: str | None, *, now: datetime) -> str | None:
    """The key of the picture that it had. Raises :class:`NotFound`."""
    hold(conn, merchant_id)
    found = one(conn, merchant_id, sku)
    mine = (Product.merchant_id == merchant_id, Product.id == found.id)
    conn.execute(update(Product).where(*mine).values(picture_key=key, changed_at=now))
    return found.picture_key


def is_shown(conn: Connection, picture_key: str) -> bool:
    """Whether a product has the picture. Its key is made of its bytes, so another merchant's may: none is named."""
    return conn.scalar(select(Product.id).where(Product.picture_key == picture_key).limit(1)) is not None


def picture_keys(conn: Connection) -> list[str]:
    """Of all merchants, each once: for backups, which are of the whole house."""
    found = conn.scalars(select(Product.picture_key).where(Product.picture_key.is_not(None)).distinct())
    return [key for key in found if key]


def with_ids(conn: Connection, ids: Sequence[str]) -> dict[str, ProductRecord]:
    """By their ids, which were found at their merchants before."""
    return {row.id: record_of(row) for row in conn.execute(_BY_IDS, {"ids": ids})}


def with_skus(conn: Connection, merchant_id: str, skus: Sequence[str]) -> dict[str, ProductRecord]:
    return _by_sku(conn, merchant_id, skus)


def record_of(row: Row[Any]) -> ProductRecord:
    values = row._mapping
    content = ProductContent.model_construct(**{name: values[name] for name in _CONTENT})
    return ProductRecord(row.id, row.merchant_id, row.sku, content, row.picture_key, row.changed_at)


def _is_same(one: ProductContent, other: ProductContent) -> bool:
    """Also in the order of its languages."""
    return one.model_dump_json() == other.model_dump_json()


def _by_sku(conn: Connection, merchant_id: str, skus: Sequence[str]) -> dict[str, ProductRecord]:
    return {row.sku: record_of(row) for row in conn.execute(_BY_SKUS, {"merchant_id": merchant_id, "skus": skus})}


def _write(conn: Connection, rows: Sequence[Mapping[str, Any]]) -> None:
    new = upsert(conn, Product)
    changed = {name: new.excluded[name] for name in (*_CONTENT, "changed_at")}
    conn.execute(new.on_conflict_do_update(index_elements=["merchant_id", "sku"], set_=changed), rows)


def _know_by(conn: Connection, merchant_id: str, rows: Sequence[Mapping[str, Any]]) -> None:
    conn.execute(delete(ProductItem).where(_known_by(merchant_id, [row["id"] for row in rows])))
    known = {
        (row["id"], item): {"offered": row["active"] and row["stock"] != 0, "again": row["again"]}
        for row in rows
        for item in keys(row["sku"], row["gtin"], row["name"].values())
    }
    conn.execute(
        insert(ProductItem),
        [{"merchant_id": merchant_id, "item": item, "product_id": of, **more} for (of, item), more in known.items()],
    )


def _known_by(merchant_id: str, ids: Sequence[str]) -> Any:
    return (unindexed(ProductItem.merchant_id) == merchant_id) & ProductItem.product_id.in_(ids)
