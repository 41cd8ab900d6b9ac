"""Tables of the tenant and what belongs to it. Every row below a merchant carries ``merchant_id``."""

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, ForeignKey, Integer, LargeBinary, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from infra.database import Base, Instant


class Merchant(Base):
    __tablename__ = "merchants"

    id: Mapped[str] = mapped_column(String(40), primary_key=True)
    slug: Mapped[str] = mapped_column(String(64), unique=True)
    name: Mapped[str] = mapped_column(String(300))
    # "refuse" or "flag": what happens to a sale that does not add up.
    on_mismatch: Mapped[str] = mapped_column(String(10))
    # After so many days a receipt is purged; without it, never.
    keep_days: Mapped[int | None] = mapped_column(Integer)
    created_at: Mapped[datetime] = mapped_column(Instant)


class Brand(Base):
    __tablename__ = "brands"
    __table_args__ = (UniqueConstraint("merchant_id", "slug"),)

    id: Mapped[str] = mapped_column(String(40), primary_key=True)
    merchant_id: Mapped[str] = mapped_column(ForeignKey("merchants.id"))
    slug: Mapped[str] = mapped_column(String(64))
    name: Mapped[str] = mapped_column(String(300))
    colour: Mapped[str] = mapped_column(String(7))
    languages: Mapped[list[str]] = mapped_column(JSON)
    website: Mapped[str | None] = mapped_column(String(2000))
    support_email: Mapped[str | None] = mapped_column(String(254))
    support_phone: Mapped[str | None] = mapped_column(String(40))
    support_url: Mapped[str | None] = mapped_column(String(2000))
    # By language; the first of ``languages`` is the fallback.
    return_text: Mapped[dict[str, str]] = mapped_column(JSON)
    logo_key: Mapped[str | None] = mapped_column(String(100))


class Store(Base):
    __tablename__ = "stores"
    __table_args__ = (UniqueConstraint("merchant_id", "slug"),)

    id: Mapped[str] = mapped_column(String(40), primary_key=True)
    merchant_id: Mapped[str] = mapped_column(ForeignKey("merchants.id"))
    brand_id: Mapped[str] = mapped_column(ForeignKey("brands.id"))
    slug: Mapped[str] = mapped_column(String(64))
    name: Mapped[str] = mapped_column(String(300))
    legal_name: Mapped[str | None] = mapped_column(String(300))
    address: Mapped[dict[str, Any]] = mapped_column(JSON)
    phone: Mapped[str | None] = mapped_column(String(40))
    timezone: Mapped[str] = mapped_column(String(64))
    tax_id: Mapped[str | None] = mapped_column(String(64))
    # By day, "mon" to "sun": lists of "09:00-18:30".
    opening_hours: Mapped[dict[str, list[str]] | None] = mapped_column(JSON)


class Till(Base):
    __tablename__ = "tills"
    __table_args__ = (UniqueConstraint("merchant_id", "store_id", "slug"),)

    id: Mapped[str] = mapped_column(String(40), primary_key=True)
    merchant_id: Mapped[str] = mapped_column(ForeignKey("merchants.id"))
    store_id: Mapped[str] = mapped_column(ForeignKey("stores.id"))
    slug: Mapped[str] = mapped_column(String(64))
    name: Mapped[str] = mapped_column(String(300))


class StaffMember(Base):
    __tablename__ = "staff_members"
    __table_args__ = (UniqueConstraint("merchant_id", "slug"),)

    id: Mapped[str] = mapped_column(String(40), primary_key=True)
    merchant_id: Mapped[str] = mapped_column(ForeignKey("merchants.id"))
    store_id: Mapped[str | None] = mapped_column(ForeignKey("stores.id"))
    slug: Mapped[str] = mapped_column(String(64))
    name: Mapped[str] = mapped_column(String(300))


class ApiKey(Base):
    __tablename__ = "api_keys"

    id: Mapped[str] = mapped_column(String(40), primary_key=True)
    merchant_id: Mapped[str] = mapped_column(ForeignKey("merchants.id"), index=True)
    name: Mapped[str] = mapped_column(String(300))
    # SHA-256 of the key; the key itself is shown once and kept nowhere.
    digest: Mapped[str] = mapped_column(String(64), unique=True)
    hint: Mapped[str] = mapped_column(String(16))
    scopes: Mapped[list[str]] = mapped_column(JSON)
    store_id: Mapped[str | None] = mapped_column(ForeignKey("stores.id"))
    till_id: Mapped[str | None] = mapped_column(ForeignKey("tills.id"))
    created_at: Mapped[datetime] = mapped_column(Instant)
    revoked_at: Mapped[datetime | None] = mapped_column(Instant)


class SigningKey(Base):
    """A key with which a merchant's receipts are signed, each by the one that was active when it was accepted."""

    __tablename__ = "signing_keys"
    __table_args__ = (UniqueConstraint("merchant_id", "active_from"),)

    # Also the ``kid`` of its signatures.
    id: Mapped[str] = mapped_column(String(40), primary_key=True)
    merchant_id: Mapped[str] = mapped_column(ForeignKey("merchants.id"))
    # Ed25519 (RFC 8032): 32 bytes each; the private one sealed (infra.secrets).
    public: Mapped[bytes] = mapped_column(LargeBinary)
    private: Mapped[bytes] = mapped_column(LargeBinary)
    active_from: Mapped[datetime] = mapped_column(Instant)
    # From then on its signatures prove nothing: somebody else may hold it.
    distrusted_at: Mapped[datetime | None] = mapped_column(Instant)
