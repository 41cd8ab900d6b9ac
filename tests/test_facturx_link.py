"""The electronic invoice behind a receipt's link, and the files in the PDF that the link gives."""

import re
from io import BytesIO
from typing import Any

import pypdf
import pytest
from structlog.testing import capture_logs

from tests.support.facturx import broken_rules, said
from tests.support.inside import Person
from tests.support.records import BREAD, BUYER

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


def files_in(pdf: bytes) -> dict[str, list[bytes]]:
    return dict(pypdf.PdfReader(BytesIO(pdf)).attachments)


def test_a_sale_to_a_business_has_its_invoice_as_xml(owner: Person, till: Person, stranger: Person) -> None:
    token = posted(owner, till, buyer=BUYER)
    answer = stranger.get(f"/r/{token}.xml")
    number = said(answer.content, "rsm:ExchangedDocument/ID")[0]

    assert answer.headers["content-type"] == "application/xml"
    assert answer.headers["content-disposition"] == f'attachment; filename="{number}.xml"'
    assert broken_rules(answer.content) == []


def test_the_pdf_of_a_sale_to_a_business_is_the_sheet_where_nothing_is_said(
    owner: Person, till: Person, stranger: Person
) -> None:
    token = posted(owner, till, buyer=BUYER)
    usual = stranger.get(f"/r/{token}.pdf").content

    assert "factur-x.xml" in files_in(usual)
    assert usual == stranger.get(f"/r/{token}.pdf", format="a4").content


NO_INVOICE: dict[str, dict[str, Any]] = {
    "nobody's": {},
    "a person's": {"buyer": {"name": "Anna"}},
    "a gift": {"buyer": BUYER, "flags": ["gift"]},
    "without a country": {"buyer": {"name": "K", "tax_id": "37/123/45678"}},
}


@pytest.mark.parametrize("beside", NO_INVOICE.values(), ids=NO_INVOICE)
def test_any_other_receipt_has_none_and_its_page_names_none(
    owner: Person, till: Person, stranger: Person, beside: dict[str, Any]
) -> None:
    token = posted(owner, till, **beside)

    assert stranger.get(f"/r/{token}.xml").status_code == 404
    assert ".xml" not in stranger.get(f"/r/{token}").text


def test_a_sale_to_a_business_that_is_no_invoice_is_a_slip_and_the_log_says_why(
    owner: Person, till: Person, stranger: Person
) -> None:
    token = posted(owner, till, **NO_INVOICE["without a country"])
    with capture_logs() as logs:
        pdf = stranger.get(f"/r/{token}.pdf").content
    [page] = pypdf.PdfReader(BytesIO(pdf)).pages

    assert round(float(page.mediabox.width) / 72 * 25.4) == 80
    assert [each["reason"] for each in logs if "reason" in each] == ["the buyer's address has no country"]


def test_the_page_offers_the_invoice_as_pdf_and_xml(owner: Person, till: Person, stranger: Person) -> None:
    token = posted(owner, till, buyer=BUYER)
    page = stranger.get(f"/r/{token}", lang="en").text
    offered = re.findall(r'<a class="act[^"]*" href="([^"]+)" download><svg.*?</svg>([^<]+)</a>', page)
    pdf, xml = (stranger.ask("GET", address) for address, _ in offered)

    assert [name for _, name in offered] == ["PDF", "Electronic invoice (XML)"]
    assert files_in(pdf.content)["factur-x.xml"] == [xml.content]


@pytest.mark.parametrize("page", ["roll", "a4"])
def test_every_pdf_carries_the_document_that_json_serves_signed(
    owner: Person, till: Person, stranger: Person, page: str
) -> None:
    token = posted(owner, till, buyer=BUYER)
    pdf = stranger.get(f"/r/{token}.pdf", format=page).content
    files = files_in(pdf)

    assert files["receipt.json"] == [stranger.get(f"/r/{token}.json").content]
    assert ("factur-x.xml" in files) == (page == "a4")
    if page == "a4":
        assert files["factur-x.xml"] == [stranger.get(f"/r/{token}.xml").content]
