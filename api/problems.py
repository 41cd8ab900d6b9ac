"""Every refusal as ``application/problem+json`` (RFC 9457)."""

import orjson
import structlog
from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from starlette.exceptions import HTTPException
from starlette.routing import Match, Route

from api.notices import nothing_here
from api.served import respond
from infra.trouble import is_disk_full, kind
from kernel.errors import BadRequest, FieldError, Invalid, Problem, Unavailable
from receipts.reading import said

MEDIA_TYPE = "application/problem+json"

_log = structlog.get_logger()


def response(problem: Problem, headers: dict[str, str] | None = None) -> Response:
    headers = dict(headers or {})
    if problem.retry_after is not None:
        headers["Retry-After"] = str(problem.retry_after)
    if problem.status == 401:
        headers["WWW-Authenticate"] = "Bearer"
    headers["Cache-Control"] = "no-store"
    return Response(orjson.dumps(problem.as_json()), problem.status, headers, MEDIA_TYPE)


def install(app: FastAPI) -> None:
    app.add_exception_handler(Problem, _problem)
    app.add_exception_handler(RequestValidationError, _validation)
    app.add_exception_handler(HTTPException, _http)
    app.add_exception_handler(DBAPIError, _database)
    app.add_exception_handler(PoolTimeout, _database)


async def _problem(_request: Request, error: Exception) -> Response:
    assert isinstance(error, Problem)
    return response(error)


async def _validation(_request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    unreadable = any(each["type"] in ("json_invalid", "json_type") for each in error.errors())
    fields = [FieldError(_pointer(each["loc"]), said(each)) for each in error.errors()]
    return response(BadRequest("The body is not JSON", errors=[]) if unreadable else Invalid(errors=fields))


def _pointer(location: tuple[int | str, ...]) -> str:
    where, *rest = location
    path = "/".join(str(part)[:100] for part in rest)
    if where == "header":
        path = path.title()
    return f"/{path}" if where == "body" and rest else f"{where}:{path}" if rest else ""


async def _http(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    if error.status_code == 404 and _is_read_by_a_person(request):
        return respond(request, nothing_here(request))
    headers = dict(error.headers or {})
    if error.status_code == 405:
        headers["Allow"] = ", ".join(sorted(_allowed(request))) or headers.get("Allow", "")
    problem = Problem(str(error.detail))
    body = problem.as_json() | {"type": "about:blank", "title": str(error.detail), "status": error.status_code}
    body.pop("detail", None)
    return Response(orjson.dumps(body), error.status_code, headers, MEDIA_TYPE)


def _is_read_by_a_person(request: Request) -> bool:
    """Who mistypes a link in a browser wants words; programs ask below ``/v1/``, or for no page."""
    asks_for_page = request.method in ("GET", "HEAD") and "text/html" in request.headers.get("accept", "")
    return asks_for_page and not request.url.path.startswith("/v1/")


def _allowed(request: Request) -> set[str]:
    """The methods of all routes that serve this address (RFC 9110 section 15.5.6): one route knows its own only."""
    routers = [getattr(route, "original_router", None) for route in request.app.routes]
    routes = [route for router in routers if router for route in router.routes] + request.app.routes
    found = [
        route.methods
        for route in routes
        if isinstance(route, Route) and route.matches(request.scope)[0] == Match.PARTIAL
    ]
    return {method for methods in found for method in methods or ()}


async def _database(_request: Request, error: Exception) -> Response:
    """The driver's message holds values, so only the kind of error is logged."""
    _log.error("database_error", error=kind(error))
    if is_disk_full(error):
        return response(Unavailable("The database's disk is full: its operator must make room", retry_after=30))
    return response(Unavailable("The database did not answer; try again", retry_after=2))
