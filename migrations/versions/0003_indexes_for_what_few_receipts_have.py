"""Indexes for what few receipts have, and for messages that a job has claimed"""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    claimed, served, no_sale = (sa.text(it) for it in ("claim IS NOT NULL", "staff_id IS NOT NULL", "kind <> 'sale'"))
    op.create_index("ix_messages_claim", "messages", ["claim"], sqlite_where=claimed, postgresql_where=claimed)
    op.create_index(
        "ix_receipts_merchant_id_staff_id_issued_at_id",
        "receipts",
        ["merchant_id", "staff_id", "issued_at", "id"],
        sqlite_where=served,
        postgresql_where=served,
    )
    op.create_index(
        "ix_receipts_merchant_id_store_id_kind_issued_at_id",
        "receipts",
        ["merchant_id", "store_id", "kind", "issued_at", "id"],
        sqlite_where=no_sale,
        postgresql_where=no_sale,
    )
    # Nearly all receipts are sales, which are found by anything else: an index of the others is small.
    op.drop_index("ix_receipts_merchant_id_kind_issued_at_id", "receipts")
    op.create_index(
        "ix_receipts_merchant_id_kind_issued_at_id",
        "receipts",
        ["merchant_id", "kind", "issued_at", "id"],
        sqlite_where=no_sale,
        postgresql_where=no_sale,
    )
