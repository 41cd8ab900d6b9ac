"""A second reader, of another house: ical.js, which mail programs read vCards with."""

import json
import re
import shutil
import subprocess
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, assume, example, given, settings
from hypothesis import strategies as st

from cards.profile import Profile
from cards.vcard import Version, vcard
from tests.support.cards import profile
from tests.support.faces import PAGE, face_of, profiles
from tests.test_vcard import labels_in, named

PACKAGE = "ical.js@2.2.1"
# A card a line, as JSON; its properties, as jCard has them (RFC 7095).
READER = """
import ICAL from "ical.js";
import {createInterface} from "readline";
for await (const line of createInterface({input: process.stdin}))
  console.log(JSON.stringify(ICAL.parse(JSON.parse(line))[1]));
"""
# ical.js takes a backslash that is escaped for one that escapes the semicolon after it, and leaves a text's escaped
# semicolons to us, who cannot tell them from a backslash and a semicolon. vobject tries those.
MISREAD = re.compile(rb"\\\\\\?[;,]")
Reader = Callable[[bytes], list[list[Any]]]
WITH_BACKSLASHES = profile(given="Em\\ma", title="C:\\bread", nickname="\\n", description="\\\\ or \\ here")


@pytest.fixture(scope="module")
def peer(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Reader]:
    folder = tmp_path_factory.mktemp("peer")
    npm = shutil.which("npm")
    assert npm, "Node is missing: apt-get install nodejs npm"
    flags = ["--no-save", "--no-audit", "--no-fund", "--no-package-lock", "--no-update-notifier"]
    subprocess.run(
        [npm, "install", *flags, "--prefix", str(folder), PACKAGE], cwd=folder, check=True, capture_output=True
    )
    (folder / "reader.mjs").write_text(READER)
    command = ["node", "reader.mjs"]
    with subprocess.Popen(command, cwd=folder, text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        asked, answered = process.stdin, process.stdout

        def read(made: bytes) -> list[list[Any]]:
            asked.write(json.dumps(made.decode()) + "\n")
            asked.flush()
            found: list[list[Any]] = json.loads(answered.readline())
            return found

        yield read
        asked.close()


@pytest.mark.long
@example(content=WITH_BACKSLASHES, version="3.0")
@example(content=WITH_BACKSLASHES, version="4.0")
@given(content=profiles(), version=st.sampled_from(["3.0", "4.0"]))
@settings(
    max_examples=300,
    deadline=None,
    suppress_health_check=[
        HealthCheck.too_slow,
        HealthCheck.filter_too_much,
        HealthCheck.data_too_large,
        HealthCheck.function_scoped_fixture,
    ],
)
def test_ical_js_reads_what_was_written(peer: Reader, content: Profile, version: Version) -> None:
    face = face_of(content)
    made = vcard(face, version=version)
    assume(not MISREAD.search(made.replace(b"\r\n ", b"")))
    found = peer(made)
    assert values(found, "fn") == [face.name]
    assert values(found, "n") == [[face.family, face.given, face.additional, face.prefix, face.suffix]]
    assert values(found, "title") == [each for each in [face.title] if each]
    assert values(found, "nickname") == [each for each in [face.nickname] if each]
    assert values(found, "tel") == [each.number for each in face.phones]
    assert values(found, "email") == [each.address for each in face.emails]
    assert "".join(values(found, "note")).startswith(face.description)
    assert values(found, "adr") == [
        ["", "", "\n".join(each.lines), each.city or "", each.region or "", each.postal_code or "", named(each.country)]
        for each in face.addresses
    ]
    ways = [way.url for way in (*face.socials, *face.messengers, *face.links)]
    assert Counter(values(found, "url")) == Counter([*ways, PAGE, *([face.booking_url] if face.booking_url else [])])
    assert Counter(values(found, "x-ablabel")) == Counter(labels_in(face))


def values(found: list[list[Any]], name: str) -> list[Any]:
    """ical.js leaves the escaped semicolon of a text as it is, and all of a property that it does not know."""
    escaped = r"\\([\\;,])" if name.startswith("x-") else r"\\([;,])"
    return [plain(each[3], escaped) for each in found if each[0] == name]


def plain(value: Any, escaped: str) -> Any:
    return [plain(each, escaped) for each in value] if isinstance(value, list) else re.sub(escaped, r"\1", value)
