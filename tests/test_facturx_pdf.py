"""The sheet of a sale to a business: PDF/A-3 with the invoice as XML in it, found again by its readers."""

import json
from io import BytesIO
from typing import Any

import facturx
import pypdf
import pytest

from receipts.facturx import invoice
from tests.support.facturx import TO_A_CAFE
from tests.support.paper import Maker, text_of
from tests.support.records import BREAD, record


@pytest.fixture
def sheet(made: Maker) -> bytes:
    return made(record(TO_A_CAFE), "a4", signed=b'{"signature":{}}')


def test_the_package_factur_x_finds_the_invoice_and_knows_its_profile(sheet: bytes) -> None:
    name, xml = facturx.get_xml_from_pdf(sheet, check_xsd=True, check_schematron=False)

    assert name == "factur-x.xml"
    assert facturx.get_level(facturx.facturx.etree.fromstring(xml)) == "en16931"
    assert xml == invoice(record(TO_A_CAFE))


def test_the_invoice_and_the_signed_receipt_are_attached_each_in_its_role(sheet: bytes) -> None:
    reader = pypdf.PdfReader(BytesIO(sheet))
    root: Any = reader.root_object
    roles = {each.get_object()["/UF"]: each.get_object()["/AFRelationship"] for each in root["/AF"]}

    assert roles == {"factur-x.xml": "/Alternative", "receipt.json": "/Source"}
    assert json.loads(reader.attachments["receipt.json"][0]) == {"signature": {}}


def test_its_metadata_say_factur_x_pdf_a_and_pdf_ua_and_explain_what_pdf_a_does_not_know(sheet: bytes) -> None:
    root: Any = pypdf.PdfReader(BytesIO(sheet)).root_object
    said = root["/Metadata"].get_data().decode()

    assert "<fx:ConformanceLevel>EN 16931</fx:ConformanceLevel>" in said
    assert "urn:factur-x:pdfa:CrossIndustryDocument:invoice:1p0#" in said
    assert 'pdfaid:part="3"' in said
    assert 'pdfaid:conformance="B"' in said
    assert 'pdfuaid:part="1"' in said
    assert said.count("pdfaSchema:namespaceURI>") == 4
    assert root["/OutputIntents"][0]["/DestOutputProfile"]
    assert root["/StructTreeRoot"]


def test_every_font_is_embedded_nothing_is_encrypted_and_nothing_is_run(sheet: bytes) -> None:
    reader = pypdf.PdfReader(BytesIO(sheet))
    trailer: Any = reader.trailer
    objects: list[Any] = [reader.get_object(number) for number in range(1, trailer["/Size"])]
    held = [each for each in objects if isinstance(each, dict)]
    fonts = [each for each in held if each.get("/Type") == "/FontDescriptor"]

    assert fonts
    assert all({"/FontFile", "/FontFile2", "/FontFile3"} & font.keys() for font in fonts)
    assert "/Encrypt" not in trailer
    assert trailer["/ID"]
    assert not any({"/JS", "/JavaScript"} & each.keys() for each in held)


def test_the_slip_and_what_an_ordinary_shopper_gets_are_no_invoices(made: Maker) -> None:
    for pdf in (made(record(TO_A_CAFE)), made(record(BREAD), "a4")):
        assert pypdf.PdfReader(BytesIO(pdf)).attachments == {}


def test_a_sale_that_has_no_valid_form_is_printed_all_the_same(made: Maker) -> None:
    flagged = TO_A_CAFE | {"total": "30.63"}
    pdf = made(record(flagged), "a4")

    assert "Café Morgenrot" in text_of(pdf)
    assert pypdf.PdfReader(BytesIO(pdf)).attachments == {}


def test_another_signature_makes_another_pdf_and_the_same_one_the_same(made: Maker) -> None:
    one, other = (made(record(BREAD), signed=signed) for signed in (b'{"signature":1}', b'{"signature":2}'))

    assert one != other
    assert one == made(record(BREAD), signed=b'{"signature":1}')
