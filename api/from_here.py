"""Whether a request was made on this machine, by whoever works on it."""

import re
from ipaddress import ip_address

from starlette.requests import Request

_HOST = re.compile(r"(?:\[([0-9a-f:]+)\]|([A-Za-z0-9.-]+))(?::[0-9]{1,5})?")
# Whoever sets one of these is a proxy, and then the peer says nothing of who asks.
_OF_PROXIES = ("forwarded", "x-forwarded-for", "x-forwarded-host", "x-real-ip", "via")


def is_named_here(request: Request) -> bool:
    """Whether it was asked for under a name of this machine, which no other site's can be led to."""
    named = _HOST.fullmatch(request.headers.get("host", ""))
    return named is not None and is_here(named[1] or named[2])


def is_from_here(request: Request) -> bool:
    is_direct = not any(name in request.headers for name in _OF_PROXIES)
    return is_direct and is_here(request.client.host if request.client else "")


def is_here(host: str) -> bool:
    try:
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False
