"""``counterfoil doctor``: what is set up, what is not, and what to do about it."""

import json
import sys
from dataclasses import asdict
from typing import Annotated

import typer

from cli import checks, checks_database, checks_wallet, checks_work
from cli.verdict import Check, Verdict, ill
from infra.settings import Settings

_CHECKS: dict[str, Check] = {
    "settings": checks.names,
    "address": checks.address,
    "visitors": checks.visitors,
    "database": checks_database.tables,
    "durability": checks_database.promises,
    "server": checks_database.server,
    "clock": checks_database.clocks,
    "disk": checks.disk,
    "open files": checks.open_files,
    "storage": checks.storage,
    "secret key": checks.secret_key,
    "signing keys": checks_database.own_keys,
    "webhooks": checks_database.webhooks,
    "campaigns": checks_database.campaigns,
    "jobs": checks_database.waiting_jobs,
    "workers": checks_work.workers,
    "messages": checks_work.messages,
    "mail": checks.mail,
    "apple wallet": checks_wallet.apple,
    "google wallet": checks_wallet.google,
    "pdf": checks.pdf,
    "fonts": checks.installed_fonts,
    "metrics": checks.metrics,
    "traces": checks.traces,
}


def doctor(
    as_json: Annotated[bool, typer.Option("--json", help="For machines: a list of what, state, says and do.")] = False,
) -> None:
    """Check settings, address, visitors, database, disk, storage, secret and signing keys, campaigns, jobs, mail,
    wallets, PDF, fonts and metrics.

    Says what to do about each that is not well, and exits with 1 where something is broken. It leaves no file
    behind, so it may run before the first start, and as another user than the service.

    Example: counterfoil doctor
    """
    settings = Settings()
    found = {what: _checked(check, settings) for what, check in _CHECKS.items()}
    if as_json:
        typer.echo(json.dumps([{"what": what} | asdict(verdict) for what, verdict in found.items()], indent=2))
    else:
        for what, verdict in found.items():
            typer.echo(f"{verdict.state:<4}  {what}: {verdict.says}")
            if verdict.do:
                typer.echo(f"      → {verdict.do}")
    sys.exit(1 if any(verdict.state == "FAIL" for verdict in found.values()) else 0)


def _checked(check: Check, settings: Settings) -> Verdict:
    try:
        return check(settings)
    except Exception as error:
        says = str(getattr(error, "orig", None) or error).strip().partition("\n")[0]
        return ill(says or type(error).__name__, "mend that first; then ask again")
