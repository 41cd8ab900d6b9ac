"""The demo's catalogue, with pictures, and a history of sales from which it is learned what goes with what."""

import random
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from io import BytesIO
from typing import Any, Final

from PIL import Image, ImageDraw
from sqlalchemy import Connection, Engine, select

from accounts.places import directories
from cli.demo_shops import MAIN
from engagement import shoppers
from engagement.offers import ledger, links, pictures, products, rebuild, rules
from engagement.offers.catalogue import ProductContent, read_content
from engagement.offers.ledger import Keys
from engagement.offers.rules import RuleWish
from infra import secrets
from infra.settings import Data
from infra.storage import Storage
from kernel.clock import utc_now
from pos.intake import Arrival, arrive, take
from receipts.reading import read_sale
from receipts.tables import Receipt

_SHOP: Final = "https://linden-rye.example/shop"
_SIDE: Final = 352
_SALES: Final = 260
_WOOD, _STEEL, _CREAM, _LEAF = "#b8895a", "#c9ced1", "#fdf7ea", "#5f8f5a"

Paint = Callable[[ImageDraw.ImageDraw], None]


@dataclass(frozen=True, slots=True)
class _Product:
    """``cents`` may be marked down from ``before``; ``again`` is what is used up."""

    de: str
    en: str
    cents: int
    ground: str
    paint: Paint
    before: int = 0
    again: bool = False
    more: dict[str, Any] | None = None


def _loaf(draw: ImageDraw.ImageDraw) -> None:
    draw.rounded_rectangle((60, 120, 292, 250), 62, fill="#8a5a33")
    draw.rounded_rectangle((66, 114, 286, 236), 58, fill="#a9713f")
    for left in (112, 166, 220):
        draw.line((left, 140, left + 30, 210), fill="#e9cfa4", width=11)


def _jar(fill: str) -> Paint:
    def paint(draw: ImageDraw.ImageDraw) -> None:
        draw.rounded_rectangle((104, 110, 248, 290), 30, fill=_CREAM)
        draw.rounded_rectangle((116, 138, 236, 280), 24, fill=fill)
        draw.rounded_rectangle((112, 74, 240, 118), 12, fill=_WOOD)
        draw.rounded_rectangle((136, 180, 216, 236), 8, fill=_CREAM)

    return paint


def _butter(draw: ImageDraw.ImageDraw) -> None:
    draw.rounded_rectangle((62, 226, 290, 256), 15, fill=_CREAM)
    draw.polygon(((90, 150), (236, 150), (266, 172), (266, 226), (90, 226)), fill="#f4d35e")
    draw.polygon(((90, 150), (236, 150), (266, 172), (120, 172)), fill="#fae588")


def _apples(draw: ImageDraw.ImageDraw) -> None:
    for x, y, colour in ((70, 132, "#c8553d"), (164, 132, "#d97b4f"), (117, 178, "#b23a2e")):
        draw.ellipse((x, y, x + 116, y + 112), fill=colour)
        draw.line((x + 58, y + 14, x + 66, y - 16), fill="#5b4027", width=8)
        draw.ellipse((x + 66, y - 22, x + 98, y - 4), fill=_LEAF)


def _knife(length: int) -> Paint:
    def paint(draw: ImageDraw.ImageDraw) -> None:
        draw.polygon(((length, 130), (214, 130), (214, 190), (length + 46, 190)), fill=_STEEL)
        draw.rounded_rectangle((210, 134, 316, 176), 18, fill="#4a3323")
        for x in (236, 286):
            draw.ellipse((x - 6, 149, x + 6, 161), fill=_STEEL)

    return paint


def _board(draw: ImageDraw.ImageDraw) -> None:
    draw.rounded_rectangle((66, 100, 252, 262), 24, fill=_WOOD)
    draw.rounded_rectangle((238, 156, 308, 206), 22, fill=_WOOD)
    draw.ellipse((278, 172, 296, 190), fill="#e7dccb")
    for y in (134, 168, 202, 232):
        draw.line((88, y, 228, y - 8), fill="#a5774a", width=4)


def _towel(draw: ImageDraw.ImageDraw) -> None:
    draw.rounded_rectangle((96, 70, 256, 286), 10, fill=_CREAM)
    for y, width in ((104, 12), (124, 5), (232, 5), (248, 12)):
        draw.line((96, y, 256, y), fill="#3d5a80", width=width)


def _bag(draw: ImageDraw.ImageDraw) -> None:
    draw.polygon(((112, 96), (240, 96), (256, 286), (96, 286)), fill="#3b2a20")
    draw.polygon(((112, 96), (240, 96), (232, 70), (120, 70)), fill="#59402f")
    draw.ellipse((138, 160, 214, 236), fill=_CREAM)
    draw.ellipse((160, 170, 192, 226), fill="#6f4e37")


def _bottle(draw: ImageDraw.ImageDraw) -> None:
    draw.rounded_rectangle((136, 128, 216, 300), 22, fill="#e2b04a")
    draw.polygon(((136, 150), (160, 96), (192, 96), (216, 150)), fill="#e2b04a")
    draw.rounded_rectangle((158, 56, 194, 104), 6, fill=_LEAF)
    draw.rounded_rectangle((136, 188, 216, 248), 4, fill=_CREAM)


def _box(draw: ImageDraw.ImageDraw) -> None:
    draw.rounded_rectangle((66, 120, 286, 256), 40, fill="#dfe5e1")
    draw.rounded_rectangle((66, 200, 286, 256), 16, fill=_WOOD)
    draw.rounded_rectangle((150, 182, 202, 194), 6, fill="#8d9a93")


def _rolls(draw: ImageDraw.ImageDraw) -> None:
    for x, y in ((70, 150), (172, 150), (121, 196)):
        draw.ellipse((x, y, x + 112, y + 78), fill="#c98f4e")
        draw.line((x + 28, y + 34, x + 84, y + 30), fill="#f0d9ae", width=8)


_BREAD: Final = {
    "de": "In Leinen oder Ton bleibt es fünf Tage frisch, im Kühlschrank wird es alt.",
    "en": "Keeps for five days in linen or clay. A fridge makes it stale.",
    "ar": "يبقى طازجًا خمسة أيام في الكتّان أو الفخّار. الثلاجة تيبّسه.",
}
_KNIFE: Final[dict[str, Any]] = {
    "warranty_months": 24,
    "warranty": {
        "de": "Gegen Bruch und Rost. Nachschleifen ist in unseren Läden immer kostenlos.",
        "en": "Against breaking and rust. We sharpen it in our shops, free and for ever.",
        "ar": "ضد الكسر والصدأ. نشحذه في متاجرنا مجانًا دائمًا.",
    },
    "care": {
        "de": "Von Hand spülen und gleich abtrocknen. Den Griff zweimal im Jahr ölen.",
        "en": "Wash by hand and dry at once. Oil the handle twice a year.",
        "ar": "يُغسل باليد ويُجفَّف فورًا. يُدهن المقبض بالزيت مرتين في السنة.",
    },
}
_CATALOGUE: Final = {
    "4006381333931": _Product("Roggen-Sauerteigbrot", "Rye sourdough", 540, "#e8dcc8", _loaf, again=True,
                              more={"complements": ["BUTTER-250"], "care": _BREAD}),
    "BUTTER-250": _Product("Heumilchbutter 250 g", "Hay-milk butter 250 g", 390, "#cfe0e8", _butter, again=True),
    "HONIG-500": _Product("Lindenblütenhonig", "Linden honey", 890, "#efe3c2", _jar("#d9952b"), again=True),
    "MARM-300": _Product("Zwetschgenmus", "Plum butter", 520, "#e3d5e2", _jar("#5b2a4f"), again=True),
    "2000123": _Product("Äpfel, lose", "Apples, loose", 299, "#dfe8d4", _apples, again=True),
    "9783161484100": _Product("Brotmesser", "Bread knife", 2490, "#dcd6cf", _knife(44), more=_KNIFE),
    "MESSER-20": _Product("Kochmesser 20 cm", "Chef's knife 20 cm", 7900, "#d3d9dd", _knife(60), before=8900,
                          more=_KNIFE | {"warranty_months": 120}),
    "BRETT-E": _Product("Schneidbrett Eiche", "Oak chopping board", 3900, "#e7dccb", _board,
                        more={"care": {"de": "Feucht abwischen, manchmal ölen.", "en": "Wipe, oil now and then."}}),
    "TUCH-L": _Product("Geschirrtuch aus Leinen", "Linen tea towel", 1450, "#d6dfd8", _towel),
    "KAFFEE-500": _Product("Hausröstung 500 g", "House roast 500 g", 1290, "#ead9c9", _bag, again=True),
    "SCHORLE-05": _Product("Apfelschorle 0,5 l", "Apple spritzer 0.5 l", 179, "#dbe6cd", _bottle, again=True),
    "KASTEN": _Product("Brotkasten", "Bread bin", 5900, "#d9e2dd", _box, more={"shared": True}),
    "SCHRIPPE": _Product("Schrippen, 4 Stück", "Bread rolls, 4", 220, "#efe0c6", _rolls, again=True),
}  # fmt: skip
_ALLY: Final = "noor"
_ALLYS_SHOP: Final = "https://noor.example/shop"
_COFFEE: Final = "NOOR-250"
_ALLYS: Final = _Product(
    "Kaffee mit Kardamom 250 g", "Cardamom coffee 250 g", 1290, "#e9d8c4", _bag, again=True, more={"shared": True}
)
# What is bought together, and how often.
_HABITS: Final = (
    (("4006381333931", "BUTTER-250", "HONIG-500"), 5),
    (("4006381333931", "BUTTER-250"), 7),
    (("SCHRIPPE", "MARM-300", "KAFFEE-500"), 6),
    (("9783161484100", "BRETT-E", "4006381333931"), 4),
    (("MESSER-20", "BRETT-E", "TUCH-L"), 3),
    (("2000123", "SCHORLE-05", "SCHRIPPE"), 5),
    (("4006381333931", "KASTEN", "9783161484100"), 2),
    (("KAFFEE-500", "HONIG-500"), 3),
)


def put_all(conn: Connection, storage: Storage, merchants: dict[str, str], *, now: datetime) -> None:
    """The catalogue of the bakery, and a history of its sales. Putting them again changes nothing."""
    merchant_id = merchants[MAIN]
    products.put(conn, merchant_id, {sku: _content(sku, each) for sku, each in _CATALOGUE.items()}, now=now)
    for sku, record in products.with_skus(conn, merchant_id, list(_CATALOGUE)).items():
        if record.picture_key is None:
            key = pictures.kept(storage, _picture(_CATALOGUE[sku]))
            products.set_picture(conn, merchant_id, sku, key, now=now)
    if (
        conn.scalar(select(Receipt.id).where(Receipt.merchant_id == merchant_id, Receipt.external_id == _name(0)))
        is None
    ):
        take(conn, list(_history(merchant_id, now)), directories=directories(conn, [merchant_id]), now=now)


def show_an_ally(conn: Connection, storage: Storage, merchants: dict[str, str], *, now: datetime) -> None:
    """The bakery shows coffee of an ally's, who shares it. They are allies already."""
    bakery, ally = merchants[MAIN], merchants[_ALLY]
    content = _content(_COFFEE, _ALLYS, shop=_ALLYS_SHOP)
    products.put(conn, ally, {_COFFEE: content}, now=now)
    if products.one(conn, ally, _COFFEE).picture_key is None:
        products.set_picture(conn, ally, _COFFEE, pictures.kept(storage, _picture(_ALLYS)), now=now)
    if not any(each.kind == "ally" for each in rules.listed(conn, bakery)):
        rules.create(conn, bakery, RuleWish(kind="ally", product=_COFFEE, ally=_ALLY), now=now)


def learn(engine: Engine, settings: Data, merchants: dict[str, str]) -> None:
    """What a worker would do within minutes."""
    keys = Keys(secrets.derived(settings, shoppers.PURPOSE), secrets.derived(settings, links.PURPOSE))
    if ledger.catch_up(engine, keys, now=utc_now(), stop=lambda: False) >= _SALES:
        rebuild.rebuild(engine, merchants[MAIN], clock=utc_now)


def _content(sku: str, each: _Product, *, shop: str = _SHOP) -> ProductContent:
    told = {"name": {"de": each.de, "en": each.en}, "price": _euros(each.cents), "currency": "EUR"}
    before = {"list_price": _euros(each.before)} if each.before else {}
    return read_content(told | before | {"link": f"{shop}/{sku.lower()}", "again": each.again} | (each.more or {}))


def _euros(cents: int) -> str:
    return f"{cents // 100}.{cents % 100:02d}"


def _picture(each: _Product) -> bytes:
    """Drawn in flat colours, twice too large for smooth edges."""
    large = Image.new("RGB", (_SIDE, _SIDE), each.ground)
    each.paint(ImageDraw.Draw(large))
    out = BytesIO()
    large.save(out, "PNG", compress_level=1)
    return out.getvalue()


def _history(merchant_id: str, now: datetime) -> list[Arrival]:
    drawn = random.Random(7)  # noqa: S311 - the same shops each time
    habits, weights = zip(*_HABITS, strict=True)
    return [_sale(merchant_id, at, drawn, drawn.choices(habits, weights)[0], now) for at in range(_SALES)]


def _sale(merchant_id: str, at: int, drawn: random.Random, habit: tuple[str, ...], now: datetime) -> Arrival:
    skus = dict.fromkeys([each for each in habit if drawn.random() < 0.85] or habit)
    if drawn.random() < 0.3:
        skus[drawn.choice(list(_CATALOGUE))] = None
    lines = [
        {"id": str(place), "sku": sku, "name": _CATALOGUE[sku].de, "total": _euros(_CATALOGUE[sku].cents)}
        for place, sku in enumerate(skus, 1)
    ]
    total = _euros(sum(_CATALOGUE[sku].cents for sku in skus))
    when = now - timedelta(days=120) + (timedelta(days=115) / _SALES) * at
    body = {"external_id": _name(at), "number": f"{at + 1:06d}", "store": "mitte", "till": "till-1"}
    paid = {"currency": "EUR", "lines": lines, "total": total, "payments": [{"method": "cash", "amount": total}]}
    regular = {"shopper": {"customer_id": f"regular-{drawn.randrange(40)}"}} if drawn.random() < 0.5 else {}
    sale = read_sale(body | paid | regular | {"issued_at": when.isoformat(timespec="seconds")})
    return arrive(merchant_id, sale, now=now)


def _name(at: int) -> str:
    return f"demo-history-{at}"
