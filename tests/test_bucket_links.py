"""Links that the bucket itself serves: signed for one object and a short time, and given to nobody but its reader."""

import hmac
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path
from typing import Final
from urllib.parse import parse_qs, quote, urlsplit

import httpx
import pytest

from infra.bucket import Bucket, open_bucket
from infra.folder import Folder
from infra.settings import Data
from tests.support import s3

KEY: Final = "pdf/ab/abcdef.pdf"


@pytest.fixture
def bucket(monkeypatch: pytest.MonkeyPatch) -> Bucket:
    for name, value in s3.ENVIRONMENT.items():
        monkeypatch.setenv(name, value)
    return open_bucket(Data(**s3.settings(s3.store().bucket(), s3.store().url)))


def link(bucket: Bucket, key: str = KEY) -> str:
    found = bucket.link(key, seconds=60, filename="R-1.pdf", content_type="application/pdf")
    assert found
    return found


def signature(url: str) -> str:
    """By AWS's own recipe (Signature Version 4 in a query), without boto3. The test's store would take any."""
    parts = urlsplit(url)
    query = {name: values[0] for name, values in parse_qs(parts.query).items() if name != "X-Amz-Signature"}
    asked = "&".join(f"{quote(name, safe='')}={quote(query[name], safe='')}" for name in sorted(query))
    request = f"GET\n{parts.path}\n{asked}\nhost:{parts.netloc}\n\nhost\nUNSIGNED-PAYLOAD"
    _, *scope = query["X-Amz-Credential"].split("/")
    signed = ["AWS4-HMAC-SHA256", query["X-Amz-Date"], "/".join(scope), sha256(request.encode()).hexdigest()]
    key = f"AWS4{s3.SECRET}".encode()
    for part in scope:
        key = hmac.digest(key, part.encode(), "sha256")
    return hmac.digest(key, "\n".join(signed).encode(), "sha256").hex()


def query(url: str, name: str) -> str:
    return parse_qs(urlsplit(url).query)[name][0]


def test_a_link_opens_the_object_under_its_own_name_and_kind(bucket: Bucket) -> None:
    bucket.put(KEY, b"%PDF-")
    answer = httpx.get(link(bucket))

    assert answer.content == b"%PDF-"
    assert answer.headers["content-type"] == "application/pdf"
    assert answer.headers["content-disposition"] == 'inline; filename="R-1.pdf"'
    assert answer.headers["cache-control"] == "private, no-store"


def test_its_signature_covers_the_object_and_how_long_it_lives(bucket: Bucket) -> None:
    url = link(bucket)

    assert query(url, "X-Amz-Signature") == signature(url)
    for other in (url.replace("abcdef", "fedcba"), url.replace("Expires=60", "Expires=99"), url.replace("R-1", "R-2")):
        assert other != url
        assert query(url, "X-Amz-Signature") != signature(other)


def test_it_lives_a_minute_from_now(bucket: Bucket) -> None:
    url = link(bucket)
    began = datetime.strptime(query(url, "X-Amz-Date"), "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)

    assert query(url, "X-Amz-Expires") == "60"
    assert abs(datetime.now(UTC) - began) < timedelta(seconds=30)
    assert query(url, "X-Amz-SignedHeaders") == "host"


def test_a_link_tells_the_key_but_never_its_secret(bucket: Bucket) -> None:
    assert s3.SECRET not in link(bucket)


def test_no_link_leads_out_of_the_prefix(bucket: Bucket) -> None:
    with pytest.raises(ValueError, match="not a storage key"):
        link(bucket, "../other/secret")


def test_a_folder_has_no_links(tmp_path: Path) -> None:
    folder = Folder(tmp_path)
    assert folder.link(KEY, seconds=60, filename="R-1.pdf", content_type="application/pdf") is None
