"""``scripts/bench``: every figure as a ratio, side by side in one run."""

from collections.abc import Callable, Iterator
from typing import Annotated

import typer

from bench import intake, pages, pdf, qr, weight
from bench.table import Row, markdown

_BENCHES: dict[str, Callable[[float], Iterator[Row]]] = {
    "intake": intake.rows,
    "pages": pages.rows,
    "pdf": pdf.rows,
    "qr": qr.rows,
    "weight": weight.rows,
}


def main(
    which: Annotated[list[str] | None, typer.Argument(help=f"Some of: {', '.join(_BENCHES)}. Default: all.")] = None,
    seconds: Annotated[float, typer.Option(help="How long each load lasts.")] = 5,
) -> None:
    """Measure, and print a table. Example: scripts/bench intake --seconds 10"""
    rows: list[Row] = []
    for name in which or _BENCHES:
        for row in _BENCHES[name](seconds):
            typer.echo("  ".join(filter(None, row.cells())), err=True)
            rows.append(row)
    typer.echo(markdown(rows))


if __name__ == "__main__":
    app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)
    app.command()(main)
    app()
