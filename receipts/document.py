"""What is stored of a receipt, and how it is read back."""

from typing import Any

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


def read_content(content: str, currency: str) -> Content:
    """A stored content, validated again: rows outlive the code that wrote them."""
    return Content.model_validate_json(content, context=context_for(currency))


def read_issuer(issuer: str) -> Issuer:
    return Issuer.model_validate_json(issuer)
