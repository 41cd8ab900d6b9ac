"""Tables that surveys, offers and rewards share."""

from datetime import datetime

from sqlalchemy import ForeignKey, Index, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from infra.database import Base, Instant


class Alliance(Base):
    """Two merchants who show each other's offers and give each other's prizes. One proposes, the other agrees."""

    __tablename__ = "alliances"
    __table_args__ = (UniqueConstraint("merchant_id", "ally_id"),)

    id: Mapped[str] = mapped_column(String(40), primary_key=True)
    # Who proposed it.
    merchant_id: Mapped[str] = mapped_column(ForeignKey("merchants.id"))
    ally_id: Mapped[str] = mapped_column(ForeignKey("merchants.id"), index=True)
    # "proposed", "agreed" or "ended"; one that ended may be proposed anew, by either.
    state: Mapped[str] = mapped_column(String(10))
    changed_at: Mapped[datetime] = mapped_column(Instant)


class Event(Base):
    """Something that happened, for programs of the merchant to read."""

    __tablename__ = "events"
    __table_args__ = (Index("ix_events_merchant_id_id", "merchant_id", "id"),)

    id: Mapped[str] = mapped_column(String(40), primary_key=True)
    merchant_id: Mapped[str] = mapped_column(ForeignKey("merchants.id"))
    # "survey.answered", "case.opened", "offer.tapped", "reward.redeemed" and the like.
    kind: Mapped[str] = mapped_column(String(40))
    # Whose receipt it is about, to be forgotten with it.
    receipt_id: Mapped[str | None] = mapped_column(String(40), index=True)
    # JSON.
    data: Mapped[str] = mapped_column(Text)
    happened_at: Mapped[datetime] = mapped_column(Instant)
