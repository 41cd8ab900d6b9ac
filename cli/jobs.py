"""``counterfoil jobs``: what is to be done behind the scenes, and what could not be done."""

import json
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import datetime, timedelta
from typing import Annotated, Final

import typer

from cli.opened import opened
from infra import jobs
from infra.database import reading
from infra.jobs import Jobs
from infra.settings import Settings
from kernel.clock import iso, utc_now
from kernel.errors import NotFound

app = typer.Typer(
    help="Show the jobs of the workers; try dead ones again.\n\nExample: counterfoil jobs", invoke_without_command=True
)
JobId = Annotated[str, typer.Argument(help="The job's id, from `jobs dead`.")]
_COLUMNS: Final = ("waiting", "delayed", "running", "dead")
_AT_ONCE: Final = 100
_MOST: Final = 10_000
_MINUTE: Final = timedelta(minutes=1)


@app.callback()
def overview(context: typer.Context) -> None:
    """Show by kind how many jobs wait, are delayed, run, or are dead, and since when the oldest waits."""
    if context.invoked_subcommand is not None:
        return
    with opened() as engine, reading(engine) as conn:
        found = jobs.tally(conn)
    typer.echo(f"{'kind':<14}" + "".join(f"{column:>9}" for column in _COLUMNS) + "  oldest waits")
    for kind, tally in sorted(found.items()):
        counts = "".join(f"{getattr(tally, column):>9}" for column in _COLUMNS)
        typer.echo(f"{kind:<14}{counts}  {_since(tally.oldest, utc_now())}".rstrip())
    if any(tally.dead for tally in found.values()):
        typer.echo("\nDead jobs are tried no more. See why: counterfoil jobs dead")


@app.command()
def dead(as_json: Annotated[bool, typer.Option("--json", help="For machines: a list.")] = False) -> None:
    """List the jobs that failed at their last try, newest first, with the reason.

    Example: counterfoil jobs dead --json
    """
    with _jobs() as port:
        found = port.dead(at_most=_AT_ONCE)
    if as_json:
        rows = [
            {"id": each.id, "kind": each.kind, "died_at": iso(each.died_at), "reason": each.reason} for each in found
        ]
        typer.echo(json.dumps(rows, indent=2))
        return
    for each in found:
        typer.echo(f"{each.id}  {each.kind}  {iso(each.died_at)}  {each.reason}")
    typer.echo("Try one again: counterfoil jobs retry ID" if found else "No job is dead.")


@app.command()
def retry(
    job_id: Annotated[str | None, typer.Argument(help="The job's id, from `jobs dead`.")] = None,
    everything: Annotated[bool, typer.Option("--all", help="All dead jobs.")] = False,
) -> None:
    """Do a dead job again, from its first try; or all of them, once what stood in their way is gone.

    Example: counterfoil jobs retry --all
    """
    if everything == (job_id is not None):
        raise typer.BadParameter("name one job, or --all")
    with _jobs() as port:
        count = 0
        # What dies again meanwhile has a new id, and is left.
        for each in [job_id] if job_id else [each.id for each in port.dead(at_most=_MOST)]:
            count += _retried(port, each, is_one=job_id is not None)
    typer.echo("1 job is tried again." if count == 1 else f"{count} jobs are tried again.")


@app.command()
def forget(job_id: JobId) -> None:
    """Drop a dead job for good. What it was for is not done.

    Example: counterfoil jobs forget deliver:msg_01…
    """
    with _jobs() as port:
        if not port.forget(job_id):
            raise NotFound(f"No dead job has the id {job_id}; see counterfoil jobs dead")
    typer.echo(f"{job_id} is forgotten.")


def _retried(port: Jobs, job_id: str, *, is_one: bool) -> int:
    is_there = port.retry(job_id)
    if is_one and not is_there:
        raise NotFound(f"No dead job has the id {job_id}; see counterfoil jobs dead")
    return int(is_there)


@contextmanager
def _jobs() -> Iterator[Jobs]:
    with opened(), closing(Jobs(Settings().data.where_database())) as port:
        yield port


def _since(moment: datetime | None, now: datetime) -> str:
    if moment is None:
        return ""
    waited = max(now - moment, timedelta(0))
    seconds = int(waited.total_seconds())
    return f"{seconds} s" if waited < _MINUTE else f"{seconds // 60} min"
