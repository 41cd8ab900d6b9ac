"""``counterfoil serve`` and ``counterfoil migrate``."""

import os
import sys
from contextlib import nullcontext
from functools import partial
from typing import Annotated, Any

import structlog
import typer
import uvicorn
from fastapi import FastAPI

from api.app import create_app
from cli.opened import require_current
from infra import database, logs, schema
from infra.arenas import share_one_arena
from infra.scrape import shared_folder
from infra.settings import Server, Settings, misspelt
from infra.storage import open_storage
from infra.tracing import require_installed
from worker.work import working

_log = structlog.get_logger()


def serve(
    host: Annotated[str | None, typer.Option(help="Address to listen on.")] = None,
    port: Annotated[int | None, typer.Option(help="Port to listen on.")] = None,
    workers: Annotated[int | None, typer.Option(help="Processes; more than one needs PostgreSQL.")] = None,
    worker: Annotated[
        bool | None, typer.Option("--worker/--no-worker", help="Whether to do jobs too, or leave them to workers.")
    ] = None,
) -> None:
    """Serve receipts, and do the jobs that they bring: mail, clearing up.

    The embedded database is brought up to date at start; PostgreSQL by `counterfoil migrate`.

    Example: COUNTERFOIL_BASE_URL=https://receipts.example.com counterfoil serve --port 8000
    """
    given = {"host": host, "port": port, "workers": workers}
    if worker is not None:
        # Through the environment, where the processes of --workers find it too.
        os.environ["COUNTERFOIL_WORKER"] = str(worker)
    settings = Settings(server=Server(**{name: value for name, value in given.items() if value is not None}))  # type: ignore[arg-type]
    _check_schema(settings)
    require_installed(settings.watch)
    open_storage(settings.data)
    run(settings)


def migrate() -> None:
    """Bring the database's tables up to date.

    Example: COUNTERFOIL_DATABASE_URL=postgresql://user@host/counterfoil counterfoil migrate
    """
    schema.bring_up_to_date(Settings().data.where_database())
    typer.echo("The database is up to date.")


def run(settings: Settings) -> None:
    """Serve until a signal ends it; requests under way are finished first."""
    logs.configure(settings.log)
    server = settings.server
    if unread := misspelt(os.environ):
        _log.warning("settings_unknown", names=unread)
    _log.info("starting", url=server.address(), host=server.host, port=server.port, workers=server.workers)
    options: dict[str, Any] = {
        "host": server.host,
        "port": server.port,
        "access_log": False,
        "log_config": None,
        "server_header": False,
        # Whose word for a visitor's address is taken is a setting (api.visitors); for anything else nobody's is.
        "proxy_headers": False,
    }
    if server.workers == 1:
        uvicorn.run(application(settings), timeout_graceful_shutdown=20, **options)
        return
    # Worker processes read their settings from the environment, so what came by option goes there too.
    os.environ["COUNTERFOIL_BASE_URL"] = server.address()
    with shared_folder():
        uvicorn.run(
            "cli.serve:worker_app", factory=True, workers=server.workers, timeout_graceful_shutdown=20, **options
        )


def worker_app() -> FastAPI:
    """What each process of ``serve --workers N`` runs."""
    settings = Settings()
    logs.configure(settings.log)
    return application(settings)


def application(settings: Settings) -> FastAPI:
    """With a worker beside it, unless the settings say otherwise."""
    share_one_arena()
    beside = partial(working, settings, beside_sales=True) if settings.work.worker else nullcontext
    return create_app(settings, warm_pdf=True, beside=beside)


def _check_schema(settings: Settings) -> None:
    url = settings.data.where_database()
    if url.startswith("sqlite"):
        if settings.server.workers > 1:
            sys.exit(
                "SQLite takes one server process. For more, set COUNTERFOIL_DATABASE_URL to a PostgreSQL database."
            )
        schema.bring_up_to_date(url)
        return
    engine = database.connect(url)
    require_current(engine)
    engine.dispose()
