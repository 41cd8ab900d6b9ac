"""The electronic invoice behind a receipt's link, and the files in the PDF that the link gives."""

from io import BytesIO
from typing import Any

import pypdf
import pytest

from tests.support.facturx import BUYER, broken_rules, said
from tests.support.inside import Person
from tests.support.records import BREAD

STORE = {
    "name": "Linden & Rye Mitte",
    "brand": "linden-rye",
    "legal_name": "Linden & Rye Handels GmbH",
    "address": {"lines": ["Torstraße 112"], "postal_code": "10119", "city": "Berlin", "country": "DE"},
    "timezone": "Europe/Berlin",
    "tax_id": "DE 123 456 789",
}


def posted(owner: Person, till: Person, **beside: Any) -> str:
    assert owner.put("/v1/stores/mitte", STORE).status_code == 204
    answer = till.post("/v1/receipts", BREAD | {"store": "mitte"} | beside)
    assert answer.status_code == 201, answer.text
    return str(answer.json()["token"])


def test_a_sale_to_a_business_has_its_invoice_as_xml(owner: Person, till: Person, stranger: Person) -> None:
    token = posted(owner, till, buyer=BUYER)
    answer = stranger.get(f"/r/{token}.xml")
    number = said(answer.content, "rsm:ExchangedDocument/ID")[0]

    assert answer.headers["content-type"] == "application/xml"
    assert answer.headers["content-disposition"] == f'attachment; filename="{number}.xml"'
    assert broken_rules(answer.content) == []


def test_any_other_receipt_has_none(owner: Person, till: Person, stranger: Person) -> None:
    token = posted(owner, till)

    assert stranger.get(f"/r/{token}.xml").status_code == 404


@pytest.mark.parametrize("page", ["roll", "a4"])
def test_every_pdf_carries_the_document_that_json_serves_signed(
    owner: Person, till: Person, stranger: Person, page: str
) -> None:
    token = posted(owner, till, buyer=BUYER)
    pdf = stranger.get(f"/r/{token}.pdf", format=page).content
    files = pypdf.PdfReader(BytesIO(pdf)).attachments

    assert files["receipt.json"] == [stranger.get(f"/r/{token}.json").content]
    assert ("factur-x.xml" in files) == (page == "a4")
    if page == "a4":
        assert files["factur-x.xml"] == [stranger.get(f"/r/{token}.xml").content]
