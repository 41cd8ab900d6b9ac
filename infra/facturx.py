"""What the package ``factur-x`` brings of the standard: its schema and its metadata.

Its files are read where they lie. To import the package would cost 38 MB in every process, for a PDF writer and an HTTP
client that are not used here.
"""

from functools import cache
from importlib.util import find_spec
from pathlib import Path
from threading import Lock
from typing import Any, Final

FILENAME: Final = "factur-x.xml"
_PROFILE: Final = b"EN 16931"
_IN_THE_FILE: Final = b"<fx:ConformanceLevel>BASIC</fx:ConformanceLevel>"
_one_at_a_time: Final = Lock()


@cache
def xmp() -> bytes:
    """What the metadata of a Factur-X PDF of the profile EN 16931 say, as an RDF document that explains itself."""
    data = (_package() / "xmp" / "Factur-X_extension_schema.xmp").read_bytes()
    if data.count(_IN_THE_FILE) != 1:
        raise RuntimeError("The metadata of the package factur-x are not as expected")
    return data.replace(_IN_THE_FILE, _IN_THE_FILE.replace(b"BASIC", _PROFILE))


def wrong_with(xml: bytes) -> str:
    """Why this is no Factur-X XML of the profile EN 16931 by its schema; empty where it is one."""
    from lxml import etree  # late: most servers see no invoice, and need not carry it (4 MB)

    schema, document = _schema(), etree.fromstring(xml)
    with _one_at_a_time:  # a schema remembers the errors of its last document
        return "" if schema.validate(document) else str(schema.error_log.last_error.message)


@cache
def _schema() -> Any:
    from lxml import etree

    path = _package() / "xsd_and_schematron" / "facturx-en16931" / "Factur-X_EN16931.xsd"
    return etree.XMLSchema(file=str(path))


def _package() -> Path:
    spec = find_spec("facturx")
    if spec is None or not spec.submodule_search_locations:
        raise RuntimeError("The package factur-x is not installed")
    return Path(spec.submodule_search_locations[0])
