"""The demo's cards: one for each member of staff, in the languages of their shops, with portraits drawn for it."""

from datetime import datetime
from io import BytesIO
from typing import Any, Final

from PIL import Image, ImageDraw
from sqlalchemy import Connection

from cards import find, manage
from cards.manage import Belongs
from cards.profile import Profile
from cards.template import Template
from infra.portraits import portrait
from infra.storage import Storage, content_key

_EMMA: Final[dict[str, Any]] = {
    "given": "Emma",
    "family": "Yıldız",
    "pronouns": "she/her",
    "title": "Brotsommelière",
    "description": "Fragen Sie mich nach Roggen, langer Führung und was dazu schmeckt.",
    "hobbies": ["Klettern", "Keramik"],
    "languages": ["de", "tr", "en"],
    "phones": [{"number": "+49 30 5550 1234"}, {"number": "+49 151 5550 1234", "kind": "mobile"}],
    "emails": [{"address": "emma@linden-rye.example"}],
    "links": [{"url": "https://linden-rye.example/backkurse", "label": "Backkurse"}],
    "socials": [
        {"network": "instagram", "handle": "emma.rye.example"},
        {"network": "linkedin", "handle": "emma-yildiz-example"},
    ],
    "messengers": [
        {"app": "whatsapp", "handle": "+49 151 5550 1234"},
        {"app": "telegram", "handle": "emma_rye_example"},
    ],
    "booking_url": "https://linden-rye.example/termine",
    "language": "de",
    "translations": {
        "en": {
            "title": "Bread sommelier",
            "description": "Ask me about rye, slow fermentation and what to eat with it.",
            "hobbies": ["Climbing", "Ceramics"],
        },
        "fr": {"title": "Sommelière du pain", "description": "Parlons seigle, levain et accords."},
    },
}
_JONAS: Final[dict[str, Any]] = {
    "given": "Jonas",
    "family": "Okafor",
    "title": "Küche und Messer",
    "languages": ["de", "en", "ig"],
    "emails": [{"address": "jonas@linden-rye.example"}],
    "language": "de",
    "translations": {"en": {"title": "Kitchen and knives"}},
}
_ANANYA: Final[dict[str, Any]] = {
    "name": "Ananya Rao",
    "given": "Ananya",
    "family": "Rao",
    "title": "Silk consultant",
    "description": "Kanchipuram, Mysore, Banarasi: I find the weave that stays in your family.",
    "languages": ["en", "kn", "hi"],
    "phones": [{"number": "+91 80 5550 1234"}],
    "messengers": [{"app": "whatsapp", "handle": "+91 98 5550 1234"}],
    "socials": [{"network": "instagram", "handle": "kaveri.silks.example"}],
    "language": "en",
    "translations": {"hi": {"name": "अनन्या राव", "title": "रेशम सलाहकार"}},
}
_LAYLA: Final[dict[str, Any]] = {
    "name": "ليلى الحداد",
    "title": "خبيرة تحميص",
    "description": "اسألوني عن القهوة بالهيل والتمر المناسب لها.",
    "languages": ["ar", "en", "fr"],
    "phones": [{"number": "+971 4 555 0123"}],
    "emails": [{"address": "layla@noor.example"}],
    "socials": [{"network": "tiktok", "handle": "noor.example"}],
    "language": "ar",
    "translations": {"en": {"name": "Layla Al Haddad", "title": "Head roaster"}},
}
# Merchant and member of staff → card, and the hues of its portrait: ground, skin, hair, clothes.
_CARDS: Final[dict[tuple[str, str], tuple[dict[str, Any], tuple[str, ...]]]] = {
    ("linden-rye", "emma"): (_EMMA, ("#f0d9b5", "#d9a27c", "#3b2a20", "#1f5c47")),
    ("linden-rye", "jonas"): (_JONAS, ()),
    ("kaveri", "ananya"): (_ANANYA, ("#f4dfe6", "#b97a56", "#1d1512", "#8a1c4a")),
    ("noor", "layla"): (_LAYLA, ("#efe2c8", "#c98f6a", "#7a4a12", "#40362b")),
}
NAMES: Final = tuple(Profile.model_validate(content).full_name() for content, _ in _CARDS.values())
_TEMPLATES: Final = {
    "linden-rye": Template.model_validate(
        {"links": [{"url": "https://linden-rye.example", "label": "linden-rye.example"}], "locked": ["title"]}
    )
}


def put_all(conn: Connection, storage: Storage, merchants: dict[str, str], *, now: datetime) -> dict[str, str]:
    """The cards' tokens by the names on them. Putting them again leaves those alone that are there."""
    for brand, template in _TEMPLATES.items():
        if not find.listed(conn, merchants[brand], limit=1):
            manage.put_template(conn, merchants[brand], brand, template, now=now)
    return {
        name: _put(conn, storage, merchants[shop], staff, content, hues, now)
        for name, ((shop, staff), (content, hues)) in zip(NAMES, _CARDS.items(), strict=True)
    }


def _put(
    conn: Connection,
    storage: Storage,
    merchant_id: str,
    staff: str,
    content: dict[str, Any],
    hues: tuple[str, ...],
    now: datetime,
) -> str:
    there = find.of_staff_named(conn, merchant_id, staff)
    if there is not None:
        return there.token
    card_id = manage.create(conn, merchant_id, Belongs(staff=staff), Profile.model_validate(content), now=now)
    record = find.one(conn, merchant_id, card_id)
    if hues:
        photo = portrait(_drawn(*hues))
        key = content_key("photos", photo, suffix=".jpg")
        storage.put(key, photo)
        manage.set_photo(conn, record, key, now=now)
    return record.token


def _drawn(ground: str, skin: str, hair: str, clothes: str) -> bytes:
    """Head and shoulders as a few round shapes, drawn twice as large as they are kept."""
    picture = Image.new("RGB", (1280, 1280), ground)
    draw = ImageDraw.Draw(picture)
    draw.ellipse((330, 190, 950, 900), fill=hair)
    draw.rounded_rectangle((330, 540, 950, 980), 200, fill=hair)
    draw.rounded_rectangle((160, 960, 1120, 1700), 360, fill=clothes)
    draw.rounded_rectangle((545, 800, 735, 1080), 95, fill=skin)
    draw.ellipse((420, 300, 860, 890), fill=skin)
    draw.chord((400, 250, 880, 720), 180, 352, fill=hair)
    for x in (545, 715):
        draw.ellipse((x, 590, x + 24, 620), fill=hair)
    draw.arc((560, 640, 720, 770), 25, 155, fill=hair, width=14)
    out = BytesIO()
    picture.save(out, "PNG")
    return out.getvalue()
