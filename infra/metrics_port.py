"""``/metrics`` of a process that serves nothing else."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from secrets import compare_digest
from typing import Final

from prometheus_client import CONTENT_TYPE_PLAIN_0_0_4
from sqlalchemy import Engine

from infra.scrape import Scrape

_SECONDS: Final = 10


@contextmanager
def serve_metrics(engine: Engine, *, port: int, host: str = "127.0.0.1", token: str | None = None) -> Iterator[int]:
    """Answer ``/metrics`` in threads of its own, until the block ends. Gives the port, which 0 lets the system choose.

    Where there is a ``token`` it must be sent; without one whoever reaches the port may read. Raises OSError where the
    port is taken.
    """
    scrape = Scrape(engine)
    server = ThreadingHTTPServer((host, port), _handler(scrape, token))
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, name="metrics-port", daemon=True)
    thread.start()
    try:
        yield server.server_address[1]
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
        scrape.close()


def _handler(scrape: Scrape, token: str | None) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        timeout = _SECONDS

        def do_GET(self) -> None:
            if self.path.partition("?")[0] != "/metrics":
                self._answer(404, b"There is only /metrics here.\n")
            elif token is not None and not compare_digest(
                self.headers.get("Authorization", "").encode(), f"Bearer {token}".encode()
            ):
                self._answer(401, b"Send COUNTERFOIL_METRICS_TOKEN as Authorization: Bearer ...\n")
            else:
                self._answer(200, scrape.text())

        def _answer(self, status: int, body: bytes) -> None:
            self.send_response(status)
            self.send_header("Content-Type", CONTENT_TYPE_PLAIN_0_0_4 if status == 200 else "text/plain")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class names it so
            """Nothing: a scrape every few seconds says nothing in a log."""

    return Handler
