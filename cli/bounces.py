"""``counterfoil bounces``: a mail server hands over what comes back."""

import os
import sys
from typing import Final

import typer
from pydantic import ValidationError
from sqlalchemy.exc import SQLAlchemyError

from cli.opened import transaction
from infra.bounces import LONGEST_BOUNCE, Bounce, read_bounce
from infra.settings import Settings
from kernel.clock import utc_now
from notify import stopping

_TRY_AGAIN: Final = os.EX_TEMPFAIL


def bounces() -> None:
    """Read one mail from standard input: if it says that a message of ours did not arrive, write that down.

    For the mail server that receives what is sent to COUNTERFOIL_MAIL_BOUNCES. It exits with 0 also for a mail that is
    no bounce, since the mail server would answer the sender otherwise, and with 75 (try again later) while the database
    is away.

    Example, in /etc/aliases of Postfix: bounces: "|/opt/counterfoil/.venv/bin/counterfoil bounces"
    """
    raw = sys.stdin.buffer.read(LONGEST_BOUNCE)
    # The rest is read as well: a mail server whose pipe breaks takes it for a failure.
    while sys.stdin.buffer.read(1 << 16):
        pass
    try:
        typer.echo(_recorded(raw))
    except (SQLAlchemyError, ValidationError, OSError, SystemExit) as error:
        typer.echo(f"Not written down, try again later: {_in_a_line(error)}", err=True)
        sys.exit(_TRY_AGAIN)


def _recorded(raw: bytes) -> str:
    """What was done, in a line."""
    bounce = read_bounce(raw, bounces=Settings().mail.mail_bounces)
    if bounce is None:
        return "This is no bounce; nothing was done."
    message_id = stopping.message_named(bounce.verp) or stopping.message_named(bounce.message_id)
    if message_id is None:
        return "This bounce is of no message of ours; nothing was done."
    return _told(bounce, message_id)


def _told(bounce: Bounce, message_id: str) -> str:
    with transaction() as conn:
        merchant_id = stopping.bounced(conn, message_id, bounce, now=utc_now())
    if merchant_id is None:
        return f"{message_id} was not sent, or is known to have bounced; nothing was done."
    rest = "; its address is written to no more" if bounce.is_permanent else ""
    return f"{message_id} bounced: {bounce.detail or bounce.status}{rest}."


def _in_a_line(error: BaseException) -> str:
    return str(getattr(error, "orig", None) or error).strip().partition("\n")[0]
