"""``/verify``: whether a PDF, a JSON document or a link is a receipt of ours, and what became of it since.

Nothing that is presented is kept, logged or fetched.
"""

import asyncio
from collections.abc import AsyncGenerator, Callable
from functools import partial
from typing import Final

from starlette.datastructures import FormData, UploadFile
from starlette.formparsers import MultiPartException, MultiPartParser
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from api.house import House
from api.notices import HTML, content_policy
from api.page_cache import Rendered
from api.reader import own_language
from api.served import NEVER_KEEP, respond
from api.verify_page import verify_page
from infra import pages
from infra.pdf_reading import MOST_BYTES
from kernel.errors import BadRequest, Problem, TooLarge
from receipts.presented import MOST_JSON_BYTES, Outcome, Presented, judge_file, judge_text, nothing

# A file of the largest size, with a field of text and the form's own lines around them.
_MOST_FORM_BYTES: Final = MOST_BYTES + MOST_JSON_BYTES + 10_000

_MOST_FIELDS: Final = 100  # of which all but two say nothing
# In which the form must be here: as long as it comes, it takes memory and another's place.
_SECONDS: Final = 30.0


class NotAForm(Problem):
    status, slug, title = 415, "not-a-form", "The body must be a form"


class TooSlow(Problem):
    status, slug, title = 408, "too-slow", "The form took too long to arrive"


def routes() -> list[BaseRoute]:
    return [Route("/verify", form, methods=["GET"]), Route("/verify", answer, methods=["POST"])]


async def form(request: Request) -> Response:
    return respond(request, _page(request, None))


async def answer(request: Request) -> Response:
    """A form with ``file``, or else with ``text``: a link or a document.

    Raises :class:`NotAForm`, :class:`BadRequest`, :class:`TooSlow` and :class:`kernel.errors.Unavailable`.
    """
    if not request.headers.get("content-type", "").startswith("multipart/form-data"):
        raise NotAForm("Send it as Content-Type: multipart/form-data, with the field file or text")
    house: House = request.app.state.house
    try:
        # Before anything is read: who finds no place sends in vain, and takes no memory.
        with house.verifying.place():
            outcome = await house.verifying.in_turn(await _question(request, house))
    except TooLarge:
        return respond(request, _page(request, nothing(Presented.PDF, "too-large"), status=413))
    return respond(request, _page(request, outcome))


async def _question(request: Request, house: House) -> Callable[[], Outcome]:
    """What was sent, ready to be judged in a thread."""
    try:
        async with asyncio.timeout(_SECONDS):
            sent = await _sent(request)
    except TimeoutError:
        raise TooSlow(f"It may take {_SECONDS:g} seconds. Try again, or paste the receipt's link") from None
    file, text = sent.get("file"), sent.get("text")
    data = await file.read() if isinstance(file, UploadFile) else b""
    await sent.close()
    if data:
        return partial(judge_file, house.engine, house.storage, data)
    pasted = text if isinstance(text, str) else ""
    return partial(judge_text, house.engine, house.storage, pasted, base_url=house.base_url)


async def _sent(request: Request) -> FormData:
    limits = {"max_files": 1, "max_fields": _MOST_FIELDS, "max_part_size": MOST_JSON_BYTES}
    parser = MultiPartParser(request.headers, _limited(request), **limits)
    # In memory: what is presented reaches no disk.
    parser.spool_max_size = _MOST_FORM_BYTES
    try:
        return await parser.parse()
    except MultiPartException as error:
        if "maximum size" in error.message:
            raise TooLarge from None
        raise BadRequest("The form could not be read") from None
    except (LookupError, ValueError):
        raise BadRequest("The form could not be read") from None


async def _limited(request: Request) -> AsyncGenerator[bytes, None]:
    """What is too large is read to its end and dropped: a browser that is still sending does not hear an answer."""
    read = 0
    async for chunk in request.stream():
        read += len(chunk)
        if read <= _MOST_FORM_BYTES:
            yield chunk
    if read > _MOST_FORM_BYTES:
        raise TooLarge


def _page(request: Request, outcome: Outcome | None, status: int = 200) -> Rendered:
    language = own_language(request)
    page = verify_page(outcome, language=language)
    html = pages.render("verify.html", page, language)
    styles = (page.theme.csp_hash, pages.stylesheet_hash("page.css"), pages.stylesheet_hash("verify.css"))
    headers = (NEVER_KEEP, content_policy(pages.policy(*styles)), (b"content-language", language.encode()))
    return Rendered(html.encode(), HTML, headers, status=status)
