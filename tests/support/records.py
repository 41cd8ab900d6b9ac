"""Receipts for tests of how they are shown: read as a posted sale is read, without a database."""

import json
from datetime import UTC, datetime
from typing import Any, Final

from receipts.document import Issuer, read_content
from receipts.fields import context_for
from receipts.reading import read_sale
from receipts.records import ReceiptRecord, RelatedReceipt
from receipts.sale import Content

TOKEN: Final = "Zm9yZ2V0LW1lLW5vdC0wMQ"
MITTE: Final = Issuer(
    brand="Linden & Rye",
    store="Linden & Rye Mitte",
    legal_name="Linden & Rye Handels GmbH",
    address={"lines": ["Torstraße 112"], "postal_code": "10119", "city": "Berlin", "country": "DE"},
    phone="+49 30 5550 1234",
    timezone="Europe/Berlin",
    tax_id="DE 123 456 789",
    till="Till 3",
    staff="Emma",
)
INDIRANAGAR: Final = Issuer(
    brand="Kaveri Silks",
    store="Kaveri Silks Indiranagar",
    address={
        "lines": ["100 Feet Road"],
        "postal_code": "560038",
        "city": "Bengaluru",
        "region": "Karnataka",
        "country": "IN",
    },
    timezone="Asia/Kolkata",
    tax_id="29ABCDE1234F1Z5",
    till="Counter 1",
    staff="Ananya",
)
JUMEIRAH: Final = Issuer(
    brand="بن النور",
    store="بن النور جميرا",
    address={"lines": ["شارع جميرا 54"], "city": "دبي", "country": "AE"},
    timezone="Asia/Dubai",
    tax_id="100000000000003",
    till="Counter",
    staff="ليلى",
)
BREAD: Final[dict[str, Any]] = {
    "issued_at": "2026-11-21T17:42:10+01:00",
    "currency": "EUR",
    "lines": [
        {
            "id": "1",
            "sku": "4006381333931",
            "name": "Sourdough loaf",
            "unit_price": "5.40",
            "discounts": [{"name": "Evening 20%", "amount": "1.08"}],
            "tax_rate": "7",
            "total": "4.32",
            "category": "bakery",
            "returnable": False,
        },
        {
            "id": "2",
            "sku": "2000123",
            "name": "Apples, loose",
            "quantity": "0.735",
            "unit": "kg",
            "unit_price": "2.99",
            "tax_rate": "7",
            "total": "2.20",
        },
        {
            "id": "3",
            "sku": "9783161484100",
            "name": "Bread knife",
            "unit_price": "24.90",
            "tax_rate": "19",
            "total": "24.90",
            "options": ["walnut handle"],
            "serial": "BK-77120",
        },
    ],
    "discounts": [{"name": "Loyalty", "amount": "1.00", "allocations": [{"line": "3", "amount": "1.00"}]}],
    "charges": [{"name": "Paper bag", "amount": "0.20", "tax_rate": "19"}],
    "taxes": [
        {"name": "MwSt", "rate": "7", "net": "6.09", "tax": "0.43", "gross": "6.52"},
        {"name": "MwSt", "rate": "19", "net": "20.25", "tax": "3.85", "gross": "24.10"},
    ],
    "total": "30.62",
    "payments": [
        {
            "method": "card",
            "amount": "20.62",
            "scheme": "visa",
            "last4": "4242",
            "entry": "contactless",
            "application": "VISA DEBIT",
            "aid": "A0000000031010",
            "authorization": "104522",
        },
        {"method": "cash", "amount": "10.00", "tendered": "20.00", "change": "10.00"},
    ],
    "fiscal": {
        "lines": ["TSE-Transaktion 18812", "Start 17:41:32 Ende 17:42:10"],
        "qr": "V0;till-3;Kassenbeleg-V1;example",
    },
    "notes": ["Thank you and see you soon"],
}
SILK: Final[dict[str, Any]] = {
    "issued_at": "2026-11-21T15:10:00+05:30",
    "currency": "INR",
    "prices_include_tax": False,
    "place_of_supply": "Karnataka (29)",
    "lines": [
        {
            "id": "1",
            "name": "कांचीपुरम रेशमी साड़ी",
            "commodity_code": "5007",
            "unit_price": "1234567.50",
            "total": "1234567.50",
            "colour": "मोरपंखी नीला",
            "taxes": [{"name": "CGST", "rate": "2.5"}, {"name": "SGST", "rate": "2.5"}],
        },
        {
            "id": "2",
            "name": "सूती दुपट्टा",
            "commodity_code": "5208",
            "quantity": "2",
            "unit_price": "1200.00",
            "total": "2400.00",
            "taxes": [{"name": "CGST", "rate": "2.5"}, {"name": "SGST", "rate": "2.5"}],
        },
    ],
    "taxes": [
        {"name": "CGST", "rate": "2.5", "net": "1236967.50", "tax": "30924.19"},
        {"name": "SGST", "rate": "2.5", "net": "1236967.50", "tax": "30924.19"},
    ],
    "rounding": "0.12",
    "total": "1298816.00",
    "payments": [{"method": "wallet", "name": "UPI", "amount": "1298816.00", "reference": "UPI 6325 1180 42"}],
}
BUYER: Final[dict[str, Any]] = {
    "name": "Café Morgenrot GmbH",
    "tax_id": "DE 987 654 321",
    "address": {"lines": ["Kastanienallee 85"], "postal_code": "10435", "city": "Berlin", "country": "DE"},
    "reference": "KST-4711",
}
COFFEE: Final[dict[str, Any]] = {
    "issued_at": "2026-11-21T09:30:00+04:00",
    "currency": "AED",
    "language": "ar",
    "service": "takeaway",
    "lines": [
        {
            "id": "1",
            "name": "قهوة عربية بالهيل",
            "quantity": "2",
            "unit_price": "18.00",
            "total": "36.00",
            "tax_rate": "5",
            "options": ["بدون سكر"],
        },
        {
            "id": "2",
            "name": "تمر مجدول فاخر",
            "quantity": "0.500",
            "unit": "kg",
            "unit_price": "117.00",
            "total": "58.50",
            "tax_rate": "5",
        },
    ],
    "taxes": [{"name": "ضريبة القيمة المضافة", "rate": "5", "net": "90.00", "tax": "4.50", "gross": "94.50"}],
    "total": "94.50",
    "payments": [{"method": "card", "amount": "94.50", "scheme": "mastercard", "last4": "8210", "wallet": "Apple Pay"}],
}


def record(
    body: dict[str, Any],
    *,
    issuer: Issuer = MITTE,
    number: str = "000417",
    original: RelatedReceipt | None = None,
    amendments: tuple[RelatedReceipt, ...] = (),
) -> ReceiptRecord:
    """The receipt that the sale in ``body`` becomes."""
    sale = read_sale(json.loads(json.dumps(body)))
    content = sale.model_dump_json(
        include=set(Content.model_fields), exclude_defaults=True, context=context_for(sale.currency)
    )
    return ReceiptRecord(
        id="rec_01",
        merchant_id="mer_01",
        brand_id="brd_01",
        token=TOKEN,
        number=number,
        kind=sale.kind,
        currency=sale.currency,
        total=sale.total,
        issued_at=sale.issued_at,
        accepted_at=sale.issued_at,
        content=read_content(content, sale.currency),
        issuer=issuer,
        content_json=content,
        issuer_json=issuer.model_dump_json(exclude_defaults=True),
        original=original,
        amendments=amendments,
    )


def related(kind: str, total: int, *, number: str = "000418", currency: str = "EUR") -> RelatedReceipt:
    """A receipt beside another one, three days later."""
    return RelatedReceipt(
        id="rec_02",
        token="cmVmdW5kZWQtYmVmb3JlMQ",
        kind=kind,
        number=number,
        issued_at=datetime(2026, 11, 24, 10, 15, tzinfo=UTC),
        total=total,
        currency=currency,
    )
