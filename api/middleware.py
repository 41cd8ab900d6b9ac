"""Around every request: an id, a log line, a limit on the body, and the headers that keep a link private."""

import re
import time
from secrets import token_hex

import structlog
from fastapi import FastAPI
from starlette.requests import ClientDisconnect
from starlette.routing import Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api import problems
from infra import tracing
from infra.metrics import request_done
from kernel.errors import Problem, TooLarge

_log = structlog.get_logger()
_GIVEN_ID = re.compile(rb"[A-Za-z0-9._-]{8,64}")
# A link is a capability: what opens a receipt must not stand in a log.
_CAPABILITY = re.compile(r"^/(r|t|s|c|hooks/[a-z]+|v1/receipts(?!/(?:batch|rct_[0-9a-z]{26})$))/[^/.]+")
# The same in an address that was mistyped or joined badly. An id may stand: it opens nothing.
_LIKE_A_TOKEN = re.compile(r"(?<![A-Za-z0-9_-])(?![a-z]{3,4}_[0-9a-z]{26}(?![A-Za-z0-9_-]))[A-Za-z0-9_-]{22,}")
# An address of a person.
_PERSONAL = re.compile(r"^(/v1/suppressions)/.+", re.IGNORECASE)
# Whoever has a prize's code can use it. Codes of others' making have any sign in them.
_CODE = re.compile(r"(?is)(/v1/rewards)/(?!rwd_[0-9a-z]{26}(?:/|$)).+?(/(?:reserve|redeem|rollback|void))?$")
# As nginx has it: in the log and among the 4xx.
_GONE_AWAY = 499
_SLASHES = re.compile("/{2,}")
_PRIVATE = (
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
    (b"x-robots-tag", b"noindex, nofollow"),
)


class Edge:
    """Pure ASGI: Starlette's function middleware would cost more than the page it carries."""

    def __init__(self, app: ASGIApp, *, most_bytes: int) -> None:
        self._app = app
        self._most_bytes = most_bytes
        self._plain: dict[object, str] | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        request_id, began, status, is_begun = _request_id(scope), time.perf_counter(), 500, False
        # Left bound: the request's task ends with it, and the server logs in that task what the application raised.
        structlog.contextvars.bind_contextvars(request_id=request_id)

        async def send_marked(message: Message) -> None:
            nonlocal status, is_begun
            if message["type"] == "http.response.start":
                status, is_begun = message["status"], True
                message["headers"] = [*message["headers"], *_PRIVATE, (b"x-request-id", request_id.encode())]
            await send(message)

        with tracing.request(scope["method"], scope["headers"]) as ended:
            try:
                await self._app(scope, self._limited(receive), send_marked)
            except ClientDisconnect:
                # Whoever closes the tab while they send is no fault of ours, and hears nothing any more.
                status = _GONE_AWAY
            except Exception as error:
                _log.exception("unforeseen", exc_info=error)
                if is_begun:
                    raise
                await problems.response(Problem())(scope, receive, send_marked)
            finally:
                seconds, route = time.perf_counter() - began, self._template(scope)
                ended(route, status)
                request_done(route, scope["method"], status, seconds)
                _log.info(
                    "request", method=scope["method"], path=_path(scope), status=status, ms=round(seconds * 1000, 2)
                )

    def _template(self, scope: Scope) -> str:
        """Of the route that answered; what no route knows has one name, since anybody may invent addresses."""
        route = scope.get("route")
        if route is not None:
            return str(route.path)
        if self._plain is None:
            self._plain = _plain_templates(scope["app"])
        return self._plain.get(scope.get("endpoint"), "none")

    def _limited(self, receive: Receive) -> Receive:
        read = 0

        async def limited() -> Message:
            nonlocal read
            message = await receive()
            read += len(message.get("body", b""))
            if read > self._most_bytes:
                raise TooLarge(f"The body may have at most {self._most_bytes} bytes")
            return message

        return limited


def _request_id(scope: Scope) -> str:
    """The proxy's ``X-Request-Id`` where it is a plain one, else our own."""
    for name, value in scope["headers"]:
        if name == b"x-request-id" and _GIVEN_ID.fullmatch(value):
            return str(value.decode())
    return token_hex(8)


def _path(scope: Scope) -> str:
    path = _CODE.sub(r"\1/…\2", _PERSONAL.sub(r"\1/…", _SLASHES.sub("/", scope["path"])))
    return _LIKE_A_TOKEN.sub("…", _CAPABILITY.sub(r"/\1/…", path))


def _plain_templates(app: FastAPI) -> dict[object, str]:
    """FastAPI tells which of its own routes answered; of Starlette's it tells the endpoint alone."""
    return {route.endpoint: route.path for route in app.routes if isinstance(route, Route)}
