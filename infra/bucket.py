"""Objects in an S3 bucket, each with its SHA-256 beside it as metadata."""

import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, field
from hashlib import sha256
from threading import Lock
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit
from weakref import WeakValueDictionary

import structlog
from botocore.exceptions import ReadTimeoutError

from infra import s3
from infra.settings import Data
from infra.storage import (
    MOST_BYTES,
    StorageDown,
    at_hand,
    checked_key,
    checked_prefix,
    checked_size,
    is_key,
    keep,
    proves,
    try_out,
)

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_s3.type_defs import GetObjectOutputTypeDef

_log = structlog.get_logger(__name__)
_PIECE: Final = 1 << 16
# One object may take so long to arrive, however steadily it drips.
_ARRIVAL_SECONDS: Final = 20.0


def open_bucket(data: Data) -> "Bucket":
    """The bucket at ``s3://bucket/prefix``. Nothing is asked of it yet. Raises what :func:`infra.s3.connect` raises."""
    parts = urlsplit(data.where_objects())
    prefix = parts.path.strip("/")
    return Bucket(s3.connect(data), parts.netloc, f"{prefix}/" if prefix else "")


class Turns:
    """One at a time for each name, among the threads of this process."""

    def __init__(self) -> None:
        self._guard = Lock()
        # Gone when nobody holds it or waits for it.
        self._locks: WeakValueDictionary[str, Lock] = WeakValueDictionary()

    @contextmanager
    def alone(self, name: str) -> Iterator[None]:
        with self._guard:
            lock = self._locks.setdefault(name, Lock())
        with lock:
            yield


@dataclass(frozen=True, slots=True)
class Bucket:
    """A :class:`infra.storage.Storage`. ``prefix`` is empty or ends with a slash.

    ``once`` makes an object once in a process. Of two processes the first to put it wins, and both give that one.
    """

    client: "S3Client"
    name: str
    prefix: str
    asking: s3.Asking = field(default_factory=s3.Asking)
    turns: Turns = field(default_factory=Turns)

    def put(self, key: str, data: bytes) -> None:
        at, digest = self._at(key), sha256(checked_size(data)).hexdigest()
        with self.asking():
            self.client.put_object(Bucket=self.name, Key=at, Body=data, Metadata={"sha256": digest})

    def get(self, key: str) -> bytes | None:
        try:
            data, _ = self._fetched(key)
            if data is None:
                # Once more: it may be the way that altered it, and not the bucket.
                data, etag = self._fetched(key)
                if data is None:
                    self._remove(key, etag)
        except s3.Absent:
            return None
        return data

    def exists(self, key: str) -> bool:
        at = self._at(key)
        with suppress(s3.Absent), self.asking():
            self.client.head_object(Bucket=self.name, Key=at)
            return True
        return False

    def delete(self, key: str) -> None:
        at = self._at(key)
        with self.asking():
            self.client.delete_object(Bucket=self.name, Key=at)

    def once(self, key: str, make: Callable[[], bytes]) -> bytes:
        data = at_hand(self, key)
        if data is not None:
            return data
        with self.turns.alone(key):
            data = at_hand(self, key)
            if data is not None:
                return data
            data = make()
            try:
                keep(self._put_first, key, data)
            except s3.Taken:
                return at_hand(self, key) or data
            return data

    def is_writable(self) -> bool:
        """By the last call; after one that failed, by another."""
        if not self.asking.is_well:
            with suppress(s3.Absent, StorageDown), self.asking():
                self.client.head_bucket(Bucket=self.name)
        return self.asking.is_well

    def link(self, key: str, *, seconds: int, filename: str, content_type: str) -> str | None:
        shown = {
            "ResponseContentType": content_type,
            "ResponseContentDisposition": f'inline; filename="{filename}"',
            "ResponseCacheControl": "private, no-store",
        }
        asked = {"Bucket": self.name, "Key": self._at(key), **shown}
        with self.asking():
            return self.client.generate_presigned_url("get_object", Params=asked, ExpiresIn=seconds)

    def keys(self, prefix: str = "") -> Iterator[str]:
        within = self.prefix + checked_prefix(prefix)
        with self.asking():
            for page in self.client.get_paginator("list_objects_v2").paginate(Bucket=self.name, Prefix=within):
                for each in page.get("Contents", ()):
                    key = each["Key"].removeprefix(self.prefix)
                    if is_key(key):
                        yield key

    def check(self) -> str:
        key = try_out(self)
        self.put(key, b"first")
        try:
            self._put_first(key, b"second")
        except s3.Taken:
            where = f"s3://{self.name}/{self.prefix} at {self.client.meta.endpoint_url}"
            return f"{where} takes objects and gives them back"
        finally:
            self.delete(key)
        raise StorageDown("it lets a second writer win: it must know conditional writes (If-None-Match)")

    def _at(self, key: str) -> str:
        return self.prefix + checked_key(key)

    def _put_first(self, key: str, data: bytes) -> None:
        """Raises :class:`infra.s3.Taken` where another was quicker."""
        at, digest = self._at(key), sha256(checked_size(data)).hexdigest()
        with self.asking():
            self.client.put_object(Bucket=self.name, Key=at, Body=data, Metadata={"sha256": digest}, IfNoneMatch="*")

    def _fetched(self, key: str) -> tuple[bytes | None, str]:
        """The object where it is whole, and its tag. Raises :class:`infra.s3.Absent`."""
        at = self._at(key)
        with self.asking():
            answer = self.client.get_object(Bucket=self.name, Key=at)
            data = _arrived(answer)
        is_whole = answer["Metadata"].get("sha256") == sha256(data).hexdigest() or proves(key, data)
        return (data if is_whole else None), answer["ETag"]

    def _remove(self, key: str, etag: str) -> None:
        """Just the one that is broken: another process may have put a whole one in its place."""
        _log.error("object broken", key=key)
        at = self._at(key)
        with suppress(s3.Absent, s3.Taken, StorageDown), self.asking():
            self.client.delete_object(Bucket=self.name, Key=at, IfMatch=etag)


def _arrived(answer: "GetObjectOutputTypeDef") -> bytes:
    """At most one byte more than is allowed: nothing proves such a piece."""
    pieces, size, deadline = [], 0, time.monotonic() + _ARRIVAL_SECONDS
    with closing(answer["Body"]) as body:
        while size <= MOST_BYTES and (piece := body.read(_PIECE)):
            pieces.append(piece)
            size += len(piece)
            if time.monotonic() > deadline:
                raise ReadTimeoutError(endpoint_url="")
    return b"".join(pieces)
