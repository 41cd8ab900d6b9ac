"""Cards and what is done with them"""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "daily_salts",
        sa.Column("merchant_id", sa.String(length=40), nullable=False),
        sa.Column("day", sa.String(length=10), nullable=False),
        sa.Column("salt", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["merchant_id"], ["merchants.id"], name=op.f("fk_daily_salts_merchant_id")),
        sa.PrimaryKeyConstraint("merchant_id", "day", name=op.f("pk_daily_salts")),
    )
    op.create_table(
        "pass_registrations",
        sa.Column("device", sa.String(length=64), nullable=False),
        sa.Column("serial", sa.String(length=40), nullable=False),
        sa.Column("merchant_id", sa.String(length=40), nullable=False),
        sa.Column("push_token", sa.String(length=200), nullable=False),
        sa.Column("registered_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["merchant_id"], ["merchants.id"], name=op.f("fk_pass_registrations_merchant_id")),
        sa.PrimaryKeyConstraint("device", "serial", name=op.f("pk_pass_registrations")),
    )
    with op.batch_alter_table("pass_registrations", schema=None) as batch_op:
        batch_op.create_index(
            "ix_pass_registrations_merchant_id_serial_registered_at",
            ["merchant_id", "serial", "registered_at"],
            unique=False,
        )
        batch_op.create_index("ix_pass_registrations_serial_device", ["serial", "device"], unique=False)

    op.create_table(
        "card_templates",
        sa.Column("brand_id", sa.String(length=40), nullable=False),
        sa.Column("merchant_id", sa.String(length=40), nullable=False),
        sa.Column("content", sa.Text(), nullable=False),
        sa.Column("changed_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["brand_id"], ["brands.id"], name=op.f("fk_card_templates_brand_id")),
        sa.ForeignKeyConstraint(["merchant_id"], ["merchants.id"], name=op.f("fk_card_templates_merchant_id")),
        sa.PrimaryKeyConstraint("brand_id", name=op.f("pk_card_templates")),
    )
    op.create_table(
        "cards",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("merchant_id", sa.String(length=40), nullable=False),
        sa.Column("brand_id", sa.String(length=40), nullable=False),
        sa.Column("store_id", sa.String(length=40), nullable=True),
        sa.Column("staff_id", sa.String(length=40), nullable=False),
        sa.Column("token", sa.String(length=64), nullable=False),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("profile", sa.Text(), nullable=False),
        sa.Column("photo_key", sa.String(length=100), nullable=True),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("changed_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["brand_id"], ["brands.id"], name=op.f("fk_cards_brand_id")),
        sa.ForeignKeyConstraint(["merchant_id"], ["merchants.id"], name=op.f("fk_cards_merchant_id")),
        sa.ForeignKeyConstraint(["staff_id"], ["staff_members.id"], name=op.f("fk_cards_staff_id")),
        sa.ForeignKeyConstraint(["store_id"], ["stores.id"], name=op.f("fk_cards_store_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_cards")),
        sa.UniqueConstraint("token", name=op.f("uq_cards_token")),
    )
    with op.batch_alter_table("cards", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_cards_brand_id"), ["brand_id"], unique=False)
        batch_op.create_index("ix_cards_merchant_id_id", ["merchant_id", "id"], unique=False)
        batch_op.create_index(batch_op.f("ix_cards_staff_id"), ["staff_id"], unique=False)
        batch_op.create_index(
            "uq_cards_staff_id",
            ["staff_id"],
            unique=True,
            sqlite_where=sa.text("state <> 'revoked'"),
            postgresql_where=sa.text("state <> 'revoked'"),
        )
        batch_op.create_index(batch_op.f("ix_cards_photo_key"), ["photo_key"], unique=False)
        batch_op.create_index(batch_op.f("ix_cards_store_id"), ["store_id"], unique=False)

    op.create_table(
        "card_contacts",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("merchant_id", sa.String(length=40), nullable=False),
        sa.Column("card_id", sa.String(length=40), nullable=False),
        sa.Column("store_id", sa.String(length=40), nullable=True),
        sa.Column("name", sa.String(length=300), nullable=False),
        sa.Column("email", sa.String(length=254), nullable=True),
        sa.Column("phone", sa.String(length=40), nullable=True),
        sa.Column("organisation", sa.String(length=300), nullable=True),
        sa.Column("note", sa.Text(), nullable=True),
        sa.Column("language", sa.String(length=35), nullable=False),
        sa.Column("consent_text", sa.Text(), nullable=False),
        sa.Column("consent_version", sa.String(length=64), nullable=False),
        sa.Column("source", sa.String(length=10), nullable=False),
        sa.Column("receipt_id", sa.String(length=40), nullable=True),
        sa.Column("form_id", sa.String(length=64), nullable=False),
        sa.Column("left_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["card_id"], ["cards.id"], name=op.f("fk_card_contacts_card_id")),
        sa.ForeignKeyConstraint(["merchant_id"], ["merchants.id"], name=op.f("fk_card_contacts_merchant_id")),
        sa.ForeignKeyConstraint(["store_id"], ["stores.id"], name=op.f("fk_card_contacts_store_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_card_contacts")),
        sa.UniqueConstraint("form_id", name=op.f("uq_card_contacts_form_id")),
    )
    with op.batch_alter_table("card_contacts", schema=None) as batch_op:
        batch_op.create_index("ix_card_contacts_merchant_id_card_id_id", ["merchant_id", "card_id", "id"], unique=False)
        batch_op.create_index("ix_card_contacts_merchant_id_id", ["merchant_id", "id"], unique=False)
        batch_op.create_index(
            "ix_card_contacts_merchant_id_store_id_id", ["merchant_id", "store_id", "id"], unique=False
        )
        batch_op.create_index(batch_op.f("ix_card_contacts_receipt_id"), ["receipt_id"], unique=False)

    op.create_table(
        "card_counts",
        sa.Column("card_id", sa.String(length=40), nullable=False),
        sa.Column("day", sa.String(length=10), nullable=False),
        sa.Column("act", sa.String(length=10), nullable=False),
        sa.Column("source", sa.String(length=10), nullable=False),
        sa.Column("target", sa.String(length=40), nullable=False),
        sa.Column("merchant_id", sa.String(length=40), nullable=False),
        sa.Column("times", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["card_id"], ["cards.id"], name=op.f("fk_card_counts_card_id")),
        sa.ForeignKeyConstraint(["merchant_id"], ["merchants.id"], name=op.f("fk_card_counts_merchant_id")),
        sa.PrimaryKeyConstraint("card_id", "day", "act", "source", "target", name=op.f("pk_card_counts")),
    )
    with op.batch_alter_table("card_counts", schema=None) as batch_op:
        batch_op.create_index(
            "ix_card_counts_merchant_id_day",
            ["merchant_id", "day", "card_id", "act", "source", "target", "times"],
            unique=False,
        )

    op.create_table(
        "card_invites",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("merchant_id", sa.String(length=40), nullable=False),
        sa.Column("card_id", sa.String(length=40), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("expires_at", sa.BigInteger(), nullable=False),
        sa.Column("revoked_at", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(["card_id"], ["cards.id"], name=op.f("fk_card_invites_card_id")),
        sa.ForeignKeyConstraint(["merchant_id"], ["merchants.id"], name=op.f("fk_card_invites_merchant_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_card_invites")),
    )
    with op.batch_alter_table("card_invites", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_card_invites_card_id"), ["card_id"], unique=False)

    op.create_table(
        "card_visitors",
        sa.Column("card_id", sa.String(length=40), nullable=False),
        sa.Column("day", sa.String(length=10), nullable=False),
        sa.Column("visitor", sa.String(length=32), nullable=False),
        sa.Column("act", sa.String(length=10), nullable=False),
        sa.Column("source", sa.String(length=10), nullable=False),
        sa.Column("target", sa.String(length=40), nullable=False),
        sa.Column("merchant_id", sa.String(length=40), nullable=False),
        sa.Column("times", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["card_id"], ["cards.id"], name=op.f("fk_card_visitors_card_id")),
        sa.ForeignKeyConstraint(["merchant_id"], ["merchants.id"], name=op.f("fk_card_visitors_merchant_id")),
        sa.PrimaryKeyConstraint("card_id", "day", "visitor", "act", "source", "target", name=op.f("pk_card_visitors")),
    )
    with op.batch_alter_table("card_visitors", schema=None) as batch_op:
        batch_op.create_index("ix_card_visitors_day", ["day"], unique=False)

    op.create_table(
        "card_visits",
        sa.Column("receipt_id", sa.String(length=40), nullable=False),
        sa.Column("card_id", sa.String(length=40), nullable=False),
        sa.Column("act", sa.String(length=10), nullable=False),
        sa.Column("merchant_id", sa.String(length=40), nullable=False),
        sa.Column("times", sa.Integer(), nullable=False),
        sa.Column("first_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["card_id"], ["cards.id"], name=op.f("fk_card_visits_card_id")),
        sa.ForeignKeyConstraint(["merchant_id"], ["merchants.id"], name=op.f("fk_card_visits_merchant_id")),
        sa.PrimaryKeyConstraint("receipt_id", "card_id", "act", name=op.f("pk_card_visits")),
    )
    with op.batch_alter_table("card_visits", schema=None) as batch_op:
        batch_op.create_index("ix_card_visits_card_id_first_at", ["card_id", "first_at"], unique=False)
        batch_op.create_index("ix_card_visits_merchant_id_first_at", ["merchant_id", "first_at"], unique=False)

    op.create_table(
        "google_objects",
        sa.Column("card_id", sa.String(length=40), nullable=False),
        sa.Column("merchant_id", sa.String(length=40), nullable=False),
        sa.Column("written_as_of", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(["card_id"], ["cards.id"], name=op.f("fk_google_objects_card_id")),
        sa.ForeignKeyConstraint(["merchant_id"], ["merchants.id"], name=op.f("fk_google_objects_merchant_id")),
        sa.PrimaryKeyConstraint("card_id", name=op.f("pk_google_objects")),
    )
    op.create_table(
        "service_ratings",
        sa.Column("receipt_id", sa.String(length=40), nullable=False),
        sa.Column("merchant_id", sa.String(length=40), nullable=False),
        sa.Column("card_id", sa.String(length=40), nullable=False),
        sa.Column("score", sa.Integer(), nullable=False),
        sa.Column("rated_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["card_id"], ["cards.id"], name=op.f("fk_service_ratings_card_id")),
        sa.ForeignKeyConstraint(["merchant_id"], ["merchants.id"], name=op.f("fk_service_ratings_merchant_id")),
        sa.PrimaryKeyConstraint("receipt_id", name=op.f("pk_service_ratings")),
    )
    with op.batch_alter_table("service_ratings", schema=None) as batch_op:
        batch_op.create_index("ix_service_ratings_card_id_rated_at", ["card_id", "rated_at"], unique=False)
        batch_op.create_index("ix_service_ratings_merchant_id_rated_at", ["merchant_id", "rated_at"], unique=False)

    with op.batch_alter_table("stores", schema=None) as batch_op:
        batch_op.add_column(sa.Column("opening_hours", sa.JSON(), nullable=True))
