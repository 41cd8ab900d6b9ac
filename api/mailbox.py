"""``/mailbox``: the messages that were kept in a folder instead of being sent, for whoever tries the service out.

Receipts of real people may be among them. So they are shown on this machine only, by the name of this machine (a page
elsewhere whose name was led here must not read them), and never through a proxy. The demo shows its own to everybody.
"""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final, TypeVar
from urllib.parse import quote

from fastapi.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from api.contexts import Page
from api.from_here import is_from_here, is_named_here
from api.house import House
from api.mailbox_page import letter_page, mailbox_page
from api.notices import HTML, content_policy, nothing_here
from api.page_cache import Rendered
from api.served import NEVER_KEEP, respond
from infra import outbox, pages
from infra.outbox import Opened

Found = TypeVar("Found")
_HEAD: Final = re.compile(r"<head(\s[^>]*)?>", re.IGNORECASE)
# What a letter links to opens beside it: within the frame no page of ours would let itself be shown.
_BESIDE: Final = '<base target="_blank">'


def routes() -> list[BaseRoute]:
    return [
        Route("/mailbox", listing),
        Route("/mailbox/{letter}", letter),
        Route("/mailbox/{letter}/html", html),
        Route("/mailbox/{letter}/attachments/{number:int}", attachment),
    ]


async def listing(request: Request) -> Response:
    folder = _folder(request)
    if folder is None:
        return respond(request, nothing_here(request))
    letters = await run_in_threadpool(outbox.letters, folder)
    return respond(request, _page("mailbox.html", mailbox_page(letters, is_demo=_house(request).settings.is_demo)))


async def letter(request: Request) -> Response:
    return await _answer(request, lambda opened: _page("letter.html", letter_page(opened)))


async def html(request: Request) -> Response:
    """The letter as its reader sees it. It may have styles of its own and our pictures, and can do nothing."""
    return await _answer(request, lambda opened: _html(opened, _house(request).base_url))


async def attachment(request: Request) -> Response:
    return await _answer(request, lambda opened: _attachment(opened, request.path_params["number"]))


async def _answer(request: Request, show: Callable[[Opened], Rendered | None]) -> Response:
    folder = _folder(request)
    opened = await run_in_threadpool(outbox.read, folder, request.path_params["letter"]) if folder else None
    return respond(request, (show(opened) if opened else None) or nothing_here(request))


def _folder(request: Request) -> Path | None:
    """None where no letters are kept, or they are none of the reader's business."""
    settings = _house(request).settings
    is_theirs = settings.is_demo or (is_from_here(request) and is_named_here(request))
    return settings.mail.mail_outbox if is_theirs else None


def _house(request: Request) -> House:
    house: House = request.app.state.house
    return house


def _page(template: str, page: Page) -> Rendered:
    styles = (page.theme.csp_hash, pages.stylesheet_hash("page.css"), pages.stylesheet_hash("mailbox.css"))
    policy = f"{pages.policy(*styles)}; frame-src 'self'"
    return Rendered(pages.render(template, page, page.language).encode(), HTML, (NEVER_KEEP, content_policy(policy)))


def _html(opened: Opened, base_url: str) -> Rendered | None:
    if opened.html is None:
        return None
    body = _HEAD.sub(lambda head: head[0] + _BESIDE, opened.html, count=1)
    policy: dict[str, Any] = {
        "default-src": "'none'",
        "style-src": "'unsafe-inline'",
        "img-src": f"{base_url} data:",
        "form-action": "'none'",
        "base-uri": "'none'",
        "frame-ancestors": "'self'",
        "sandbox": "allow-popups allow-popups-to-escape-sandbox",
    }
    said = "; ".join(f"{directive} {source}" for directive, source in policy.items())
    return Rendered(body.encode(errors="replace"), HTML, (NEVER_KEEP, content_policy(said)))


def _attachment(opened: Opened, number: int) -> Rendered | None:
    if number >= len(opened.attachments):
        return None
    found = opened.attachments[number]
    # To be kept as a file: nothing of it is opened under our address.
    media_type = "application/pdf" if found.media_type == "application/pdf" else "application/octet-stream"
    name = f"attachment; filename*=UTF-8''{quote(found.name, safe='', errors='replace')}"
    headers = (NEVER_KEEP, content_policy("default-src 'none'; sandbox"), (b"content-disposition", name.encode()))
    return Rendered(found.data, media_type, headers)
