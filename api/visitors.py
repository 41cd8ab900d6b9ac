"""Who visits a card, as far as that may be known: an address, a browser, and whether it is a person at all."""

import re
from functools import cache
from ipaddress import ip_address
from typing import Final
from urllib.parse import urlsplit

import structlog
from sqlalchemy import Connection
from starlette.requests import Request

from api.house import House
from cards import links, numbers
from cards.find import CardRecord
from receipts import find as receipts_find

_log = structlog.get_logger()
# Of programs that open links by themselves. Messengers and networks that show a preview, search engines, monitors,
# browsers without a window, and the libraries of scripts. Cubot makes telephones.
_ROBOTS: Final = re.compile(
    r"(?<!cu)bot|crawl|spider|slurp|preview|facebookexternalhit|facebookcatalog|whatsapp/|skypeuripreview|embedly"
    r"|headless|lighthouse|phantomjs|selenium|monitor|uptime|pingdom|statuscake|scanner|proofpoint|barracuda|urldefense"
    r"|curl/|wget/|python|java/|okhttp|go-http-client|libwww|httpclient|node-fetch|axios|ruby|perl|php",
    re.IGNORECASE,
)
_EARLY: Final = ("purpose", "sec-purpose", "x-purpose", "x-moz")
_EARLY_WORDS: Final = ("prefetch", "prerender", "preview")
_OURS: Final = ("same-origin", "none")
_WITH_PORT: Final = re.compile(r"\[([0-9A-Fa-f:.]+)\](?::\d{1,5})?|([0-9.]+):\d{1,5}")


def is_person(request: Request) -> bool:
    """Whether a browser that somebody looks at may have sent it: no robot by its name, and nothing fetched ahead."""
    agent = request.headers.get("user-agent", "")
    is_early = any(word in request.headers.get(name, "").lower() for name in _EARLY for word in _EARLY_WORDS)
    return bool(agent) and not _ROBOTS.search(agent) and not is_early


def is_from_our_page(request: Request, house: House) -> bool:
    """Whether no other site sent it, as far as the browser says.

    Our pages send no referrer, and then a browser names the origin of their forms ``null`` (Fetch, 3.2): that says
    nothing, and neither does a browser that is too old to send either header.
    """
    site = request.headers.get("sec-fetch-site")
    if site is not None:
        return site in _OURS
    origin = request.headers.get("origin", "null")
    hosts = (request.headers.get("host", ""), urlsplit(house.base_url).netloc)
    return origin == "null" or origin.partition("://")[2] in hosts


def address_of(request: Request, *, trusted: int) -> str:
    """The address that the outermost of so many ``trusted`` proxies saw: each adds the one that it was asked from at
    the end of ``X-Forwarded-For``, and what stands before them is the client's own word."""
    peer = request.client.host if request.client else ""
    told = [each.strip() for value in request.headers.getlist("x-forwarded-for") for each in value.split(",")]
    if not trusted:
        if told:
            _warn()
        return peer
    found = _bare(told[-trusted]) if len(told) >= trusted else ""
    return found or peer


def visitor_of(conn: Connection, house: House, request: Request, record: CardRecord) -> str:
    """As :func:`cards.numbers.visitor_of` tells who sent it."""
    address = address_of(request, trusted=house.settings.server.trusted_proxies)
    agent = request.headers.get("user-agent", "")
    return numbers.visitor_of(conn, record.merchant_id, address, agent, house.clock())


def receipt_behind(conn: Connection, house: House, record: CardRecord, mark: str) -> str | None:
    """The receipt whose link to the card was followed, as long as it is kept. ``conn`` is in a transaction that
    writes."""
    receipt_id = links.receipt_of(house.card_key, record.token, mark) if mark else None
    is_kept = receipt_id is not None and receipts_find.stays(conn, record.merchant_id, receipt_id)
    return receipt_id if is_kept else None


def _bare(told: str) -> str:
    """Without the port that some proxies add; empty where it is no address."""
    with_port = _WITH_PORT.fullmatch(told)
    address = (with_port[1] or with_port[2]) if with_port else told
    try:
        return str(ip_address(address))
    except ValueError:
        return ""


@cache
def _warn() -> None:
    """Once: all visitors seem to come from the proxy, and share its limits."""
    _log.warning("proxy_not_trusted", hint="set COUNTERFOIL_TRUSTED_PROXIES to the number of proxies")
