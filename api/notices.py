"""Pages that stand in for a receipt: it is on its way, or there is nothing."""

from typing import Final

from starlette.requests import Request

from api.page_cache import Rendered
from api.reader import own_language
from api.receipt_page import error_page, pending_page
from api.served import NEVER_KEEP
from infra import pages
from infra.i18n import voice

HTML: Final = "text/html; charset=utf-8"


def nothing_here(request: Request) -> Rendered:
    language = own_language(request)
    words = voice(language).gettext
    heading = words("There is nothing here")
    text = words("Check the link, or scan the code on your receipt again.")
    page = error_page(heading, text, language=language)
    html = pages.render("error.html", page, language)
    policy = pages.policy(page.theme.csp_hash, pages.stylesheet_hash("page.css"))
    return Rendered(html.encode(), HTML, (NEVER_KEEP, content_policy(policy)), status=404)


def on_its_way(request: Request, token: str) -> Rendered:
    """A till that was offline has printed this link before it could tell us: 202 says that more is to come."""
    language = own_language(request)
    page = pending_page(token, language=language)
    html = pages.render("pending.html", page, language)
    policy = pages.policy(page.theme.csp_hash, pages.stylesheet_hash("page.css"), asks=True)
    return Rendered(html.encode(), HTML, (NEVER_KEEP, content_policy(policy), (b"retry-after", b"5")), status=202)


def content_policy(policy: str) -> tuple[bytes, bytes]:
    return b"content-security-policy", policy.encode()
