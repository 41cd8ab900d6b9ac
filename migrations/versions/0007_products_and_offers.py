"""Products and offers"""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "products",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("merchant_id", sa.String(length=40), nullable=False),
        sa.Column("sku", sa.String(length=128), nullable=False),
        sa.Column("gtin", sa.String(length=14), nullable=True),
        sa.Column("name", sa.JSON(), nullable=False),
        sa.Column("price", sa.BigInteger(), nullable=True),
        sa.Column("list_price", sa.BigInteger(), nullable=True),
        sa.Column("currency", sa.String(length=3), nullable=True),
        sa.Column("picture_key", sa.String(length=100), nullable=True),
        sa.Column("image", sa.String(length=2000), nullable=True),
        sa.Column("category", sa.String(length=300), nullable=True),
        sa.Column("brand", sa.String(length=300), nullable=True),
        sa.Column("stock", sa.Integer(), nullable=True),
        sa.Column("link", sa.String(length=2000), nullable=True),
        sa.Column("warranty_months", sa.Integer(), nullable=True),
        sa.Column("warranty", sa.JSON(), nullable=False),
        sa.Column("care", sa.JSON(), nullable=False),
        sa.Column("complements", sa.JSON(), nullable=False),
        sa.Column("again", sa.Boolean(), nullable=False),
        sa.Column("shared", sa.Boolean(), nullable=False),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.Column("changed_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["merchant_id"], ["merchants.id"], name=op.f("fk_products_merchant_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_products")),
        sa.UniqueConstraint("merchant_id", "sku", name=op.f("uq_products_merchant_id_sku")),
    )
    op.create_index(
        "ix_products_picture_key",
        "products",
        ["picture_key"],
        unique=False,
        sqlite_where=sa.text("picture_key IS NOT NULL"),
        postgresql_where=sa.text("picture_key IS NOT NULL"),
    )
    op.create_index(
        "ix_products_shared",
        "products",
        ["merchant_id", "id"],
        unique=False,
        sqlite_where=sa.text("shared IS 1"),
        postgresql_where=sa.text("shared IS true"),
    )
    op.create_table(
        "product_items",
        sa.Column("merchant_id", sa.String(length=40), nullable=False),
        sa.Column("item", sa.String(length=80), nullable=False),
        sa.Column("product_id", sa.String(length=40), nullable=False),
        sa.Column("offered", sa.Boolean(), nullable=False),
        sa.Column("again", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(["merchant_id"], ["merchants.id"], name=op.f("fk_product_items_merchant_id")),
        sa.ForeignKeyConstraint(["product_id"], ["products.id"], name=op.f("fk_product_items_product_id")),
        sa.PrimaryKeyConstraint("merchant_id", "item", "product_id", name=op.f("pk_product_items")),
        sqlite_with_rowid=False,
    )
    op.create_index(op.f("ix_product_items_product_id"), "product_items", ["product_id"], unique=False)
    op.create_table(
        "baskets",
        sa.Column("receipt_id", sa.String(length=40), nullable=False),
        sa.Column("merchant_id", sa.String(length=40), nullable=False),
        sa.Column("store_id", sa.String(length=40), nullable=False),
        sa.Column("shopper", sa.String(length=32), nullable=True),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("items", sa.Text(), nullable=False),
        sa.Column("returned", sa.Text(), nullable=False),
        sa.Column("also", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(["merchant_id"], ["merchants.id"], name=op.f("fk_baskets_merchant_id")),
        sa.ForeignKeyConstraint(["receipt_id"], ["receipts.id"], name=op.f("fk_baskets_receipt_id")),
        sa.ForeignKeyConstraint(["store_id"], ["stores.id"], name=op.f("fk_baskets_store_id")),
        sa.PrimaryKeyConstraint("receipt_id", name=op.f("pk_baskets")),
    )
    op.create_index("ix_baskets_merchant_id_at", "baskets", ["merchant_id", "at", "receipt_id"], unique=False)
    op.create_index(
        "ix_baskets_merchant_id_shopper",
        "baskets",
        ["merchant_id", "shopper", "at"],
        unique=False,
        sqlite_where=sa.text("shopper IS NOT NULL"),
        postgresql_where=sa.text("shopper IS NOT NULL"),
    )
    op.create_table(
        "offer_books",
        sa.Column("merchant_id", sa.String(length=40), nullable=False),
        sa.Column("is_on", sa.Boolean(), nullable=False),
        sa.Column("at_most", sa.Integer(), nullable=False),
        sa.Column("window_days", sa.Integer(), nullable=False),
        sa.Column("fresh", sa.Integer(), nullable=False),
        sa.Column("edition", sa.BigInteger(), nullable=True),
        sa.Column("report", sa.Text(), nullable=True),
        sa.Column("learned_at", sa.BigInteger(), nullable=True),
        sa.Column("tried_at", sa.BigInteger(), nullable=True),
        sa.Column("claim", sa.BigInteger(), nullable=True),
        sa.Column("claimed_until", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(["merchant_id"], ["merchants.id"], name=op.f("fk_offer_books_merchant_id")),
        sa.PrimaryKeyConstraint("merchant_id", name=op.f("pk_offer_books")),
    )
    op.create_table(
        "neighbours",
        sa.Column("merchant_id", sa.String(length=40), nullable=False),
        sa.Column("edition", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("a", sa.String(length=80), nullable=False),
        sa.Column("b", sa.String(length=80), nullable=False),
        sa.Column("score", sa.Float(), nullable=False),
        sa.Column("receipts", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("merchant_id", "edition", "a", "b", name=op.f("pk_neighbours")),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "popular_items",
        sa.Column("merchant_id", sa.String(length=40), nullable=False),
        sa.Column("edition", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("place", sa.String(length=40), nullable=False),
        sa.Column("item", sa.String(length=80), nullable=False),
        sa.Column("score", sa.Float(), nullable=False),
        sa.PrimaryKeyConstraint("merchant_id", "edition", "place", "item", name=op.f("pk_popular_items")),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "offer_rules",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("merchant_id", sa.String(length=40), nullable=False),
        sa.Column("kind", sa.String(length=10), nullable=False),
        sa.Column("sku", sa.String(length=128), nullable=False),
        sa.Column("beside", sa.String(length=128), nullable=True),
        sa.Column("ally_id", sa.String(length=40), nullable=True),
        sa.Column("store_id", sa.String(length=40), nullable=True),
        sa.ForeignKeyConstraint(["ally_id"], ["merchants.id"], name=op.f("fk_offer_rules_ally_id")),
        sa.ForeignKeyConstraint(["merchant_id"], ["merchants.id"], name=op.f("fk_offer_rules_merchant_id")),
        sa.ForeignKeyConstraint(["store_id"], ["stores.id"], name=op.f("fk_offer_rules_store_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_offer_rules")),
    )
    op.create_index("ix_offer_rules_merchant_id_id", "offer_rules", ["merchant_id", "id"], unique=False)
    op.create_table(
        "offer_touches",
        sa.Column("receipt_id", sa.String(length=40), nullable=False),
        sa.Column("product_id", sa.String(length=40), nullable=False),
        sa.Column("merchant_id", sa.String(length=40), nullable=False),
        sa.Column("reason", sa.String(length=12), nullable=False),
        sa.Column("shown_at", sa.BigInteger(), nullable=False),
        sa.Column("tapped_at", sa.BigInteger(), nullable=True),
        sa.Column("bought_at", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(["merchant_id"], ["merchants.id"], name=op.f("fk_offer_touches_merchant_id")),
        sa.ForeignKeyConstraint(["receipt_id"], ["receipts.id"], name=op.f("fk_offer_touches_receipt_id")),
        sa.PrimaryKeyConstraint("receipt_id", "product_id", name=op.f("pk_offer_touches")),
    )
    op.create_table(
        "offer_sales",
        sa.Column("receipt_id", sa.String(length=40), nullable=False),
        sa.Column("product_id", sa.String(length=40), nullable=False),
        sa.Column("merchant_id", sa.String(length=40), nullable=False),
        sa.Column("shown_by", sa.String(length=40), nullable=False),
        sa.Column("sku", sa.String(length=128), nullable=False),
        sa.Column("reason", sa.String(length=12), nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.Column("items", sa.Text(), nullable=False),
        sa.Column("returned_at", sa.BigInteger(), nullable=True),
        sa.Column("returned_amount", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["merchant_id"], ["merchants.id"], name=op.f("fk_offer_sales_merchant_id")),
        sa.ForeignKeyConstraint(["receipt_id"], ["receipts.id"], name=op.f("fk_offer_sales_receipt_id")),
        sa.ForeignKeyConstraint(["shown_by"], ["merchants.id"], name=op.f("fk_offer_sales_shown_by")),
        sa.PrimaryKeyConstraint("receipt_id", "product_id", name=op.f("pk_offer_sales")),
    )
    op.create_table(
        "offer_counts",
        sa.Column("merchant_id", sa.String(length=40), nullable=False),
        sa.Column("day", sa.String(length=10), nullable=False),
        sa.Column("sku", sa.String(length=128), nullable=False),
        sa.Column("reason", sa.String(length=12), nullable=False),
        sa.Column("ally_id", sa.String(length=40), nullable=False),
        sa.Column("side", sa.String(length=6), nullable=False),
        sa.Column("act", sa.String(length=8), nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("times", sa.Integer(), nullable=False),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["merchant_id"], ["merchants.id"], name=op.f("fk_offer_counts_merchant_id")),
        sa.PrimaryKeyConstraint(
            "merchant_id", "day", "sku", "reason", "ally_id", "side", "act", "currency", name=op.f("pk_offer_counts")
        ),
        sqlite_with_rowid=False,
    )
