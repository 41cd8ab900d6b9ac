"""Tables of cards, and of what is done with them."""

from datetime import datetime
from typing import Any, Final

from sqlalchemy import ForeignKey, Index, Integer, LargeBinary, String, Text, text
from sqlalchemy.orm import Mapped, mapped_column

from infra.database import Base, Instant

# Nobody shall find it again: no backup holds the rows of such a table.
FLEETING: Final[Any] = {"info": {"is_fleeting": True}}


_LIVES: Final = text("state <> 'revoked'")


class Card(Base):
    """The card of one member of staff. They may have another once theirs was revoked."""

    __tablename__ = "cards"
    __table_args__ = (
        Index("ix_cards_merchant_id_id", "merchant_id", "id"),
        # Of those that are not revoked, a member of staff has one.
        Index("uq_cards_staff_id", "staff_id", unique=True, sqlite_where=_LIVES, postgresql_where=_LIVES),
    )

    id: Mapped[str] = mapped_column(String(40), primary_key=True)
    merchant_id: Mapped[str] = mapped_column(ForeignKey("merchants.id"))
    brand_id: Mapped[str] = mapped_column(ForeignKey("brands.id"), index=True)
    store_id: Mapped[str | None] = mapped_column(ForeignKey("stores.id"), index=True)
    staff_id: Mapped[str] = mapped_column(ForeignKey("staff_members.id"), index=True)
    token: Mapped[str] = mapped_column(String(64), unique=True)
    # "active", "paused" or "revoked"; the last is for good.
    state: Mapped[str] = mapped_column(String(10))
    # cards.profile.Profile as JSON.
    profile: Mapped[str] = mapped_column(Text)
    # Found by it where a photo that one card no longer shows may be another's too.
    photo_key: Mapped[str | None] = mapped_column(String(100), index=True)
    created_at: Mapped[datetime] = mapped_column(Instant)
    # When anything that a reader sees was changed, the state included.
    changed_at: Mapped[datetime] = mapped_column(Instant)


class CardTemplate(Base):
    """What a brand says on all of its cards, and what its staff may not change."""

    __tablename__ = "card_templates"

    brand_id: Mapped[str] = mapped_column(ForeignKey("brands.id"), primary_key=True)
    merchant_id: Mapped[str] = mapped_column(ForeignKey("merchants.id"))
    # cards.template.Template as JSON.
    content: Mapped[str] = mapped_column(Text)
    changed_at: Mapped[datetime] = mapped_column(Instant)


class CardInvite(Base):
    """A link by which a member of staff edits their own card. Its token is a mark that only we can make of the id, so
    nothing that opens it is kept."""

    __tablename__ = "card_invites"

    id: Mapped[str] = mapped_column(String(40), primary_key=True)
    merchant_id: Mapped[str] = mapped_column(ForeignKey("merchants.id"))
    card_id: Mapped[str] = mapped_column(ForeignKey("cards.id"), index=True)
    created_at: Mapped[datetime] = mapped_column(Instant)
    expires_at: Mapped[datetime] = mapped_column(Instant)
    revoked_at: Mapped[datetime | None] = mapped_column(Instant)


class CardContact(Base):
    """What a visitor left of themselves on a card, with the consent that they gave."""

    __tablename__ = "card_contacts"
    __table_args__ = (
        Index("ix_card_contacts_merchant_id_id", "merchant_id", "id"),
        Index("ix_card_contacts_merchant_id_card_id_id", "merchant_id", "card_id", "id"),
        Index("ix_card_contacts_merchant_id_store_id_id", "merchant_id", "store_id", "id"),
    )

    id: Mapped[str] = mapped_column(String(40), primary_key=True)
    merchant_id: Mapped[str] = mapped_column(ForeignKey("merchants.id"))
    card_id: Mapped[str] = mapped_column(ForeignKey("cards.id"))
    # Where the card was when it was left.
    store_id: Mapped[str | None] = mapped_column(ForeignKey("stores.id"))
    name: Mapped[str] = mapped_column(String(300))
    email: Mapped[str | None] = mapped_column(String(254))
    phone: Mapped[str | None] = mapped_column(String(40))
    organisation: Mapped[str | None] = mapped_column(String(300))
    note: Mapped[str | None] = mapped_column(Text)
    language: Mapped[str] = mapped_column(String(35))
    # Word for word as it stood beside the box that was ticked.
    consent_text: Mapped[str] = mapped_column(Text)
    consent_version: Mapped[str] = mapped_column(String(64))
    source: Mapped[str] = mapped_column(String(10))
    # The receipt from which the visitor came. No foreign key: receipts may be purged, and stand beside cards.
    receipt_id: Mapped[str | None] = mapped_column(String(40), index=True)
    # A hash of the form and of what was written in it: one that is sent twice is one contact.
    form_id: Mapped[str] = mapped_column(String(64), unique=True)
    left_at: Mapped[datetime] = mapped_column(Instant)


class CardCount(Base):
    """How often something was done with a card on one day (UTC), from one source."""

    __tablename__ = "card_counts"
    # Whoever adds up the numbers of all cards reads nothing but this index.
    __table_args__ = (
        Index("ix_card_counts_merchant_id_day", "merchant_id", "day", "card_id", "act", "source", "target", "times"),
    )

    card_id: Mapped[str] = mapped_column(ForeignKey("cards.id"), primary_key=True)
    # 2026-11-28
    day: Mapped[str] = mapped_column(String(10), primary_key=True)
    # cards.numbers.ACTS
    act: Mapped[str] = mapped_column(String(10), primary_key=True)
    # cards.links.SOURCES
    source: Mapped[str] = mapped_column(String(10), primary_key=True)
    # Of a tap: what was tapped, such as "phone" or "linkedin". Else empty.
    target: Mapped[str] = mapped_column(String(40), primary_key=True)
    merchant_id: Mapped[str] = mapped_column(ForeignKey("merchants.id"))
    times: Mapped[int] = mapped_column(Integer)


class CardVisitor(Base):
    """What somebody did with a card today, so that it is counted once. Forgotten when the day is over."""

    __tablename__ = "card_visitors"
    __table_args__ = (Index("ix_card_visitors_day", "day"), FLEETING)

    card_id: Mapped[str] = mapped_column(ForeignKey("cards.id"), primary_key=True)
    day: Mapped[str] = mapped_column(String(10), primary_key=True)
    # A hash of address and browser under the day's salt: it tells nobody, and tomorrow is another.
    visitor: Mapped[str] = mapped_column(String(32), primary_key=True)
    act: Mapped[str] = mapped_column(String(10), primary_key=True)
    source: Mapped[str] = mapped_column(String(10), primary_key=True)
    target: Mapped[str] = mapped_column(String(40), primary_key=True)
    merchant_id: Mapped[str] = mapped_column(ForeignKey("merchants.id"))
    times: Mapped[int] = mapped_column(Integer)


class DailySalt(Base):
    """The salt of a merchant's visitors of one day, which all servers share. It is forgotten with the day."""

    __tablename__ = "daily_salts"
    __table_args__ = FLEETING

    merchant_id: Mapped[str] = mapped_column(ForeignKey("merchants.id"), primary_key=True)
    day: Mapped[str] = mapped_column(String(10), primary_key=True)
    salt: Mapped[bytes] = mapped_column(LargeBinary)


class CardVisit(Base):
    """What came of the card that a receipt showed: it was viewed, saved, and so on, by whoever holds the receipt."""

    __tablename__ = "card_visits"
    __table_args__ = (
        Index("ix_card_visits_card_id_first_at", "card_id", "first_at"),
        Index("ix_card_visits_merchant_id_first_at", "merchant_id", "first_at"),
    )

    # No foreign key: receipts stand beside cards.
    receipt_id: Mapped[str] = mapped_column(String(40), primary_key=True)
    card_id: Mapped[str] = mapped_column(ForeignKey("cards.id"), primary_key=True)
    act: Mapped[str] = mapped_column(String(10), primary_key=True)
    merchant_id: Mapped[str] = mapped_column(ForeignKey("merchants.id"))
    times: Mapped[int] = mapped_column(Integer)
    first_at: Mapped[datetime] = mapped_column(Instant)


class ServiceRating(Base):
    """How a shopper rates who served them. The last answer for a receipt holds."""

    __tablename__ = "service_ratings"
    __table_args__ = (
        Index("ix_service_ratings_card_id_rated_at", "card_id", "rated_at"),
        Index("ix_service_ratings_merchant_id_rated_at", "merchant_id", "rated_at"),
    )

    receipt_id: Mapped[str] = mapped_column(String(40), primary_key=True)
    merchant_id: Mapped[str] = mapped_column(ForeignKey("merchants.id"))
    card_id: Mapped[str] = mapped_column(ForeignKey("cards.id"))
    # From 1, bad, to 5, good.
    score: Mapped[int] = mapped_column(Integer)
    rated_at: Mapped[datetime] = mapped_column(Instant)


class PassRegistration(Base):
    """A device that has a pass of Apple Wallet and wants to know of its changes."""

    __tablename__ = "pass_registrations"
    __table_args__ = (
        Index("ix_pass_registrations_serial_device", "serial", "device"),
        Index("ix_pass_registrations_merchant_id_serial_registered_at", "merchant_id", "serial", "registered_at"),
    )

    device: Mapped[str] = mapped_column(String(64), primary_key=True)
    # The id of a card or of a receipt.
    serial: Mapped[str] = mapped_column(String(40), primary_key=True)
    merchant_id: Mapped[str] = mapped_column(ForeignKey("merchants.id"))
    push_token: Mapped[str] = mapped_column(String(200))
    registered_at: Mapped[datetime] = mapped_column(Instant)


class GoogleObject(Base):
    """A card of which Google Wallet holds an object, so that it hears of changes."""

    __tablename__ = "google_objects"

    card_id: Mapped[str] = mapped_column(ForeignKey("cards.id"), primary_key=True)
    merchant_id: Mapped[str] = mapped_column(ForeignKey("merchants.id"))
    # The ``changed_at`` of the card that the button wrote last, so that it need not write the same again.
    written_as_of: Mapped[datetime | None] = mapped_column(Instant)
