"""``scripts/bench``: every figure as a ratio, side by side in one run."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Annotated

import typer

from bench import intake, mail, pages, pdf, qr, weight
from bench.machine import machine
from bench.table import Row, markdown

_BEGIN, _END = "<!-- measured -->", "<!-- /measured -->"
_BENCHES: dict[str, Callable[[float], Iterator[Row]]] = {
    "intake": intake.rows,
    "mail": mail.rows,
    "pages": pages.rows,
    "pdf": pdf.rows,
    "qr": qr.rows,
    "weight": weight.rows,
}


def main(
    which: Annotated[list[str] | None, typer.Argument(help=f"Some of: {', '.join(_BENCHES)}. Default: all.")] = None,
    seconds: Annotated[float, typer.Option(help="How long each load lasts.")] = 5,
    into: Annotated[Path | None, typer.Option(help="Put the table into this page, such as docs/benchmarks.md.")] = None,
) -> None:
    """Measure, and print a table. Example: scripts/bench intake --seconds 10"""
    rows: list[Row] = []
    for name in which or _BENCHES:
        for row in _BENCHES[name](seconds):
            typer.echo("  ".join(filter(None, row.cells())), err=True)
            rows.append(row)
    table = f"{machine()}\n\n{markdown(rows)}"
    typer.echo(table)
    if into is not None:
        before, _, rest = into.read_text().partition(_BEGIN)
        into.write_text(f"{before}{_BEGIN}\n\n{table}\n\n{_END}{rest.partition(_END)[2]}")


if __name__ == "__main__":
    app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)
    app.command()(main)
    app()
