"""Campaigns and rewards"""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "campaigns",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("merchant_id", sa.String(length=40), nullable=False),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("starts_at", sa.BigInteger(), nullable=False),
        sa.Column("ends_at", sa.BigInteger(), nullable=False),
        sa.Column("definition", sa.Text(), nullable=False),
        sa.Column("sealed_seed", sa.LargeBinary(), nullable=True),
        sa.Column("seed", sa.String(length=64), nullable=True),
        sa.Column("seed_digest", sa.String(length=64), nullable=True),
        sa.Column("table_digest", sa.String(length=64), nullable=True),
        sa.Column("published", sa.Text(), nullable=True),
        sa.Column("in_hand", sa.String(length=32), nullable=True),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("changed_at", sa.BigInteger(), nullable=False),
        sa.Column("launched_at", sa.BigInteger(), nullable=True),
        sa.Column("ended_at", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(["merchant_id"], ["merchants.id"], name=op.f("fk_campaigns_merchant_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_campaigns")),
    )
    with op.batch_alter_table("campaigns", schema=None) as batch_op:
        batch_op.create_index("ix_campaigns_merchant_id_state", ["merchant_id", "state"], unique=False)

    op.create_table(
        "seen_shoppers",
        sa.Column("merchant_id", sa.String(length=40), nullable=False),
        sa.Column("shopper", sa.String(length=32), nullable=False),
        sa.Column("receipt_id", sa.String(length=40), nullable=False),
        sa.ForeignKeyConstraint(["merchant_id"], ["merchants.id"], name=op.f("fk_seen_shoppers_merchant_id")),
        sa.PrimaryKeyConstraint("merchant_id", "shopper", name=op.f("pk_seen_shoppers")),
    )
    with op.batch_alter_table("seen_shoppers", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_seen_shoppers_receipt_id"), ["receipt_id"], unique=False)

    op.create_table(
        "wrong_codes",
        sa.Column("merchant_id", sa.String(length=40), nullable=False),
        sa.Column("key_id", sa.String(length=40), nullable=False),
        sa.Column("began_at", sa.BigInteger(), nullable=False),
        sa.Column("times", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["merchant_id"], ["merchants.id"], name=op.f("fk_wrong_codes_merchant_id")),
        sa.PrimaryKeyConstraint("merchant_id", "key_id", "began_at", name=op.f("pk_wrong_codes")),
        info={"is_fleeting": True},
    )
    op.create_table(
        "campaign_tallies",
        sa.Column("campaign_id", sa.String(length=40), nullable=False),
        sa.Column("day", sa.String(length=10), nullable=False),
        sa.Column("merchant_id", sa.String(length=40), nullable=False),
        sa.Column("cards", sa.Integer(), nullable=False),
        sa.Column("prizes", sa.Integer(), nullable=False),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["campaign_id"], ["campaigns.id"], name=op.f("fk_campaign_tallies_campaign_id")),
        sa.ForeignKeyConstraint(["merchant_id"], ["merchants.id"], name=op.f("fk_campaign_tallies_merchant_id")),
        sa.PrimaryKeyConstraint("campaign_id", "day", name=op.f("pk_campaign_tallies")),
    )
    op.create_table(
        "free_entrants",
        sa.Column("campaign_id", sa.String(length=40), nullable=False),
        sa.Column("day", sa.String(length=10), nullable=False),
        sa.Column("visitor", sa.String(length=32), nullable=False),
        sa.Column("merchant_id", sa.String(length=40), nullable=False),
        sa.Column("times", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["campaign_id"], ["campaigns.id"], name=op.f("fk_free_entrants_campaign_id")),
        sa.ForeignKeyConstraint(["merchant_id"], ["merchants.id"], name=op.f("fk_free_entrants_merchant_id")),
        sa.PrimaryKeyConstraint("campaign_id", "day", "visitor", name=op.f("pk_free_entrants")),
        info={"is_fleeting": True},
    )
    op.create_table(
        "prizes",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("merchant_id", sa.String(length=40), nullable=False),
        sa.Column("campaign_id", sa.String(length=40), nullable=False),
        sa.Column("slug", sa.String(length=64), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("supplier_id", sa.String(length=40), nullable=False),
        sa.Column("definition", sa.Text(), nullable=False),
        sa.Column("face_value", sa.BigInteger(), nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("bearer", sa.String(length=6), nullable=False),
        sa.Column("stock", sa.Integer(), nullable=False),
        sa.Column("weight", sa.Integer(), nullable=False),
        sa.Column("consented_at", sa.BigInteger(), nullable=True),
        sa.Column("importing_since", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(["campaign_id"], ["campaigns.id"], name=op.f("fk_prizes_campaign_id")),
        sa.ForeignKeyConstraint(["merchant_id"], ["merchants.id"], name=op.f("fk_prizes_merchant_id")),
        sa.ForeignKeyConstraint(["supplier_id"], ["merchants.id"], name=op.f("fk_prizes_supplier_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_prizes")),
        sa.UniqueConstraint("campaign_id", "slug", name=op.f("uq_prizes_campaign_id_slug")),
    )
    with op.batch_alter_table("prizes", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_prizes_supplier_id"), ["supplier_id"], unique=False)

    op.create_table(
        "pool_codes",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("merchant_id", sa.String(length=40), nullable=False),
        sa.Column("prize_id", sa.String(length=40), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["merchant_id"], ["merchants.id"], name=op.f("fk_pool_codes_merchant_id")),
        sa.ForeignKeyConstraint(["prize_id"], ["prizes.id"], name=op.f("fk_pool_codes_prize_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_pool_codes")),
        sa.UniqueConstraint("merchant_id", "digest", name=op.f("uq_pool_codes_merchant_id_digest")),
    )
    with op.batch_alter_table("pool_codes", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_pool_codes_prize_id"), ["prize_id"], unique=False)

    op.create_table(
        "prize_slots",
        sa.Column("campaign_id", sa.String(length=40), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("merchant_id", sa.String(length=40), nullable=False),
        sa.Column("prize_id", sa.String(length=40), nullable=True),
        sa.Column("pool_code_id", sa.String(length=40), nullable=True),
        sa.Column("reward_id", sa.String(length=40), nullable=True),
        sa.ForeignKeyConstraint(["campaign_id"], ["campaigns.id"], name=op.f("fk_prize_slots_campaign_id")),
        sa.ForeignKeyConstraint(["merchant_id"], ["merchants.id"], name=op.f("fk_prize_slots_merchant_id")),
        sa.ForeignKeyConstraint(["pool_code_id"], ["pool_codes.id"], name=op.f("fk_prize_slots_pool_code_id")),
        sa.ForeignKeyConstraint(["prize_id"], ["prizes.id"], name=op.f("fk_prize_slots_prize_id")),
        sa.PrimaryKeyConstraint("campaign_id", "position", name=op.f("pk_prize_slots")),
    )
    with op.batch_alter_table("prize_slots", schema=None) as batch_op:
        batch_op.create_index(
            "ix_prize_slots_free",
            ["campaign_id", "prize_id", "position"],
            unique=False,
            sqlite_where=sa.text("reward_id IS NULL"),
            postgresql_where=sa.text("reward_id IS NULL"),
        )
        batch_op.create_index(
            "ix_prize_slots_next",
            ["campaign_id", "position"],
            unique=False,
            sqlite_where=sa.text("reward_id IS NULL"),
            postgresql_where=sa.text("reward_id IS NULL"),
        )
        batch_op.create_index(
            "ix_prize_slots_prize_id",
            ["prize_id"],
            unique=False,
            sqlite_where=sa.text("prize_id IS NOT NULL"),
            postgresql_where=sa.text("prize_id IS NOT NULL"),
        )
        batch_op.create_index(
            "ix_prize_slots_pool_code_id",
            ["pool_code_id"],
            unique=False,
            sqlite_where=sa.text("pool_code_id IS NOT NULL"),
            postgresql_where=sa.text("pool_code_id IS NOT NULL"),
        )

    op.create_table(
        "rewards",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("merchant_id", sa.String(length=40), nullable=False),
        sa.Column("campaign_id", sa.String(length=40), nullable=False),
        sa.Column("entry", sa.String(length=80), nullable=False),
        sa.Column("origin", sa.String(length=10), nullable=False),
        sa.Column("receipt_id", sa.String(length=40), nullable=True),
        sa.Column("shopper", sa.String(length=32), nullable=True),
        sa.Column("mark", sa.String(length=32), nullable=True),
        sa.Column("store_id", sa.String(length=40), nullable=True),
        sa.Column("staff_id", sa.String(length=40), nullable=True),
        sa.Column("spend", sa.BigInteger(), nullable=False),
        sa.Column("needs", sa.BigInteger(), nullable=False),
        sa.Column("truths", sa.String(length=200), nullable=True),
        sa.Column("prize_id", sa.String(length=40), nullable=True),
        sa.Column("supplier_id", sa.String(length=40), nullable=True),
        sa.Column("face_value", sa.BigInteger(), nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=True),
        sa.Column("bearer", sa.String(length=6), nullable=True),
        sa.Column("nonce", sa.Integer(), nullable=True),
        sa.Column("gone", sa.Text(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=True),
        sa.Column("code_digest", sa.String(length=64), nullable=True),
        sa.Column("code_hint", sa.String(length=4), nullable=True),
        sa.Column("pool_code_id", sa.String(length=40), nullable=True),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("issued_at", sa.BigInteger(), nullable=False),
        sa.Column("revealed_at", sa.BigInteger(), nullable=True),
        sa.Column("claimed_at", sa.BigInteger(), nullable=True),
        sa.Column("expires_at", sa.BigInteger(), nullable=False),
        sa.Column("holder", sa.String(length=128), nullable=True),
        sa.Column("reserved_until", sa.BigInteger(), nullable=True),
        sa.Column("redeemed_at", sa.BigInteger(), nullable=True),
        sa.Column("void_reason", sa.String(length=20), nullable=True),
        sa.ForeignKeyConstraint(["campaign_id"], ["campaigns.id"], name=op.f("fk_rewards_campaign_id")),
        sa.ForeignKeyConstraint(["merchant_id"], ["merchants.id"], name=op.f("fk_rewards_merchant_id")),
        sa.ForeignKeyConstraint(["pool_code_id"], ["pool_codes.id"], name=op.f("fk_rewards_pool_code_id")),
        sa.ForeignKeyConstraint(["prize_id"], ["prizes.id"], name=op.f("fk_rewards_prize_id")),
        sa.ForeignKeyConstraint(["receipt_id"], ["receipts.id"], name=op.f("fk_rewards_receipt_id")),
        sa.ForeignKeyConstraint(["staff_id"], ["staff_members.id"], name=op.f("fk_rewards_staff_id")),
        sa.ForeignKeyConstraint(["store_id"], ["stores.id"], name=op.f("fk_rewards_store_id")),
        sa.ForeignKeyConstraint(["supplier_id"], ["merchants.id"], name=op.f("fk_rewards_supplier_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_rewards")),
        sa.UniqueConstraint("campaign_id", "entry", name=op.f("uq_rewards_campaign_id_entry")),
    )
    with op.batch_alter_table("rewards", schema=None) as batch_op:
        batch_op.create_index("ix_rewards_campaign_id_id", ["campaign_id", "id"], unique=False)
        batch_op.create_index("ix_rewards_campaign_id_state_id", ["campaign_id", "state", "id"], unique=False)
        batch_op.create_index("ix_rewards_campaign_id_shopper", ["campaign_id", "shopper"], unique=False)
        batch_op.create_index(batch_op.f("ix_rewards_code_digest"), ["code_digest"], unique=False)
        batch_op.create_index(
            "ix_rewards_campaign_id_mark",
            ["campaign_id", "mark"],
            unique=False,
            sqlite_where=sa.text("mark IS NOT NULL"),
            postgresql_where=sa.text("mark IS NOT NULL"),
        )
        batch_op.create_index(
            "ix_rewards_expires_at",
            ["expires_at"],
            unique=False,
            sqlite_where=sa.text("state IN ('issued', 'revealed', 'claimed', 'reserved')"),
            postgresql_where=sa.text("state IN ('issued', 'revealed', 'claimed', 'reserved')"),
        )
        batch_op.create_index("ix_rewards_merchant_id_id", ["merchant_id", "id"], unique=False)
        batch_op.create_index("ix_rewards_merchant_id_state_id", ["merchant_id", "state", "id"], unique=False)
        batch_op.create_index(
            "ix_rewards_prize_id",
            ["prize_id"],
            unique=False,
            sqlite_where=sa.text("prize_id IS NOT NULL"),
            postgresql_where=sa.text("prize_id IS NOT NULL"),
        )
        batch_op.create_index(
            "ix_rewards_pool_code_id",
            ["pool_code_id"],
            unique=False,
            sqlite_where=sa.text("pool_code_id IS NOT NULL"),
            postgresql_where=sa.text("pool_code_id IS NOT NULL"),
        )
        batch_op.create_index(batch_op.f("ix_rewards_receipt_id"), ["receipt_id"], unique=False)
        batch_op.create_index("ix_rewards_supplier_id_id", ["supplier_id", "id"], unique=False)

    op.create_table(
        "withheld_cards",
        sa.Column("campaign_id", sa.String(length=40), nullable=False),
        sa.Column("receipt_id", sa.String(length=40), nullable=False),
        sa.Column("merchant_id", sa.String(length=40), nullable=False),
        sa.Column("shopper", sa.String(length=32), nullable=False),
        sa.Column("withheld_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["campaign_id"], ["campaigns.id"], name=op.f("fk_withheld_cards_campaign_id")),
        sa.ForeignKeyConstraint(["merchant_id"], ["merchants.id"], name=op.f("fk_withheld_cards_merchant_id")),
        sa.ForeignKeyConstraint(["receipt_id"], ["receipts.id"], name=op.f("fk_withheld_cards_receipt_id")),
        sa.PrimaryKeyConstraint("campaign_id", "receipt_id", name=op.f("pk_withheld_cards")),
    )
    with op.batch_alter_table("withheld_cards", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_withheld_cards_receipt_id"), ["receipt_id"], unique=False)

    op.create_table(
        "redemptions",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("merchant_id", sa.String(length=40), nullable=False),
        sa.Column("issuer_id", sa.String(length=40), nullable=False),
        sa.Column("reward_id", sa.String(length=40), nullable=False),
        sa.Column("campaign_id", sa.String(length=40), nullable=False),
        sa.Column("prize_id", sa.String(length=40), nullable=False),
        sa.Column("bearer", sa.String(length=6), nullable=False),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.Column("face_value", sa.BigInteger(), nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("idempotency_key", sa.String(length=255), nullable=True),
        sa.Column("fingerprint", sa.String(length=64), nullable=False),
        sa.Column("key_id", sa.String(length=40), nullable=False),
        sa.Column("store_id", sa.String(length=40), nullable=True),
        sa.Column("till_id", sa.String(length=40), nullable=True),
        sa.Column("external_id", sa.String(length=128), nullable=True),
        sa.Column("redeemed_at", sa.BigInteger(), nullable=False),
        sa.Column("rolled_back_at", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(["campaign_id"], ["campaigns.id"], name=op.f("fk_redemptions_campaign_id")),
        sa.ForeignKeyConstraint(["issuer_id"], ["merchants.id"], name=op.f("fk_redemptions_issuer_id")),
        sa.ForeignKeyConstraint(["key_id"], ["api_keys.id"], name=op.f("fk_redemptions_key_id")),
        sa.ForeignKeyConstraint(["merchant_id"], ["merchants.id"], name=op.f("fk_redemptions_merchant_id")),
        sa.ForeignKeyConstraint(["prize_id"], ["prizes.id"], name=op.f("fk_redemptions_prize_id")),
        sa.ForeignKeyConstraint(["reward_id"], ["rewards.id"], name=op.f("fk_redemptions_reward_id")),
        sa.ForeignKeyConstraint(["store_id"], ["stores.id"], name=op.f("fk_redemptions_store_id")),
        sa.ForeignKeyConstraint(["till_id"], ["tills.id"], name=op.f("fk_redemptions_till_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_redemptions")),
        sa.UniqueConstraint("merchant_id", "idempotency_key", name=op.f("uq_redemptions_merchant_id_idempotency_key")),
    )
    with op.batch_alter_table("redemptions", schema=None) as batch_op:
        batch_op.create_index("ix_redemptions_issuer_id_redeemed_at", ["issuer_id", "redeemed_at"], unique=False)
        batch_op.create_index(
            "ix_redemptions_merchant_id_back",
            ["merchant_id", "rolled_back_at"],
            unique=False,
            sqlite_where=sa.text("rolled_back_at IS NOT NULL"),
            postgresql_where=sa.text("rolled_back_at IS NOT NULL"),
        )
        batch_op.create_index(
            "ix_redemptions_issuer_id_back",
            ["issuer_id", "rolled_back_at"],
            unique=False,
            sqlite_where=sa.text("rolled_back_at IS NOT NULL"),
            postgresql_where=sa.text("rolled_back_at IS NOT NULL"),
        )
        batch_op.create_index("ix_redemptions_merchant_id_redeemed_at", ["merchant_id", "redeemed_at"], unique=False)
        batch_op.create_index(batch_op.f("ix_redemptions_campaign_id"), ["campaign_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_redemptions_prize_id"), ["prize_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_redemptions_reward_id"), ["reward_id"], unique=False)

    op.create_table(
        "google_prizes",
        sa.Column("reward_id", sa.String(length=40), nullable=False),
        sa.Column("merchant_id", sa.String(length=40), nullable=False),
        sa.Column("brand_id", sa.String(length=40), nullable=False),
        sa.Column("country", sa.String(length=2), nullable=True),
        sa.Column("written", sa.String(length=64), nullable=True),
        sa.ForeignKeyConstraint(["brand_id"], ["brands.id"], name=op.f("fk_google_prizes_brand_id")),
        sa.ForeignKeyConstraint(["merchant_id"], ["merchants.id"], name=op.f("fk_google_prizes_merchant_id")),
        sa.ForeignKeyConstraint(["reward_id"], ["rewards.id"], name=op.f("fk_google_prizes_reward_id")),
        sa.PrimaryKeyConstraint("reward_id", name=op.f("pk_google_prizes")),
    )

    op.create_table(
        "reward_flags",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("merchant_id", sa.String(length=40), nullable=False),
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.Column("subject", sa.String(length=120), nullable=False),
        sa.Column("reward_id", sa.String(length=40), nullable=True),
        sa.Column("staff_id", sa.String(length=40), nullable=True),
        sa.Column("data", sa.Text(), nullable=False),
        sa.Column("flagged_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["merchant_id"], ["merchants.id"], name=op.f("fk_reward_flags_merchant_id")),
        sa.ForeignKeyConstraint(["reward_id"], ["rewards.id"], name=op.f("fk_reward_flags_reward_id")),
        sa.ForeignKeyConstraint(["staff_id"], ["staff_members.id"], name=op.f("fk_reward_flags_staff_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_reward_flags")),
        sa.UniqueConstraint("merchant_id", "kind", "subject", name=op.f("uq_reward_flags_merchant_id_kind_subject")),
    )
    with op.batch_alter_table("reward_flags", schema=None) as batch_op:
        batch_op.create_index("ix_reward_flags_merchant_id_id", ["merchant_id", "id"], unique=False)
        batch_op.create_index(batch_op.f("ix_reward_flags_reward_id"), ["reward_id"], unique=False)
