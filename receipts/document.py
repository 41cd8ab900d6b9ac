"""The canonical receipt, as `.json` serves it and every other form is made from it."""

from typing import Any

import orjson

from receipts.fields import Part, context_for
from receipts.sale import Content


class Issuer(Part):
    """Who issued a receipt, as it was at that moment: a later change of address leaves old receipts alone."""

    brand: str
    store: str
    legal_name: str | None = None
    address: dict[str, Any] = {}
    phone: str | None = None
    timezone: str = "UTC"
    tax_id: str | None = None
    till: str | None = None
    staff: str | None = None


def canonical(*, id: str, number: str, content: str, issuer: str, original: dict[str, str] | None) -> dict[str, Any]:
    """The document as JSON values. Amounts are decimal strings at the currency's exponent; nothing in it is personal."""
    head: dict[str, Any] = {"format": "counterfoil-receipt/1", "id": id, "number": number, "issuer": orjson.loads(issuer)}
    if original:
        head["original"] = original
    return head | orjson.loads(content)


def read_content(content: str, currency: str) -> Content:
    """A stored content, validated again: rows outlive the code that wrote them."""
    return Content.model_validate_json(content, context=context_for(currency))


def read_issuer(issuer: str) -> Issuer:
    return Issuer.model_validate_json(issuer)
