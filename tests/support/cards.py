"""Cards of the bakery's staff."""

from typing import Any, Final

from sqlalchemy import Engine

from cards import find, manage
from cards.find import CardRecord
from cards.manage import Belongs
from cards.profile import Profile
from tests.support.shops import OPENED, Shops

EMMA: Final[dict[str, Any]] = {
    "prefix": "Dr.",
    "given": "Emma",
    "family": "Lind",
    "pronouns": "she/her",
    "title": "Head baker",
    "department": "Bakery",
    "description": "Sourdough by day, croissants by night.",
    "hobbies": ["Rowing", "Rye"],
    "languages": ["de", "en-GB"],
    "phones": [{"number": "+49 30 5550 1234"}, {"number": "+49 151 1234567", "kind": "mobile", "label": "Direct"}],
    "emails": [{"address": "emma@linden-rye.example"}, {"address": "emma@home.example", "kind": "home"}],
    "addresses": [{"lines": ["Torstraße 112"], "postal_code": "10119", "city": "Berlin", "country": "DE"}],
    "links": [{"url": "https://linden-rye.example/emma?a=1,2;b", "label": "My breads"}],
    "socials": [
        {"network": "linkedin", "handle": "emma-lind"},
        {"network": "mastodon", "url": "https://berlin.example/@emma"},
    ],
    "messengers": [{"app": "whatsapp", "handle": "+49 151 1234567"}, {"app": "telegram", "handle": "@emmalind"}],
    "booking_url": "https://linden-rye.example/book",
    "language": "en",
    "translations": {"de": {"title": "Bäckermeisterin", "department": "Backstube", "hobbies": ["Rudern"]}},
}


def profile(**changes: Any) -> Profile:
    return Profile.model_validate(EMMA | changes)


def a_card(engine: Engine, shops: Shops, staff: str = "emma", **changes: Any) -> CardRecord:
    """Emma's, in the store mitte of Linden & Rye, or that of another there who says the same."""
    with engine.begin() as conn:
        card_id = manage.create(conn, shops.linden, Belongs(staff=staff, store="mitte"), profile(**changes), now=OPENED)
        return find.one(conn, shops.linden, card_id)
