"""Our own stylesheets and scripts: read once, compressed once, under addresses that change with their content.

All files share one digest, ``/static/4f2a91c0be/receipt.js``, so that modules may import each other by relative names.
"""

import gzip
import hashlib
import mimetypes
import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final

import brotli

from infra.settings import ROOT

FOLDER: Final = ROOT / "static"
PREFIX: Final = "/static"
FOREVER: Final = "public, max-age=31536000, immutable"
_COMMENT: Final = re.compile(r"/\*.*?\*/", re.DOTALL)
_SPACE: Final = re.compile(r"\s+")
_AROUND: Final = re.compile(r" ?([{};,>]) ?|(:) ")
_TEXT: Final = ("text/", "application/json", "image/svg+xml")


@dataclass(frozen=True, slots=True)
class Asset:
    """A file with what an answer needs. ``brotli`` and ``gzip`` are None where they would not be smaller."""

    url: str
    media_type: str
    body: bytes
    brotli: bytes | None
    gzip: bytes | None


def url(name: str) -> str:
    """The address of ``receipt.js``. Raises KeyError for a file that is not there."""
    return _by_name()[name].url


def body(name: str) -> bytes:
    """What is in a file, to be served under another address. Raises KeyError for a file that is not there."""
    return _by_name()[name].body


def find(path: str) -> Asset | None:
    """What lies at an address: ``find("/static/4f2a91c0be/receipt.js")``; to be kept by browsers as :data:`FOREVER`."""
    return _by_url().get(path)


@cache
def stylesheet(name: str) -> str:
    """A stylesheet to stand in a page's head, without comments and spare space.

    The first view of a receipt is nearly always the only one: one request that is complete beats two that can be kept.
    """
    text = _SPACE.sub(" ", _COMMENT.sub("", (FOLDER / name).read_text(encoding="utf-8")))
    return _AROUND.sub(r"\1\2", text).replace(";}", "}").strip()


@cache
def _by_url() -> dict[str, Asset]:
    return {asset.url: asset for asset in _by_name().values()}


@cache
def _by_name() -> dict[str, Asset]:
    files = {path.relative_to(FOLDER).as_posix(): path for path in sorted(FOLDER.rglob("*")) if path.is_file()}
    bodies = {name: path.read_bytes() for name, path in files.items()}
    digest = hashlib.sha256()
    for name, body in bodies.items():
        digest.update(name.encode() + b"\0" + hashlib.sha256(body).digest())
    folder = f"{PREFIX}/{digest.hexdigest()[:10]}"
    return {name: _asset(f"{folder}/{name}", body) for name, body in bodies.items()}


def _asset(address: str, body: bytes) -> Asset:
    media_type = mimetypes.guess_type(Path(address).name)[0] or "application/octet-stream"
    if not media_type.startswith(_TEXT):
        return Asset(address, media_type, body, None, None)
    return Asset(
        url=address,
        media_type=f"{media_type}; charset=utf-8",
        body=body,
        brotli=_if_smaller(brotli.compress(body), body),
        gzip=_if_smaller(gzip.compress(body, mtime=0), body),
    )


def _if_smaller(packed: bytes, body: bytes) -> bytes | None:
    return packed if len(packed) < len(body) else None
