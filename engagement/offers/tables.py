"""Tables of products and offers: the catalogue, what was bought together, what was learned of it, what came of it."""

from datetime import datetime

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Float,
    ForeignKey,
    Index,
    Integer,
    String,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column

from infra.database import Base, Instant

# Longer names of items are hashed (engagement.offers.items).
ITEM = String(80)
_KNOWN = "shopper IS NOT NULL"
_PICTURED = "picture_key IS NOT NULL"
_SHARED_SQLITE, _SHARED = text("shared IS 1"), text("shared IS true")


class Product(Base):
    """What a merchant offers. Prices are in the currency's smallest unit."""

    __tablename__ = "products"
    __table_args__ = (
        UniqueConstraint("merchant_id", "sku"),
        Index("ix_products_picture_key", "picture_key", sqlite_where=text(_PICTURED), postgresql_where=text(_PICTURED)),
        Index("ix_products_shared", "merchant_id", "id", sqlite_where=_SHARED_SQLITE, postgresql_where=_SHARED),
    )

    id: Mapped[str] = mapped_column(String(40), primary_key=True)
    merchant_id: Mapped[str] = mapped_column(ForeignKey("merchants.id"))
    sku: Mapped[str] = mapped_column(String(128))
    gtin: Mapped[str | None] = mapped_column(String(14))
    # By language.
    name: Mapped[dict[str, str]] = mapped_column(JSON)
    price: Mapped[int | None] = mapped_column(BigInteger)
    list_price: Mapped[int | None] = mapped_column(BigInteger)
    currency: Mapped[str | None] = mapped_column(String(3))
    # Of the picture that was uploaded; ``image`` is an address elsewhere, which our pages do not load.
    picture_key: Mapped[str | None] = mapped_column(String(100))
    image: Mapped[str | None] = mapped_column(String(2000))
    category: Mapped[str | None] = mapped_column(String(300))
    brand: Mapped[str | None] = mapped_column(String(300))
    # None where nobody counts it.
    stock: Mapped[int | None] = mapped_column(Integer)
    link: Mapped[str | None] = mapped_column(String(2000))
    warranty_months: Mapped[int | None] = mapped_column(Integer)
    # By language.
    warranty: Mapped[dict[str, str]] = mapped_column(JSON)
    care: Mapped[dict[str, str]] = mapped_column(JSON)
    # SKUs of what goes with it, best first.
    complements: Mapped[list[str]] = mapped_column(JSON)
    # Whether it is offered to who has it already, as bread is.
    again: Mapped[bool] = mapped_column(Boolean)
    # Whether allies may show it on their receipts.
    shared: Mapped[bool] = mapped_column(Boolean)
    active: Mapped[bool] = mapped_column(Boolean)
    changed_at: Mapped[datetime] = mapped_column(Instant)


class ProductItem(Base):
    """By which items of receipts a product is known: its SKU, its GTIN, its names."""

    __tablename__ = "product_items"
    __table_args__ = {"sqlite_with_rowid": False}

    merchant_id: Mapped[str] = mapped_column(ForeignKey("merchants.id"), primary_key=True)
    item: Mapped[str] = mapped_column(ITEM, primary_key=True)
    product_id: Mapped[str] = mapped_column(ForeignKey("products.id"), primary_key=True, index=True)
    # Whether it may be offered now: it is active and not out of stock.
    offered: Mapped[bool] = mapped_column(Boolean)
    # Whether it is offered to who has it too.
    again: Mapped[bool] = mapped_column(Boolean)


class Basket(Base):
    """What was bought with one receipt. There is one for every receipt that the ledger has seen, also an empty one."""

    __tablename__ = "baskets"
    __table_args__ = (
        Index("ix_baskets_merchant_id_at", "merchant_id", "at", "receipt_id"),
        Index(
            "ix_baskets_merchant_id_shopper",
            *("merchant_id", "shopper", "at"),
            sqlite_where=text(_KNOWN),
            postgresql_where=text(_KNOWN),
        ),
    )

    receipt_id: Mapped[str] = mapped_column(ForeignKey("receipts.id"), primary_key=True)
    merchant_id: Mapped[str] = mapped_column(ForeignKey("merchants.id"))
    store_id: Mapped[str] = mapped_column(ForeignKey("stores.id"))
    # A pseudonym (engagement.shoppers).
    shopper: Mapped[str | None] = mapped_column(String(32))
    at: Mapped[datetime] = mapped_column(Instant)
    # JSON arrays of items: what was bought, and what of it went back.
    items: Mapped[str] = mapped_column(Text)
    returned: Mapped[str] = mapped_column(Text)
    # JSON, by items that the catalogue did not know: other keys by which it knew the same line.
    also: Mapped[str | None] = mapped_column(Text)


class OfferBook(Base):
    """What a merchant wants of offers, and which lesson is in force."""

    __tablename__ = "offer_books"

    merchant_id: Mapped[str] = mapped_column(ForeignKey("merchants.id"), primary_key=True)
    is_on: Mapped[bool] = mapped_column(Boolean)
    at_most: Mapped[int] = mapped_column(Integer)
    window_days: Mapped[int] = mapped_column(Integer)
    # Baskets that came since the last lesson began.
    fresh: Mapped[int] = mapped_column(Integer)
    # Of the rows in neighbours and popular_items that hold; others are on their way in or out.
    edition: Mapped[int | None] = mapped_column(BigInteger)
    # JSON, as engagement.offers.learning tells it.
    report: Mapped[str | None] = mapped_column(Text)
    learned_at: Mapped[datetime | None] = mapped_column(Instant)
    # When somebody last began to learn, whatever came of it.
    tried_at: Mapped[datetime | None] = mapped_column(Instant)
    # Who learns now: the edition that is being made, until when nobody else may.
    claim: Mapped[int | None] = mapped_column(BigInteger)
    claimed_until: Mapped[datetime | None] = mapped_column(Instant)


class Neighbour(Base):
    """Who buys ``a`` may want ``b``.

    Rows come by the million and are read by their key alone, so SQLite keeps them in its order, and the merchant is
    not looked for with each.
    """

    __tablename__ = "neighbours"
    __table_args__ = {"sqlite_with_rowid": False}

    merchant_id: Mapped[str] = mapped_column(String(40), primary_key=True)
    edition: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    a: Mapped[str] = mapped_column(ITEM, primary_key=True)
    b: Mapped[str] = mapped_column(ITEM, primary_key=True)
    score: Mapped[float] = mapped_column(Float)
    # How many had both.
    receipts: Mapped[int] = mapped_column(Integer)


class PopularItem(Base):
    """``place`` is a store's id, or empty for all of the merchant's."""

    __tablename__ = "popular_items"
    __table_args__ = {"sqlite_with_rowid": False}

    merchant_id: Mapped[str] = mapped_column(String(40), primary_key=True)
    edition: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    place: Mapped[str] = mapped_column(String(40), primary_key=True)
    item: Mapped[str] = mapped_column(ITEM, primary_key=True)
    score: Mapped[float] = mapped_column(Float)


class OfferRule(Base):
    """What the merchant decides themselves. ``sku`` is what it is about; ``beside`` what must be on the receipt."""

    __tablename__ = "offer_rules"
    __table_args__ = (Index("ix_offer_rules_merchant_id_id", "merchant_id", "id"),)

    id: Mapped[str] = mapped_column(String(40), primary_key=True)
    merchant_id: Mapped[str] = mapped_column(ForeignKey("merchants.id"))
    # "pin", "ban", "complement" or "ally".
    kind: Mapped[str] = mapped_column(String(10))
    sku: Mapped[str] = mapped_column(String(128))
    beside: Mapped[str | None] = mapped_column(String(128))
    ally_id: Mapped[str | None] = mapped_column(ForeignKey("merchants.id"))
    store_id: Mapped[str | None] = mapped_column(ForeignKey("stores.id"))


class OfferTouch(Base):
    """What a shopper did with one offer on one receipt, each once. ``product_id`` may be an ally's, or be gone."""

    __tablename__ = "offer_touches"

    receipt_id: Mapped[str] = mapped_column(ForeignKey("receipts.id"), primary_key=True)
    product_id: Mapped[str] = mapped_column(String(40), primary_key=True)
    merchant_id: Mapped[str] = mapped_column(ForeignKey("merchants.id"))
    reason: Mapped[str] = mapped_column(String(12))
    shown_at: Mapped[datetime] = mapped_column(Instant)
    tapped_at: Mapped[datetime | None] = mapped_column(Instant)
    bought_at: Mapped[datetime | None] = mapped_column(Instant)


class OfferSale(Base):
    """A purchase that an offer led to, on the receipt of who owns the product, until it goes back."""

    __tablename__ = "offer_sales"

    receipt_id: Mapped[str] = mapped_column(ForeignKey("receipts.id"), primary_key=True)
    product_id: Mapped[str] = mapped_column(String(40), primary_key=True)
    merchant_id: Mapped[str] = mapped_column(ForeignKey("merchants.id"))
    # On whose receipt the offer stood.
    shown_by: Mapped[str] = mapped_column(ForeignKey("merchants.id"))
    sku: Mapped[str] = mapped_column(String(128))
    reason: Mapped[str] = mapped_column(String(12))
    currency: Mapped[str] = mapped_column(String(3))
    amount: Mapped[int] = mapped_column(BigInteger)
    # JSON array of the items of its lines, by which it is known when something comes back.
    items: Mapped[str] = mapped_column(Text)
    # When something of it went back first, and how much of ``amount`` did so far.
    returned_at: Mapped[datetime | None] = mapped_column(Instant)
    returned_amount: Mapped[int] = mapped_column(BigInteger)


class OfferCount(Base):
    """What came of offers, by day (UTC). It tells of no receipt and no shopper, and so outlives them.

    ``ally_id`` is empty where one's own product stood on one's own receipt; else the other merchant, and ``side`` tells
    whether their product stood on our receipt ("ours") or our product on theirs ("theirs").
    """

    __tablename__ = "offer_counts"
    __table_args__ = {"sqlite_with_rowid": False}

    merchant_id: Mapped[str] = mapped_column(ForeignKey("merchants.id"), primary_key=True)
    day: Mapped[str] = mapped_column(String(10), primary_key=True)
    sku: Mapped[str] = mapped_column(String(128), primary_key=True)
    reason: Mapped[str] = mapped_column(String(12), primary_key=True)
    ally_id: Mapped[str] = mapped_column(String(40), primary_key=True)
    side: Mapped[str] = mapped_column(String(6), primary_key=True)
    # "shown", "tapped", "bought" or "returned".
    act: Mapped[str] = mapped_column(String(8), primary_key=True)
    # Of the amount; empty where there is none.
    currency: Mapped[str] = mapped_column(String(3), primary_key=True)
    times: Mapped[int] = mapped_column(Integer)
    amount: Mapped[int] = mapped_column(BigInteger)
