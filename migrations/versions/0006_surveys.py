"""Surveys, whom they were asked, and what was answered"""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

_KNOWN = sa.text("shopper IS NOT NULL")
_UNANSWERED = sa.text("channel = 'email' AND answered_at IS NULL AND reminded_at IS NULL")


def upgrade() -> None:
    op.create_table(
        "surveys",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("merchant_id", sa.String(length=40), nullable=False),
        sa.Column("brand_id", sa.String(length=40), nullable=False),
        sa.Column("event", sa.String(length=12), nullable=False),
        sa.Column("settings", sa.Text(), nullable=False),
        sa.Column("is_active", sa.Boolean(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("changed_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["brand_id"], ["brands.id"], name=op.f("fk_surveys_brand_id")),
        sa.ForeignKeyConstraint(["merchant_id"], ["merchants.id"], name=op.f("fk_surveys_merchant_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_surveys")),
        sa.UniqueConstraint("brand_id", "event", name=op.f("uq_surveys_brand_id_event")),
    )
    with op.batch_alter_table("surveys", schema=None) as batch_op:
        batch_op.create_index("ix_surveys_merchant_id_id", ["merchant_id", "id"], unique=False)

    op.create_table(
        "survey_asks",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("merchant_id", sa.String(length=40), nullable=False),
        sa.Column("survey_id", sa.String(length=40), nullable=False),
        sa.Column("brand_id", sa.String(length=40), nullable=False),
        sa.Column("receipt_id", sa.String(length=40), nullable=True),
        sa.Column("is_relational", sa.Boolean(), nullable=False),
        sa.Column("shopper", sa.String(length=32), nullable=True),
        sa.Column("channel", sa.String(length=5), nullable=False),
        sa.Column("asked_at", sa.BigInteger(), nullable=False),
        sa.Column("answered_at", sa.BigInteger(), nullable=True),
        sa.Column("reminded_at", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(["brand_id"], ["brands.id"], name=op.f("fk_survey_asks_brand_id")),
        sa.ForeignKeyConstraint(["merchant_id"], ["merchants.id"], name=op.f("fk_survey_asks_merchant_id")),
        sa.ForeignKeyConstraint(["receipt_id"], ["receipts.id"], name=op.f("fk_survey_asks_receipt_id")),
        sa.ForeignKeyConstraint(["survey_id"], ["surveys.id"], name=op.f("fk_survey_asks_survey_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_survey_asks")),
        sa.UniqueConstraint("survey_id", "receipt_id", name=op.f("uq_survey_asks_survey_id_receipt_id")),
    )
    with op.batch_alter_table("survey_asks", schema=None) as batch_op:
        batch_op.create_index(
            "ix_survey_asks_merchant_id_survey_id_asked_at", ["merchant_id", "survey_id", "asked_at"], unique=False
        )
        batch_op.create_index("ix_survey_asks_receipt_id", ["receipt_id"], unique=False)
        batch_op.create_index(
            "ix_survey_asks_reminders",
            ["survey_id", "asked_at"],
            unique=False,
            sqlite_where=_UNANSWERED,
            postgresql_where=_UNANSWERED,
        )
        batch_op.create_index(
            "ix_survey_asks_shopper",
            ["merchant_id", "brand_id", "shopper"],
            unique=False,
            sqlite_where=_KNOWN,
            postgresql_where=_KNOWN,
        )

    op.create_table(
        "survey_answers",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("merchant_id", sa.String(length=40), nullable=False),
        sa.Column("survey_id", sa.String(length=40), nullable=False),
        sa.Column("brand_id", sa.String(length=40), nullable=False),
        sa.Column("event", sa.String(length=12), nullable=False),
        sa.Column("receipt_id", sa.String(length=40), nullable=True),
        sa.Column("store_id", sa.String(length=40), nullable=False),
        sa.Column("till_id", sa.String(length=40), nullable=True),
        sa.Column("staff_id", sa.String(length=40), nullable=True),
        sa.Column("score", sa.Integer(), nullable=False),
        sa.Column("segment", sa.String(length=10), nullable=False),
        sa.Column("text", sa.Text(), nullable=True),
        sa.Column("wants_call", sa.Boolean(), nullable=False),
        sa.Column("contact", sa.String(length=254), nullable=True),
        sa.Column("consent", sa.Text(), nullable=True),
        sa.Column("consent_version", sa.String(length=20), nullable=True),
        sa.Column("language", sa.String(length=10), nullable=False),
        sa.Column("channel", sa.String(length=5), nullable=False),
        sa.Column("held", sa.String(length=5), nullable=False),
        sa.Column("recent", sa.Text(), nullable=False),
        sa.Column("answered_at", sa.BigInteger(), nullable=False),
        sa.Column("changed_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["brand_id"], ["brands.id"], name=op.f("fk_survey_answers_brand_id")),
        sa.ForeignKeyConstraint(["merchant_id"], ["merchants.id"], name=op.f("fk_survey_answers_merchant_id")),
        sa.ForeignKeyConstraint(["receipt_id"], ["receipts.id"], name=op.f("fk_survey_answers_receipt_id")),
        sa.ForeignKeyConstraint(["staff_id"], ["staff_members.id"], name=op.f("fk_survey_answers_staff_id")),
        sa.ForeignKeyConstraint(["store_id"], ["stores.id"], name=op.f("fk_survey_answers_store_id")),
        sa.ForeignKeyConstraint(["survey_id"], ["surveys.id"], name=op.f("fk_survey_answers_survey_id")),
        sa.ForeignKeyConstraint(["till_id"], ["tills.id"], name=op.f("fk_survey_answers_till_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_survey_answers")),
        sa.UniqueConstraint(
            "survey_id", "receipt_id", "held", name=op.f("uq_survey_answers_survey_id_receipt_id_held")
        ),
    )
    with op.batch_alter_table("survey_answers", schema=None) as batch_op:
        batch_op.create_index(
            "ix_survey_answers_merchant_id_event_answered_at", ["merchant_id", "event", "answered_at"], unique=False
        )
        batch_op.create_index("ix_survey_answers_merchant_id_id", ["merchant_id", "id"], unique=False)
        batch_op.create_index(
            "ix_survey_answers_merchant_id_store_id_id", ["merchant_id", "store_id", "id"], unique=False
        )
        batch_op.create_index("ix_survey_answers_receipt_id", ["receipt_id"], unique=False)
        batch_op.create_index(
            "ix_survey_answers_survey_id_held_answered_at", ["survey_id", "held", "answered_at"], unique=False
        )
        batch_op.create_index(
            "ix_survey_answers_calls",
            ["merchant_id", "id"],
            unique=False,
            sqlite_where=sa.text("wants_call IS 1"),
            postgresql_where=sa.text("wants_call IS true"),
        )
        batch_op.create_index(
            "ix_survey_answers_held",
            ["merchant_id", "id"],
            unique=False,
            sqlite_where=sa.text("held <> ''"),
            postgresql_where=sa.text("held <> ''"),
        )

    op.create_table(
        "survey_answer_lines",
        sa.Column("answer_id", sa.String(length=40), nullable=False),
        sa.Column("sku", sa.String(length=128), nullable=False),
        sa.Column("merchant_id", sa.String(length=40), nullable=False),
        sa.ForeignKeyConstraint(["answer_id"], ["survey_answers.id"], name=op.f("fk_survey_answer_lines_answer_id")),
        sa.ForeignKeyConstraint(["merchant_id"], ["merchants.id"], name=op.f("fk_survey_answer_lines_merchant_id")),
        sa.PrimaryKeyConstraint("answer_id", "sku", name=op.f("pk_survey_answer_lines")),
    )
    with op.batch_alter_table("survey_answer_lines", schema=None) as batch_op:
        batch_op.create_index("ix_survey_answer_lines_merchant_id_sku", ["merchant_id", "sku"], unique=False)
