"""``counterfoil products``: the catalogue, imported from a table."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Annotated

import typer
from sqlalchemy import Engine

from accounts import manage as accounts
from accounts.fields import Language
from cli import columns, imported
from cli.opened import opened
from engagement.offers import importing, table
from engagement.offers.importing import Import, Outcome
from engagement.offers.table import ProductFile, Row
from infra import row_by_row
from infra.database import reading
from kernel.clock import utc_now

app = typer.Typer(help="Import products.", no_args_is_help=True)


@app.callback()
def _products() -> None:
    """Import products."""


@app.command("import")
def import_(
    file: Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="A CSV file.")],
    merchant: Annotated[str, typer.Option(help="The merchant's slug.")],
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would happen, and change nothing.")] = False,
    map_: Annotated[
        list[str] | None, typer.Option("--map", help="Column=field, for a column whose name says something else.")
    ] = None,
    language: Annotated[
        Language | None, typer.Option(help="Of texts whose column names none. Default: that of the first brand.")
    ] = None,
    currency: Annotated[str | None, typer.Option(help="Of prices whose row names none, such as EUR.")] = None,
) -> None:
    """Import a list of products: each row makes one, changes one, or is refused. Twice is the same as once.

    A row is of the product with its SKU; what it says nothing of stays as it is. The exit code is 1 where a row was
    refused.

    Example: counterfoil products import products.csv --merchant linden-rye --currency EUR --map "Lager=stock" --dry-run
    """
    data = file.read_bytes()
    with opened() as engine:
        with reading(engine) as conn:
            merchant_id = accounts.merchant_by_slug(conn, merchant)
            told = language or importing.language_of(conn, merchant_id)
        read = table.read(data, asked=columns.asked(map_), language=told, currency=currency)
        outcomes = _imported(engine, Import(merchant_id, dry_run), read)
    imported.tell(outcomes, read.columns, lambda each: each.sku, dry_run=dry_run)


def _imported(engine: Engine, work: Import, file: ProductFile) -> list[Outcome]:
    def bring(some: Sequence[Row]) -> Iterator[Outcome]:
        with engine.begin() as conn:
            outcomes = importing.bring(conn, work, some, now=utc_now())
        yield from outcomes

    slices = row_by_row.slices(file.rows, importing.TOGETHER)
    pause = 0 if work.dry_run else row_by_row.PAUSE
    return imported.brought(slices, file.rows, bring, importing.not_reached, pause=pause)
