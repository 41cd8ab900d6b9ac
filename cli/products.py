"""``counterfoil products``: the catalogue, imported from a table."""

import time
from pathlib import Path
from typing import Annotated

import typer
from sqlalchemy import Engine

from accounts import manage as accounts
from accounts.fields import Language
from cli import columns
from cli.opened import opened
from cli.progress import Progress
from engagement.offers import importing, table
from engagement.offers.importing import Import, Outcome
from engagement.offers.table import ProductFile
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
    _tell(read, outcomes)
    counts = ", ".join(f"{count} {state}" for state, count in importing.counted(outcomes).items() if count)
    typer.echo(("Nothing was changed. It would be: " if dry_run else "") + (counts or "nothing to import"))
    if any(each.state == "refused" for each in outcomes):
        raise typer.Exit(1)


def _imported(engine: Engine, work: Import, file: ProductFile) -> list[Outcome]:
    progress, outcomes = Progress("rows", len(file.rows)), list[Outcome]()
    for some in importing.slices(file.rows):
        if outcomes and not work.dry_run:
            time.sleep(importing.PAUSE)
        try:
            with engine.begin() as conn:
                outcomes += importing.bring(conn, work, some, now=utc_now())
        except importing.TROUBLE as trouble:
            if not outcomes:
                raise
            outcomes += importing.not_reached(file.rows[len(outcomes) :], trouble)
            break
        progress.done(len(some))
    progress.end()
    return outcomes


def _tell(file: ProductFile, outcomes: list[Outcome]) -> None:
    for outcome in outcomes:
        typer.echo(f"{outcome.row:>5}  {outcome.state:<9}  {outcome.sku or ''}".rstrip())
        for fault in outcome.faults:
            typer.echo(f"       {fault.column or fault.pointer or 'the row'}: {fault.detail}")
        for each in outcome.lost:
            typer.echo(f"       not taken: {each}")
    if left := [column for column, path in file.columns if path is None]:
        typer.echo(f"Columns that were left out: {', '.join(left)}")
