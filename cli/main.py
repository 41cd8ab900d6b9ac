"""The ``counterfoil`` command: each part of it is a module of this package."""

import os
import sys

import typer
from pydantic import ValidationError
from sqlalchemy.exc import OperationalError

from cli import (
    backup,
    bounces,
    cards,
    demo,
    doctor,
    hooks,
    imports,
    jobs,
    keys,
    merchants,
    messages,
    purge,
    restore,
    serve,
    signing_keys,
    verify,
    worker,
)
from infra.settings import explain
from kernel.errors import Problem, in_words

app = typer.Typer(
    name="counterfoil",
    help="Smart receipts and digital business cards, self-hosted.\n\nTry it: counterfoil demo",
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)
app.command("demo")(demo.demo)
app.command("serve")(serve.serve)
app.command("worker")(worker.worker)
app.command("migrate")(serve.migrate)
app.command("bounces")(bounces.bounces)
app.command("doctor")(doctor.doctor)
app.command("backup")(backup.backup)
app.command("restore")(restore.restore)
app.command("purge")(purge.purge)
app.command("verify")(verify.verify)
app.add_typer(merchants.app, name="merchants")
app.add_typer(keys.app, name="keys")
app.add_typer(signing_keys.app, name="signing-keys")
app.add_typer(hooks.app, name="hooks")
app.add_typer(imports.app, name="import")
app.add_typer(jobs.app, name="jobs")
app.add_typer(messages.app, name="messages")
app.add_typer(cards.app, name="cards")


def main() -> None:
    """Settings, refusals, and a database or folder that is not there are told in a line, not in a traceback."""
    # What the service writes (shoppers' data, the secret key) is for its own user alone.
    os.umask(0o077)
    try:
        app()
    except ValidationError as error:
        sys.exit(f"The settings are not valid:\n{explain(error)}")
    except Problem as problem:
        sys.exit("\n".join(in_words(problem)))
    except OperationalError as error:
        reason = str(error.orig).strip().partition("\n")[0]
        sys.exit(f"The database cannot be used: {reason}\nSee what else is not well: counterfoil doctor")
    except OSError as error:
        sys.exit(f"{error.strerror}: {error.filename}" if error.filename else str(error))
