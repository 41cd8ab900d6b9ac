"""A receipt as schema.org's ``Order``, for mail programs and assistants that read pages. Nothing in it is personal."""

from collections.abc import Iterator
from typing import Any, Final

import orjson

from kernel import money
from receipts.prices import without_prices
from receipts.records import ReceiptRecord
from receipts.sale import Line

_STATUS: Final = {
    "sale": "https://schema.org/OrderDelivered",
    "refund": "https://schema.org/OrderReturned",
    "void": "https://schema.org/OrderCancelled",
    "exchange": "https://schema.org/OrderDelivered",
}


def order(record: ReceiptRecord, *, url: str) -> dict[str, Any]:
    """The `Order <https://schema.org/Order>`_; a gift's has no price in it. ``url`` is the receipt's page."""
    content, is_gift = record.content, "gift" in record.content.flags
    digits = money.exponent(record.currency)
    document: dict[str, Any] = {
        "@context": "https://schema.org",
        "@type": "Order",
        "orderNumber": record.number,
        "orderDate": content.issued_at.isoformat(timespec="seconds"),
        "orderStatus": _status(record),
        "merchant": {"@type": "Organization", "name": record.issuer.brand},
        "url": url,
        "acceptedOffer": [_offer(line, record.currency, digits, is_gift) for line in content.lines],
    }
    if is_gift:
        return document | {"isGift": True}
    return document | {
        "price": money.plain(record.total, digits),
        "priceCurrency": record.currency,
        "partOfInvoice": dict(_invoice(record, digits)),
    }


def script(document: dict[str, Any]) -> str:
    """The document as text that may stand inside a ``<script>``: no ``<`` can end the element."""
    return orjson.dumps(document).decode().replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")


def _status(record: ReceiptRecord) -> str:
    kinds = {each.kind for each in record.amendments}
    refunded = sum(abs(each.total) for each in record.amendments if each.kind == "refund")
    if "void" in kinds:
        return _STATUS["void"]
    if refunded and refunded >= abs(record.total):
        return _STATUS["refund"]
    return _STATUS[record.kind]


def _offer(line: Line, currency: str, digits: int, is_gift: bool) -> dict[str, Any]:
    name = without_prices(line.name) if is_gift else line.name
    product = {"@type": "Product", "name": name, "sku": line.sku, "gtin": line.gtin, "serialNumber": line.serial}
    offer: dict[str, Any] = {"@type": "Offer", "itemOffered": {key: value for key, value in product.items() if value}}
    offer["eligibleQuantity"] = {"@type": "QuantitativeValue", "value": str(line.quantity), "unitText": line.unit}
    if not is_gift:
        offer |= {"price": money.plain(line.total, digits), "priceCurrency": currency}
    return offer


def _invoice(record: ReceiptRecord, digits: int) -> Iterator[tuple[str, Any]]:
    content = record.content
    yield "@type", "Invoice"
    yield "confirmationNumber", record.number
    is_open = content.balance_due > 0
    yield "paymentStatus", f"https://schema.org/{'PaymentDue' if is_open else 'PaymentComplete'}"
    due = money.plain(content.balance_due, digits)
    yield "totalPaymentDue", {"@type": "PriceSpecification", "price": due, "priceCurrency": record.currency}
