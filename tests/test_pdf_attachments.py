"""PDF: the files that one carries, and what makes it an archive's."""

from datetime import UTC, datetime
from io import BytesIO
from typing import Any

import pypdf
import pytest

from infra.pdf import Attachment, PdfFailed, PdfPool
from tests.support.pdf import page, text_of

WHEN = datetime(2026, 11, 21, 16, 42, 10, tzinfo=UTC)
SIGNED = Attachment("receipt.json", b'{"number":"000417"}', "The receipt, signed", "Source", WHEN)
ORDER = Attachment("order.xml", b"<order/>", "Its order", "Alternative", WHEN)
XMP = b"""<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">
<rdf:Description rdf:about="" xmlns:pdfaExtension="http://www.aiim.org/pdfa/ns/extension/">
<pdfaExtension:schemas><rdf:Bag/></pdfaExtension:schemas></rdf:Description></rdf:RDF>"""
every_kind = pytest.mark.parametrize("xmp", [b"", XMP], ids=["ordinary", "archive"])


def made(pool: PdfPool, xmp: bytes = b"") -> bytes:
    return pool.render(page("<p>x</p>"), page="a4", attachments=[SIGNED, ORDER], xmp=xmp)


@every_kind
def test_it_carries_each_file_once_and_says_how_it_belongs_to_the_pages(pool: PdfPool, xmp: bytes) -> None:
    reader = pypdf.PdfReader(BytesIO(made(pool, xmp)))
    root: Any = reader.root_object
    files = [each.get_object() for each in root["/AF"]]

    assert [(file["/UF"], file["/AFRelationship"], file["/Desc"]) for file in files] == [
        ("order.xml", "/Alternative", "Its order"),
        ("receipt.json", "/Source", "The receipt, signed"),
    ]
    assert root["/Names"]["/EmbeddedFiles"]["/Names"][::2] == ["order.xml", "receipt.json"]
    assert files[1]["/EF"]["/F"]["/Subtype"] == "/application/json"
    assert files[1]["/EF"]["/F"]["/Params"]["/ModDate"] == "D:20261121164210Z"
    assert reader.attachments == {"order.xml": [b"<order/>"], "receipt.json": [b'{"number":"000417"}']}


@every_kind
def test_the_same_is_made_again_byte_for_byte(pool: PdfPool, own_pool: PdfPool, xmp: bytes) -> None:
    assert made(pool, xmp) == made(own_pool, xmp)


def test_an_archives_pdf_is_pdf_a_and_pdf_ua_in_one_description(pool: PdfPool) -> None:
    pdf = made(pool, XMP)
    root: Any = pypdf.PdfReader(BytesIO(pdf)).root_object
    said = root["/Metadata"].get_data().decode()

    assert text_of(pdf) == "x"
    assert 'pdfaid:part="3"' in said
    assert 'pdfaid:conformance="B"' in said
    assert 'pdfuaid:part="1"' in said
    assert "<pdfaSchema:prefix>pdfuaid</pdfaSchema:prefix>" in said
    assert said.count("<rdf:RDF") == 1
    assert root["/OutputIntents"][0]["/S"] == "/GTS_PDFA1"
    assert root["/MarkInfo"]["/Marked"]
    assert root["/ViewerPreferences"]["/DisplayDocTitle"]


def test_metadata_that_do_not_explain_themselves_make_no_archive(pool: PdfPool) -> None:
    with pytest.raises(PdfFailed):
        pool.render(page("<p>x</p>"), page="a4", xmp=b'<a xmlns="x"/>')
