"""Objects (logos, photos, PDFs) under keys: what a storage does, and what a folder and a bucket have in common.

Each object comes back as it was put, or not at all: its SHA-256 is kept with it, or its key is made of just its bytes.
One that is broken counts as absent and is removed; whoever can makes it again.
"""

import re
from collections.abc import Callable, Iterator
from hashlib import sha256
from pathlib import Path
from secrets import token_hex
from typing import ClassVar, Final, Protocol
from urllib.parse import unquote, urlsplit

import structlog

from infra import files
from infra.settings import Data
from kernel.errors import TooLarge, Unavailable

_log = structlog.get_logger(__name__)
_PART: Final = "[A-Za-z0-9][A-Za-z0-9._-]*"
_KEY: Final = re.compile(f"{_PART}(/{_PART})*")
_ABSOLUTE: Final = re.compile("/+[^/]")
_LONGEST_KEY: Final = 200
# An object is read whole, to be checked before its first byte is given away: so much memory may one take.
MOST_BYTES: Final = 32_000_000


class Storage(Protocol):
    """A key is letters, digits and ``._-`` in parts divided by ``/``; no part starts with a dot.

    Every method raises ValueError for another key, and :class:`StorageDown` where the storage does not do its work.
    All may block for seconds: keep them off the event loop.
    """

    def put(self, key: str, data: bytes) -> None:
        """Keep ``data``, in place of what was there: a reader sees either whole.

        Raises :class:`TooLarge` above MOST_BYTES.
        """

    def get(self, key: str) -> bytes | None:
        """The object; None where it is absent or broken."""

    def exists(self, key: str) -> bool:
        """Whether there is an object. It says nothing of how whole it is."""

    def delete(self, key: str) -> None:
        """Forget the object; nothing happens where there is none."""

    def once(self, key: str, make: Callable[[], bytes]) -> bytes:
        """The object, made by the first who asks and then kept; who asks this process meanwhile waits for it.

        Where ``make`` raises, so does this, and the next one waiting tries. What cannot be kept is given all the same.
        """

    def is_writable(self) -> bool:
        """Whether it would take an object, as far as can be told without giving it one."""

    def link(self, key: str, *, seconds: int, filename: str, content_type: str) -> str | None:
        """An address from which anybody may read the object for so long, and nothing else; None for a folder."""

    def keys(self, prefix: str = "") -> Iterator[str]:
        """Of all objects, or of those whose keys start with ``prefix``, in no order that one may rely on."""

    def check(self) -> str:
        """Put, read and delete a small object. What it is, in words; :class:`StorageDown` says what to do."""


class StorageDown(Unavailable):
    """``why`` is for who runs the service: what fails and what to do. Who asked learns only that it does."""

    slug: ClassVar[str] = "storage-down"
    title: ClassVar[str] = "The object storage does not do its work just now"

    def __init__(self, why: str) -> None:
        super().__init__("Please try again.", retry_after=5)
        self.why = why

    def __str__(self) -> str:
        return self.why


def open_storage(data: Data) -> Storage:
    """What the settings name, made where it is a folder that is missing. A bucket is not asked before it is used.

    Raises ValueError for a folder that is not an absolute one, OSError for one that cannot be made.
    """
    # Loaded late: both stand on this module, and boto3 takes 25 MB that a folder does not need.
    if data.where_objects().startswith("s3:"):
        from infra.bucket import open_bucket

        return open_bucket(data)
    from infra.folder import open_folder

    return open_folder(_folder(data.where_objects()))


def is_made(data: Data) -> bool:
    """Whether the storage is there already. A folder is made when it is first opened; a bucket is somebody else's."""
    where = data.where_objects()
    return where.startswith("s3:") or files.parts(_folder(where)).is_dir()


def _folder(url: str) -> Path:
    parts = urlsplit(url)
    if parts.scheme != "file" or parts.netloc not in ("", "localhost") or not _ABSOLUTE.match(parts.path):
        raise ValueError("Storage must be file:///… with an absolute folder.")
    return Path(unquote(parts.path))


def content_key(kind: str, *parts: bytes, suffix: str = "") -> str:
    """``kind/ab/abcd….suffix``, from the SHA-256 of all parts in their order. Other content, other key."""
    digest = sha256()
    for part in parts:
        digest.update(len(part).to_bytes(8, "big") + part)
    name = digest.hexdigest()
    return f"{kind}/{name[:2]}/{name}{suffix}"


def proves(key: str, data: bytes) -> bool:
    """Whether the key is made of just these bytes, so that it tells by itself that they are whole."""
    kind, _, rest = key.partition("/")
    return key == content_key(kind, data, suffix=rest[len("ab/") + 64 :])


def checked_key(key: str) -> str:
    """The same. Raises ValueError where it is no key, so that none leads out of a folder."""
    if not is_key(key):
        raise ValueError("This is not a storage key.")
    return key


def checked_prefix(prefix: str) -> str:
    """The same. Raises ValueError where no key can start with it."""
    if prefix:
        checked_key(prefix.removesuffix("/"))
    return prefix


def is_key(text: str) -> bool:
    return len(text) <= _LONGEST_KEY and _KEY.fullmatch(text) is not None


def is_part(name: str) -> bool:
    """Whether a key may have this between its slashes."""
    return re.fullmatch(_PART, name) is not None


def checked_size(data: bytes) -> bytes:
    """The same. Raises :class:`TooLarge`."""
    if len(data) > MOST_BYTES:
        raise TooLarge(f"An object may have at most {MOST_BYTES} bytes")
    return data


def at_hand(storage: Storage, key: str) -> bytes | None:
    """The object; None also where the storage is down, for what can be shown or made without it."""
    try:
        return storage.get(key)
    except StorageDown:
        return None


def keep(put: Callable[[str, bytes], None], key: str, data: bytes) -> None:
    """Keep what was made, where that is possible: whoever asked for it gets it either way."""
    try:
        put(key, data)
    except (StorageDown, TooLarge) as error:
        _log.warning("object not kept", key=key, why=str(error))


def try_out(storage: Storage) -> str:
    """The key of a small object that was put, read and deleted. Raises :class:`StorageDown`."""
    key, data = f"probe/{token_hex(8)}", token_hex(8).encode()
    storage.put(key, data)
    if storage.get(key) != data:
        raise StorageDown("it gives other bytes back than it took: look for what alters or caches them on the way")
    storage.delete(key)
    if storage.exists(key):
        raise StorageDown("it does not forget what was deleted: allow deletion, and serve it without a cache")
    return key
