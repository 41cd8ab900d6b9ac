"""Answers of the shopper's side: revalidated by an ETag, compressed for who can read it."""

from collections.abc import Iterable, Iterator

from starlette.requests import Request
from starlette.responses import Response

from api.page_cache import Rendered

# A receipt changes when something comes back on it, and is nobody else's to keep.
ASK_AGAIN = (b"cache-control", b"private, no-cache")
NEVER_KEEP = (b"cache-control", b"no-store")
_VARY = (b"vary", b"Accept-Encoding, Accept-Language")


def respond(request: Request, rendered: Rendered) -> Response:
    """304 where the reader has these bytes already (RFC 9110 section 13.1.2)."""
    etag = rendered.etag
    if rendered.status == 200 and _has(request.headers.get("if-none-match", ""), etag):
        return _bare(304, [*rendered.headers, _VARY, (b"etag", etag.encode())])
    body, encoding = _encoded(rendered, request.headers.get("accept-encoding", ""))
    headers = [*rendered.headers, _VARY, (b"content-type", rendered.media_type.encode())]
    headers += [(b"etag", etag.encode())] if rendered.status == 200 else []
    headers += [(b"content-encoding", encoding)] if encoding else []
    headers.append((b"content-length", str(len(body)).encode()))
    return _bare(rendered.status, headers, b"" if request.method == "HEAD" else body)


def _bare(status: int, headers: Iterable[tuple[bytes, bytes]], body: bytes = b"") -> Response:
    response = Response(status_code=status)
    response.body = body
    response.raw_headers = list(headers)
    return response


def _has(header: str, etag: str) -> bool:
    """By weak comparison (RFC 9110 section 8.8.3.2)."""
    tags = {tag.strip().removeprefix("W/") for tag in header.split(",")}
    return etag.removeprefix("W/") in tags or "*" in tags


def _encoded(rendered: Rendered, accepted: str) -> tuple[bytes, bytes]:
    if not rendered.is_text or len(rendered.body) < 500:
        return rendered.body, b""
    wanted = set(_wanted(accepted))
    if "br" in wanted:
        return rendered.packed("br"), b"br"
    if "gzip" in wanted:
        return rendered.packed("gzip"), b"gzip"
    return rendered.body, b""


def _wanted(accepted: str) -> Iterator[str]:
    """The content codings of an ``Accept-Encoding`` whose weight is not zero (RFC 9110 section 12.5.3)."""
    for part in accepted.lower().split(","):
        coding, *parameters = (each.strip() for each in part.split(";"))
        weights = (each.removeprefix("q=") for each in parameters if each.startswith("q="))
        if all(_weighs(weight) for weight in weights):
            yield coding


def _weighs(weight: str) -> bool:
    try:
        return float(weight) > 0
    except ValueError:
        return False
