"""Receipts as somebody presents them at ``/verify``: sold, downloaded, put into a PDF."""

import io
from typing import Any

from pypdf import PdfWriter

from receipts.signed import ATTACHMENT
from tests.support.inside import Person
from tests.support.sales import coffee


def sold(person: Person, **changes: Any) -> tuple[dict[str, Any], bytes]:
    """A new receipt, and its signed document."""
    receipt = person.post("/v1/receipts", coffee(**changes)).json()
    return receipt, person.get(f"/r/{receipt['token']}.json").content


def pdf_with(*documents: bytes, name: str = ATTACHMENT) -> bytes:
    writer = PdfWriter()
    writer.add_blank_page(200, 200)
    for document in documents:
        writer.add_attachment(name, document)
    written = io.BytesIO()
    writer.write(written)
    return written.getvalue()


def page(person: Person, file: bytes = b"", text: str = "", language: str = "en", status: int = 200) -> str:
    """What the page says of a file, or of a text."""
    parts = {"file": ("file", file), "text": (None, text)}
    answer = person.ask("POST", f"/verify?lang={language}", files=parts)
    assert answer.status_code == status
    assert answer.headers["cache-control"] == "no-store"
    assert "'unsafe-inline'" not in answer.headers["content-security-policy"]
    return answer.text
