"""``counterfoil messages``: what was sent to whom, and what became of it."""

from contextlib import closing
from typing import Annotated, get_args

import typer
from sqlalchemy import Engine

from accounts import manage
from cli.opened import opened
from infra.database import reading
from infra.jobs import Jobs
from infra.settings import Settings
from kernel.clock import iso, utc_now
from notify import desk
from notify.desk import Over, Shown
from notify.find import State

app = typer.Typer(
    help="Show messages to shoppers; send failed ones again.\n\nExample: counterfoil messages --state failed",
    invoke_without_command=True,
)


@app.callback()
def overview(
    context: typer.Context,
    merchant: Annotated[str | None, typer.Option(help="Only of the merchant with this slug.")] = None,
    state: Annotated[State | None, typer.Option(help="Only those in this state.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=1000, help="How many.")] = 50,
) -> None:
    """List messages, newest first, each with the last word of the mail server."""
    if context.invoked_subcommand is not None:
        return
    with opened() as engine, reading(engine) as conn:
        if merchant is not None:
            manage.merchant_by_slug(conn, merchant)
        found = desk.newest(conn, merchant=merchant, state=state, limit=limit)
    for each in found:
        typer.echo(_line(each))
    if not found:
        typer.echo("There is none.")


@app.command()
def resend(
    message_id: Annotated[str | None, typer.Argument(help="The message's id, from `messages`.")] = None,
    state: Annotated[Over | None, typer.Option(help="All in this state.")] = None,
    everything: Annotated[bool, typer.Option("--all", help="All that were refused or have failed.")] = False,
    merchant: Annotated[str | None, typer.Option(help="Of --state or --all, those of this merchant's slug.")] = None,
) -> None:
    """Send a message again that was refused or has failed, or all of them, once what stood in the way is gone.

    It is tried for two days after it was first asked for, and at least once. Of many, those whose addresses are written
    to no more are left.

    Example: counterfoil messages resend --state refused --merchant linden-rye
    """
    if [message_id is not None, state is not None, everything].count(True) != 1:
        raise typer.BadParameter("name one message, or --state, or --all")
    if message_id is not None and merchant is not None:
        raise typer.BadParameter("--merchant goes with --state or --all")
    with opened() as engine, closing(Jobs(Settings().data.where_database())) as jobs:
        if message_id is None:
            count = sum(_resent(engine, jobs, merchant, each) for each in ([state] if state else get_args(Over)))
            typer.echo("1 message waits to be sent." if count == 1 else f"{count} messages wait to be sent.")
            return
        with engine.begin() as conn:
            desk.send_again(conn, jobs, message_id, now=utc_now())
    typer.echo(f"{message_id} waits to be sent.")


def _resent(engine: Engine, jobs: Jobs, merchant: str | None, state: Over) -> int:
    """How many. Some at a time, so that others need not wait for the database."""
    with reading(engine) as conn:
        if merchant is not None:
            manage.merchant_by_slug(conn, merchant)
        ids = [merchant_id for _, merchant_id in desk.merchants(conn, merchant)]
    count = 0
    for merchant_id in ids:
        after: str | None = ""
        while after is not None:
            with engine.begin() as conn:
                some, after = desk.send_some_again(conn, jobs, merchant_id, state, after=after, now=utc_now())
            count += some
    return count


def _line(shown: Shown) -> str:
    message = shown.message
    tries = "1 try" if message.attempts == 1 else f"{message.attempts} tries"
    told = (message.id, shown.merchant, iso(message.asked_at), f"{message.state:<8}", tries, message.address)
    return "  ".join((*told, message.detail or "")).rstrip()
