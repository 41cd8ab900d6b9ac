"""Tables of campaigns, and of what they give."""

from datetime import datetime
from typing import Any, Final

from sqlalchemy import BigInteger, ForeignKey, Index, Integer, LargeBinary, String, Text, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from infra.database import Base, Instant

# Who was wrong when is worth nothing a day later: no backup holds it.
_FLEETING: Final[Any] = {"info": {"is_fleeting": True}}
_FREE: Final = text("reward_id IS NULL")
# Of a card that can still be scratched or used, as far as the clock has noted.
OPEN_STATES: Final = ("issued", "revealed", "claimed", "reserved")
# In these very words, or no database knows the index by them.
OPEN: Final = text("state IN ('issued', 'revealed', 'claimed', 'reserved')")
_BACK: Final = text("rolled_back_at IS NOT NULL")
_MARKED: Final = text("mark IS NOT NULL")


def _of_parent(table: str, column: str) -> Index:
    """Who deletes the parent looks for its children by this: a draft's prizes and codes go, and have none."""
    told = text(f"{column} IS NOT NULL")
    return Index(f"ix_{table}_{column}", column, sqlite_where=told, postgresql_where=told)


class Campaign(Base):
    """A scratch-card promotion. Of one that was launched nothing changes but its state."""

    __tablename__ = "campaigns"
    __table_args__ = (Index("ix_campaigns_merchant_id_state", "merchant_id", "state"),)

    id: Mapped[str] = mapped_column(String(40), primary_key=True)
    merchant_id: Mapped[str] = mapped_column(ForeignKey("merchants.id"))
    # "draft", "live", "paused" or "ended"; the last is for good.
    state: Mapped[str] = mapped_column(String(10))
    starts_at: Mapped[datetime] = mapped_column(Instant)
    ends_at: Mapped[datetime] = mapped_column(Instant)
    # engagement.rewards.definition.Definition without its prizes, as JSON.
    definition: Mapped[str] = mapped_column(Text)
    # 32 bytes, sealed (infra.secrets), from the launch on; in hex and for all to see once it has ended. It stays sealed
    # where it ended while the key was not there.
    sealed_seed: Mapped[bytes | None] = mapped_column(LargeBinary)
    seed: Mapped[str | None] = mapped_column(String(64))
    # What was published at the launch: SHA-256 in hex, and the table of prizes as canonical JSON.
    seed_digest: Mapped[str | None] = mapped_column(String(64))
    table_digest: Mapped[str | None] = mapped_column(String(64))
    published: Mapped[str | None] = mapped_column(Text)
    # Of a draft: a random mark of who writes its slots or codes slice by slice (engagement.rewards.hands). While there
    # is none, no slots are there either.
    in_hand: Mapped[str | None] = mapped_column(String(32))
    created_at: Mapped[datetime] = mapped_column(Instant)
    changed_at: Mapped[datetime] = mapped_column(Instant)
    launched_at: Mapped[datetime | None] = mapped_column(Instant)
    ended_at: Mapped[datetime | None] = mapped_column(Instant)


class Prize(Base):
    """What a campaign can give."""

    __tablename__ = "prizes"
    __table_args__ = (UniqueConstraint("campaign_id", "slug"),)

    id: Mapped[str] = mapped_column(String(40), primary_key=True)
    merchant_id: Mapped[str] = mapped_column(ForeignKey("merchants.id"))
    campaign_id: Mapped[str] = mapped_column(ForeignKey("campaigns.id"))
    slug: Mapped[str] = mapped_column(String(64))
    # Its index in the table of the campaign, from 0.
    position: Mapped[int] = mapped_column(Integer)
    # Who hands it out and redeems its codes: the merchant, or an ally who then has to consent.
    supplier_id: Mapped[str] = mapped_column(ForeignKey("merchants.id"), index=True)
    # engagement.rewards.definition.PrizeDefinition as JSON.
    definition: Mapped[str] = mapped_column(Text)
    # Minor units: what one costs who bears it, at most.
    face_value: Mapped[int] = mapped_column(BigInteger)
    currency: Mapped[str] = mapped_column(String(3))
    # "issuer" or "ally".
    bearer: Mapped[str] = mapped_column(String(6))
    stock: Mapped[int] = mapped_column(Integer)
    # Of a draw; 0 in a deck.
    weight: Mapped[int] = mapped_column(Integer)
    # To the terms as they are: whoever changes them asks anew.
    consented_at: Mapped[datetime | None] = mapped_column(Instant)
    # When an import of its codes began that was not finished: not all of them are there.
    importing_since: Mapped[datetime | None] = mapped_column(Instant)


class PoolCode(Base):
    """A code that the merchant imported, sealed; found by its HMAC."""

    __tablename__ = "pool_codes"
    __table_args__ = (UniqueConstraint("merchant_id", "digest"),)

    id: Mapped[str] = mapped_column(String(40), primary_key=True)
    merchant_id: Mapped[str] = mapped_column(ForeignKey("merchants.id"))
    prize_id: Mapped[str] = mapped_column(ForeignKey("prizes.id"), index=True)
    digest: Mapped[str] = mapped_column(String(64))
    sealed: Mapped[bytes] = mapped_column(LargeBinary)


class PrizeSlot(Base):
    """One card of a deck, or one piece of a prize's stock: there from the launch on, so stock is how many there are.

    ``reward_id`` is who has it. It refers to nothing, since the slot is taken before the reward is written.
    """

    __tablename__ = "prize_slots"
    __table_args__ = (
        Index(
            "ix_prize_slots_free",
            "campaign_id",
            "prize_id",
            "position",
            sqlite_where=_FREE,
            postgresql_where=_FREE,
        ),
        Index("ix_prize_slots_next", "campaign_id", "position", sqlite_where=_FREE, postgresql_where=_FREE),
        _of_parent("prize_slots", "prize_id"),
        _of_parent("prize_slots", "pool_code_id"),
    )

    campaign_id: Mapped[str] = mapped_column(ForeignKey("campaigns.id"), primary_key=True)
    position: Mapped[int] = mapped_column(Integer, primary_key=True)
    merchant_id: Mapped[str] = mapped_column(ForeignKey("merchants.id"))
    # None for a blank of a deck.
    prize_id: Mapped[str | None] = mapped_column(ForeignKey("prizes.id"))
    pool_code_id: Mapped[str | None] = mapped_column(ForeignKey("pool_codes.id"))
    reward_id: Mapped[str | None] = mapped_column(String(40))


class CampaignTally(Base):
    """What a campaign has given, where a cap of all its cards can only be kept by counting: one conditional UPDATE
    decides every race for it."""

    __tablename__ = "campaign_tallies"

    campaign_id: Mapped[str] = mapped_column(ForeignKey("campaigns.id"), primary_key=True)
    # ISO 8601 in the campaign's time zone; empty for the whole campaign.
    day: Mapped[str] = mapped_column(String(10), primary_key=True)
    merchant_id: Mapped[str] = mapped_column(ForeignKey("merchants.id"))
    cards: Mapped[int] = mapped_column(Integer)
    prizes: Mapped[int] = mapped_column(Integer)
    # The face value of the prizes, in minor units.
    amount: Mapped[int] = mapped_column(BigInteger)


class Reward(Base):
    """One scratch card. What was drawn stands from the first moment on; the shopper sees it once they scratch."""

    __tablename__ = "rewards"
    __table_args__ = (
        # A sale that comes again, and a try that was lost and is made again, find it taken.
        UniqueConstraint("campaign_id", "entry"),
        Index("ix_rewards_campaign_id_shopper", "campaign_id", "shopper"),
        Index("ix_rewards_campaign_id_id", "campaign_id", "id"),
        Index("ix_rewards_campaign_id_state_id", "campaign_id", "state", "id"),
        Index("ix_rewards_merchant_id_id", "merchant_id", "id"),
        Index("ix_rewards_merchant_id_state_id", "merchant_id", "state", "id"),
        Index("ix_rewards_supplier_id_id", "supplier_id", "id"),
        Index("ix_rewards_expires_at", "expires_at", sqlite_where=OPEN, postgresql_where=OPEN),
        Index("ix_rewards_campaign_id_mark", "campaign_id", "mark", sqlite_where=_MARKED, postgresql_where=_MARKED),
        _of_parent("rewards", "prize_id"),
        _of_parent("rewards", "pool_code_id"),
    )

    id: Mapped[str] = mapped_column(String(40), primary_key=True)
    merchant_id: Mapped[str] = mapped_column(ForeignKey("merchants.id"))
    campaign_id: Mapped[str] = mapped_column(ForeignKey("campaigns.id"))
    # What it was drawn for: the receipt's id and which of its cards, or a random one of a free entry.
    entry: Mapped[str] = mapped_column(String(80))
    # "receipt" or "free".
    origin: Mapped[str] = mapped_column(String(10))
    # Gone once the receipt is purged, as is who bought.
    receipt_id: Mapped[str | None] = mapped_column(ForeignKey("receipts.id"), index=True)
    shopper: Mapped[str | None] = mapped_column(String(32))
    # Then, while the campaign runs: by what the card counts towards its caps (engagement.rewards.marks).
    mark: Mapped[str | None] = mapped_column(String(32))
    store_id: Mapped[str | None] = mapped_column(ForeignKey("stores.id"))
    staff_id: Mapped[str | None] = mapped_column(ForeignKey("staff_members.id"))
    # Net spend of the receipt when it was issued, and the least with which it is still earned: minor units of the
    # receipt's currency.
    spend: Mapped[int] = mapped_column(BigInteger)
    needs: Mapped[int] = mapped_column(BigInteger)
    # What held of the campaign's rule when it was issued (engagement.rewards.rules.truths), where that asks for goods.
    truths: Mapped[str | None] = mapped_column(String(200))
    # None for a blank.
    prize_id: Mapped[str | None] = mapped_column(ForeignKey("prizes.id"))
    supplier_id: Mapped[str | None] = mapped_column(ForeignKey("merchants.id"))
    face_value: Mapped[int] = mapped_column(BigInteger)
    currency: Mapped[str | None] = mapped_column(String(3))
    bearer: Mapped[str | None] = mapped_column(String(6))
    # Of a draw: the number that decided, and the prizes that earlier numbers drew and found gone (a JSON list of
    # indices, in order). Of a deck: the card's position.
    nonce: Mapped[int | None] = mapped_column(Integer)
    gone: Mapped[str] = mapped_column(Text)
    position: Mapped[int | None] = mapped_column(Integer)
    # HMAC of the code, and its last four signs, where it is long enough.
    code_digest: Mapped[str | None] = mapped_column(String(64), index=True)
    code_hint: Mapped[str | None] = mapped_column(String(4))
    # Where the code is an imported one; else it follows from the id (engagement.scratch.code_of).
    pool_code_id: Mapped[str | None] = mapped_column(ForeignKey("pool_codes.id"))
    # "issued", "revealed", "claimed", "reserved", "redeemed", "expired" or "void".
    state: Mapped[str] = mapped_column(String(10))
    issued_at: Mapped[datetime] = mapped_column(Instant)
    revealed_at: Mapped[datetime | None] = mapped_column(Instant)
    claimed_at: Mapped[datetime | None] = mapped_column(Instant)
    # Until it is scratched: when it can no longer be. Then: when its code is worth nothing.
    expires_at: Mapped[datetime] = mapped_column(Instant)
    # By whom it is held, in their own words, and until when.
    holder: Mapped[str | None] = mapped_column(String(128))
    reserved_until: Mapped[datetime | None] = mapped_column(Instant)
    redeemed_at: Mapped[datetime | None] = mapped_column(Instant)
    # Why it is void: "refunded", "voided" or "withdrawn".
    void_reason: Mapped[str | None] = mapped_column(String(20))


class Redemption(Base):
    """The use of a reward's code. It is bookkeeping between two merchants: it stays when the receipt is purged, and
    holds nothing of who bought."""

    __tablename__ = "redemptions"
    __table_args__ = (
        UniqueConstraint("merchant_id", "idempotency_key"),
        Index("ix_redemptions_merchant_id_redeemed_at", "merchant_id", "redeemed_at"),
        Index("ix_redemptions_issuer_id_redeemed_at", "issuer_id", "redeemed_at"),
        *(
            Index(f"ix_redemptions_{whose}_back", whose, "rolled_back_at", sqlite_where=_BACK, postgresql_where=_BACK)
            for whose in ("merchant_id", "issuer_id")
        ),
    )

    id: Mapped[str] = mapped_column(String(40), primary_key=True)
    # Who redeemed it: the supplier of the prize.
    merchant_id: Mapped[str] = mapped_column(ForeignKey("merchants.id"))
    issuer_id: Mapped[str] = mapped_column(ForeignKey("merchants.id"))
    reward_id: Mapped[str] = mapped_column(ForeignKey("rewards.id"), index=True)
    campaign_id: Mapped[str] = mapped_column(ForeignKey("campaigns.id"), index=True)
    prize_id: Mapped[str] = mapped_column(ForeignKey("prizes.id"), index=True)
    bearer: Mapped[str] = mapped_column(String(6))
    # Minor units: what was taken off, and what it could have been at most.
    amount: Mapped[int] = mapped_column(BigInteger)
    face_value: Mapped[int] = mapped_column(BigInteger)
    currency: Mapped[str] = mapped_column(String(3))
    idempotency_key: Mapped[str | None] = mapped_column(String(255))
    # SHA-256 of what was asked for under the key.
    fingerprint: Mapped[str] = mapped_column(String(64))
    key_id: Mapped[str] = mapped_column(ForeignKey("api_keys.id"))
    store_id: Mapped[str | None] = mapped_column(ForeignKey("stores.id"))
    till_id: Mapped[str | None] = mapped_column(ForeignKey("tills.id"))
    # The external id of the sale that it was used in, at the merchant who redeemed it.
    external_id: Mapped[str | None] = mapped_column(String(128))
    redeemed_at: Mapped[datetime] = mapped_column(Instant)
    rolled_back_at: Mapped[datetime | None] = mapped_column(Instant)


class SeenShopper(Base):
    """Who has bought before, of merchants with campaigns for those who have not."""

    __tablename__ = "seen_shoppers"

    merchant_id: Mapped[str] = mapped_column(ForeignKey("merchants.id"), primary_key=True)
    # engagement.shoppers.pseudonym.
    shopper: Mapped[str] = mapped_column(String(32), primary_key=True)
    # The last receipt by which they were seen, to be forgotten with it.
    receipt_id: Mapped[str] = mapped_column(String(40), index=True)


class WrongCode(Base):
    """How many codes were wrong in a stretch of time: by one key, or, where that is empty, by all of the merchant."""

    __tablename__ = "wrong_codes"
    __table_args__ = (_FLEETING,)

    merchant_id: Mapped[str] = mapped_column(ForeignKey("merchants.id"), primary_key=True)
    key_id: Mapped[str] = mapped_column(String(40), primary_key=True)
    began_at: Mapped[datetime] = mapped_column(Instant, primary_key=True)
    times: Mapped[int] = mapped_column(Integer)


class RewardFlag(Base):
    """Something that a person should look at."""

    __tablename__ = "reward_flags"
    __table_args__ = (
        UniqueConstraint("merchant_id", "kind", "subject"),
        Index("ix_reward_flags_merchant_id_id", "merchant_id", "id"),
    )

    id: Mapped[str] = mapped_column(String(40), primary_key=True)
    merchant_id: Mapped[str] = mapped_column(ForeignKey("merchants.id"))
    # "refunded_after_use", "many_cards", "many_uses", "staff_favourite", "self_award" or "guessing".
    kind: Mapped[str] = mapped_column(String(20))
    # What it is about, so that it is told once: a reward's id, or a member of staff, a key or a shopper on one day.
    subject: Mapped[str] = mapped_column(String(120))
    reward_id: Mapped[str | None] = mapped_column(ForeignKey("rewards.id"), index=True)
    staff_id: Mapped[str | None] = mapped_column(ForeignKey("staff_members.id"))
    # Figures, as JSON.
    data: Mapped[str] = mapped_column(Text)
    flagged_at: Mapped[datetime] = mapped_column(Instant)


class WithheldCard(Base):
    """A sale that had earned a card and got none: its shopper is one of those with whom the others are compared."""

    __tablename__ = "withheld_cards"

    campaign_id: Mapped[str] = mapped_column(ForeignKey("campaigns.id"), primary_key=True)
    receipt_id: Mapped[str] = mapped_column(ForeignKey("receipts.id"), primary_key=True, index=True)
    merchant_id: Mapped[str] = mapped_column(ForeignKey("merchants.id"))
    # engagement.shoppers.pseudonym.
    shopper: Mapped[str] = mapped_column(String(32))
    withheld_at: Mapped[datetime] = mapped_column(Instant)


class GooglePrize(Base):
    """A prize of which Google Wallet holds an object, so that it hears of changes."""

    __tablename__ = "google_prizes"

    reward_id: Mapped[str] = mapped_column(ForeignKey("rewards.id"), primary_key=True)
    merchant_id: Mapped[str] = mapped_column(ForeignKey("merchants.id"))
    # Whose look it has, and the country whose figures: as where it was won, though the receipt may be purged.
    brand_id: Mapped[str] = mapped_column(ForeignKey("brands.id"))
    country: Mapped[str | None] = mapped_column(String(2))
    # SHA-256 in hex of what the button wrote last, without the code, so that it need not write the same again.
    written: Mapped[str | None] = mapped_column(String(64))


class FreeEntrant(Base):
    """How many free entries came from one network today. ``visitor`` is an HMAC of the day and of the address."""

    __tablename__ = "free_entrants"
    __table_args__ = (_FLEETING,)

    campaign_id: Mapped[str] = mapped_column(ForeignKey("campaigns.id"), primary_key=True)
    # ISO 8601, in UTC.
    day: Mapped[str] = mapped_column(String(10), primary_key=True)
    visitor: Mapped[str] = mapped_column(String(32), primary_key=True)
    merchant_id: Mapped[str] = mapped_column(ForeignKey("merchants.id"))
    times: Mapped[int] = mapped_column(Integer)
