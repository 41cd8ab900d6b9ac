"""Request bodies: JSON, read once, refused in a way that helps."""

import codecs
from collections.abc import Mapping
from typing import Any, Final, TypeVar

import orjson
from fastapi import Request
from pydantic import BaseModel, ValidationError

from kernel.errors import BadRequest, FieldError, Invalid, Problem, TooLarge
from receipts.reading import field_errors

Model = TypeVar("Model", bound=BaseModel)
_MOST_OF_A_BEACON: Final = 1024  # bytes


class UnsupportedMediaType(Problem):
    status, slug, title = 415, "unsupported-media-type", "The body must be JSON"


async def json_body(request: Request) -> Any:
    """Raises :class:`UnsupportedMediaType`, or :class:`BadRequest` with the place where the JSON breaks off."""
    media_type = request.headers.get("content-type", "application/json").partition(";")[0].strip().lower()
    if media_type != "application/json" and not media_type.endswith("+json"):
        raise UnsupportedMediaType("Send the body as Content-Type: application/json")
    encoding = request.headers.get("content-encoding", "identity").strip().lower()
    if encoding not in ("", "identity"):
        raise UnsupportedMediaType("Send the body as it is, without Content-Encoding")
    body = await request.body()
    try:
        return orjson.loads(body.removeprefix(codecs.BOM_UTF8))
    except orjson.JSONDecodeError as error:
        raise BadRequest(f"The body is not JSON: line {error.lineno}, column {error.colno}") from None


async def model_body(request: Request, model: type[Model], context: Mapping[str, Any] | None = None) -> Model:
    """``context`` is what the model needs to know to read it, such as a currency's digits."""
    body = await json_body(request)
    if not isinstance(body, dict):
        raise Invalid(errors=[FieldError("", "must be a JSON object")])
    try:
        return model.model_validate(body, context=context)
    except ValidationError as error:
        raise Invalid(errors=field_errors(error)) from None


async def binary_body(request: Request, *, most: int) -> bytes:
    """Raises :class:`TooLarge` beyond ``most`` bytes."""
    body = await request.body()
    if len(body) > most:
        raise TooLarge(f"The body may have at most {most} bytes")
    return body


async def beacon_body(request: Request) -> Any:
    """What a page tells by ``sendBeacon``, which calls JSON plain text, as that needs no question beforehand: the type
    says nothing. Raises :class:`BadRequest`, :class:`TooLarge`."""
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > _MOST_OF_A_BEACON:
            raise TooLarge(f"The body may have at most {_MOST_OF_A_BEACON} bytes")
    try:
        return orjson.loads(body)
    except orjson.JSONDecodeError:
        raise BadRequest("The body is not JSON") from None
