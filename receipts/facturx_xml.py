"""Small builders of Cross Industry Invoice XML (UN/CEFACT D22B), in the order that its schema wants."""

import re
from datetime import date
from decimal import Decimal
from functools import cache
from typing import Any, Final

_OF: Final = "urn:un:unece:uncefact:data:standard:"
NAMESPACES: Final = {
    "rsm": f"{_OF}CrossIndustryInvoice:100",
    "ram": f"{_OF}ReusableAggregateBusinessInformationEntity:100",
    "udt": f"{_OF}UnqualifiedDataType:100",
    "qdt": f"{_OF}QualifiedDataType:100",
}
# What XML 1.0 has no way to write.
_UNWRITABLE: Final = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")

Element = Any


def part(name: str, *children: Element | str | None, **attributes: str) -> Element:
    """An element of ``ram``, or of another namespace as ``rsm:Name``. None and what is empty are left out of it."""
    prefix, _, local = name.rpartition(":")
    kept = [_written(each) for each in children if each is not None]
    return getattr(_maker(prefix or "ram"), local)(*kept, **attributes)


@cache
def _maker(prefix: str) -> Any:
    # Late: most servers write no invoice, and need not carry lxml (4 MB).
    from lxml.builder import ElementMaker

    return ElementMaker(namespace=NAMESPACES[prefix], nsmap=NAMESPACES)


def maybe(name: str, text: str | None, **attributes: str) -> Element | None:
    """The element, where there is something to say."""
    said = _UNWRITABLE.sub("", text or "").strip()
    return part(name, said, **attributes) if said else None


def day(name: str, when: date, *, within: str = "udt") -> Element:
    return part(name, part(f"{within}:DateTimeString", when.strftime("%Y%m%d"), format="102"))


def number(value: Decimal) -> str:
    """Without an exponent and without zeros at the end."""
    text = f"{value:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def _written(child: Element | str) -> Element | str:
    return _UNWRITABLE.sub("", child) if isinstance(child, str) else child
