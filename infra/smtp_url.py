"""What COUNTERFOIL_SMTP_URL says: which mail server, as whom, and how it is kept private."""

import ipaddress
from dataclasses import dataclass, field
from typing import Final, Literal
from urllib.parse import SplitResult, parse_qs, unquote, urlsplit

EXAMPLE: Final = "smtp://user:password@mail.example.com:587"
# RFC 6409 (submission), RFC 8314 section 3.3 (TLS from the first byte), RFC 5321.
_PORTS: Final = {"starttls": 587, "implicit": 465, "none": 25}

Tls = Literal["none", "starttls", "implicit"]


@dataclass(frozen=True, slots=True)
class SmtpServer:
    host: str
    port: int
    tls: Tls
    user: str | None = None
    password: str | None = field(default=None, repr=False)


def read_smtp_url(url: str) -> SmtpServer:
    """``smtp://[user:password@]host[:port][?tls=starttls|none]`` or ``smtps://…``; user and password percent-encoded.

    ``smtp`` is STARTTLS, except to this machine, where it is plain. Raises ValueError that says what is wrong and
    repeats nothing of the URL.
    """
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError:
        raise ValueError(f"cannot be read; {EXAMPLE} would be one (write @ in a password as %40, / as %2F)") from None
    if parts.scheme not in ("smtp", "smtps") or not host or port == 0:
        raise ValueError(f"must be smtp://host:port or smtps://host:port, such as {EXAMPLE}")
    if parts.path not in ("", "/") or parts.fragment:
        raise ValueError("must end after the port; in a password write / as %2F, # as %23 and ? as %3F")
    tls = _tls(parts, is_local=is_loopback(host))
    user, password = _login(parts)
    if password and tls == "none" and not is_loopback(host):
        raise ValueError("would send the password for everybody to read; leave out tls=none, or the password")
    return SmtpServer(host, port or _PORTS[tls], tls, user, password)


def is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _tls(parts: SplitResult, *, is_local: bool) -> Tls:
    asked = parse_qs(parts.query, keep_blank_values=True)
    if asked.keys() - {"tls"}:
        raise ValueError("may only have tls= after the question mark; in a password write ? as %3F")
    if parts.scheme == "smtps":
        if asked:
            raise ValueError("must not say tls= with smtps://, which is TLS from the first byte")
        return "implicit"
    match asked.get("tls"):
        case None:
            return "none" if is_local else "starttls"
        case ["none"]:
            return "none"
        case ["starttls"]:
            return "starttls"
        case _:
            raise ValueError("must say tls=starttls or tls=none")


def _login(parts: SplitResult) -> tuple[str | None, str | None]:
    if not parts.username and not parts.password:
        return None, None
    if not parts.username or not parts.password:
        raise ValueError(f"must name both a user and a password, or neither; {EXAMPLE} would be one")
    user, password = unquote(parts.username), unquote(parts.password)
    if not (user + password).isascii():
        raise ValueError("must have a user and a password of ASCII letters, digits and signs")
    return user, password
