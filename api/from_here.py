"""Whether a request was made on this machine, by whoever works on it."""

from ipaddress import ip_address

from starlette.requests import Request

# Whoever sets one of these is a proxy, and then the peer says nothing of who asks.
_OF_PROXIES = ("forwarded", "x-forwarded-for", "x-forwarded-host", "x-real-ip", "via")


def is_from_here(request: Request) -> bool:
    is_direct = not any(name in request.headers for name in _OF_PROXIES)
    return is_direct and is_here(request.client.host if request.client else "")


def is_here(host: str) -> bool:
    try:
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False
