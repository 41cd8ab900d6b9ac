"""Objects (logos, photos, PDFs) under keys, in a local folder."""

import os
import re
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from fcntl import LOCK_EX, flock
from hashlib import sha256
from pathlib import Path
from tempfile import NamedTemporaryFile
from urllib.parse import unquote, urlsplit

_KEY = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*(/[A-Za-z0-9][A-Za-z0-9._-]*)*")
_ABSOLUTE = re.compile("/+[^/]")
_LONGEST_KEY = 200
_LEFT_BEHIND = 3600  # seconds after which a temporary file is a dead process's


def content_key(kind: str, *parts: bytes, suffix: str = "") -> str:
    """``kind/ab/abcd….suffix``, from the SHA-256 of all parts in their order. Other content, other key."""
    digest = sha256()
    for part in parts:
        digest.update(len(part).to_bytes(8, "big") + part)
    name = digest.hexdigest()
    return f"{kind}/{name[:2]}/{name}{suffix}"


def open_storage(url: str) -> "Folder":
    """The storage at ``file:///absolute/folder``, made where it is missing. Raises ValueError for another URL."""
    parts = urlsplit(url)
    if parts.scheme != "file" or parts.netloc not in ("", "localhost") or not _ABSOLUTE.match(parts.path):
        raise ValueError("Storage must be file:///… with an absolute folder.")
    folder = Folder(Path(unquote(parts.path)))
    folder.prepare()
    return folder


@dataclass(frozen=True, slots=True)
class Folder:
    """Objects as files. A key is letters, digits and ``._-`` in parts divided by ``/``; no part starts with a dot.

    Every method raises ValueError for another key, so that no key leads out of the folder.
    """

    root: Path

    def prepare(self) -> None:
        """Make the folder, and remove what killed processes left half written in it."""
        for folder in (self._parts, self._locks):
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        for part in self._parts.iterdir():
            with suppress(FileNotFoundError):  # another process may tidy up too
                if time.time() - part.stat().st_mtime > _LEFT_BEHIND:
                    part.unlink()

    def is_writable(self) -> bool:
        """Whether it would take an object, as far as can be told without giving it one."""
        return os.access(self._parts, os.W_OK) and os.statvfs(self.root).f_bavail > 0

    def put(self, key: str, data: bytes) -> None:
        """Keep ``data``, in place of what was there: a reader sees either whole, after a crash too."""
        target = self._path(key)
        _make_folder(target.parent)
        with NamedTemporaryFile(dir=self._parts, delete=False) as part:
            try:
                part.write(data)
                part.flush()
                os.fsync(part.fileno())
                Path(part.name).replace(target)
            except BaseException:
                Path(part.name).unlink(missing_ok=True)
                raise
        _sync(target.parent)

    def get(self, key: str) -> bytes | None:
        try:
            return self._path(key).read_bytes()
        except FileNotFoundError:
            return None

    def exists(self, key: str) -> bool:
        return self._path(key).is_file()

    def delete(self, key: str) -> None:
        """Forget the object; nothing happens where there is none."""
        self._path(key).unlink(missing_ok=True)

    def once(self, key: str, make: Callable[[], bytes]) -> bytes:
        """The object, made and kept by the first who asks; who asks meanwhile waits for it, also in another process.

        Where ``make`` raises, so does this, and the next one waiting tries. Blocks: keep it off the event loop.
        """
        data = self.get(key)
        if data is not None:
            return data
        with _alone(self._locks / sha256(key.encode()).hexdigest()):
            data = self.get(key)
            if data is None:
                data = make()
                self.put(key, data)
        return data

    @property
    def _parts(self) -> Path:
        return self.root / ".parts"

    @property
    def _locks(self) -> Path:
        return self.root / ".locks"

    def _path(self, key: str) -> Path:
        if len(key) > _LONGEST_KEY or not _KEY.fullmatch(key):
            raise ValueError("This is not a storage key.")
        return self.root / key


def _make_folder(folder: Path) -> None:
    if not folder.is_dir():
        _make_folder(folder.parent)
        folder.mkdir(exist_ok=True, mode=0o700)
        _sync(folder.parent)


def _sync(folder: Path) -> None:
    """A new name is durable only when its folder is."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


@contextmanager
def _alone(lock: Path) -> Iterator[None]:
    """Hold ``lock`` against every other thread and process. The kernel frees it when its holder dies, by any signal."""
    handle = _locked(lock)
    try:
        yield
    finally:
        lock.unlink(missing_ok=True)
        os.close(handle)


def _locked(lock: Path) -> int:
    """Each call opens the file for itself, because that is what ``flock`` sets threads of one process apart by."""
    while True:
        handle = os.open(lock, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)
        try:
            flock(handle, LOCK_EX)
            if _is_still(lock, handle):
                return handle
        except BaseException:
            os.close(handle)
            raise
        os.close(handle)


def _is_still(lock: Path, handle: int) -> bool:
    """Whether the name still means this file: the holder before may have removed it while this one waited."""
    try:
        return os.path.samestat(lock.stat(), os.fstat(handle))
    except FileNotFoundError:
        return False
