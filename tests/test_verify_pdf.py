"""What a PDF proves at ``/verify``, and that a hostile one harms nobody."""

import io
import shutil
import time
import zlib
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from pypdf import PdfReader, PdfWriter

from infra.pdf_reading import UnreadablePdf, attached
from infra.settings import Settings
from receipts import printed
from receipts.signed import ATTACHMENT
from tests.support.inside import Person, on_sqlite
from tests.support.presented import page, pdf_with, sold
from tests.support.sales import example, refund

Say = Callable[..., str]


@pytest.fixture
def say(stranger: Person) -> Say:
    """What the page says of a file, or of a text."""
    return partial(page, stranger)


@on_sqlite
def test_a_pdf_proves_what_it_carries_and_not_its_pages(owner: Person, say: Say) -> None:
    _, document = sold(owner)
    page = say(pdf_with(document))
    assert "<h1>This PDF carries a genuine receipt</h1>" in page
    assert "Its pages can be edited without a trace." in page
    assert "€3.20" in page


@pytest.mark.parametrize(
    "attachments, heading",
    [
        ({ATTACHMENT: ["changed"]}, "This receipt was changed"),
        ({}, "This PDF carries no signature"),
        ({"other.json": ["genuine"]}, "This PDF carries no signature"),
        ({ATTACHMENT: ["genuine", "genuine"]}, "This cannot be read"),
        ({ATTACHMENT: ["too large"]}, "This cannot be read"),
    ],
    ids=["replaced", "none", "another name", "two", "too large"],
)
@on_sqlite
def test_a_pdf_with_another_attachment_is_told(
    owner: Person, say: Say, attachments: dict[str, list[str]], heading: str
) -> None:
    _, genuine = sold(owner)
    files = {"genuine": genuine, "changed": genuine.replace(b"3.20", b"9.20"), "too large": b" " * 1_000_001}
    [(name, kinds)] = attachments.items() or [(ATTACHMENT, [])]
    assert f"<h1>{heading}</h1>" in say(pdf_with(*(files[kind] for kind in kinds), name=name))


@on_sqlite
def test_the_very_file_that_we_made_is_known_and_an_edited_one_is_not(
    owner: Person,
    stranger: Person,
    say: Say,
    settings: Settings,
    fonts: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    shutil.copytree(fonts, settings.data.data_dir / "fonts", dirs_exist_ok=True)
    receipt = owner.post("/v1/receipts", example()).json()
    pdf = stranger.get(f"/r/{receipt['token']}.pdf").content
    assert "byte for byte, the one that we made" in say(pdf)
    edited = PdfWriter(clone_from=PdfReader(io.BytesIO(pdf)))
    edited.add_blank_page(200, 200)
    written = io.BytesIO()
    edited.write(written)
    page = say(written.getvalue())
    assert "byte for byte" not in page
    assert "<h1>This PDF carries a genuine receipt</h1>" in page
    owner.post("/v1/receipts", refund(receipt["id"], "1.00"))
    # Nor does another version of ours unmake it.
    monkeypatch.setattr(printed, "made_by", lambda _: b"the next release")
    page = say(pdf)
    assert "byte for byte, the one that we made" in page
    assert "€1.00 of €30.62 went back." in page


def looked_through_for_long() -> bytes:
    """Without a table of its objects, of which there seem to be half a million."""
    return b"%PDF-1.7\n" + b"1 0 obj\n" * 600_000


def unpacking_forever() -> bytes:
    """An attachment of 4 MB that unpacks to 4 GB: one block of zeros, again and again."""
    squeeze = zlib.compressobj(9, zlib.DEFLATED, -zlib.MAX_WBITS)
    block = squeeze.compress(b"\0" * 10_000_000) + squeeze.flush(zlib.Z_FULL_FLUSH)
    packed = b"\x78\xda" + 400 * block + b"\x03\0"
    return (
        b"%PDF-1.7\n1 0 obj\n<</Type/Catalog/Pages 2 0 R/Names<</EmbeddedFiles<</Names[(receipt.json) 3 0 R]>>>>>>\n"
        b"endobj\n2 0 obj\n<</Type/Pages/Kids[]/Count 0>>\nendobj\n"
        b"3 0 obj\n<</Type/Filespec/F(receipt.json)/UF(receipt.json)/EF<</F 4 0 R>>>>\nendobj\n"
        b"4 0 obj\n<</Type/EmbeddedFile/Filter/FlateDecode/Length "
        + str(len(packed)).encode()
        + b">>stream\n"
        + packed
        + b"\nendstream\nendobj\ntrailer\n<</Root 1 0 R>>\nstartxref\n0\n%%EOF"
    )


@pytest.mark.parametrize("hostile", [looked_through_for_long, unpacking_forever])
@on_sqlite
def test_a_hostile_pdf_is_given_up_and_the_server_answers_on(
    hostile: Callable[[], bytes], stranger: Person, say: Say
) -> None:
    pdf, began = hostile(), time.monotonic()
    assert "<h1>This cannot be read</h1>" in say(pdf)
    assert time.monotonic() - began < 30
    assert stranger.get("/healthz").status_code == 200


@hypothesis_settings(max_examples=4, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(st.data())
def test_a_broken_pdf_is_refused_or_read_and_never_an_error(data: Any) -> None:
    whole = pdf_with(b'{"a":1}')
    at = data.draw(st.integers(0, len(whole) - 1))
    broken = whole[:at] + data.draw(st.binary(max_size=8)) + whole[at + data.draw(st.integers(0, 40)) :]
    try:
        found = attached(broken, ATTACHMENT)
    except UnreadablePdf:
        return
    assert found is None or isinstance(found, bytes)
