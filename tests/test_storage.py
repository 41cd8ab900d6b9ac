"""Objects: whole or not there, made once, and never outside their folder."""

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from infra import storage
from infra.storage import Folder, content_key, open_storage

KEY = "pdf/ab/abcdef.pdf"
Process = subprocess.Popen[str]
Start = Callable[..., Process]

# Waits for the word on standard input, then asks for the object; leaves one line in the log for each time it makes it.
ASK = """
import sys, time
from contextlib import nullcontext
from pathlib import Path
from infra import storage
root, log, locked = Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3] == "locked"
if not locked:
    storage._alone = lambda lock: nullcontext()
def make():
    with log.open("a") as lines:
        lines.write("made\\n")
    time.sleep(float(sys.argv[4]))
    return b"object"
folder = storage.open_storage(root.as_uri())
print("ready", flush=True)
sys.stdin.readline()
sys.exit(folder.once("pdf/ab/abcdef.pdf", make) != b"object")
"""


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    return open_storage((tmp_path / "objects").as_uri())


def test_what_was_put_is_got(folder: Folder) -> None:
    folder.put(KEY, b"one")
    folder.put(KEY, b"two")

    assert folder.get(KEY) == b"two"
    assert folder.exists(KEY)


def test_what_was_never_put_or_was_deleted_is_not_there(folder: Folder) -> None:
    folder.put(KEY, b"one")
    folder.delete(KEY)
    folder.delete(KEY)

    assert folder.get(KEY) is None
    assert not folder.exists(KEY)
    assert not folder.exists("pdf/ab")


@pytest.mark.parametrize(
    "key",
    [
        "",
        "/etc/passwd",
        "../x",
        "a/../../x",
        "a//b",
        "a/.parts/b",
        ".locks/x",
        "a/b/",
        "a\0b",
        "a b",
        "ä",
        "x" * 201,
        "a\n",
    ],
)
def test_a_key_that_could_lead_astray_is_refused(folder: Folder, key: str) -> None:
    asks: list[Callable[[], object]] = [
        lambda: folder.put(key, b"x"),
        lambda: folder.get(key),
        lambda: folder.exists(key),
        lambda: folder.delete(key),
        lambda: folder.once(key, lambda: b"x"),
    ]
    for ask in asks:
        with pytest.raises(ValueError, match="not a storage key"):
            ask()


@given(key=st.text("ab./\\-_\0", max_size=12))
def test_no_accepted_key_leaves_the_folder(key: str) -> None:
    root = Path("/objects")
    try:
        path = Folder(root)._path(key)
    except ValueError:
        return
    assert path.resolve().is_relative_to(root)
    assert path != root


@given(parts=st.lists(st.binary(max_size=4), max_size=4), others=st.lists(st.binary(max_size=4), max_size=4))
def test_other_content_has_another_key(parts: list[bytes], others: list[bytes]) -> None:
    assert (content_key("pdf", *parts) == content_key("pdf", *others)) == (parts == others)


def test_a_content_key_is_a_key(folder: Folder) -> None:
    key = content_key("logo", b"bytes", suffix=".png")
    folder.put(key, b"bytes")

    assert key.startswith("logo/")
    assert key.endswith(".png")
    assert folder.get(key) == b"bytes"


@pytest.mark.parametrize(
    "url", ["s3://bucket/x", "/var/objects", "file:relative", "file:", "file://host/share", "file:///", ""]
)
def test_another_url_than_a_local_folder_is_refused(url: str) -> None:
    with pytest.raises(ValueError, match="file:///"):
        open_storage(url)


def test_a_folder_with_spaces_and_umlauts_is_found_again(tmp_path: Path) -> None:
    place = tmp_path / "Büro 1" / "objects"
    open_storage(place.as_uri()).put(KEY, b"x")

    assert (place / KEY).read_bytes() == b"x"


def test_a_put_that_fails_leaves_the_old_object_and_no_litter(folder: Folder, monkeypatch: pytest.MonkeyPatch) -> None:
    def full_disk(_handle: int) -> None:
        raise OSError(28, "No space left on device")

    folder.put(KEY, b"old")
    monkeypatch.setattr(os, "fsync", full_disk)
    with pytest.raises(OSError, match="No space"):
        folder.put(KEY, b"new")

    assert folder.get(KEY) == b"old"
    assert not list((folder.root / ".parts").iterdir())


def test_a_reader_beside_a_writer_sees_only_whole_objects(folder: Folder) -> None:
    wholes = {bytes([letter]) * 300_000 for letter in b"ab"}
    done = threading.Event()

    def write() -> None:
        while not done.is_set():
            for whole in wholes:
                folder.put(KEY, whole)

    folder.put(KEY, next(iter(wholes)))
    with ThreadPoolExecutor(2) as threads:
        for _ in range(2):
            threads.submit(write)
        seen = {folder.get(KEY) for _ in range(300)}
        done.set()

    assert seen <= wholes


def test_opening_clears_what_a_killed_process_left_but_not_what_is_being_written(folder: Folder) -> None:
    left, fresh = folder.root / ".parts" / "left", folder.root / ".parts" / "fresh"
    for part in (left, fresh):
        part.write_bytes(b"half")
    os.utime(left, (time.time() - 7200, time.time() - 7200))
    open_storage(folder.root.as_uri())

    assert not left.exists()
    assert fresh.exists()


class Maker:
    """Makes the object slowly and counts how often it was asked to."""

    def __init__(self) -> None:
        self.times = 0

    def __call__(self) -> bytes:
        self.times += 1
        time.sleep(0.1)
        return b"object"


def asked_by_threads(folder: Folder, make: Maker) -> list[bytes]:
    with ThreadPoolExecutor(8) as threads:
        return list(threads.map(lambda _: folder.once(KEY, make), range(8)))


def test_threads_that_ask_at_once_get_one_object_made_once(folder: Folder) -> None:
    make = Maker()

    assert asked_by_threads(folder, make) == [b"object"] * 8
    assert make.times == 1
    assert not list((folder.root / ".locks").iterdir())


def test_without_the_lock_threads_make_it_more_than_once(folder: Folder, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(storage, "_alone", lambda _lock: nullcontext())
    make = Maker()
    asked_by_threads(folder, make)

    assert make.times > 1


def test_many_rounds_of_threads_and_deletions_never_make_two_at_once(folder: Folder) -> None:
    busy = threading.Lock()
    overlaps: list[int] = []

    def make() -> bytes:
        if not busy.acquire(blocking=False):
            overlaps.append(1)
            return b"object"
        time.sleep(0.001)
        busy.release()
        return b"object"

    def ask(_number: int) -> None:
        for _ in range(40):
            folder.once(KEY, make)
            folder.delete(KEY)

    with ThreadPoolExecutor(8) as threads:
        list(threads.map(ask, range(8)))

    assert not overlaps


def test_another_key_does_not_wait(folder: Folder) -> None:
    assert folder.once("a", lambda: folder.once("b", lambda: b"inner") + b" and outer") == b"inner and outer"


def test_where_making_fails_the_next_one_tries_again(folder: Folder) -> None:
    def fail() -> bytes:
        raise RuntimeError("no fonts")

    with pytest.raises(RuntimeError, match="no fonts"):
        folder.once(KEY, fail)

    assert folder.once(KEY, lambda: b"object") == b"object"


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    running: list[Process] = []

    def start_one(*, lock: str = "locked", seconds: float = 0.3) -> Process:
        command = [sys.executable, "-c", ASK, str(tmp_path / "objects"), str(tmp_path / "log"), lock, str(seconds)]
        asking = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=Path(__file__).parent.parent
        )
        running.append(asking)
        assert asking.stdout is not None
        assert asking.stdout.readline() == "ready\n"
        return asking

    yield start_one
    for asking in running:
        asking.kill()
        asking.communicate()


def let_go(asking: Process) -> None:
    assert asking.stdin is not None
    asking.stdin.write("go\n")
    asking.stdin.flush()


def made(tmp_path: Path) -> int:
    log = tmp_path / "log"
    return len(log.read_text().splitlines()) if log.exists() else 0


def asked_by_processes(start: Start, lock: str) -> None:
    asking = [start(lock=lock) for _ in range(4)]
    for process in asking:
        let_go(process)
    assert [process.wait(20) for process in asking] == [0, 0, 0, 0]


def test_processes_that_ask_at_once_get_one_object_made_once(start: Start, tmp_path: Path) -> None:
    asked_by_processes(start, "locked")

    assert made(tmp_path) == 1


def test_without_the_lock_processes_make_it_more_than_once(start: Start, tmp_path: Path) -> None:
    asked_by_processes(start, "unlocked")

    assert made(tmp_path) > 1


def test_a_maker_that_is_killed_leaves_no_lock_behind(start: Start, tmp_path: Path) -> None:
    slow = start(seconds=60)
    let_go(slow)
    while not made(tmp_path):
        time.sleep(0.01)
    waiting = start(seconds=0)
    let_go(waiting)
    time.sleep(0.2)
    assert waiting.poll() is None

    slow.send_signal(signal.SIGKILL)

    assert waiting.wait(20) == 0
    assert made(tmp_path) == 2
