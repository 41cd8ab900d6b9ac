"""``/verify``: whether a PDF, a JSON document or a link is a receipt of ours, and what became of it since.

Nothing that is presented is kept, logged or fetched.
"""

from collections.abc import Callable
from functools import partial
from typing import Final

from starlette.datastructures import UploadFile
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from api.house import House
from api.notices import HTML, content_policy
from api.page_cache import Rendered
from api.reader import own_language
from api.served import NEVER_KEEP, respond
from api.uploads import Limits, require_multipart, sent_form
from api.verify_page import verify_page
from infra import pages
from infra.pdf_reading import MOST_BYTES
from kernel.errors import TooLarge
from receipts.presented import MOST_JSON_BYTES, Outcome, Presented, judge_file, judge_text, nothing

# A file of the largest size, with a field of text; of further fields, all say nothing.
_LIMITS: Final = Limits(file_bytes=MOST_BYTES, text_bytes=MOST_JSON_BYTES, fields=100)


def routes() -> list[BaseRoute]:
    return [Route("/verify", form, methods=["GET"]), Route("/verify", answer, methods=["POST"])]


async def form(request: Request) -> Response:
    return respond(request, _page(request, None))


async def answer(request: Request) -> Response:
    """A form with ``file``, or else with ``text``: a link or a document.

    Raises what :func:`api.uploads.sent_form` does, and :class:`kernel.errors.Unavailable`.
    """
    require_multipart(request)
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
    sent = await sent_form(request, _LIMITS)
    file, text = sent.get("file"), sent.get("text")
    data = await file.read() if isinstance(file, UploadFile) else b""
    await sent.close()
    if data:
        return partial(judge_file, house.engine, house.storage, data)
    pasted = text if isinstance(text, str) else ""
    return partial(judge_text, house.engine, house.storage, pasted, base_url=house.base_url)


def _page(request: Request, outcome: Outcome | None, status: int = 200) -> Rendered:
    language = own_language(request)
    page = verify_page(outcome, language=language)
    html = pages.render("verify.html", page, language)
    styles = (page.theme.csp_hash, pages.stylesheet_hash("page.css"), pages.stylesheet_hash("verify.css"))
    headers = (NEVER_KEEP, content_policy(pages.policy(*styles)), (b"content-language", language.encode()))
    return Rendered(html.encode(), HTML, headers, status=status)
