"""The application within the test's own process, at the end of an ASGI call instead of a socket."""

import asyncio
import threading
from collections.abc import Awaitable, Coroutine, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Self, TypeVar

import httpx
import pytest
from fastapi import FastAPI
from sqlalchemy import event

Result = TypeVar("Result")

# For what is decided before any database is asked.
on_sqlite = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


class Inside:
    """A started application on a loop of its own thread. Many threads may ask it at once.

    An error that the application does not turn into an answer is raised here, with its traceback.
    """

    def __init__(self, app: FastAPI) -> None:
        self.app = app
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="inside", daemon=True)
        self._lifespan = app.router.lifespan_context(app)
        transport = httpx.ASGITransport(app)
        self.client = httpx.AsyncClient(transport=transport, base_url="http://receipts.test")

    def run(self, work: Coroutine[Any, Any, Result]) -> Result:
        """Do ``work`` on the application's loop."""
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(120)

    def request(self, method: str, path: str, **options: Any) -> httpx.Response:
        return self.run(self.client.request(method, path, **options))

    def __enter__(self) -> Self:
        self._thread.start()
        self.run(_waited(self._lifespan.__aenter__()))
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.run(_waited(self._lifespan.__aexit__(None, None, None)))
        self.close()

    def close(self) -> None:
        """All that is left where the application did not start."""
        self.run(self.client.aclose())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()


@contextmanager
def askers(inside: Inside, table: str) -> Iterator[set[str]]:
    """The names of the threads that meanwhile ask the database about ``table``; that of the application's loop is
    "inside"."""
    found: set[str] = set()

    def note(_conn: Any, _cursor: Any, sql: str, *_: Any) -> None:
        if f" {table}" in sql:
            found.add(threading.current_thread().name)

    engine = inside.app.state.house.engine
    event.listen(engine, "before_cursor_execute", note)
    yield found
    event.remove(engine, "before_cursor_execute", note)


async def _waited(work: Awaitable[Result]) -> Result:
    return await work


@dataclass(frozen=True)
class Person:
    """Somebody who calls with a key, or, where it is empty, without one."""

    inside: Inside
    key: str = ""

    def ask(self, method: str, path: str, *, headers: dict[str, str] | None = None, **options: Any) -> httpx.Response:
        signed = {"Authorization": f"Bearer {self.key}"} if self.key else {}
        return self.inside.request(method, path, headers=signed | (headers or {}), **options)

    def get(self, path: str, **query: Any) -> httpx.Response:
        return self.ask("GET", path, params=query)

    def post(self, path: str, body: Any, **headers: str) -> httpx.Response:
        """``headers`` are written with underscores: ``Idempotency_Key="…"``."""
        return self.ask("POST", path, json=body, headers=_dashed(headers))

    def put(self, path: str, body: Any, **headers: str) -> httpx.Response:
        return self.ask("PUT", path, json=body, headers=_dashed(headers))

    def delete(self, path: str) -> httpx.Response:
        return self.ask("DELETE", path)


def _dashed(headers: dict[str, str]) -> dict[str, str]:
    return {name.replace("_", "-"): value for name, value in headers.items()}
