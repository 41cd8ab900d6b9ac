"""Bodies to start from, in the OpenAPI document and on the page that tries it. Each is accepted as it stands."""

from typing import Any, Final

_SALE: Final[dict[str, Any]] = {
    "external_id": "T3-20261121-000417",
    "number": "000417",
    "issued_at": "2026-11-21T17:42:10+01:00",
    "currency": "EUR",
    "lines": [
        {"id": "1", "name": "Sourdough loaf", "unit_price": "5.40", "tax_rate": "7", "total": "5.40"},
        {
            "id": "2",
            "name": "Apples, loose",
            "quantity": "0.735",
            "unit": "kg",
            "unit_price": "2.99",
            "tax_rate": "7",
            "total": "2.20",
        },
    ],
    "taxes": [{"name": "MwSt", "rate": "7", "net": "7.10", "tax": "0.50", "gross": "7.60"}],
    "total": "7.60",
    "payments": [{"method": "cash", "amount": "7.60", "tendered": "10.00", "change": "2.40"}],
}
# By the name of the body's schema.
EXAMPLES: Final[dict[str, dict[str, Any]]] = {
    "Sale": _SALE,
    "Batch": {"receipts": [_SALE]},
    "MerchantProfile": {"name": "Corner Shop", "on_mismatch": "refuse"},
    "BrandProfile": {
        "name": "Corner Shop",
        "colour": "#8a1c4a",
        "languages": ["en", "de"],
        "support_email": "hello@corner-shop.example",
        "return_text": {"en": "Bring it back within 30 days, with this receipt."},
    },
    "StoreProfile": {
        "name": "Corner Shop, High Street",
        "brand": "corner-shop",
        "address": {"lines": ["1 High Street"], "city": "Leeds", "postal_code": "LS1 4DY", "country": "GB"},
        "timezone": "Europe/London",
    },
    "TillProfile": {"name": "Till 1"},
    "StaffProfile": {"name": "Sam"},
    "NewDelivery": {"to": "anna@example.com", "pdf": True},
    "NewCard": {
        "staff": "sam",
        "store": "high-street",
        "profile": {
            "given": "Sam",
            "family": "Moor",
            "title": "Barista",
            "phones": [{"number": "+44 113 496 0123"}, {"number": "+44 7700 900123", "kind": "mobile"}],
            "emails": [{"address": "sam@corner-shop.example"}],
            "socials": [{"network": "instagram", "handle": "sam.pours"}],
            "messengers": [{"app": "whatsapp", "handle": "+44 7700 900123"}],
            "languages": ["en", "cy"],
            "translations": {"de": {"title": "Barista, die Latte malt"}},
        },
    },
    "CardContent": {
        "store": "high-street",
        "profile": {"given": "Sam", "family": "Moor", "emails": [{"address": "sam@corner-shop.example"}]},
    },
    "NewState": {"state": "paused"},
    "NewInvite": {"send": True},
    "CardTemplate": {
        "organisation": "Corner Shop Ltd",
        "links": [{"url": "https://corner-shop.example/", "label": "Our shop"}],
        "locked": ["title", "department"],
        "privacy_url": "https://corner-shop.example/privacy",
    },
    "ProductContent": {
        "name": {"en": "Hay-milk butter 250 g"},
        "price": "3.90",
        "currency": "EUR",
        "link": "https://corner-shop.example/butter?offer={offer}",
        "again": True,
    },
    "ProductBatch": {"products": [{"sku": "rye", "name": {"en": "Rye bread"}, "complements": ["butter"]}]},
    "RuleWish": {"kind": "complement", "product": "butter", "beside": "rye"},
    "OfferSettings": {"is_on": True, "at_most": 2, "window_days": 14},
    "NewKey": {"name": "Till 1", "scopes": ["receipts:write", "receipts:read"]},
}
