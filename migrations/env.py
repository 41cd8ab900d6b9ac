"""Alembic's entry: the address comes from the caller, the tables from the code."""

from typing import Literal

from alembic import context

import accounts.tables
import pos.tables
import receipts.tables
from infra.database import Base, Instant, connect

# Imported for what they add to the metadata.
TABLES = (accounts.tables, receipts.tables, pos.tables)


def render_item(kind: str, item: object, _context: object) -> str | Literal[False]:
    """A migration must not depend on today's code: an instant is a plain integer there."""
    return "sa.BigInteger()" if kind == "type" and isinstance(item, Instant) else False


def run() -> None:
    url = context.config.get_main_option("sqlalchemy.url")
    assert url is not None
    engine = connect(url)
    with engine.begin() as connection:
        # SQLite cannot alter a column in place: Alembic then copies the table.
        context.configure(
            connection=connection, target_metadata=Base.metadata, render_as_batch=True, render_item=render_item
        )
        with context.begin_transaction():
            context.run_migrations()
    engine.dispose()


run()
