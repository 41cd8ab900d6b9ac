"""``counterfoil worker``: jobs apart from the servers."""

import signal
import threading
from contextlib import ExitStack

import structlog

from cli.opened import opened
from infra import logs
from infra.arenas import share_one_arena
from infra.metrics_port import serve_metrics
from infra.settings import Settings
from worker.work import working

_log = structlog.get_logger()


def worker() -> None:
    """Do the jobs of the servers: send messages, clear up. Any number of workers may run on one database.

    SIGTERM ends it: what is under way is finished first, for up to 20 seconds.

    Example: COUNTERFOIL_DATABASE_URL=postgresql://user@host/counterfoil counterfoil worker
    """
    share_one_arena()
    settings = Settings()
    logs.configure(settings.log)
    ended = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: ended.set())
    with ExitStack() as stack:
        engine = stack.enter_context(opened())
        stack.enter_context(working(settings))
        if settings.watch.metrics_port is not None:
            token = settings.watch.metrics_token
            port, secret = settings.watch.metrics_port, token.get_secret_value() if token else None
            stack.enter_context(serve_metrics(engine, port=port, host=settings.server.host, token=secret))
        ended.wait()
