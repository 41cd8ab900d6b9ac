"""Objects: whole or not there, made once. Each test runs on a folder and on a bucket."""

import json
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext
from dataclasses import replace
from functools import cache, partial
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from structlog.testing import capture_logs

from infra import files, storage
from infra.bucket import Bucket, Turns, open_bucket
from infra.folder import Folder
from infra.settings import Data
from infra.storage import Storage, content_key, open_storage
from kernel.errors import TooLarge
from tests.support import s3

KEY = "pdf/ab/abcdef.pdf"
LOGO = content_key("logos", b"a logo", suffix=".png")
ASTRAY = (
    "",
    "/etc/passwd",
    "../x",
    "a/../../x",
    "a//b",
    "a/.parts/b",
    ".locks/x",
    "a\0b",
    "a b",
    "ä",
    "x" * 201,
    "a\n",
)
Process = subprocess.Popen[str]
Start = Callable[..., Process]
Spoil = Callable[[str, Callable[[bytes], bytes]], None]

# Makes an object when it is asked for, and says so; the word on standard input lets it go on.
ASK = """
import json, sys
from contextlib import nullcontext
from infra import files, storage
from infra.settings import Data
objects = storage.open_storage(Data(**json.loads(sys.argv[1])))
if sys.argv[3] == "unlocked":
    files.alone = lambda root, name: nullcontext()
    type(objects)._put_first = type(objects).put
def make():
    print("making", flush=True)
    sys.stdin.readline()
    return sys.argv[2].encode()
print(objects.once("pdf/ab/abcdef.pdf", make).decode(), flush=True)
"""


@pytest.fixture(params=["folder", "bucket"])
def where(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """The settings of an empty storage."""
    if request.param == "folder":
        return {"storage_url": (tmp_path / "objects").as_uri()}
    for name, value in s3.ENVIRONMENT.items():
        monkeypatch.setenv(name, value)
    return s3.settings(s3.store().bucket(), s3.store().url)


@pytest.fixture
def objects(where: dict[str, Any]) -> Storage:
    if "s3_region" not in where:
        return open_storage(Data(**where))
    return replace(_bucket(), name=where["storage_url"].split("/")[2])


@cache
def _bucket() -> Bucket:
    """One client for all tests: to make one takes a tenth of a second."""
    return open_bucket(Data(**s3.settings("tests", s3.store().url)))


@pytest.fixture
def spoil(objects: Storage) -> Spoil:
    """Changes the bytes that are kept under a key, as a bad disk or a stranger would."""

    def change(key: str, how: Callable[[bytes], bytes]) -> None:
        if isinstance(objects, Folder):
            path = objects.root / key
            path.write_bytes(how(path.read_bytes()))
            return
        assert isinstance(objects, Bucket)
        client, place = s3.store().client, {"Bucket": objects.name, "Key": f"shop/{key}"}
        kept = client.get_object(**place)  # type: ignore[arg-type]
        client.put_object(**place, Body=how(kept["Body"].read()), Metadata=kept["Metadata"])  # type: ignore[arg-type]

    return change


def test_what_was_put_is_got(objects: Storage) -> None:
    objects.put(KEY, b"one")
    objects.put(KEY, b"two")

    assert objects.get(KEY) == b"two"
    assert objects.exists(KEY)


def test_an_empty_object_and_one_that_ends_like_a_seal_come_back_as_they_were(objects: Storage) -> None:
    for data in (b"", b"\n", b"x\nsha256 " + b"0" * 64 + b"\n"):
        objects.put(KEY, data)
        assert objects.get(KEY) == data


def test_what_was_never_put_or_was_deleted_is_not_there(objects: Storage) -> None:
    objects.put(KEY, b"one")
    objects.delete(KEY)
    objects.delete(KEY)

    assert objects.get(KEY) is None
    assert not objects.exists(KEY)
    assert not objects.exists("pdf/ab")
    assert objects.get("pdf/ab") is None


def _listed(objects: Storage, prefix: str) -> list[str]:
    return list(objects.keys(prefix))


def test_a_key_that_could_lead_astray_is_refused(objects: Storage) -> None:
    for key in ASTRAY:
        asks: list[Callable[[], object]] = [
            partial(objects.put, key, b"x"),
            partial(objects.get, key),
            partial(objects.exists, key),
            partial(objects.delete, key),
            partial(objects.once, key, lambda: b"x"),
            partial(_listed, objects, f"{key}x/"),
        ]
        for ask in asks if key else asks[:-1]:
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


@given(data=st.binary(max_size=20), other=st.binary(max_size=20), suffix=st.sampled_from(["", ".png", ".tar.gz"]))
def test_a_content_key_proves_its_bytes_and_no_others(data: bytes, other: bytes, suffix: str) -> None:
    key = content_key("logos", data, suffix=suffix)

    assert storage.is_key(key)
    assert storage.proves(key, data)
    assert storage.proves(key, other) == (data == other)
    assert not storage.proves("logos/one.png", data)


def test_all_keys_are_told_and_those_below_a_prefix(objects: Storage) -> None:
    kept = {"logos/ab/one.png", "logos/ac/two.png", "logos2/x", "pdf/ab/three.pdf", "top"}
    for key in kept:
        objects.put(key, b"x")

    assert sorted(objects.keys()) == sorted(kept)
    assert sorted(objects.keys("logos/")) == ["logos/ab/one.png", "logos/ac/two.png"]
    assert sorted(objects.keys("logos/a")) == ["logos/ab/one.png", "logos/ac/two.png"]
    assert sorted(objects.keys("logos")) == ["logos/ab/one.png", "logos/ac/two.png", "logos2/x"]
    assert list(objects.keys("nothing/")) == []


def flipped(data: bytes) -> bytes:
    return bytes([data[0] ^ 1]) + data[1:]


@pytest.mark.parametrize("key", [KEY, LOGO], ids=["sealed", "proved by its key"])
@pytest.mark.parametrize(
    "how", [flipped, lambda data: data[:-1], lambda data: data[:3], lambda _: b"", lambda data: data + b"x"]
)
def test_a_broken_object_is_not_given_away_but_told_once_and_removed(
    objects: Storage, spoil: Spoil, key: str, how: Callable[[bytes], bytes]
) -> None:
    objects.put(key, b"a logo")
    spoil(key, how)
    with capture_logs() as logs:
        assert objects.get(key) is None
        assert objects.get(key) is None

    assert [(each["event"], each["key"]) for each in logs] == [("object broken", key)]
    assert not objects.exists(key)


def test_a_broken_object_is_made_again(objects: Storage, spoil: Spoil) -> None:
    objects.once(KEY, lambda: b"object")
    spoil(KEY, flipped)

    assert objects.once(KEY, lambda: b"object") == b"object"
    assert objects.once(KEY, lambda: b"another") == b"object"


def test_a_logo_that_was_copied_in_by_hand_is_known_by_its_key(objects: Storage, spoil: Spoil) -> None:
    """As it is after a folder was copied into a bucket, or the other way round."""
    objects.put(LOGO, b"spoilt")
    spoil(LOGO, lambda _: b"a logo")

    assert objects.get(LOGO) == b"a logo"


def test_an_object_that_is_too_large_is_neither_taken_nor_given(
    objects: Storage, spoil: Spoil, monkeypatch: pytest.MonkeyPatch
) -> None:
    objects.put(KEY, b"x" * 300_000)
    for module in ("infra.storage", "infra.folder", "infra.bucket"):
        monkeypatch.setattr(f"{module}.MOST_BYTES", 100_000)
    with pytest.raises(TooLarge):
        objects.put("large", b"x" * 100_001)

    assert objects.get(KEY) is None
    assert objects.once("large", lambda: b"x" * 100_001) == b"x" * 100_001
    assert not objects.exists("large")


def test_a_storage_that_does_its_work_says_so_and_keeps_nothing_of_the_trial(objects: Storage) -> None:
    assert objects.check().endswith("takes objects and gives them back")
    assert objects.is_writable()
    assert list(objects.keys()) == []


class Maker:
    """Makes the object slowly and counts how often it was asked to."""

    def __init__(self) -> None:
        self.times = 0

    def __call__(self) -> bytes:
        self.times += 1
        time.sleep(0.1)
        return b"object"


def asked_by_threads(objects: Storage, make: Maker) -> list[bytes]:
    with ThreadPoolExecutor(8) as threads:
        return list(threads.map(lambda _: objects.once(KEY, make), range(8)))


def test_threads_that_ask_at_once_get_one_object_made_once(objects: Storage) -> None:
    make = Maker()

    assert asked_by_threads(objects, make) == [b"object"] * 8
    assert make.times == 1


def test_without_the_lock_threads_make_it_more_than_once(objects: Storage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(files, "alone", lambda _root, _name: nullcontext())
    monkeypatch.setattr(Turns, "alone", lambda _self, _name: nullcontext())
    make = Maker()
    asked_by_threads(objects, make)

    assert make.times > 1


def test_many_rounds_of_threads_and_deletions_never_make_two_at_once(objects: Storage) -> None:
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
        for _ in range(40 if isinstance(objects, Folder) else 5):
            objects.once(KEY, make)
            objects.delete(KEY)

    with ThreadPoolExecutor(8) as threads:
        list(threads.map(ask, range(8)))

    assert not overlaps


def test_another_key_does_not_wait(objects: Storage) -> None:
    assert objects.once("a", lambda: objects.once("b", lambda: b"inner") + b" and outer") == b"inner and outer"


def test_where_making_fails_the_next_one_tries_again(objects: Storage) -> None:
    def fail() -> bytes:
        raise RuntimeError("no fonts")

    with pytest.raises(RuntimeError, match="no fonts"):
        objects.once(KEY, fail)

    assert objects.once(KEY, lambda: b"object") == b"object"


@pytest.fixture
def start(where: dict[str, Any]) -> Iterator[Start]:
    running: list[Process] = []

    def start_one(makes: str, *, lock: str = "locked") -> Process:
        command = [sys.executable, "-c", ASK, json.dumps(where), makes, lock]
        asking = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=Path(__file__).parent.parent
        )
        running.append(asking)
        return asking

    yield start_one
    for asking in running:
        asking.kill()
        asking.communicate()


def says(asking: Process) -> str:
    assert asking.stdout is not None
    return asking.stdout.readline().strip()


def go_on(asking: Process) -> None:
    assert asking.stdin is not None
    asking.stdin.write("go\n")
    asking.stdin.flush()


def asked_by_two(start: Start, lock: str, *, waits: bool) -> tuple[str, str]:
    """What two processes get, the second of which asks while the first makes its object."""
    first = start("first", lock=lock)
    assert says(first) == "making"
    second = start("second", lock=lock)
    if not waits:
        assert says(second) == "making"
    go_on(first)
    given = says(first)
    if not waits:
        go_on(second)
    return given, says(second)


def test_of_two_processes_that_ask_at_once_both_get_the_object_of_the_first(objects: Storage, start: Start) -> None:
    assert asked_by_two(start, "locked", waits=isinstance(objects, Folder)) == ("first", "first")
    assert objects.get(KEY) == b"first"


def test_without_lock_and_condition_each_process_gets_its_own(start: Start) -> None:
    assert asked_by_two(start, "unlocked", waits=False) == ("first", "second")


def test_a_maker_that_is_killed_leaves_its_turn_to_the_next(start: Start) -> None:
    first = start("first")
    assert says(first) == "making"
    second = start("second")
    first.kill()

    assert says(second) == "making"
    go_on(second)
    assert says(second) == "second"
