"""Tables of the doors that other systems knock at."""

from datetime import datetime

from sqlalchemy import ForeignKey, Index, LargeBinary, String, Text, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from infra.database import Base, Instant


def _partial(name: str, *columns: str, where: str) -> Index:
    return Index(name, *columns, sqlite_where=text(where), postgresql_where=text(where))


class HookEndpoint(Base):
    """Where another system posts its events for a merchant: ``/hooks/{source}/{slug}``."""

    __tablename__ = "hook_endpoints"
    __table_args__ = (UniqueConstraint("source", "slug"),)

    id: Mapped[str] = mapped_column(String(40), primary_key=True)
    merchant_id: Mapped[str] = mapped_column(ForeignKey("merchants.id"), index=True)
    source: Mapped[str] = mapped_column(String(20))
    # Random, so that the address names no merchant to whoever reads it.
    slug: Mapped[str] = mapped_column(String(64))
    store_id: Mapped[str] = mapped_column(ForeignKey("stores.id"))
    # Sealed (infra.secrets): a signature can be checked only with the secret itself, so a hash would not do.
    secret: Mapped[bytes] = mapped_column(LargeBinary)
    previous_secret: Mapped[bytes | None] = mapped_column(LargeBinary)
    created_at: Mapped[datetime] = mapped_column(Instant)


class InboundEvent(Base):
    """The inbox: every verified event once, whatever becomes of it."""

    __tablename__ = "inbound_events"
    __table_args__ = (
        UniqueConstraint("endpoint_id", "external_id"),
        _partial("ix_inbound_events_state_due_at", "state", "due_at", where="due_at IS NOT NULL"),
        _partial("ix_inbound_events_merchant_id_waits_for", "merchant_id", "waits_for", where="waits_for IS NOT NULL"),
    )

    id: Mapped[str] = mapped_column(String(40), primary_key=True)
    merchant_id: Mapped[str] = mapped_column(ForeignKey("merchants.id"))
    endpoint_id: Mapped[str] = mapped_column(ForeignKey("hook_endpoints.id"))
    external_id: Mapped[str] = mapped_column(String(255))
    topic: Mapped[str] = mapped_column(String(100))
    # Empty as soon as nobody needs it: it holds what the other system knows of a shopper.
    body: Mapped[str] = mapped_column(Text)
    # "waiting", "done", "ignored" (a topic that makes no receipt) or "failed"; ``outcome`` says which, or why not.
    state: Mapped[str] = mapped_column(String(10))
    outcome: Mapped[str | None] = mapped_column(Text)
    # The external id of the sale that must come first.
    waits_for: Mapped[str | None] = mapped_column(String(128))
    received_at: Mapped[datetime] = mapped_column(Instant)
    # When a waiting event is to be worked on, or a failed one to be emptied.
    due_at: Mapped[datetime | None] = mapped_column(Instant)
