"""The demo's receipts, one for each thing that is worth a look."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final
from zoneinfo import ZoneInfo

from sqlalchemy import Connection, select

from accounts.places import directories
from cli.demo_shops import MAIN
from kernel.errors import Problem
from notify.asking import Post
from pos.gifts import Giver
from pos.intake import arrive, take
from receipts.reading import read_sale
from receipts.tables import Receipt

_BAKERY: Final[dict[str, Any]] = {
    "external_id": "demo-sale",
    "number": "000416",
    "store": "mitte",
    "till": "till-3",
    "staff": "emma",
    "currency": "EUR",
    "language": "de",
    "lines": [
        {
            "id": "1",
            "sku": "4006381333931",
            "name": "Roggen-Sauerteigbrot",
            "quantity": "1",
            "unit_price": "5.40",
            "discounts": [{"name": "Abends 20 %", "amount": "1.08", "percent": "20"}],
            "tax_rate": "7",
            "total": "4.32",
            "category": "Brot",
            "description": "Drei Tage geführt, im Holzofen gebacken.",
            "returnable": False,
        },
        {
            "id": "2",
            "sku": "2000123",
            "name": "Äpfel, lose",
            "quantity": "0.735",
            "unit": "kg",
            "unit_price": "2.99",
            "tax_rate": "7",
            "total": "2.20",
        },
        {
            "id": "3",
            "sku": "9783161484100",
            "name": "Brotmesser",
            "quantity": "1",
            "unit_price": "24.90",
            "tax_rate": "19",
            "total": "24.90",
            "options": ["Griff aus Nussbaum"],
            "serial": "BK-77120",
            "warranty_months": 24,
        },
        {
            "id": "4",
            "name": "Apfelschorle 0,5 l",
            "quantity": "2",
            "unit_price": "1.79",
            "tax_rate": "19",
            "total": "3.58",
        },
        {
            "id": "5",
            "name": "Pfand",
            "type": "deposit",
            "parent": "4",
            "quantity": "2",
            "unit_price": "0.25",
            "tax_rate": "19",
            "total": "0.50",
        },
    ],
    "discounts": [{"name": "Stammkunden", "amount": "1.00", "allocations": [{"line": "3", "amount": "1.00"}]}],
    "charges": [{"name": "Papiertüte", "amount": "0.20", "tax_rate": "19", "type": "packaging"}],
    "taxes": [
        {"name": "MwSt", "rate": "7", "net": "6.09", "tax": "0.43", "gross": "6.52"},
        {"name": "MwSt", "rate": "19", "net": "23.68", "tax": "4.50", "gross": "28.18"},
    ],
    "total": "34.70",
    "payments": [
        {
            "method": "card",
            "amount": "24.70",
            "scheme": "visa",
            "last4": "4242",
            "entry": "contactless",
            "application": "VISA DEBIT",
            "aid": "A0000000031010",
            "authorization": "104522",
        },
        {"method": "cash", "amount": "10.00", "tendered": "20.00", "change": "10.00"},
    ],
    "loyalty": {"programme": "Stammtisch", "earned": "34", "balance": "412"},
    "fiscal": {
        "lines": ["TSE-Transaktion 18812", "Start 17:41:32  Ende 17:42:10"],
        "qr": "V0;till-3;Kassenbeleg-V1;Beleg^6.52_28.18_0.00_0.00_0.00^24.70:Unbar_10.00:Bar;18812;demo",
    },
    "notes": ["Danke und bis bald!"],
}
_GIFT: Final[dict[str, Any]] = {
    "external_id": "demo-gift",
    "number": "000415",
    "store": "mitte",
    "till": "till-1",
    "currency": "EUR",
    "flags": ["gift"],
    "lines": [
        {"id": "1", "name": "Geschirrtuch aus Leinen", "unit_price": "14.50", "total": "14.50", "tax_rate": "19"}
    ],
    "total": "14.50",
    "payments": [{"method": "card", "amount": "14.50", "scheme": "mastercard", "last4": "5454"}],
}
_KNIVES: Final[dict[str, Any]] = {
    "external_id": "demo-refunded",
    "number": "000398",
    "store": "mitte",
    "till": "till-1",
    "staff": "jonas",
    "currency": "EUR",
    "lines": [
        {"id": "1", "name": "Kochmesser 20 cm", "unit_price": "89.00", "total": "89.00", "tax_rate": "19"},
        {"id": "2", "name": "Schneidbrett Eiche", "unit_price": "39.00", "total": "39.00", "tax_rate": "19"},
    ],
    "taxes": [{"name": "MwSt", "rate": "19", "net": "107.56", "tax": "20.44", "gross": "128.00"}],
    "total": "128.00",
    "payments": [{"method": "card", "amount": "128.00", "scheme": "girocard", "last4": "0815", "entry": "chip"}],
}
_REFUND: Final[dict[str, Any]] = {
    "kind": "refund",
    "external_id": "demo-refund",
    "number": "000405",
    "store": "mitte",
    "till": "till-2",
    "currency": "EUR",
    "original": {"external_id": "demo-refunded"},
    "reason": "Passt nicht in die Küche",
    "lines": [
        {
            "id": "1",
            "name": "Schneidbrett Eiche",
            "unit_price": "39.00",
            "total": "39.00",
            "tax_rate": "19",
            "original_line": "2",
        }
    ],
    "taxes": [{"name": "MwSt", "rate": "19", "net": "32.77", "tax": "6.23", "gross": "39.00"}],
    "total": "39.00",
    "payments": [{"method": "card", "amount": "39.00", "scheme": "girocard", "last4": "0815"}],
}
_SILK: Final[dict[str, Any]] = {
    "external_id": "demo-silk",
    "number": "KS/2026-27/1184",
    "till": "counter-1",
    "staff": "ananya",
    "currency": "INR",
    "prices_include_tax": False,
    "place_of_supply": "Karnataka (29)",
    "lines": [
        {
            "id": "1",
            "name": "Kanchipuram silk saree",
            "commodity_code": "5007",
            "unit_price": "1234567.50",
            "total": "1234567.50",
            "colour": "Peacock blue",
            "taxes": [{"name": "CGST", "rate": "2.5"}, {"name": "SGST", "rate": "2.5"}],
        },
        {
            "id": "2",
            "name": "Cotton dupatta",
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
_COFFEE: Final[dict[str, Any]] = {
    "external_id": "demo-coffee",
    "number": "N-2048",
    "till": "counter",
    "staff": "layla",
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
    "payments": [
        {
            "method": "card",
            "amount": "94.50",
            "scheme": "mastercard",
            "last4": "8210",
            "entry": "contactless",
            "wallet": "Apple Pay",
        }
    ],
}
# What to say of it → (merchant, sale, hours ago).
_RECEIPTS: Final[dict[str, tuple[str, dict[str, Any], int]]] = {
    "": (MAIN, _BAKERY, 1),
    "refunded in part": (MAIN, _KNIVES, 50),
    "a refund": (MAIN, _REFUND, 26),
    "a gift, without prices": (MAIN, _GIFT, 3),
    "GST, in English and Hindi": ("kaveri", _SILK, 5),
    "right to left": ("noor", _COFFEE, 7),
}
# Who asked for the receipt by email, so that the mailbox is not empty.
_SENT_TO: Final[dict[str, dict[str, Any]]] = {
    "demo-sale": {"shopper": {"email": "anna@example.com"}, "deliver": ["email"], "deliver_pdf": True},
    "demo-silk": {"shopper": {"email": "ravi@example.com"}, "deliver": ["email"]},
    "demo-coffee": {"shopper": {"email": "noura@example.com"}, "deliver": ["email"]},
}
_TIMEZONES: Final = {MAIN: "Europe/Berlin", "kaveri": "Asia/Kolkata", "noor": "Asia/Dubai"}


def put_all(
    conn: Connection, merchants: dict[str, str], *, now: datetime, post: Post | None = None, giver: Giver | None = None
) -> dict[str, str]:
    """The receipts' tokens by what there is to see. Putting them again gives the same ones."""
    return {
        what: _put(conn, merchants[slug], _Drawn(slug, sale, now - timedelta(hours=hours)), now, post, giver)
        for what, (slug, sale, hours) in _RECEIPTS.items()
    }


@dataclass(frozen=True, slots=True)
class _Drawn:
    """A sale of the merchant with this slug, and when it was rung up."""

    slug: str
    sale: dict[str, Any]
    at: datetime


def _put(
    conn: Connection, merchant_id: str, drawn: _Drawn, now: datetime, post: Post | None, giver: Giver | None
) -> str:
    sale = drawn.sale
    there = select(Receipt.token).where(Receipt.merchant_id == merchant_id, Receipt.external_id == sale["external_id"])
    if (token := conn.scalar(there)) is not None:
        return token
    issued_at = drawn.at.astimezone(ZoneInfo(_TIMEZONES[drawn.slug]))
    body = sale | {"issued_at": issued_at.isoformat(timespec="seconds")} | _SENT_TO.get(sale["external_id"], {})
    arrival = arrive(merchant_id, read_sale(body), now=now)
    places = directories(conn, [merchant_id])
    [answer] = take(conn, [arrival], directories=places, now=now, post=post, giver=giver)
    if isinstance(answer, Problem):
        raise answer
    return answer.token
