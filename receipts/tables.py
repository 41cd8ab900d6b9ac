"""Tables of receipts. A receipt's row is written once; what happens later stands beside it."""

from datetime import datetime

from sqlalchemy import BigInteger, ForeignKey, Index, String, Text, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from infra.database import Base, Instant

# Every filter of the list ends in its order, so that a page costs the same however long the list is.
_NEWEST = ("issued_at", "id")
_LISTED_BY = [("merchant_id", *by, *_NEWEST) for by in ((), ("store_id",), ("till_id",), ("number",))]
# What few receipts have is indexed for these alone.
_NO_SALE = "kind <> 'sale'"
_SERVED = "staff_id IS NOT NULL"
_AMENDS = "original_id IS NOT NULL"


def _of_few(where: str, *columns: str) -> Index:
    return Index(f"ix_receipts_{'_'.join(columns)}", *columns, sqlite_where=text(where), postgresql_where=text(where))


class Receipt(Base):
    __tablename__ = "receipts"
    __table_args__ = (
        # The external id stands before its source, so that a list can be narrowed by it alone.
        UniqueConstraint("merchant_id", "external_id", "source"),
        *(Index(f"ix_receipts_{'_'.join(by)}", *by) for by in _LISTED_BY),
        # The original stands first: whether anything refers to a receipt is asked without its merchant, at its purge.
        _of_few(_AMENDS, "original_id", "merchant_id"),
        _of_few(_NO_SALE, "merchant_id", "kind", *_NEWEST),
        _of_few(_NO_SALE, "merchant_id", "store_id", "kind", *_NEWEST),
        _of_few(_SERVED, "merchant_id", "staff_id", *_NEWEST),
    )

    id: Mapped[str] = mapped_column(String(40), primary_key=True)
    merchant_id: Mapped[str] = mapped_column(ForeignKey("merchants.id"))
    brand_id: Mapped[str] = mapped_column(ForeignKey("brands.id"))
    store_id: Mapped[str] = mapped_column(ForeignKey("stores.id"))
    till_id: Mapped[str | None] = mapped_column(ForeignKey("tills.id"))
    staff_id: Mapped[str | None] = mapped_column(ForeignKey("staff_members.id"))
    token: Mapped[str] = mapped_column(String(64), unique=True)
    # Who said it: "api", or the adapter ("shopify"). An external id is unique within its source.
    source: Mapped[str] = mapped_column(String(20))
    external_id: Mapped[str | None] = mapped_column(String(128))
    number: Mapped[str] = mapped_column(String(128))
    kind: Mapped[str] = mapped_column(String(10))
    currency: Mapped[str] = mapped_column(String(3))
    total: Mapped[int] = mapped_column(BigInteger)
    issued_at: Mapped[datetime] = mapped_column(Instant)
    accepted_at: Mapped[datetime] = mapped_column(Instant)
    original_id: Mapped[str | None] = mapped_column(ForeignKey("receipts.id"))
    # SHA-256 of all that was sent, to tell a repetition from a contradiction.
    fingerprint: Mapped[str] = mapped_column(String(64))
    # What did not add up and was flagged: a JSON array of {pointer, detail}.
    warnings: Mapped[str] = mapped_column(Text)
    # The sale as receipts.sale.Content, the store as receipts.document.Issuer: JSON, byte for byte as first written.
    content: Mapped[str] = mapped_column(Text)
    issuer: Mapped[str] = mapped_column(Text)


class ReceiptShopper(Base):
    """Personal data of a receipt, apart from it: erased by deleting this row, and never behind the receipt's link."""

    __tablename__ = "receipt_shoppers"
    __table_args__ = (Index("ix_receipt_shoppers_merchant_id_email", "merchant_id", "email"),)

    receipt_id: Mapped[str] = mapped_column(ForeignKey("receipts.id"), primary_key=True)
    merchant_id: Mapped[str] = mapped_column(ForeignKey("merchants.id"))
    email: Mapped[str | None] = mapped_column(String(254))
    # receipts.sale.Shopper, with metadata and wished deliveries: JSON.
    details: Mapped[str] = mapped_column(Text)


class IdempotencyKey(Base):
    """``Idempotency-Key`` headers, each with the receipt that its first request made."""

    __tablename__ = "idempotency_keys"

    merchant_id: Mapped[str] = mapped_column(ForeignKey("merchants.id"), primary_key=True)
    key: Mapped[str] = mapped_column(String(255), primary_key=True)
    receipt_id: Mapped[str] = mapped_column(String(40))
    created_at: Mapped[datetime] = mapped_column(Instant)


class ReturnedSum(Base):
    """How much of a receipt went back, once anything did. One conditional UPDATE decides every race for it."""

    __tablename__ = "returned_sums"

    receipt_id: Mapped[str] = mapped_column(ForeignKey("receipts.id"), primary_key=True)
    merchant_id: Mapped[str] = mapped_column(ForeignKey("merchants.id"))
    limit: Mapped[int] = mapped_column(BigInteger)
    returned: Mapped[int] = mapped_column(BigInteger)


class PurgedReceipt(Base):
    """What is left of a receipt that was purged, so that its link can answer that it is gone."""

    __tablename__ = "purged_receipts"

    # SHA-256 of the link's token.
    digest: Mapped[str] = mapped_column(String(64), primary_key=True)
    merchant_id: Mapped[str] = mapped_column(ForeignKey("merchants.id"))
    purged_at: Mapped[datetime] = mapped_column(Instant)
