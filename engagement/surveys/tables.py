"""Tables of surveys: what is asked, whom it was asked, and what they said."""

from datetime import datetime

from sqlalchemy import Boolean, ForeignKey, Index, Integer, String, Text, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from infra.database import Base, Instant

_KNOWN = text("shopper IS NOT NULL")
_CALLS_SQLITE, _CALLS = text("wants_call IS 1"), text("wants_call IS true")
_HELD = text("held <> ''")
_UNANSWERED = text("channel = 'email' AND answered_at IS NULL AND reminded_at IS NULL")


class Survey(Base):
    """What a brand asks after one kind of event. There is one for each kind, active or not."""

    __tablename__ = "surveys"
    __table_args__ = (
        UniqueConstraint("brand_id", "event"),
        Index("ix_surveys_merchant_id_id", "merchant_id", "id"),
    )

    id: Mapped[str] = mapped_column(String(40), primary_key=True)
    merchant_id: Mapped[str] = mapped_column(ForeignKey("merchants.id"))
    brand_id: Mapped[str] = mapped_column(ForeignKey("brands.id"))
    # engagement.surveys.records.Event.
    event: Mapped[str] = mapped_column(String(12))
    # engagement.surveys.settings.Settings as JSON, without what is usual.
    settings: Mapped[str] = mapped_column(Text)
    is_active: Mapped[bool] = mapped_column(Boolean)
    created_at: Mapped[datetime] = mapped_column(Instant)
    changed_at: Mapped[datetime] = mapped_column(Instant)


class SurveyAsk(Base):
    """That a receipt's shopper was asked: an email carried the question, they saw it, or answered it."""

    __tablename__ = "survey_asks"
    __table_args__ = (
        UniqueConstraint("survey_id", "receipt_id"),
        Index("ix_survey_asks_receipt_id", "receipt_id"),
        Index("ix_survey_asks_merchant_id_survey_id_asked_at", "merchant_id", "survey_id", "asked_at"),
        Index(
            "ix_survey_asks_shopper",
            "merchant_id",
            "brand_id",
            "shopper",
            sqlite_where=_KNOWN,
            postgresql_where=_KNOWN,
        ),
        Index(
            "ix_survey_asks_reminders", "survey_id", "asked_at", sqlite_where=_UNANSWERED, postgresql_where=_UNANSWERED
        ),
    )

    id: Mapped[str] = mapped_column(String(40), primary_key=True)
    merchant_id: Mapped[str] = mapped_column(ForeignKey("merchants.id"))
    survey_id: Mapped[str] = mapped_column(ForeignKey("surveys.id"))
    brand_id: Mapped[str] = mapped_column(ForeignKey("brands.id"))
    # None once the receipt was purged: that somebody was asked still counts.
    receipt_id: Mapped[str | None] = mapped_column(ForeignKey("receipts.id"))
    # Whether it is the relationship that was asked about: it has a throttle of its own.
    is_relational: Mapped[bool] = mapped_column(Boolean)
    # engagement.shoppers.pseudonym.
    shopper: Mapped[str | None] = mapped_column(String(32))
    # How they were asked first.
    channel: Mapped[str] = mapped_column(String(5))
    asked_at: Mapped[datetime] = mapped_column(Instant)
    # When an answer that counts first came.
    answered_at: Mapped[datetime | None] = mapped_column(Instant)
    reminded_at: Mapped[datetime | None] = mapped_column(Instant)


class SurveyAnswer(Base):
    """What somebody said. One of a receipt and survey counts; what is held back stands beside it, one for a reason."""

    __tablename__ = "survey_answers"
    __table_args__ = (
        UniqueConstraint("survey_id", "receipt_id", "held"),
        Index("ix_survey_answers_receipt_id", "receipt_id"),
        Index("ix_survey_answers_merchant_id_id", "merchant_id", "id"),
        Index("ix_survey_answers_merchant_id_store_id_id", "merchant_id", "store_id", "id"),
        Index("ix_survey_answers_merchant_id_event_answered_at", "merchant_id", "event", "answered_at"),
        Index("ix_survey_answers_survey_id_held_answered_at", "survey_id", "held", "answered_at"),
        Index("ix_survey_answers_calls", "merchant_id", "id", sqlite_where=_CALLS_SQLITE, postgresql_where=_CALLS),
        Index("ix_survey_answers_held", "merchant_id", "id", sqlite_where=_HELD, postgresql_where=_HELD),
    )

    id: Mapped[str] = mapped_column(String(40), primary_key=True)
    merchant_id: Mapped[str] = mapped_column(ForeignKey("merchants.id"))
    survey_id: Mapped[str] = mapped_column(ForeignKey("surveys.id"))
    brand_id: Mapped[str] = mapped_column(ForeignKey("brands.id"))
    event: Mapped[str] = mapped_column(String(12))
    # None once the receipt was purged: the score still counts.
    receipt_id: Mapped[str | None] = mapped_column(ForeignKey("receipts.id"))
    store_id: Mapped[str] = mapped_column(ForeignKey("stores.id"))
    till_id: Mapped[str | None] = mapped_column(ForeignKey("tills.id"))
    staff_id: Mapped[str | None] = mapped_column(ForeignKey("staff_members.id"))
    # 0 to 10, or 1 to 5 where it is satisfaction that was asked about.
    score: Mapped[int] = mapped_column(Integer)
    # "promoter", "passive" or "detractor".
    segment: Mapped[str] = mapped_column(String(10))
    text: Mapped[str | None] = mapped_column(Text)
    wants_call: Mapped[bool] = mapped_column(Boolean)
    # The three are there only where a call was wished.
    contact: Mapped[str | None] = mapped_column(String(254))
    consent: Mapped[str | None] = mapped_column(Text)
    consent_version: Mapped[str | None] = mapped_column(String(20))
    language: Mapped[str] = mapped_column(String(10))
    # "page", "email", "link" or "api".
    channel: Mapped[str] = mapped_column(String(5))
    # Empty where it counts; else why not: "trap", "burst" or "robot".
    held: Mapped[str] = mapped_column(String(5))
    # The last few scores, with when and how they came: JSON.
    recent: Mapped[str] = mapped_column(Text)
    # When it first came, and when it was last changed.
    answered_at: Mapped[datetime] = mapped_column(Instant)
    changed_at: Mapped[datetime] = mapped_column(Instant)


class SurveyAnswerLine(Base):
    """A product that was on the receipt of an answer."""

    __tablename__ = "survey_answer_lines"
    __table_args__ = (Index("ix_survey_answer_lines_merchant_id_sku", "merchant_id", "sku"),)

    answer_id: Mapped[str] = mapped_column(ForeignKey("survey_answers.id"), primary_key=True)
    sku: Mapped[str] = mapped_column(String(128), primary_key=True)
    merchant_id: Mapped[str] = mapped_column(ForeignKey("merchants.id"))
