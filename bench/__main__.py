"""``scripts/bench``: every figure as a ratio, side by side in one run."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Annotated

import typer

from bench import claims, intake, mail, memory, nps, offers, pages, passes, pdf, qr, vcard, weight
from bench import scale as growth
from bench.machine import machine
from bench.table import Row, markdown

_BENCHES: dict[str, Callable[[float], Iterator[Row]]] = {
    "claims": claims.rows,
    "intake": intake.rows,
    "mail": mail.rows,
    "memory": memory.rows,
    "nps": nps.rows,
    "offers": offers.rows,
    "pages": pages.rows,
    "passes": passes.rows,
    "pdf": pdf.rows,
    "qr": qr.rows,
    "vcard": vcard.rows,
    "weight": weight.rows,
}


def main(
    which: Annotated[list[str] | None, typer.Argument(help=f"Some of: {', '.join(_BENCHES)}. Default: all.")] = None,
    seconds: Annotated[float, typer.Option(help="How long each load lasts.")] = 5,
    into: Annotated[Path | None, typer.Option(help="Put the table into this page, such as docs/benchmarks.md.")] = None,
    scale: Annotated[
        bool,
        typer.Option(
            "--scale", help="Compare a shop of 10,000 receipts with one of a million, or of the number given."
        ),
    ] = False,
) -> None:
    """Measure, and print a table. Examples: scripts/bench intake --seconds 10, scripts/bench --scale 200000"""
    if scale:
        _tell("grown", growth.measured(int(which[0]) if which else growth.LARGE), into)
        return
    rows: list[Row] = []
    for name in which or _BENCHES:
        for row in _BENCHES[name](seconds):
            typer.echo("  ".join(filter(None, row.cells())), err=True)
            rows.append(row)
    _tell("measured", markdown(rows), into)


def _tell(mark: str, table: str, into: Path | None) -> None:
    """Each kind of run has a place of its own in the page."""
    told = f"{machine()}\n\n{table}"
    typer.echo(told)
    if into is not None:
        begin, end = f"<!-- {mark} -->", f"<!-- /{mark} -->"
        before, _, rest = into.read_text().partition(begin)
        into.write_text(f"{before}{begin}\n\n{told}\n\n{end}{rest.partition(end)[2]}")


if __name__ == "__main__":
    app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)
    app.command()(main)
    app()
