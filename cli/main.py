"""The ``counterfoil`` command: each part of it is a module of this package (cli.late)."""

import os
import sys

import typer
from pydantic import ValidationError
from sqlalchemy.exc import OperationalError

from cli.late import Late
from infra.settings import explain
from kernel.errors import Problem, in_words

app = typer.Typer(
    name="counterfoil", cls=Late, no_args_is_help=True, rich_markup_mode=None, pretty_exceptions_enable=False
)


@app.callback()
def _counterfoil() -> None:
    """Smart receipts and digital business cards, self-hosted.

    Try it: counterfoil demo
    """


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
