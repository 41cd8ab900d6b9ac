"""Invented orders in Shopify's form, and deliveries of them, signed as Shopify signs."""

import base64
import hashlib
import hmac
import json
from copy import deepcopy
from typing import Any, Final

Json = dict[str, Any]

SECRET: Final = "shpss_of-a-test-shop"

_VAT: Final = {"title": "MwSt", "rate": 0.19}


def vat(price: str) -> list[Json]:
    return [_VAT | {"price": price}]


# Two candles at 14.90 and a soap at 6.50, tenth off with a code, shipping 4.90: 37.57 EUR, of which 5.99 are 19 % VAT.
_ORDER: Final[Json] = {
    "id": 9001,
    "name": "#2041",
    "created_at": "2026-11-20T18:04:10+01:00",
    "processed_at": "2026-11-20T18:04:09+01:00",
    "currency": "EUR",
    "presentment_currency": "EUR",
    "taxes_included": True,
    "financial_status": "paid",
    "test": False,
    "source_name": "web",
    "customer_locale": "de-DE",
    "email": "lena@example.com",
    "payment_gateway_names": ["shopify_payments"],
    "subtotal_price": "32.67",
    "total_discounts": "3.63",
    "total_tax": "5.99",
    "total_price": "37.57",
    "tax_lines": vat("5.99"),
    "discount_codes": [{"code": "ADVENT", "amount": "3.63", "type": "percentage"}],
    "discount_applications": [
        {
            "type": "discount_code",
            "code": "ADVENT",
            "value": "10.0",
            "value_type": "percentage",
            "allocation_method": "across",
            "target_selection": "all",
            "target_type": "line_item",
        }
    ],
    "line_items": [
        {
            "id": 501,
            "title": "Beeswax candle",
            "variant_title": "Tall / Honey",
            "sku": "CND-1",
            "quantity": 2,
            "price": "14.90",
            "gift_card": False,
            "properties": [{"name": "Engraving", "value": "For Mum"}, {"name": "_bundle", "value": "x1"}],
            "discount_allocations": [{"amount": "2.98", "discount_application_index": 0}],
            "tax_lines": vat("4.28"),
        },
        {
            "id": 502,
            "title": "Soap",
            "variant_title": "Default Title",
            "quantity": 1,
            "price": "6.50",
            "discount_allocations": [{"amount": "0.65", "discount_application_index": 0}],
            "tax_lines": vat("0.93"),
        },
    ],
    "shipping_lines": [{"title": "DHL", "price": "4.90", "discount_allocations": [], "tax_lines": vat("0.78")}],
    "customer": {"id": 77, "first_name": "Lena", "last_name": "Vogt"},
    "refunds": [],
}

# One candle goes back: 13.41 with its 2.14 of VAT.
_REFUND: Final[Json] = {
    "id": 601,
    "order_id": 9001,
    "created_at": "2026-11-24T09:30:00+01:00",
    "note": "burns badly",
    "refund_line_items": [
        {"id": 1, "line_item_id": 501, "quantity": 1, "subtotal": 13.41, "total_tax": 2.14},
    ],
    "order_adjustments": [],
    "transactions": [
        {"id": 9, "kind": "refund", "status": "success", "gateway": "shopify_payments", "amount": "13.41"},
    ],
}


def order(**changes: Any) -> Json:
    """A paid order that adds up."""
    return deepcopy(_ORDER) | changes


def refund(**changes: Any) -> Json:
    """A refund of :func:`order` that adds up."""
    return deepcopy(_REFUND) | changes


def line(price: str, quantity: int = 1, **more: Any) -> Json:
    return {"id": 700, "title": "Thing", "price": price, "quantity": quantity} | more


def small(total: str, **changes: Any) -> Json:
    """A paid order of one thing for ``total``, without tax or shipping, in the currency of ``changes``, else in USD."""
    body: Json = {"id": 42, "name": "#42", "created_at": "2026-11-20T10:00:00Z", "currency": "USD"}
    body |= {"total_price": total, "taxes_included": False, "financial_status": "paid", "line_items": [line(total)]}
    return body | changes


def bag(shop: str, presentment: str, currencies: tuple[str, str] = ("USD", "EUR")) -> Json:
    """A money bag."""
    amounts = zip(("shop_money", "presentment_money"), (shop, presentment), currencies, strict=True)
    return {member: {"amount": amount, "currency_code": currency} for member, amount, currency in amounts}


def as_bytes(body: Any) -> bytes:
    return json.dumps(body).encode()


def headers(
    body: bytes, topic: str = "orders/paid", *, delivery: str = "delivery-1", secret: str = SECRET, prefix: str = "X-"
) -> dict[str, str]:
    """What Shopify sends beside ``body``."""
    signed = base64.b64encode(hmac.new(secret.encode(), body, hashlib.sha256).digest()).decode()
    named = {"Shopify-Hmac-Sha256": signed, "Shopify-Topic": topic, "Shopify-Webhook-Id": delivery}
    return {prefix + name: value for name, value in named.items()} | {"Content-Type": "application/json"}
