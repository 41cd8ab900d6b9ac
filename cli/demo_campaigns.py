"""The demo's campaigns: the bakery gives coffee of an ally away, the silk shop money off at the bakery's."""

from datetime import datetime
from typing import Any, Final

from cryptography.fernet import Fernet
from sqlalchemy import Connection

from cli.demo_shops import MAIN
from engagement import alliances
from engagement.rewards import find, launching, managing, supplying
from engagement.rewards.definition import read_campaign, terms_digest

# The first of each two proposes.
_ALLIES: Final = ((MAIN, "noor"), ("kaveri", "noor"))
_BAKERY: Final[dict[str, Any]] = {
    "name": {
        "de": "Brot & Bohne",
        "en": "Bread & Bean",
        "fr": "Pain & grain",
        "es": "Pan y grano",
    },
    "rules": {
        "de": "Ab 25 € Einkauf gibt es ein Rubbellos, höchstens drei am Tag. Jedes gewinnt. Ein Los je Beleg, solange "
        "der Vorrat reicht. Eine Teilnahme ohne Kauf ist auf dieser Seite möglich. Keine Barauszahlung.",
        "en": "Spend 25 € and scratch a card, three a day at most. Every card wins. One card a receipt, while stocks "
        "last. You can take part without buying anything, on this page. No cash alternative.",
        "fr": "Dès 25 € d’achat, une carte à gratter, trois par jour au plus. Toutes gagnent. Une carte par ticket, "
        "dans la limite des stocks. Participation sans achat possible sur cette page. Pas d’équivalent en espèces.",
        "es": "Por compras desde 25 €, una tarjeta para rascar, tres al día como máximo. Todas premian. Una por "
        "recibo, hasta agotar existencias. Se puede participar sin compra en esta página. No canjeable por dinero.",
    },
    "timezone": "Europe/Berlin",
    "currency": "EUR",
    "eligibility": {"rule": {"kind": "spend", "at_least": "25.00", "currency": "EUR"}},
    "budget": {"amount": "30000.00", "prizes": 4000},
    "caps": {"per_shopper_per_day": 3},
    "free_entry": {"per_shopper": 1},
    "prizes": [
        {
            "slug": "coffee-beans",
            "name": {
                "de": "250 g Kaffee von Bunn Al Noor",
                "en": "250 g of coffee by Bunn Al Noor",
                "fr": "250 g de café de Bunn Al Noor",
                "es": "250 g de café de Bunn Al Noor",
            },
            "terms": {
                "de": "Einzulösen bei Bunn Al Noor.",
                "en": "To be collected at Bunn Al Noor.",
                "fr": "À retirer chez Bunn Al Noor.",
                "es": "Se recoge en Bunn Al Noor.",
            },
            "kind": "free_product",
            "product": "NOOR-250",
            "face_value": "12.90",
            "weight": 6,
            "stock": 1500,
            "supplier": "noor",
            "valid_days": 60,
        },
        {
            "slug": "five-off",
            "name": {
                "de": "5 € Rabatt auf den nächsten Einkauf",
                "en": "5 € off your next purchase",
                "fr": "5 € de réduction sur le prochain achat",
                "es": "5 € de descuento en la próxima compra",
            },
            "kind": "amount_off",
            "face_value": "5.00",
            "weight": 3,
            "stock": 1500,
            "valid_days": 30,
        },
        {
            "slug": "roll",
            "name": {
                "de": "Ein Roggenbrötchen",
                "en": "A rye roll",
                "fr": "Un petit pain de seigle",
                "es": "Un panecillo de centeno",
            },
            "kind": "free_product",
            "product": "2000777",
            "face_value": "1.10",
            "weight": 1,
            "stock": 1000,
            "valid_days": 14,
        },
    ],
}
_SILKS: Final[dict[str, Any]] = {
    "name": {"en": "The ₹15,000 scratch", "hi": "₹15,000 वाला स्क्रैच कार्ड"},
    "rules": {
        "en": "Spend ₹15,000 and scratch for ₹2,500 off at Bunn Al Noor. One card a receipt, while stocks last.",
        "hi": "₹15,000 की ख़रीद पर स्क्रैच करें और Bunn Al Noor में ₹2,500 की छूट पाएँ। हर रसीद पर एक कार्ड, स्टॉक रहने तक।",
    },
    "timezone": "Asia/Kolkata",
    "currency": "INR",
    "eligibility": {"rule": {"kind": "spend", "at_least": "15000.00", "currency": "INR"}},
    "prizes": [
        {
            "slug": "off-2500",
            "name": {"en": "₹2,500 off at Bunn Al Noor", "hi": "Bunn Al Noor में ₹2,500 की छूट"},
            "kind": "amount_off",
            "face_value": "2500.00",
            "weight": 1,
            "stock": 200,
            "supplier": "noor",
            "valid_days": 60,
        }
    ],
}
_CAMPAIGNS: Final = {MAIN: _BAKERY, "kaveri": _SILKS}


def put_all(conn: Connection, merchants: dict[str, str], sealer: Fernet, *, now: datetime) -> None:
    """One for each of these shops, unless it has one. They take sales of last year too, since the example sale is
    from then."""
    for proposing, agreeing in _ALLIES:
        if not alliances.is_agreed(conn, merchants[proposing], merchants[agreeing]):
            alliances.propose(conn, merchants[proposing], agreeing, now=now)
            alliances.propose(conn, merchants[agreeing], proposing, now=now)
    for slug, body in _CAMPAIGNS.items():
        if not find.campaigns(conn, merchants[slug], at_most=1):
            _launch(conn, merchants[slug], body, sealer, now)


def _launch(conn: Connection, merchant_id: str, body: dict[str, Any], sealer: Fernet, now: datetime) -> None:
    times = {"starts_at": f"{now.year - 1}-01-01T00:00", "ends_at": f"{now.year + 2}-01-01T00:00", "late_days": 1000}
    new = read_campaign(body | times)
    campaign_id = managing.create(conn, merchant_id, new, now=now)
    campaign = find.campaign(conn, merchant_id, campaign_id)
    for prize in campaign.prizes:
        if prize.supplier_id != merchant_id:
            terms = terms_digest(campaign.definition, prize.definition, codes=prize.codes)
            supplying.consent(conn, prize.supplier_id, prize.id, terms=terms, now=now)
    launching.launch(conn, merchant_id, campaign_id, sealer=sealer, now=now)
