"""Pages that stand in for a receipt: it is on its way, or there is nothing."""

from typing import Final

from starlette.requests import Request

from api.house import House
from api.page_cache import Rendered
from api.reader import own_language
from api.receipt_page import error_page, pending_page
from api.served import NEVER_KEEP
from infra import pages
from infra.i18n import voice
from kernel.ids import is_token
from receipts.retention import purged

HTML: Final = "text/html; charset=utf-8"


async def absent(house: House, request: Request, token: str) -> Rendered:
    """What stands in for the receipt that is not behind a link: not yet, no more, or never."""
    if not is_token(token):
        return nothing_here(request)
    is_gone = await house.read(lambda conn: purged(conn, [token]))
    return gone(request) if is_gone else on_its_way(request, token)


def nothing_here(request: Request) -> Rendered:
    words = voice(own_language(request)).gettext
    text = words("Check the link, or scan the code on your receipt again.")
    return notice(request, words("There is nothing here"), text, status=404)


def gone(request: Request) -> Rendered:
    """It was purged: 410 says that it does not come back (RFC 9110 section 15.5.11)."""
    words = voice(own_language(request)).gettext
    text = words(
        "The shop keeps receipts for a limited time, and for this one it is over. If you need it, ask the shop."
    )
    return notice(request, words("This receipt has been deleted"), text, status=410)


def notice(request: Request, heading: str, text: str, *, status: int) -> Rendered:
    """A page that says one thing: ``text`` is what a person can do."""
    language = own_language(request)
    page = error_page(heading, text, language=language)
    html = pages.render("error.html", page, language)
    policy = pages.policy(page.theme.csp_hash, pages.stylesheet_hash("page.css"))
    return Rendered(html.encode(), HTML, (NEVER_KEEP, content_policy(policy)), status=status)


def on_its_way(request: Request, token: str) -> Rendered:
    """A till that was offline has printed this link before it could tell us: 202 says that more is to come."""
    language = own_language(request)
    page = pending_page(token, language=language)
    html = pages.render("pending.html", page, language)
    policy = pages.policy(page.theme.csp_hash, pages.stylesheet_hash("page.css"), asks=True)
    return Rendered(html.encode(), HTML, (NEVER_KEEP, content_policy(policy), (b"retry-after", b"5")), status=202)


def content_policy(policy: str) -> tuple[bytes, bytes]:
    return b"content-security-policy", policy.encode()
