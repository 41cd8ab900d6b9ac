"""The application behind a real socket, for browsers."""

import asyncio
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import uvicorn

from api.app import create_app
from infra.settings import Data, Mail, Server, Settings, Wallet


@contextmanager
def served(data: Data, mail: Mail | None = None, wallet: Wallet | None = None) -> Iterator[str]:
    """The address of the application on a free port of this machine, until the block ends."""
    listening = socket.create_server(("127.0.0.1", 0))
    address = f"http://127.0.0.1:{listening.getsockname()[1]}"
    app = create_app(Settings(data, Server(base_url=address), mail=mail, wallet=wallet))
    server = uvicorn.Server(uvicorn.Config(app, access_log=False, log_config=None))
    thread = threading.Thread(target=lambda: asyncio.run(server.serve([listening])), daemon=True)
    thread.start()
    _answers(listening)
    try:
        yield address
    finally:
        server.should_exit = True
        thread.join(30)


def _answers(listening: socket.socket) -> None:
    """Wait for the first answer; until the application has started, the socket only queues."""
    with socket.create_connection(listening.getsockname(), timeout=60) as asking:
        asking.sendall(b"GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        if not asking.recv(1):
            raise RuntimeError("The application did not start")
