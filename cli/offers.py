"""``counterfoil offers``: how well what else somebody may want can be told, from any file of baskets."""

import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any, Final

import orjson
import typer

from cli.offers_shown import bars, picture
from engagement.offers.basket_columns import FIELDS, Field
from engagement.offers.basket_files import Form, Reading, UnreadableBaskets, rows
from engagement.offers.lesson import Aim
from engagement.offers.lesson import Row as Line

app = typer.Typer(help="What goes with what.", no_args_is_help=True)
_LEAST: Final = 20  # baskets
_OPTIONS: Final = {name: f"The column of the {name}: its name, or its number from 1." for name in FIELDS}


@app.callback()
def _offers() -> None:
    """Learn from baskets what else somebody may want."""


_FORM: Final = "long: an item a line; baskets: a basket a line; auto: look."
_AIM: Final = "next: let what shoppers bought next decide where it is clear, as each night."


@app.command()
def backtest(
    file: Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="CSV, TSV (also .gz), or Parquet.")],
    basket: Annotated[str | None, typer.Option(help=_OPTIONS["basket"])] = None,
    item: Annotated[str | None, typer.Option(help=_OPTIONS["item"])] = None,
    date: Annotated[str | None, typer.Option(help=_OPTIONS["date"])] = None,
    customer: Annotated[str | None, typer.Option(help=_OPTIONS["customer"])] = None,
    store: Annotated[str | None, typer.Option(help=_OPTIONS["store"])] = None,
    quantity: Annotated[str | None, typer.Option(help=_OPTIONS["quantity"])] = None,
    price: Annotated[str | None, typer.Option(help=_OPTIONS["price"])] = None,
    form: Annotated[Form, typer.Option("--format", help=_FORM)] = "auto",
    items: Annotated[
        str | None, typer.Option(help=r"Only items whose key begins so, a regular expression such as '\d{5}'.")
    ] = None,
    seed: Annotated[int, typer.Option(help="Which items are hidden, and of which baskets.")] = 0,
    aim: Annotated[Aim, typer.Option(help=_AIM)] = "basket",
    as_json: Annotated[bool, typer.Option("--json", help="Answer in JSON.")] = False,
    svg: Annotated[Path | None, typer.Option(help="Write the figures as a picture, too.", dir_okay=False)] = None,
) -> None:
    r"""Hide one item of each later basket, and tell which way of learning finds most of them again.

    The columns are known by their names, such as InvoiceNo, StockCode and InvoiceDate. A file without a header has a
    basket a line, or the columns basket, item and date. Lines whose quantity or price is not above 0 are left out.
    Status 1 where the file cannot be read.

    Examples:

      counterfoil offers backtest receipts.csv

      counterfoil offers backtest lines.tsv --basket ticket --item ean --date 4

      counterfoil offers backtest online_retail.parquet --items '\d{5}' --svg figures.svg
    """
    asked = dict(zip(FIELDS, (basket, item, date, None, customer, store, quantity, price), strict=True))
    columns: dict[Field, str] = {name: value for name, value in asked.items() if value is not None}
    reading = Reading(columns, form, _pattern(items))
    report = _report(file, reading, seed, aim)
    if svg:
        svg.write_text(picture(report))
    typer.echo(orjson.dumps(report, option=orjson.OPT_INDENT_2).decode() if as_json else bars(report))


def _pattern(items: str | None) -> "re.Pattern[str] | None":
    try:
        return re.compile(items) if items is not None else None
    except re.error as error:
        raise typer.BadParameter(f"--items is no regular expression: {error}") from None


def _report(file: Path, reading: Reading, seed: int, aim: Aim) -> dict[str, Any]:
    # A server shall not carry numpy, and this is the command's own process.
    from engagement.offers import baskets, learning

    _say(f"reading {file.name}")
    try:
        found = baskets.of(_counted(file, reading))
    except UnreadableBaskets as error:
        sys.exit(f"{file}: {error}")
    _say(f"{reading.said}; {reading.lines:,} lines, {reading.left_out:,} of them left out")
    if len(found) < _LEAST:
        sys.exit(f"{file}: {len(found)} baskets are too few to tell anything; {_LEAST} are the least")
    return learning.learn(found, seed=seed, aim=aim, told=_say).report


def _counted(file: Path, reading: Reading) -> Iterator[Line]:
    for number, row in enumerate(rows(file, reading), start=1):
        if number % 1_000_000 == 0:
            _say(f"{number:,} lines")
        yield row


def _say(step: str) -> None:
    """Where it stands, beside the answer."""
    typer.echo(f"  {step}", err=True)
