"""The demo's shops: three merchants in three countries, with a brand, a store, tills and staff each."""

from dataclasses import dataclass
from datetime import datetime
from io import BytesIO
from typing import Final

from PIL import Image, ImageDraw
from sqlalchemy import Connection, select

from accounts import manage
from accounts.manage import BrandProfile, MerchantProfile, PostalAddress, StaffProfile, StoreProfile, TillProfile
from accounts.tables import Merchant
from infra.storage import Storage, content_key

MAIN: Final = "linden-rye"


@dataclass(frozen=True, slots=True)
class _Shop:
    brand: BrandProfile
    # (slug, profile); every store has the same tills.
    store: tuple[str, StoreProfile]
    tills: tuple[str, ...]
    staff: dict[str, str]


_SHOPS: Final = {
    MAIN: _Shop(
        BrandProfile(
            name="Linden & Rye",
            colour="#1f5c47",
            languages=["de", "en", "fr", "es"],
            website="https://linden-rye.example",
            support_email="hallo@linden-rye.example",
            support_phone="+49 30 5550 1234",
            return_text={
                "de": "Umtausch innerhalb von 30 Tagen mit diesem Beleg. Frische Backwaren sind ausgenommen.",
                "en": "Exchange within 30 days with this receipt. Fresh bakery goods are excluded.",
                "fr": "Échange sous 30 jours avec ce ticket, sauf pour le pain frais.",
                "es": "Cambios durante 30 días con este recibo, salvo la panadería fresca.",
            },
        ),
        (
            "mitte",
            StoreProfile(
                name="Linden & Rye Mitte",
                brand=MAIN,
                legal_name="Linden & Rye Handels GmbH",
                address=PostalAddress(lines=["Torstraße 112"], postal_code="10119", city="Berlin", country="DE"),
                phone="+49 30 5550 1234",
                timezone="Europe/Berlin",
                tax_id="DE 123 456 789",
                opening_hours={
                    **{day: ["07:00-19:00"] for day in ("mon", "tue", "wed", "thu", "fri")},
                    "sat": ["08:00-16:00"],
                },
            ),
        ),
        ("till-1", "till-2", "till-3"),
        {"emma": "Emma", "jonas": "Jonas"},
    ),
    "kaveri": _Shop(
        BrandProfile(
            name="Kaveri Silks",
            colour="#8a1c4a",
            languages=["en", "hi"],
            support_phone="+91 80 5550 1234",
            return_text={
                "en": "Exchange within 15 days with the tag on.",
                "hi": "टैग के साथ 15 दिनों के भीतर बदला जा सकता है।",
            },
        ),
        (
            "indiranagar",
            StoreProfile(
                name="Kaveri Silks Indiranagar",
                brand="kaveri",
                address=PostalAddress(
                    lines=["100 Feet Road"], postal_code="560038", city="Bengaluru", region="Karnataka", country="IN"
                ),
                timezone="Asia/Kolkata",
                tax_id="GSTIN 29ABCDE1234F1Z5",
            ),
        ),
        ("counter-1",),
        {"ananya": "Ananya"},
    ),
    "noor": _Shop(
        BrandProfile(
            name="بن النور",
            colour="#7a4a12",
            languages=["ar", "en"],
            support_phone="+971 4 555 0123",
            return_text={"ar": "يمكن الاستبدال خلال 14 يومًا مع هذا الإيصال.", "en": "Exchange within 14 days."},
        ),
        (
            "jumeirah",
            StoreProfile(
                name="بن النور جميرا",
                brand="noor",
                address=PostalAddress(lines=["شارع جميرا 54"], city="دبي", country="AE"),
                timezone="Asia/Dubai",
                tax_id="TRN 100000000000003",
            ),
        ),
        ("counter",),
        {"layla": "ليلى"},
    ),
}


def put_all(conn: Connection, storage: Storage, *, now: datetime) -> dict[str, str]:
    """The merchants' ids by slug. Putting the shops again changes nothing."""
    return {slug: _put(conn, storage, slug, shop, now) for slug, shop in _SHOPS.items()}


def _put(conn: Connection, storage: Storage, slug: str, shop: _Shop, now: datetime) -> str:
    merchant_id = conn.scalar(select(Merchant.id).where(Merchant.slug == slug))
    if merchant_id is None:
        merchant_id = manage.create_merchant(conn, slug, MerchantProfile(name=shop.brand.name), now=now)
    manage.put_brand(conn, merchant_id, slug, shop.brand, now=now)
    logo = _logo(shop.brand.colour)
    key = content_key("logos", logo, suffix=".png")
    storage.put(key, logo)
    manage.set_logo(conn, merchant_id, slug, key)
    store, profile = shop.store
    manage.put_store(conn, merchant_id, store, profile, now=now)
    for till in shop.tills:
        manage.put_till(conn, merchant_id, store, till, TillProfile(name=till.replace("-", " ").capitalize()), now=now)
    for person, name in shop.staff.items():
        manage.put_staff_member(conn, merchant_id, person, StaffProfile(name=name, store=store), now=now)
    return merchant_id


def _logo(colour: str) -> bytes:
    """A leaf between two ears of grain: two arcs and a stem, drawn four times too large for smooth edges."""
    size = 1024
    picture = Image.new("RGB", (size, size), colour)
    draw = ImageDraw.Draw(picture)
    light = "#fffdf7"
    leaf = Image.new("L", (size, size), 0)
    cut = Image.new("L", (size, size), 0)
    ImageDraw.Draw(leaf).ellipse((80, 190, 720, 830), fill=255)
    ImageDraw.Draw(cut).ellipse((304, 190, 944, 830), fill=255)
    both = Image.composite(leaf, Image.new("L", (size, size), 0), cut)
    picture.paste(light, (0, 0), both.rotate(-38, resample=Image.Resampling.BICUBIC))
    draw.line((330, 760, 640, 370), fill=colour, width=34)
    draw.line((250, 862, 345, 742), fill=light, width=40)
    out = BytesIO()
    picture.resize((256, 256), Image.Resampling.LANCZOS).save(out, "PNG", optimize=True)
    return out.getvalue()
