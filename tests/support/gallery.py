"""A receipt for every look of the page, put into the demo's shops, to be looked at and tried in a browser."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from sqlalchemy import Connection

from accounts.places import directories
from cli.demo_shops import MAIN
from kernel.errors import Problem
from pos.intake import arrive, take
from receipts.reading import read_sale
from tests.support.records import BREAD, BUYER, COFFEE, SILK

Body = dict[str, Any]
_NOW: Final = datetime(2026, 11, 25, 9, 0, tzinfo=UTC)
_AT: Final = "2026-11-21T17:42:10+01:00"


@dataclass(frozen=True)
class Exhibit:
    sale: Body
    shop: str = MAIN
    # What stands behind the ? of the page's address.
    query: str = "lang=en"


def _line(number: int, name: str, total: str, **more: Any) -> Body:
    return {"id": str(number), "name": name, "total": total, "tax_rate": "19"} | more


def _sale(*lines: Body, total: str, **more: Any) -> Body:
    card = [{"method": "card", "amount": total, "scheme": "girocard", "last4": "0815", "entry": "chip"}]
    base = {"issued_at": _AT, "currency": "EUR", "store": "mitte", "till": "till-1"}
    return base | {"lines": list(lines), "total": total, "payments": card} | more


_KNIVES: Final = (_line(1, "Chef's knife 20 cm", "89.00", sku="KN-20"), _line(2, "Oak board", "39.00"))
_BREAD: Final = BREAD | {"store": "mitte", "till": "till-3", "staff": "emma", "number": "000417"}
_LOCAL_TAXES: Final = [{"rate": "6.5", "name": "State", "code": "S"}, {"rate": "3.85", "name": "County", "code": "C"}]
_PICNIC: Final = _sale(
    {
        "id": "1",
        "name": "The Left Hand of Darkness",
        "total": "18.99",
        "brand": "Ace",
        "attributes": {"Author": "Ursula K. Le Guin"},
        "url": "https://books.example/1",
    },
    {"id": "2", "name": "Gift card", "type": "gift_card", "total": "50.00"},
    {
        "id": "3",
        "name": "Picnic set",
        "unit_price": "30.00",
        "list_price": "45.00",
        "total": "30.00",
        "taxes": _LOCAL_TAXES,
    },
    {"id": "4", "name": "Basket", "parent": "3", "total": "0.00"},
    {
        "id": "5",
        "name": "Blanket in a bag whose name does not want to end",
        "parent": "3",
        "total": "0.00",
        "options": ["blue", "XL"],
    },
    {"id": "6", "name": "Water 1 l", "quantity": "6", "unit_price": "0.90", "total": "5.40", "taxes": _LOCAL_TAXES},
    {
        "id": "7",
        "name": "Bottle deposit",
        "parent": "6",
        "type": "deposit",
        "quantity": "6",
        "unit_price": "0.10",
        "total": "0.60",
    },
    total="113.02",
    prices_include_tax=False,
    taxes=[
        {"name": "State", "rate": "6.5", "net": "54.39", "tax": "3.54", "code": "S"},
        {"name": "County", "rate": "3.85", "net": "54.39", "tax": "2.09", "code": "C"},
        {"name": "Books", "net": "18.99", "tax": "0.00", "exemption": "Exempt: printed matter"},
    ],
    tip="2.40",
    savings="15.00",
    service="pickup",
    order_number="W-20931",
    loyalty={"programme": "Book Club", "card": "8812", "earned": "31", "redeemed": "100", "balance": "1204"},
    header=["Independent since 1994"],
    footer=["Clearance goods cannot be returned"],
    barcodes=[
        {"type": "ean13", "value": "4006381333931", "label": "10% off next time"},
        {"type": "qr", "value": "https://books.example/rate", "label": "Rate us"},
    ],
    payments=[
        {"method": "gift_card", "amount": "56.06", "last4": "7721", "balance": "43.94"},
        {
            "method": "card",
            "amount": "56.96",
            "scheme": "amex",
            "last4": "1005",
            "verification": "signature",
            "text": ["APPROVED", "SEQ 00123"],
        },
    ],
)
_LONG: Final = "Supercalifragilisticexpialidocious-and-a-very-long-name-without-any-space-at-all-1234567890"
_HUGE: Final = "1234567890123.45"
GALLERY: Final[Mapping[str, Exhibit]] = {
    "sale": Exhibit(_BREAD),
    "german": Exhibit(_BREAD | {"language": "en"}, query="lang=de"),
    "silk": Exhibit(
        SILK
        | {
            "number": "KS/2026-27/1184",
            "staff": "ananya",
            "buyer": {
                "name": "Ravi Traders",
                "tax_id": "29AAACR5055K1Z6",
                "reference": "PO 4471",
                "address": {"lines": ["12 MG Road"], "postal_code": "560001", "city": "Bengaluru", "country": "IN"},
            },
        },
        "kaveri",
    ),
    "hindi": Exhibit(SILK | {"number": "KS/2026-27/1185"}, "kaveri", "lang=hi"),
    "arabic": Exhibit(COFFEE | {"number": "N-2048", "staff": "layla"}, "noor", "lang=ar"),
    "picnic": Exhibit(_PICNIC),
    "gift": Exhibit(_BREAD | {"flags": ["gift"]}),
    "training": Exhibit(_BREAD | {"flags": ["training"]}),
    "copy": Exhibit(_BREAD, query="lang=en&copy=1"),
    "partly-refunded": Exhibit(_sale(*_KNIVES, total="128.00", number="000398")),
    "refund": Exhibit(
        _sale(
            _line(1, "Oak board", "39.00", original_line="2", reason="Too large"),
            total="39.00",
            kind="refund",
            original={"external_id": "partly-refunded"},
            reason="Does not fit the kitchen",
        )
    ),
    "refunded": Exhibit(_sale(*_KNIVES, total="128.00")),
    "full-refund": Exhibit(_sale(*_KNIVES, total="128.00", kind="refund", original={"external_id": "refunded"})),
    "voided": Exhibit(_sale(*_KNIVES, total="128.00")),
    "void": Exhibit(_sale(*_KNIVES, total="128.00", kind="void", original={"external_id": "voided"})),
    "exchanged": Exhibit(_sale(*_KNIVES, total="128.00")),
    "exchange": Exhibit(
        _sale(
            _line(1, "Chef's knife 20 cm", "-89.00", unit_price="-89.00", original_line="1"),
            _line(2, "Santoku 17 cm", "109.00"),
            total="20.00",
            kind="exchange",
            original={"external_id": "exchanged"},
        )
    ),
    "owed": Exhibit(
        _sale(
            _line(1, "Oak table", "900.00"),
            total="900.00",
            balance_due="600.00",
            payments=[{"method": "cash", "amount": "300.00"}],
        )
    ),
    "huge": Exhibit(
        _sale(
            _line(1, _LONG, _HUGE, quantity="999999999"),
            total=_HUGE,
            currency="IDR",
            taxes=[{"name": "PPN", "rate": "11", "net": "1112223324435.54", "tax": "122344565687.91", "gross": _HUGE}],
        )
    ),
    "tiny": Exhibit(_sale(_line(1, "Chewing gum", "1"), total="1", currency="JPY")),
    "thousandths": Exhibit(
        _sale(
            _line(1, "Petrol", "12.345", quantity="40.120", unit="l", unit_price="0.3077"),
            total="12.345",
            currency="BHD",
        )
    ),
    "empty": Exhibit(_sale(total="0.00", payments=[])),
    "long": Exhibit(
        _sale(
            *(_line(number, f"Thing number {number}", "1.00", sku=f"{number:08}") for number in range(1, 201)),
            total="200.00",
        )
    ),
    "invoice": Exhibit(_BREAD | {"buyer": BUYER}, query="lang=de"),
}


def put_all(conn: Connection, merchants: Mapping[str, str]) -> dict[str, str]:
    """The address of each exhibit's page by its name, from the root; ``merchants`` are the demo's, by slug."""
    return {name: f"/r/{_put(conn, merchants, name, each)}?{each.query}" for name, each in GALLERY.items()}


def _put(conn: Connection, merchants: Mapping[str, str], name: str, exhibit: Exhibit) -> str:
    merchant_id = merchants[exhibit.shop]
    sale = read_sale({"number": f"000{list(GALLERY).index(name) + 400}"} | exhibit.sale | {"external_id": name})
    arrival = arrive(merchant_id, sale, now=_NOW, only_flag=True)
    [answer] = take(conn, [arrival], directories=directories(conn, [merchant_id]), now=_NOW)
    if isinstance(answer, Problem):
        raise answer
    return answer.token
