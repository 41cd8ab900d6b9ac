"""A bucket that refuses, is gone, is slow or gives other bytes: clear words in seconds, and well again by itself."""

import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from botocore.exceptions import EndpointConnectionError
from structlog.testing import capture_logs

from infra import s3
from infra.bucket import Bucket, open_bucket
from infra.settings import Data
from infra.storage import StorageDown, at_hand
from kernel.errors import Unavailable
from tests.support import s3 as support
from tests.support.s3 import Gate, refusal

KEY = "pdf/ab/abcdef.pdf"


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def gate() -> Iterator[Gate]:
    gate = Gate(support.store().host, support.store().port)
    yield gate
    gate.be("shut")


@pytest.fixture
def bucket(gate: Gate, clock: Clock, monkeypatch: pytest.MonkeyPatch) -> Bucket:
    """One that loses patience quickly."""
    for name, value in support.ENVIRONMENT.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(s3, "READ_SECONDS", 0.5)
    monkeypatch.setattr(s3, "CONNECT_SECONDS", 0.5)
    opened = open_bucket(Data(**support.settings(support.store().bucket(), gate.url)))
    return replace(opened, asking=s3.Asking(clock))


def every_ask(bucket: Bucket) -> list[Callable[[], object]]:
    return [
        lambda: bucket.put(KEY, b"x"),
        lambda: bucket.get(KEY),
        lambda: bucket.exists(KEY),
        lambda: bucket.delete(KEY),
        lambda: list(bucket.keys()),
        bucket.check,
    ]


@pytest.mark.parametrize(
    "status, code, says",
    [
        (403, "AccessDenied", "it refuses: allow s3:GetObject, s3:PutObject and s3:DeleteObject"),
        (404, "NoSuchBucket", "there is no such bucket: make it, or mend COUNTERFOIL_STORAGE_URL"),
        (403, "InvalidAccessKeyId", "it does not know the key: set AWS_ACCESS_KEY_ID"),
        (403, "SignatureDoesNotMatch", "the secret is not that of the key"),
        (400, "AuthorizationHeaderMalformed", "it is in another region: mend COUNTERFOIL_S3_REGION"),
        (400, "SomethingNew", "it answers 400 SomethingNew"),
    ],
)
def test_who_runs_the_service_reads_what_to_do_and_who_asked_does_not(
    bucket: Bucket, gate: Gate, status: int, code: str, says: str
) -> None:
    gate.answer = refusal(status, code)
    with pytest.raises(StorageDown) as down:
        bucket.check()

    assert str(down.value).startswith(says)
    assert (down.value.status, down.value.retry_after) == (503, 5)
    assert (down.value.title, down.value.detail) == (
        "The object storage does not do its work just now",
        "Please try again.",
    )
    assert not any(secret in str(down.value) for secret in (support.KEY_ID, support.SECRET))


def test_a_bucket_that_refuses_is_a_clear_503_for_all_that_is_asked(bucket: Bucket, gate: Gate) -> None:
    gate.answer = refusal(403, "AccessDenied")
    for ask in every_ask(bucket):
        with pytest.raises(StorageDown, match="it refuses"):
            ask()

    assert at_hand(bucket, KEY) is None
    assert bucket.once(KEY, lambda: b"object") == b"object"
    assert not bucket.is_writable()
    gate.answer = None
    assert bucket.is_writable()


@pytest.mark.parametrize("mood, says", [("shut", "it cannot be reached"), ("silent", "it is too slow")])
def test_a_bucket_that_is_gone_or_silent_is_told_in_seconds_and_then_at_once(
    bucket: Bucket, gate: Gate, clock: Clock, mood: support.Mood, says: str
) -> None:
    bucket.put(KEY, b"object")
    gate.be(mood)
    began = time.monotonic()
    with pytest.raises(StorageDown, match=says):
        bucket.get(KEY)
    first, began = time.monotonic() - began, time.monotonic()
    for ask in every_ask(bucket):
        with pytest.raises(StorageDown, match=says):
            ask()
    assert not bucket.is_writable()
    assert bucket.once(KEY, lambda: b"made anew") == b"made anew"

    # Twice half a second, and up to one between the two.
    assert first < 4
    assert time.monotonic() - began < 0.5

    gate.be("open")
    clock.now += s3.PAUSE
    assert bucket.get(KEY) == b"object"
    assert bucket.is_writable()


def test_while_it_is_down_one_asks_at_a_time(clock: Clock) -> None:
    asking = s3.Asking(clock)
    with pytest.raises(StorageDown), asking():
        raise EndpointConnectionError(endpoint_url="http://nowhere.test")
    clock.now += s3.PAUSE
    with asking(), pytest.raises(StorageDown), asking():
        pytest.fail("the second was let in")

    with asking():
        assert asking.is_well


def test_readiness_finds_out_by_itself_that_the_bucket_is_back(bucket: Bucket, gate: Gate, clock: Clock) -> None:
    gate.be("shut")
    assert at_hand(bucket, KEY) is None
    gate.be("open")
    assert not bucket.is_writable()
    clock.now += s3.PAUSE

    assert bucket.is_writable()


def test_the_patience_of_the_service_is_seconds(bucket: Bucket, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.undo()
    config = s3.connect(Data(s3_region="eu-central-1")).meta.config

    assert (config.connect_timeout, config.read_timeout) == (2.0, 4.0)  # type: ignore[attr-defined]
    assert config.retries["total_max_attempts"] == 2  # type: ignore[attr-defined]


def test_an_object_that_drips_in_is_given_up(bucket: Bucket, gate: Gate, monkeypatch: pytest.MonkeyPatch) -> None:
    bucket.put(KEY, b"x" * 400_000)
    monkeypatch.setattr("infra.bucket._ARRIVAL_SECONDS", 0.2)

    def drip(data: bytes) -> bytes:
        time.sleep(0.1)
        return data

    gate.alter = drip
    with pytest.raises(StorageDown, match="too slow"):
        bucket.get(KEY)


def test_an_object_that_is_cut_off_on_the_way_is_not_removed(bucket: Bucket, gate: Gate) -> None:
    bucket.put(KEY, b"object")
    gate.answer = b'HTTP/1.1 200 OK\r\nContent-Length: 100\r\nETag: "x"\r\nConnection: close\r\n\r\nobj'
    with pytest.raises(StorageDown):
        bucket.get(KEY)

    gate.answer = None
    assert support.store().client.head_object(Bucket=bucket.name, Key=f"shop/{KEY}")["ContentLength"] == 6


def test_an_object_that_is_altered_on_the_way_is_fetched_again(bucket: Bucket, gate: Gate) -> None:
    bucket.put(KEY, b"object")
    gate.alter = _once_altered()
    with capture_logs() as logs:
        assert bucket.get(KEY) == b"object"

    assert logs == []


def _once_altered() -> Callable[[bytes], bytes]:
    seen: list[bytes] = []

    def alter(data: bytes) -> bytes:
        if seen or b"object" not in data:
            return data
        seen.append(data)
        return data.replace(b"object", b"OBJECT")

    return alter


def test_a_whole_object_that_took_the_place_of_a_broken_one_is_not_removed(bucket: Bucket) -> None:
    bucket.put(KEY, b"broken")
    tag = support.store().client.head_object(Bucket=bucket.name, Key=f"shop/{KEY}")["ETag"]
    bucket.put(KEY, b"object")
    bucket._remove(KEY, tag)

    assert bucket.get(KEY) == b"object"


def test_a_store_without_conditional_writes_is_found_out(bucket: Bucket, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Bucket, "_put_first", Bucket.put)
    with pytest.raises(StorageDown, match="If-None-Match"):
        bucket.check()

    assert list(bucket.keys()) == []


def test_without_credentials_it_says_where_they_come_from(bucket: Bucket, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name)
    opened = open_bucket(Data(**support.settings(bucket.name, support.store().url)))
    with pytest.raises(StorageDown, match="there are no credentials: set AWS_ACCESS_KEY_ID"):
        opened.check()


def test_a_profile_that_is_not_there_ends_the_start(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_PROFILE", "nobody")
    with pytest.raises(Unavailable, match=r"cannot be set up: .*nobody"):
        open_bucket(Data(storage_url="s3://receipts"))


def test_a_folder_does_without_boto3() -> None:
    code = "import sys, infra.folder, infra.storage; sys.exit('boto3' in sys.modules or 'botocore' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], cwd=Path(__file__).parent.parent).returncode == 0
