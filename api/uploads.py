"""Forms with a file, read within limits and kept in memory: what is sent reaches no disk."""

import asyncio
from collections.abc import AsyncGenerator
from dataclasses import dataclass
from typing import Final

from starlette.datastructures import FormData
from starlette.formparsers import MultiPartException, MultiPartParser
from starlette.requests import Request

from kernel.errors import BadRequest, Problem, TooLarge

# In which the form must be here: as long as it comes, it takes memory and another's place.
_SECONDS: Final = 30.0
_LINES_BYTES: Final = 10_000  # around the fields of an ordinary form


class NotAForm(Problem):
    status, slug, title = 415, "not-a-form", "The body must be a form"


class TooSlow(Problem):
    status, slug, title = 408, "too-slow", "The form took too long to arrive"


@dataclass(frozen=True, slots=True)
class Limits:
    """``file_bytes`` of one file, ``text_bytes`` of each of at most ``fields`` others, ``more_bytes`` of all of them
    beyond one."""

    file_bytes: int
    text_bytes: int
    fields: int
    more_bytes: int = 0

    @property
    def whole_bytes(self) -> int:
        return self.file_bytes + self.text_bytes + self.more_bytes + _LINES_BYTES


def require_multipart(request: Request) -> None:
    """Raises :class:`NotAForm`. For who must know before anything is read."""
    if not request.headers.get("content-type", "").startswith("multipart/form-data"):
        raise NotAForm("Send it as Content-Type: multipart/form-data")


async def sent_form(request: Request, limits: Limits) -> FormData:
    """To be closed. Raises :class:`NotAForm`, :class:`BadRequest`, :class:`TooLarge` and :class:`TooSlow`."""
    require_multipart(request)
    try:
        async with asyncio.timeout(_SECONDS):
            return await _parsed(request, limits)
    except TimeoutError:
        raise TooSlow(f"It may take {_SECONDS:g} seconds. Please try again") from None


async def _parsed(request: Request, limits: Limits) -> FormData:
    stream = _limited(request, limits.whole_bytes)
    asked = {"max_files": 1, "max_fields": limits.fields, "max_part_size": limits.text_bytes}
    parser = MultiPartParser(request.headers, stream, **asked)
    parser.spool_max_size = limits.whole_bytes
    try:
        return await parser.parse()
    except MultiPartException as error:
        if "maximum size" in error.message:
            raise TooLarge from None
        raise BadRequest("The form could not be read") from None
    except (LookupError, ValueError):
        raise BadRequest("The form could not be read") from None


async def _limited(request: Request, most: int) -> AsyncGenerator[bytes, None]:
    """What is too large is read to its end and dropped: a browser that is still sending does not hear an answer."""
    read = 0
    async for chunk in request.stream():
        read += len(chunk)
        if read <= most:
            yield chunk
    if read > most:
        raise TooLarge
