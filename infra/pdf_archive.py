"""What makes a PDF that carries files a PDF/A-3 (ISO 19005-3), beside what WeasyPrint does for it."""

import xml.etree.ElementTree as ET
from collections.abc import Sequence
from datetime import UTC
from io import BytesIO
from typing import Any, Final

import pydyf  # type: ignore[import-untyped]
import weasyprint
from weasyprint import Document

from infra.pdf_attachment import Attachment

_RDF: Final = "{http://www.w3.org/1999/02/22-rdf-syntax-ns#}"
_EXTENSION: Final = "http://www.aiim.org/pdfa/ns/extension/"
_SCHEMA: Final = "http://www.aiim.org/pdfa/ns/schema#"
_PROPERTY: Final = "http://www.aiim.org/pdfa/ns/property#"
_PDF_UA: Final = "http://www.aiim.org/pdfua/ns/id/"
for _prefix, _uri in {"pdfaExtension": _EXTENSION, "pdfaSchema": _SCHEMA, "pdfaProperty": _PROPERTY}.items():
    ET.register_namespace(_prefix, _uri)


def attached(attachments: Sequence[Attachment]) -> list[Any]:
    """The attachments as WeasyPrint takes them, in the order that a name tree has (ISO 32000-1, 7.9.6)."""
    return [
        weasyprint.Attachment(
            file_obj=BytesIO(each.data),
            name=each.name,
            description=each.description,
            relationship=each.relationship,
            created=each.dated.astimezone(UTC),
            modified=each.dated.astimezone(UTC),
        )
        for each in sorted(attachments, key=lambda each: each.name)
    ]


def relate(attachments: Sequence[Attachment], pdf: Any) -> None:
    """Say how each file stands to the document, once, in PDF/A or not. WeasyPrint says it in PDF/A only, and twice."""
    relations = {each.name: each.relationship for each in attachments}
    files: list[Any] = [each for each in pdf.objects if isinstance(each, dict) and each.get("Type") == "/Filespec"]
    for file in files:
        file["AFRelationship"] = f"/{relations[file['UF'].string]}"
    if files:
        pdf.catalog["AF"] = pydyf.Array([file.reference for file in files])


def describe(document: Document, xmp: bytes) -> None:
    """Have the PDF's metadata hold what ``xmp`` says too, and that it is PDF/UA-1: all in one RDF, as XMP wants it."""
    own = document.metadata.generate_rdf_metadata

    def whole(variant: str, version: int, conformance: str) -> bytes:
        rdf = ET.fromstring(own(variant, version, conformance))  # noqa: S314 - WeasyPrint's
        rdf.append(ET.Element(f"{_RDF}Description", {f"{_RDF}about": "", f"{{{_PDF_UA}}}part": "1"}))
        rdf.extend(_explained(ET.fromstring(xmp)))  # noqa: S314 - our own
        return bytes(ET.tostring(rdf, encoding="utf-8"))

    document.metadata.generate_rdf_metadata = whole


def _explained(rdf: ET.Element) -> ET.Element:
    """PDF/A wants every property explained that it does not know itself; PDF/UA's is such a one (ISO 14289-1, 5)."""
    schemas = rdf.find(f".//{{{_EXTENSION}}}schemas/{_RDF}Bag")
    if schemas is None:
        raise ValueError("The metadata explain no schema.")
    for each in schemas:
        # Written with the prefix that it says is its own.
        ET.register_namespace(*(each.findtext(f"{{{_SCHEMA}}}{name}", "") for name in ("prefix", "namespaceURI")))
    schema = _resource(schemas, _SCHEMA, schema="PDF/UA", namespaceURI=_PDF_UA, prefix="pdfuaid")
    properties = ET.SubElement(ET.SubElement(schema, f"{{{_SCHEMA}}}property"), f"{_RDF}Seq")
    _resource(
        properties, _PROPERTY, name="part", valueType="Integer", category="internal", description="Part of ISO 14289"
    )
    return rdf


def _resource(parent: ET.Element, namespace: str, **values: str) -> ET.Element:
    item = ET.SubElement(parent, f"{_RDF}li", {f"{_RDF}parseType": "Resource"})
    for name, value in values.items():
        ET.SubElement(item, f"{{{namespace}}}{name}").text = value
    return item
