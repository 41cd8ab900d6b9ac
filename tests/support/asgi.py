"""Requests without a client library around them, for tests that make thousands."""

from dataclasses import dataclass
from typing import Any

from fastapi import FastAPI


@dataclass(frozen=True)
class Answer:
    status: int
    headers: dict[str, str]
    body: bytes


async def ask(app: FastAPI, method: str, path: str, body: bytes = b"", **headers: str) -> Answer:
    """``headers`` are written with underscores."""
    named = [(name.replace("_", "-").lower().encode(), value.encode()) for name, value in headers.items()]
    scope: dict[str, Any] = {
        "type": "http",
        "method": method,
        "path": path,
        "raw_path": path.encode(),
        "query_string": b"",
    }
    scope |= {"headers": named, "scheme": "http", "server": ("receipts.test", 80), "client": ("10.0.0.1", 4711)}
    scope |= {"http_version": "1.1", "root_path": "", "asgi": {"version": "3.0"}}
    sent: list[Any] = []

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": body, "more_body": False}

    async def send(message: Any) -> None:
        sent.append(message)

    await app(scope, receive, send)
    start = sent[0]
    seen = {name.decode(): value.decode() for name, value in start["headers"]}
    return Answer(start["status"], seen, b"".join(message.get("body", b"") for message in sent[1:]))
