"""Tags, cases, referrals and reviews"""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "referral_runs",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("after", sa.String(length=40), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_referral_runs")),
    )
    op.create_table(
        "answer_tags",
        sa.Column("merchant_id", sa.String(length=40), nullable=False),
        sa.Column("answer_id", sa.String(length=40), nullable=False),
        sa.Column("tag", sa.String(length=64), nullable=False),
        sa.ForeignKeyConstraint(["merchant_id"], ["merchants.id"], name=op.f("fk_answer_tags_merchant_id")),
        sa.PrimaryKeyConstraint("merchant_id", "answer_id", "tag", name=op.f("pk_answer_tags")),
    )
    with op.batch_alter_table("answer_tags", schema=None) as batch_op:
        batch_op.create_index(
            "ix_answer_tags_merchant_id_tag_answer_id", ["merchant_id", "tag", "answer_id"], unique=False
        )

    op.create_table(
        "tag_rules",
        sa.Column("merchant_id", sa.String(length=40), nullable=False),
        sa.Column("tag", sa.String(length=64), nullable=False),
        sa.Column("content", sa.Text(), nullable=False),
        sa.Column("changed_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["merchant_id"], ["merchants.id"], name=op.f("fk_tag_rules_merchant_id")),
        sa.PrimaryKeyConstraint("merchant_id", "tag", name=op.f("pk_tag_rules")),
    )
    op.create_table(
        "tag_runs",
        sa.Column("merchant_id", sa.String(length=40), nullable=False),
        sa.Column("after", sa.String(length=40), nullable=False),
        sa.Column("asked_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["merchant_id"], ["merchants.id"], name=op.f("fk_tag_runs_merchant_id")),
        sa.PrimaryKeyConstraint("merchant_id", name=op.f("pk_tag_runs")),
    )
    op.create_table(
        "voice_settings",
        sa.Column("merchant_id", sa.String(length=40), nullable=False),
        sa.Column("cases", sa.Text(), nullable=True),
        sa.Column("referrals", sa.Text(), nullable=True),
        sa.Column("reviews", sa.Text(), nullable=True),
        sa.Column("tag_revision", sa.String(length=40), nullable=True),
        sa.ForeignKeyConstraint(["merchant_id"], ["merchants.id"], name=op.f("fk_voice_settings_merchant_id")),
        sa.PrimaryKeyConstraint("merchant_id", name=op.f("pk_voice_settings")),
    )
    op.create_table(
        "cases",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("merchant_id", sa.String(length=40), nullable=False),
        sa.Column("answer_id", sa.String(length=40), nullable=False),
        sa.Column("survey_id", sa.String(length=40), nullable=False),
        sa.Column("receipt_id", sa.String(length=40), nullable=True),
        sa.Column("brand_id", sa.String(length=40), nullable=True),
        sa.Column("store_id", sa.String(length=40), nullable=True),
        sa.Column("owner_id", sa.String(length=40), nullable=True),
        sa.Column("email", sa.String(length=254), nullable=True),
        sa.Column("escalation_email", sa.String(length=254), nullable=True),
        sa.Column("score", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(length=12), nullable=False),
        sa.Column("is_closed_by_itself", sa.Boolean(), nullable=False),
        sa.Column("outcome", sa.String(length=20), nullable=True),
        sa.Column("note", sa.Text(), nullable=True),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("opened_at", sa.BigInteger(), nullable=False),
        sa.Column("begun_at", sa.BigInteger(), nullable=False),
        sa.Column("due_at", sa.BigInteger(), nullable=False),
        sa.Column("changed_at", sa.BigInteger(), nullable=False),
        sa.Column("told_at", sa.BigInteger(), nullable=True),
        sa.Column("escalated_at", sa.BigInteger(), nullable=True),
        sa.Column("resolved_at", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(["brand_id"], ["brands.id"], name=op.f("fk_cases_brand_id")),
        sa.ForeignKeyConstraint(["merchant_id"], ["merchants.id"], name=op.f("fk_cases_merchant_id")),
        sa.ForeignKeyConstraint(["owner_id"], ["staff_members.id"], name=op.f("fk_cases_owner_id")),
        sa.ForeignKeyConstraint(["receipt_id"], ["receipts.id"], name=op.f("fk_cases_receipt_id")),
        sa.ForeignKeyConstraint(["store_id"], ["stores.id"], name=op.f("fk_cases_store_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_cases")),
        sa.UniqueConstraint("merchant_id", "answer_id", name=op.f("uq_cases_merchant_id_answer_id")),
    )
    with op.batch_alter_table("cases", schema=None) as batch_op:
        batch_op.create_index(
            "ix_cases_due_at",
            ["due_at"],
            unique=False,
            sqlite_where=sa.text("resolved_at IS NULL AND escalated_at IS NULL"),
            postgresql_where=sa.text("resolved_at IS NULL AND escalated_at IS NULL"),
        )
        batch_op.create_index("ix_cases_merchant_id_id", ["merchant_id", "id"], unique=False)
        batch_op.create_index("ix_cases_merchant_id_owner_id_id", ["merchant_id", "owner_id", "id"], unique=False)
        batch_op.create_index("ix_cases_merchant_id_store_id_id", ["merchant_id", "store_id", "id"], unique=False)
        batch_op.create_index(
            "ix_cases_open",
            ["merchant_id", "id"],
            unique=False,
            sqlite_where=sa.text("resolved_at IS NULL"),
            postgresql_where=sa.text("resolved_at IS NULL"),
        )
        batch_op.create_index("ix_cases_merchant_id_state_id", ["merchant_id", "state", "id"], unique=False)
        batch_op.create_index(batch_op.f("ix_cases_receipt_id"), ["receipt_id"], unique=False)
        batch_op.create_index(
            "ix_cases_untold",
            ["begun_at"],
            unique=False,
            sqlite_where=sa.text("told_at IS NULL"),
            postgresql_where=sa.text("told_at IS NULL"),
        )

    op.create_table(
        "referrals",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("merchant_id", sa.String(length=40), nullable=False),
        sa.Column("answer_id", sa.String(length=40), nullable=True),
        sa.Column("receipt_id", sa.String(length=40), nullable=True),
        sa.Column("store_id", sa.String(length=40), nullable=True),
        sa.Column("digest", sa.String(length=64), nullable=True),
        sa.Column("last4", sa.String(length=4), nullable=True),
        sa.Column("shopper", sa.String(length=32), nullable=True),
        sa.Column("offered_at", sa.BigInteger(), nullable=False),
        sa.Column("is_retired", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(["merchant_id"], ["merchants.id"], name=op.f("fk_referrals_merchant_id")),
        sa.ForeignKeyConstraint(["receipt_id"], ["receipts.id"], name=op.f("fk_referrals_receipt_id")),
        sa.ForeignKeyConstraint(["store_id"], ["stores.id"], name=op.f("fk_referrals_store_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_referrals")),
        sa.UniqueConstraint("merchant_id", "answer_id", name=op.f("uq_referrals_merchant_id_answer_id")),
        sa.UniqueConstraint("merchant_id", "digest", name=op.f("uq_referrals_merchant_id_digest")),
    )
    with op.batch_alter_table("referrals", schema=None) as batch_op:
        batch_op.create_index("ix_referrals_merchant_id_id", ["merchant_id", "id"], unique=False)
        batch_op.create_index(batch_op.f("ix_referrals_receipt_id"), ["receipt_id"], unique=False)
        batch_op.create_index("ix_referrals_merchant_id_store_id_id", ["merchant_id", "store_id", "id"], unique=False)
        batch_op.create_index(
            "ix_referrals_unminted",
            ["id"],
            unique=False,
            sqlite_where=sa.text("digest IS NULL AND answer_id IS NOT NULL AND is_retired = 0"),
            postgresql_where=sa.text("digest IS NULL AND answer_id IS NOT NULL AND NOT is_retired"),
        )

    op.create_table(
        "reviews",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("merchant_id", sa.String(length=40), nullable=False),
        sa.Column("receipt_id", sa.String(length=40), nullable=True),
        sa.Column("brand_id", sa.String(length=40), nullable=True),
        sa.Column("author", sa.String(length=40), nullable=False),
        sa.Column("sku", sa.String(length=128), nullable=False),
        sa.Column("product", sa.String(length=300), nullable=False),
        sa.Column("stars", sa.Integer(), nullable=False),
        sa.Column("title", sa.String(length=200), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("display_name", sa.String(length=100), nullable=False),
        sa.Column("language", sa.String(length=35), nullable=False),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("holds", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("reply", sa.Text(), nullable=True),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("written_at", sa.BigInteger(), nullable=False),
        sa.Column("changed_at", sa.BigInteger(), nullable=False),
        sa.Column("decided_at", sa.BigInteger(), nullable=True),
        sa.Column("decided_by", sa.String(length=40), nullable=True),
        sa.Column("is_by_hand", sa.Boolean(), nullable=False),
        sa.Column("replied_at", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(["brand_id"], ["brands.id"], name=op.f("fk_reviews_brand_id")),
        sa.ForeignKeyConstraint(["merchant_id"], ["merchants.id"], name=op.f("fk_reviews_merchant_id")),
        sa.ForeignKeyConstraint(["receipt_id"], ["receipts.id"], name=op.f("fk_reviews_receipt_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_reviews")),
        sa.UniqueConstraint("merchant_id", "sku", "author", name=op.f("uq_reviews_merchant_id_sku_author")),
    )
    with op.batch_alter_table("reviews", schema=None) as batch_op:
        batch_op.create_index("ix_reviews_merchant_id_id", ["merchant_id", "id"], unique=False)
        batch_op.create_index("ix_reviews_merchant_id_sku_id", ["merchant_id", "sku", "id"], unique=False)
        batch_op.create_index(
            "ix_reviews_merchant_id_sku_state_id", ["merchant_id", "sku", "state", "id"], unique=False
        )
        batch_op.create_index(
            "ix_reviews_merchant_id_sku_state_stars", ["merchant_id", "sku", "state", "stars"], unique=False
        )
        batch_op.create_index("ix_reviews_merchant_id_state_id", ["merchant_id", "state", "id"], unique=False)
        batch_op.create_index(batch_op.f("ix_reviews_receipt_id"), ["receipt_id"], unique=False)

    op.create_table(
        "case_changes",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("merchant_id", sa.String(length=40), nullable=False),
        sa.Column("case_id", sa.String(length=40), nullable=False),
        sa.Column("by", sa.String(length=40), nullable=False),
        sa.Column("what", sa.Text(), nullable=False),
        sa.Column("changed_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["case_id"], ["cases.id"], name=op.f("fk_case_changes_case_id")),
        sa.ForeignKeyConstraint(["merchant_id"], ["merchants.id"], name=op.f("fk_case_changes_merchant_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_case_changes")),
    )
    with op.batch_alter_table("case_changes", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_case_changes_case_id"), ["case_id"], unique=False)

    op.create_table(
        "referral_uses",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("merchant_id", sa.String(length=40), nullable=False),
        sa.Column("referral_id", sa.String(length=40), nullable=False),
        sa.Column("receipt_id", sa.String(length=40), nullable=True),
        sa.Column("shopper", sa.String(length=32), nullable=True),
        sa.Column("is_known", sa.Boolean(), nullable=False),
        sa.Column("is_new", sa.Boolean(), nullable=False),
        sa.Column("total", sa.BigInteger(), nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("used_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["merchant_id"], ["merchants.id"], name=op.f("fk_referral_uses_merchant_id")),
        sa.ForeignKeyConstraint(["receipt_id"], ["receipts.id"], name=op.f("fk_referral_uses_receipt_id")),
        sa.ForeignKeyConstraint(["referral_id"], ["referrals.id"], name=op.f("fk_referral_uses_referral_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_referral_uses")),
        sa.UniqueConstraint("merchant_id", "shopper", name=op.f("uq_referral_uses_merchant_id_shopper")),
        sa.UniqueConstraint("receipt_id", name=op.f("uq_referral_uses_receipt_id")),
    )
    with op.batch_alter_table("referral_uses", schema=None) as batch_op:
        batch_op.create_index("ix_referral_uses_merchant_id_referral_id", ["merchant_id", "referral_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_referral_uses_referral_id"), ["referral_id"], unique=False)
