"""Answers of the shopper's side: revalidated by an ETag, compressed for who can read it."""

from collections.abc import Iterable

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
    """A weak comparison: a proxy that compressed the answer has marked its tag with ``W/``."""
    tags = {tag.strip().removeprefix("W/") for tag in header.split(",")}
    return etag in tags or "*" in tags


def _encoded(rendered: Rendered, accepted: str) -> tuple[bytes, bytes]:
    if not rendered.is_text or len(rendered.body) < 500:
        return rendered.body, b""
    wanted = {part.partition(";")[0].strip() for part in accepted.lower().split(",") if not part.endswith("q=0")}
    if "br" in wanted:
        return rendered.packed("br"), b"br"
    if "gzip" in wanted:
        return rendered.packed("gzip"), b"gzip"
    return rendered.body, b""
