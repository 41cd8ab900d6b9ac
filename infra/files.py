"""Files under a root that are whole or not there, and locks that die with their holders, by any signal.

Names are relative to the root. What is half written lies in ``.parts``, locks in ``.locks``. All raise OSError.
"""

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from fcntl import LOCK_EX, flock
from hashlib import sha256
from pathlib import Path
from tempfile import NamedTemporaryFile

_LEFT_BEHIND = 3600  # seconds after which a temporary file is a dead process's


def prepare(root: Path) -> None:
    """Make the folder, and remove what killed processes left half written in it."""
    for folder in (parts(root), _locks(root)):
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    for part in parts(root).iterdir():
        with suppress(FileNotFoundError):  # another process may tidy up too
            if time.time() - part.stat().st_mtime > _LEFT_BEHIND:
                part.unlink()


def parts(root: Path) -> Path:
    return root / ".parts"


def _locks(root: Path) -> Path:
    return root / ".locks"


def write(root: Path, name: str, *pieces: bytes) -> None:
    """Keep the pieces as one file, in place of what was there: a reader sees either whole, after a crash too."""
    target = root / name
    _make_folder(target.parent)
    with NamedTemporaryFile(dir=parts(root), delete=False) as part:
        try:
            part.writelines(pieces)
            part.flush()
            os.fsync(part.fileno())
            Path(part.name).replace(target)
        except BaseException:
            Path(part.name).unlink(missing_ok=True)
            raise
    _sync(target.parent)


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
def alone(root: Path, name: str) -> Iterator[None]:
    """Hold the lock of ``name`` against every other thread and process."""
    lock = _locks(root) / sha256(name.encode()).hexdigest()
    handle = _locked(lock)
    try:
        yield
    finally:
        # One that stays is no harm: it is free.
        with suppress(OSError):
            lock.unlink()
        os.close(handle)


def _locked(lock: Path) -> int:
    """Each call opens the file for itself, because that is what ``flock`` sets threads of one process apart by."""
    while True:
        handle = os.open(lock, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)
        try:
            flock(handle, LOCK_EX)
            # The holder before may have removed the name while this one waited.
            if is_still(lock, handle):
                return handle
        except BaseException:
            os.close(handle)
            raise
        os.close(handle)


def is_still(path: Path, handle: int) -> bool:
    """Whether the name means the file that is open."""
    try:
        return os.path.samestat(path.stat(), os.fstat(handle))
    except FileNotFoundError:
        return False
