"""The canonical document of a gift receipt: what was bought, where and when, and nothing that tells what it cost."""

from typing import Any, Final

from receipts.prices import tells_a_price, without_prices
from receipts.records import ReceiptRecord, canonical

_HEAD: Final = ("format", "id", "number", "issuer", "kind", "flags", "issued_at", "started_at", "language", "service")
_LINE: Final = (
    *(
        "id",
        "quantity",
        "unit",
        "tare",
        "type",
        "parent",
        "sku",
        "gtin",
        "commodity_code",
        "serial",
        "serials",
        "image",
    ),
    *("url", "staff", "returnable", "return_days", "warranty_months", "original_line"),
)
# Free text, which may hold a price all the same.
_LINE_TEXTS: Final = (
    *("category", "tags", "brand", "colour", "size"),
    *("description", "options", "reason", "notes", "attributes"),
)
_TEXTS: Final = ("order_number", "header", "footer", "notes", "reason")


def canonical_gift(record: ReceiptRecord) -> dict[str, Any]:
    """As :func:`receipts.records.canonical`, without prices, tenders, taxes, and the links that would lead to them.

    Members are named one by one, so that what a sale learns to say later is not given away by mistake.
    """
    document = canonical(record)
    lines = [_line(line) for line in document.get("lines", ())]
    flags = sorted({*document.get("flags", ()), "gift"})
    return _named(document, _HEAD) | {"flags": flags, "lines": lines} | _told(document, _TEXTS)


def _line(line: dict[str, Any]) -> dict[str, Any]:
    return {"name": without_prices(line["name"])} | _named(line, _LINE) | _told(line, _LINE_TEXTS)


def _named(document: dict[str, Any], names: tuple[str, ...]) -> dict[str, Any]:
    return {name: document[name] for name in names if name in document}


def _told(document: dict[str, Any], names: tuple[str, ...]) -> dict[str, Any]:
    told = {name: _priceless(document[name]) for name in names if name in document}
    return {name: text for name, text in told.items() if text}


def _priceless(text: Any) -> Any:
    if isinstance(text, list):
        return [each for each in text if not tells_a_price(each)]
    if isinstance(text, dict):
        return {name: each for name, each in text.items() if not (tells_a_price(name) or tells_a_price(each))}
    return "" if tells_a_price(text) else text
