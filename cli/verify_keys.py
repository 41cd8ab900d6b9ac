"""The keys that ``counterfoil verify --keys`` believes: from a file, or from an address that proves whose it is."""

from http.client import HTTPMessage
from ipaddress import ip_address
from pathlib import Path
from typing import IO, Any, Final
from urllib.parse import urlsplit
from urllib.request import HTTPRedirectHandler, Request, build_opener

from receipts.jwks import read_key_set
from receipts.signed import TrustedKey

_MOST_BYTES: Final = 5_000_000
_SECONDS: Final = 10


def trusted_keys(where: str) -> dict[str, TrustedKey]:
    """By their kid. ``where`` is a file, or an address: https, or http of this machine.

    Raises ValueError for an address that proves nothing and for what is no key set, OSError for what cannot be read.
    """
    data = _fetched(where) if "://" in where else _read(Path(where))
    if len(data) > _MOST_BYTES:
        raise ValueError(f"has more than {_MOST_BYTES} bytes")
    return read_key_set(data)


def _read(file: Path) -> bytes:
    with file.open("rb") as opened:
        return opened.read(_MOST_BYTES + 1)


def _fetched(address: str) -> bytes:
    require_proof(address)
    with build_opener(Redirects).open(address, timeout=_SECONDS) as answer:
        fetched: bytes = answer.read(_MOST_BYTES + 1)
    return fetched


class Redirects(HTTPRedirectHandler):
    """Only to where one may ask in the first place."""

    def redirect_request(
        self, req: Request, fp: IO[bytes], code: int, msg: str, headers: HTTPMessage, newurl: str
    ) -> Any:
        require_proof(newurl)
        return super().redirect_request(req, fp, code, msg, headers, newurl)


def require_proof(address: str) -> None:
    """Raises ValueError where anybody on the way could put other keys."""
    parts = urlsplit(address)
    if parts.scheme != "https" and not (parts.scheme == "http" and _is_here(parts.hostname or "")):
        raise ValueError("must be asked for over https, or anybody on the way could put other keys")


def _is_here(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
