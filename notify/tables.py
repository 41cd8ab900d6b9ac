"""Tables of messages to people."""

from datetime import datetime
from typing import Final

from sqlalchemy import Boolean, ForeignKey, Index, Integer, String, Text, UniqueConstraint, literal_column, text
from sqlalchemy.orm import Mapped, mapped_column

from infra.database import Base, Instant

_WAITS = text("state = 'waiting'")
_CLAIMED = text("claim IS NOT NULL")


class Message(Base):
    """One email or SMS to one person. Asked for twice it is still one: the unique constraint says so."""

    __tablename__ = "messages"
    __table_args__ = (
        UniqueConstraint("merchant_id", "subject_id", "channel", "address", "ordinal"),
        # Ids sort by age.
        Index("ix_messages_merchant_id_id", "merchant_id", "id"),
        Index("ix_messages_merchant_id_state_id", "merchant_id", "state", "id"),
        Index("ix_messages_due_at", "due_at", sqlite_where=_WAITS, postgresql_where=_WAITS),
        Index("ix_messages_claim", "claim", sqlite_where=_CLAIMED, postgresql_where=_CLAIMED),
    )

    id: Mapped[str] = mapped_column(String(40), primary_key=True)
    merchant_id: Mapped[str] = mapped_column(ForeignKey("merchants.id"))
    # What it is about: the id of a receipt. No foreign key, since that lives on a higher floor.
    subject_id: Mapped[str] = mapped_column(String(40))
    # "email" or "sms".
    channel: Mapped[str] = mapped_column(String(10))
    # Bare, in lower case.
    address: Mapped[str] = mapped_column(String(254))
    # 0 for the first, counted up by each that is sent again.
    ordinal: Mapped[int] = mapped_column(Integer)
    language: Mapped[str | None] = mapped_column(String(35))
    with_pdf: Mapped[bool] = mapped_column(Boolean)
    # Whether a till asked for it by itself: then whoever gets it may stop what follows.
    is_automatic: Mapped[bool] = mapped_column(Boolean)
    # "waiting", "sent" (accepted by the next mail server), "refused", "bounced", "failed" or "stopped".
    state: Mapped[str] = mapped_column(String(10))
    attempts: Mapped[int] = mapped_column(Integer)
    # The last word of a mail server on it, or why it was not sent.
    detail: Mapped[str | None] = mapped_column(Text)
    asked_at: Mapped[datetime] = mapped_column(Instant)
    # The job that is sending it: until ``due_at`` nobody else may, but for the one that takes up a dead worker's job.
    claim: Mapped[str | None] = mapped_column(String(100))
    # When it is tried next, while it waits.
    due_at: Mapped[datetime | None] = mapped_column(Instant)
    # When it was sent, or given up.
    settled_at: Mapped[datetime | None] = mapped_column(Instant)


# Not as a parameter: a plan made for any state could not use the index of those that wait.
IS_WAITING: Final = Message.state == literal_column("'waiting'")


class Suppression(Base):
    """An address that a merchant writes to no more. Only its hash is kept: it may outlive the person's data."""

    __tablename__ = "suppressions"

    merchant_id: Mapped[str] = mapped_column(ForeignKey("merchants.id"), primary_key=True)
    channel: Mapped[str] = mapped_column(String(10), primary_key=True)
    # SHA-256 of the address.
    digest: Mapped[str] = mapped_column(String(64), primary_key=True)
    # "bounced", "complained" or "unsubscribed".
    reason: Mapped[str] = mapped_column(String(20))
    since: Mapped[datetime] = mapped_column(Instant)
