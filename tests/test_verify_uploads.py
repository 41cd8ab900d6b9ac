"""Uploads to ``/verify`` that do not come as they should: broken off, too slow, too many at once."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from structlog.testing import capture_logs

from api import uploads
from api.house import _PRESENTED_AT_ONCE, _PRESENTED_WAITING
from infra import metrics
from tests.support.inside import Inside, Person, on_sqlite
from tests.support.presented import page

Receive = Callable[[], Awaitable[dict[str, Any]]]
SCOPE: dict[str, Any] = {
    "type": "http",
    "http_version": "1.1",
    "scheme": "http",
    "method": "POST",
    "path": "/verify",
    "query_string": b"",
    "headers": [(b"content-type", b"multipart/form-data; boundary=x")],
}
BEGUN: dict[str, Any] = {"type": "http.request", "body": b"--x\r\n", "more_body": True}
CLOSED: dict[str, Any] = {"type": "http.disconnect"}


async def upload(inside: Inside, receive: Receive) -> list[Any]:
    """What is answered to a form that arrives as ``receive`` tells."""
    answered: list[Any] = []

    async def send(message: Any) -> None:
        answered.append(message)

    await inside.app(dict(SCOPE), receive, send)
    return answered


def counted(statuses: str) -> float:
    name = "counterfoil_http_requests_total"
    labels = {"route": "/verify", "method": "POST", "status": statuses}
    return metrics.REGISTRY.get_sample_value(name, labels) or 0.0


@on_sqlite
def test_whoever_closes_the_tab_meanwhile_is_no_error_of_ours(inside: Inside) -> None:
    coming, before = iter([BEGUN, CLOSED]), (counted("4xx"), counted("5xx"))

    async def receive() -> dict[str, Any]:
        return next(coming)

    with capture_logs() as logged:
        assert inside.run(upload(inside, receive)) == []
    [line] = logged
    assert (line["event"], line["status"], line["log_level"]) == ("request", 499, "info")
    assert (counted("4xx"), counted("5xx")) == (before[0] + 1, before[1])


@on_sqlite
def test_uploads_that_are_held_open_take_no_more_memory_than_there_are_places(inside: Inside, stranger: Person) -> None:
    most, reading, over = _PRESENTED_AT_ONCE + _PRESENTED_WAITING, asyncio.Semaphore(0), asyncio.Event()

    def slow() -> Receive:
        coming = iter([BEGUN])

        async def receive() -> dict[str, Any]:
            message = next(coming, None)
            if message is None:
                reading.release()
                await over.wait()
            return message or CLOSED

        return receive

    async def begin() -> list[asyncio.Task[list[Any]]]:
        tasks = [asyncio.create_task(upload(inside, slow())) for _ in range(most)]
        for _ in tasks:
            await reading.acquire()
        return tasks

    async def unread() -> dict[str, Any]:
        raise AssertionError("nothing is to be read of what finds no place")

    async def end(tasks: list[asyncio.Task[list[Any]]]) -> None:
        over.set()
        await asyncio.gather(*tasks)

    held = inside.run(begin())
    refused = inside.run(upload(inside, unread))[0]
    inside.run(end(held))
    assert (refused["status"], dict(refused["headers"])[b"retry-after"]) == (503, b"3")
    assert "This cannot be read" in page(stranger, b"[]")


@on_sqlite
def test_an_upload_that_takes_for_ever_is_given_up(inside: Inside, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(uploads, "_SECONDS", 0.05)
    refused = inside.run(upload(inside, asyncio.Event().wait))  # type: ignore[arg-type]
    assert refused[0]["status"] == 408
