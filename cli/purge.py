"""``counterfoil purge``: delete now what a worker would delete tonight."""

from typing import Annotated

import typer
from sqlalchemy import Connection, select

from accounts import manage
from accounts.tables import Merchant
from cards import forgetting as cards_forgetting
from cli.opened import opened
from engagement import forgetting
from infra.database import reading
from infra.settings import Settings
from infra.storage import open_storage
from kernel.clock import utc_now
from receipts import retention


def purge(
    merchant: Annotated[str | None, typer.Option(help="The slug of one merchant; without it, all.")] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would go, and change nothing.")] = False,
) -> None:
    """Delete receipts, and contacts left on cards, that are older than their merchant keeps them (`keep_days`).

    The worker does it every night. The service may run meanwhile.

    Example: counterfoil purge --merchant linden-rye --dry-run
    """
    now, storage = utc_now(), open_storage(Settings().data)
    with opened() as engine:
        with reading(engine) as conn:
            merchants = _merchants(conn, merchant)
        for slug, merchant_id, days in merchants:
            if days is None:
                typer.echo(f"{slug} keeps receipts for ever")
            elif dry_run:
                with reading(engine) as conn:
                    count = retention.count_due(conn, merchant_id, now=now)
                typer.echo(f"{slug}: {count:,} receipts would be deleted, of more than {days} days ago")
            else:
                count = retention.purge_merchant(
                    engine, storage, merchant_id, now=now, stop=_never, forget=forgetting.forget_receipts
                )
                cards_forgetting.purge_contacts(engine, now=now, stop=_never, merchant_id=merchant_id)
                typer.echo(f"{slug}: {count:,} receipts were deleted, of more than {days} days ago")


def _never() -> bool:
    return False


def _merchants(conn: Connection, slug: str | None) -> list[tuple[str, str, int | None]]:
    """Slug, id and days of the one that is named, or of all: the operator's view is of the whole house."""
    wanted = select(Merchant.slug, Merchant.id, Merchant.keep_days).order_by(Merchant.slug)
    if slug is not None:
        wanted = wanted.where(Merchant.id == manage.merchant_by_slug(conn, slug))
    return [(row.slug, row.id, row.keep_days) for row in conn.execute(wanted)]
