"""Objects as files. Behind its bytes a file has a line with their SHA-256, where its key does not prove them."""

import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Final

import structlog

from infra import files
from infra.metrics import storage_failed
from infra.storage import (
    MOST_BYTES,
    StorageDown,
    at_hand,
    checked_key,
    checked_prefix,
    checked_size,
    is_part,
    keep,
    proves,
    try_out,
)

_log = structlog.get_logger(__name__)
_SEAL: Final = len("\nsha256 ") + 64 + len("\n")


def open_folder(root: Path) -> "Folder":
    """Made where it is missing, and rid of what killed processes left half written. Raises OSError."""
    files.prepare(root)
    return Folder(root)


@dataclass(frozen=True, slots=True)
class Folder:
    """A :class:`infra.storage.Storage`. ``once`` makes an object once among all processes that share the folder."""

    root: Path

    def put(self, key: str, data: bytes) -> None:
        checked_key(key)
        seal = b"" if proves(key, checked_size(data)) else _seal(data)
        with _translated():
            files.write(self.root, key, data, seal)

    def get(self, key: str) -> bytes | None:
        path = self._path(key)
        with _translated(), suppress(FileNotFoundError, NotADirectoryError, IsADirectoryError), path.open("rb") as file:
            data = _opened(key, file.read(MOST_BYTES + _SEAL + 1))
            # Another process may have put a whole one in its place by now.
            if data is None and files.is_still(path, file.fileno()):
                path.unlink()
                _log.error("object broken", key=key)
            return data
        return None

    def exists(self, key: str) -> bool:
        with _translated():
            return self._path(key).is_file()

    def delete(self, key: str) -> None:
        with _translated():
            self._path(key).unlink(missing_ok=True)

    def once(self, key: str, make: Callable[[], bytes]) -> bytes:
        data = at_hand(self, key)
        if data is not None:
            return data
        with self._turn(key):
            data = at_hand(self, key)
            if data is None:
                data = make()
                keep(self.put, key, data)
        return data

    def is_writable(self) -> bool:
        try:
            return os.access(files.parts(self.root), os.W_OK) and os.statvfs(self.root).f_bavail > 0
        except OSError:
            return False

    def link(self, key: str, *, seconds: int, filename: str, content_type: str) -> str | None:
        return None

    def keys(self, prefix: str = "") -> Iterator[str]:
        with _translated():
            folder = checked_prefix(prefix).rpartition("/")
            yield from (key for key in _keys(self.root, "".join(folder[:2])) if key.startswith(prefix))

    def check(self) -> str:
        probe = self._path(try_out(self))
        # Whoever checks may be another user than the service, which could not use a folder of theirs.
        with suppress(OSError):
            probe.parent.rmdir()
        return f"{self.root} takes objects and gives them back"

    @contextmanager
    def _turn(self, key: str) -> Iterator[None]:
        """Alone, where the folder takes a lock. One that takes none keeps nothing either, and what is made is given."""
        with ExitStack() as held:
            with suppress(OSError):
                held.enter_context(files.alone(self.root, key))
            yield

    def _path(self, key: str) -> Path:
        return self.root / checked_key(key)


def _seal(data: bytes) -> bytes:
    return b"\nsha256 %s\n" % sha256(data).hexdigest().encode()


def _opened(key: str, stored: bytes) -> bytes | None:
    """The bytes without their seal; None where neither the key nor the seal proves them."""
    if proves(key, stored):
        return stored
    data = stored[:-_SEAL]
    return data if stored[-_SEAL:] == _seal(data) else None


def _keys(root: Path, within: str) -> Iterator[str]:
    """What is no object has a name that no key may have: our own folders, and what others left lying about."""
    if not (root / within).is_dir():
        return
    with os.scandir(root / within) as entries:
        for entry in filter(lambda each: is_part(each.name), entries):
            if entry.is_dir():
                yield from _keys(root, f"{within}{entry.name}/")
            else:
                yield within + entry.name


@contextmanager
def _translated() -> Iterator[None]:
    try:
        yield
    except OSError as error:
        why = f"{error.strerror or type(error).__name__}: {error.filename}" if error.filename else str(error.strerror)
        _log.warning("object storage down", why=why)
        storage_failed("folder")
        raise StorageDown(f"{why}; free space, or let this user write there") from error
