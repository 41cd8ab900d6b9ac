"""Files that are imported row by row, from a terminal: some rows at a time, then what became of each."""

import time
from collections.abc import Callable, Iterable, Sequence
from typing import TypeVar

import typer

from cli.progress import Progress
from infra import row_by_row
from infra.row_by_row import TROUBLE, Outcome

Row = TypeVar("Row")
Became = TypeVar("Became", bound=Outcome)


def brought(
    slices: Iterable[Sequence[Row]],
    rows: Sequence[Row],
    bring: Callable[[Sequence[Row]], Iterable[Became]],
    not_reached: Callable[[Sequence[Row], Exception], Sequence[Became]],
    *,
    pause: float,
) -> list[Became]:
    """What became of ``rows``, which come in ``slices`` with ``pause`` seconds between them. ``bring`` gives what it
    has committed. Trouble with the first of them is raised."""
    progress, outcomes = Progress("rows", len(rows)), list[Became]()
    for some in slices:
        time.sleep(pause if outcomes else 0)
        try:
            outcomes.extend(bring(some))
        except TROUBLE as trouble:
            if not outcomes:
                raise
            outcomes += not_reached(rows[len(outcomes) :], trouble)
            break
        progress.done(len(some))
    progress.end()
    return outcomes


def tell(
    outcomes: Sequence[Became],
    columns: Iterable[tuple[str, str | None]],
    named: Callable[[Became], str | None],
    *,
    dry_run: bool,
) -> None:
    """Each row with what it is of, and the sum. ``columns`` of the file are with their fields. Ends with 1 where a row
    was refused."""
    for outcome in outcomes:
        typer.echo(f"{outcome.row:>5}  {outcome.state:<9}  {named(outcome) or ''}".rstrip())
        for fault in outcome.faults:
            typer.echo(f"       {fault.column or fault.pointer or 'the row'}: {fault.detail}")
        for each in outcome.lost:
            typer.echo(f"       not taken: {each}")
    if left := [column for column, field in columns if field is None]:
        typer.echo(f"Columns that were left out: {', '.join(left)}")
    told = ", ".join(f"{count} {state}" for state, count in row_by_row.counted(outcomes).items() if count)
    typer.echo(("Nothing was changed. It would be: " if dry_run else "") + (told or "nothing to import"))
    if any(each.state == "refused" for each in outcomes):
        raise typer.Exit(1)
