"""``counterfoil messages``: what was sent to whom, and what became of it."""

from contextlib import closing
from typing import Annotated, Literal

import typer

from accounts import manage
from cli.opened import opened
from infra.database import reading
from infra.jobs import Jobs
from infra.settings import Settings
from kernel.clock import iso, utc_now
from notify import desk
from notify.desk import Shown

app = typer.Typer(
    help="Show messages to shoppers; send failed ones again.\n\nExample: counterfoil messages --state failed",
    invoke_without_command=True,
)
State = Literal["waiting", "sent", "refused", "bounced", "failed", "stopped"]


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
def resend(message_id: Annotated[str, typer.Argument(help="The message's id, from `messages`.")]) -> None:
    """Send a message again that was refused or has failed, once what stood in its way is gone.

    It is tried for two days after it was first asked for, and at least once.

    Example: counterfoil messages resend msg_01…
    """
    with (
        opened() as engine,
        closing(Jobs(Settings().data.where_database())) as jobs,
        engine.begin() as conn,
    ):
        desk.send_again(conn, jobs, message_id, now=utc_now())
    typer.echo(f"{message_id} waits to be sent.")


def _line(shown: Shown) -> str:
    message = shown.message
    tries = "1 try" if message.attempts == 1 else f"{message.attempts} tries"
    told = (message.id, shown.merchant, iso(message.asked_at), f"{message.state:<8}", tries, message.address)
    return "  ".join((*told, message.detail or "")).rstrip()
