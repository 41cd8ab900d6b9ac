"""Tables of tags, cases, referrals and reviews."""

from datetime import datetime
from typing import Final

from sqlalchemy import BigInteger, Boolean, ForeignKey, Index, Integer, String, Text, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from infra.database import Base, Instant

_IS_OPEN: Final = text("resolved_at IS NULL")
_NOT_LATE: Final = text("resolved_at IS NULL AND escalated_at IS NULL")
_UNTOLD: Final = text("told_at IS NULL")
_UNMINTED: Final = "digest IS NULL AND answer_id IS NOT NULL AND"


class VoiceSettings(Base):
    """What a merchant does about answers, each part as JSON; None where they have not said."""

    __tablename__ = "voice_settings"

    merchant_id: Mapped[str] = mapped_column(ForeignKey("merchants.id"), primary_key=True)
    # engagement.voice.settings: CaseSettings, ReferralSettings, ReviewSettings.
    cases: Mapped[str | None] = mapped_column(Text)
    referrals: Mapped[str | None] = mapped_column(Text)
    reviews: Mapped[str | None] = mapped_column(Text)
    # Another with each change of the rules for tags; None before the first.
    tag_revision: Mapped[str | None] = mapped_column(String(40))


class TagRow(Base):
    """A rule by which answers get a tag."""

    __tablename__ = "tag_rules"

    merchant_id: Mapped[str] = mapped_column(ForeignKey("merchants.id"), primary_key=True)
    tag: Mapped[str] = mapped_column(String(64), primary_key=True)
    # engagement.voice.tag_rules.TagContent as JSON.
    content: Mapped[str] = mapped_column(Text)
    changed_at: Mapped[datetime] = mapped_column(Instant)


class TagRun(Base):
    """The rules of a merchant have changed: all answers are to be looked at again, and are up to ``after``."""

    __tablename__ = "tag_runs"

    merchant_id: Mapped[str] = mapped_column(ForeignKey("merchants.id"), primary_key=True)
    after: Mapped[str] = mapped_column(String(40))
    asked_at: Mapped[datetime] = mapped_column(Instant)


class AnswerTag(Base):
    """A tag of an answer. It stays when the words of the answer are purged, and still counts."""

    __tablename__ = "answer_tags"
    __table_args__ = (Index("ix_answer_tags_merchant_id_tag_answer_id", "merchant_id", "tag", "answer_id"),)

    merchant_id: Mapped[str] = mapped_column(ForeignKey("merchants.id"), primary_key=True)
    answer_id: Mapped[str] = mapped_column(String(40), primary_key=True)
    tag: Mapped[str] = mapped_column(String(64), primary_key=True)


class Case(Base):
    """A shopper was let down, and somebody is to do something about it."""

    __tablename__ = "cases"
    __table_args__ = (
        UniqueConstraint("merchant_id", "answer_id"),
        Index("ix_cases_merchant_id_id", "merchant_id", "id"),
        Index("ix_cases_merchant_id_state_id", "merchant_id", "state", "id"),
        Index("ix_cases_merchant_id_store_id_id", "merchant_id", "store_id", "id"),
        Index("ix_cases_merchant_id_owner_id_id", "merchant_id", "owner_id", "id"),
        Index("ix_cases_open", "merchant_id", "id", sqlite_where=_IS_OPEN, postgresql_where=_IS_OPEN),
        Index("ix_cases_due_at", "due_at", sqlite_where=_NOT_LATE, postgresql_where=_NOT_LATE),
        Index("ix_cases_untold", "begun_at", sqlite_where=_UNTOLD, postgresql_where=_UNTOLD),
    )

    id: Mapped[str] = mapped_column(String(40), primary_key=True)
    merchant_id: Mapped[str] = mapped_column(ForeignKey("merchants.id"))
    answer_id: Mapped[str] = mapped_column(String(40))
    survey_id: Mapped[str] = mapped_column(String(40))
    receipt_id: Mapped[str | None] = mapped_column(ForeignKey("receipts.id"), index=True)
    brand_id: Mapped[str | None] = mapped_column(ForeignKey("brands.id"))
    store_id: Mapped[str | None] = mapped_column(ForeignKey("stores.id"))
    # Who sees to it, and the addresses that hear of it when it is opened and when it is late.
    owner_id: Mapped[str | None] = mapped_column(ForeignKey("staff_members.id"))
    email: Mapped[str | None] = mapped_column(String(254))
    escalation_email: Mapped[str | None] = mapped_column(String(254))
    score: Mapped[int] = mapped_column(Integer)
    # "open", "in_progress", "resolved" or "dismissed".
    state: Mapped[str] = mapped_column(String(12))
    # Dismissed by what became of the answer, not by anybody in the shop.
    is_closed_by_itself: Mapped[bool] = mapped_column(Boolean)
    outcome: Mapped[str | None] = mapped_column(String(20))
    note: Mapped[str | None] = mapped_column(Text)
    # Counted up by each change, so that two who change it at once hear of each other.
    revision: Mapped[int] = mapped_column(Integer)
    opened_at: Mapped[datetime] = mapped_column(Instant)
    # When it was opened, or last opened again: its owner is told a moment later.
    begun_at: Mapped[datetime] = mapped_column(Instant)
    due_at: Mapped[datetime] = mapped_column(Instant)
    changed_at: Mapped[datetime] = mapped_column(Instant)
    # When its owner was written to, or there was nobody to write to.
    told_at: Mapped[datetime | None] = mapped_column(Instant)
    escalated_at: Mapped[datetime | None] = mapped_column(Instant)
    # When it was resolved or dismissed.
    resolved_at: Mapped[datetime | None] = mapped_column(Instant)


class CaseChange(Base):
    """What was done with a case, when and by whom."""

    __tablename__ = "case_changes"

    id: Mapped[str] = mapped_column(String(40), primary_key=True)
    merchant_id: Mapped[str] = mapped_column(ForeignKey("merchants.id"))
    case_id: Mapped[str] = mapped_column(ForeignKey("cases.id"), index=True)
    # The id of a key, "shopper", "clock" or "quarantine" (engagement.voice.cases.Change).
    by: Mapped[str] = mapped_column(String(40))
    # JSON: what changed, by the names of the API.
    what: Mapped[str] = mapped_column(Text)
    changed_at: Mapped[datetime] = mapped_column(Instant)


class Referral(Base):
    """The code that a promoter may hand on. It is derived from the answer's id, and kept as a hash alone."""

    __tablename__ = "referrals"
    __table_args__ = (
        UniqueConstraint("merchant_id", "answer_id"),
        UniqueConstraint("merchant_id", "digest"),
        Index("ix_referrals_merchant_id_id", "merchant_id", "id"),
        Index("ix_referrals_merchant_id_store_id_id", "merchant_id", "store_id", "id"),
        Index(
            "ix_referrals_unminted",
            "id",
            sqlite_where=text(f"{_UNMINTED} is_retired = 0"),
            postgresql_where=text(f"{_UNMINTED} NOT is_retired"),
        ),
    )

    id: Mapped[str] = mapped_column(String(40), primary_key=True)
    merchant_id: Mapped[str] = mapped_column(ForeignKey("merchants.id"))
    # None once the answer is forgotten; what came of its code stays.
    answer_id: Mapped[str | None] = mapped_column(String(40))
    receipt_id: Mapped[str | None] = mapped_column(ForeignKey("receipts.id"), index=True)
    store_id: Mapped[str | None] = mapped_column(ForeignKey("stores.id"))
    # HMAC of the code, and its last signs. None until the worker mints it, a moment after the answer.
    digest: Mapped[str | None] = mapped_column(String(64))
    last4: Mapped[str | None] = mapped_column(String(4))
    # The promoter's pseudonym, where they are known: their own purchases do not count.
    shopper: Mapped[str | None] = mapped_column(String(32))
    offered_at: Mapped[datetime] = mapped_column(Instant)
    # Its shopper was erased: it counts no more.
    is_retired: Mapped[bool] = mapped_column(Boolean)


class ReferralUse(Base):
    """A sale that came of a code: each new shopper counts once, a sale of nobody known by itself."""

    __tablename__ = "referral_uses"
    __table_args__ = (
        UniqueConstraint("receipt_id"),
        UniqueConstraint("merchant_id", "shopper"),
        Index("ix_referral_uses_merchant_id_referral_id", "merchant_id", "referral_id"),
    )

    id: Mapped[str] = mapped_column(String(40), primary_key=True)
    merchant_id: Mapped[str] = mapped_column(ForeignKey("merchants.id"))
    referral_id: Mapped[str] = mapped_column(ForeignKey("referrals.id"), index=True)
    receipt_id: Mapped[str | None] = mapped_column(ForeignKey("receipts.id"))
    shopper: Mapped[str | None] = mapped_column(String(32))
    # Whether we can tell who bought, and whether they had bought nothing before.
    is_known: Mapped[bool] = mapped_column(Boolean)
    is_new: Mapped[bool] = mapped_column(Boolean)
    total: Mapped[int] = mapped_column(BigInteger)
    currency: Mapped[str] = mapped_column(String(3))
    used_at: Mapped[datetime] = mapped_column(Instant)


class ReferralRun(Base):
    """Up to which receipt those of all merchants were looked at for codes: one row."""

    __tablename__ = "referral_runs"

    id: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    after: Mapped[str] = mapped_column(String(40))


class Review(Base):
    """What somebody who bought a product says of it."""

    __tablename__ = "reviews"
    __table_args__ = (
        UniqueConstraint("merchant_id", "sku", "author"),
        Index("ix_reviews_merchant_id_id", "merchant_id", "id"),
        Index("ix_reviews_merchant_id_state_id", "merchant_id", "state", "id"),
        Index("ix_reviews_merchant_id_sku_id", "merchant_id", "sku", "id"),
        Index("ix_reviews_merchant_id_sku_state_id", "merchant_id", "sku", "state", "id"),
        Index("ix_reviews_merchant_id_sku_state_stars", "merchant_id", "sku", "state", "stars"),
    )

    id: Mapped[str] = mapped_column(String(40), primary_key=True)
    merchant_id: Mapped[str] = mapped_column(ForeignKey("merchants.id"))
    # None once the receipt was purged: an approved review stays.
    receipt_id: Mapped[str | None] = mapped_column(ForeignKey("receipts.id"), index=True)
    # Of the receipt on which it was written last.
    brand_id: Mapped[str | None] = mapped_column(ForeignKey("brands.id"))
    # Whose it is: the shopper's pseudonym, or the receipt's id; its own id once that is forgotten.
    author: Mapped[str] = mapped_column(String(40))
    sku: Mapped[str] = mapped_column(String(128))
    # As it stood on the receipt; empty once that was purged.
    product: Mapped[str] = mapped_column(String(300))
    stars: Mapped[int] = mapped_column(Integer)
    title: Mapped[str] = mapped_column(String(200))
    text: Mapped[str] = mapped_column(Text)
    # What the shopper wants to be called in public; empty for no name.
    display_name: Mapped[str] = mapped_column(String(100))
    language: Mapped[str] = mapped_column(String(35))
    # "waiting", "approved" or "rejected"; "withdrawn" without any words.
    state: Mapped[str] = mapped_column(String(10))
    # JSON: what rules found in it.
    holds: Mapped[str] = mapped_column(Text)
    reason: Mapped[str | None] = mapped_column(Text)
    reply: Mapped[str | None] = mapped_column(Text)
    # Counted up by each change, so that nobody approves what they have not read.
    revision: Mapped[int] = mapped_column(Integer)
    written_at: Mapped[datetime] = mapped_column(Instant)
    changed_at: Mapped[datetime] = mapped_column(Instant)
    decided_at: Mapped[datetime | None] = mapped_column(Instant)
    # The id of a key, or "rules".
    decided_by: Mapped[str | None] = mapped_column(String(40))
    # Whether somebody of the shop has ever decided on what its shopper wrote: rules do not overrule them.
    is_by_hand: Mapped[bool] = mapped_column(Boolean)
    replied_at: Mapped[datetime | None] = mapped_column(Instant)
