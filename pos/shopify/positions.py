"""A good as a line or a charge of the canonical sale."""

from collections.abc import Iterator
from typing import Final

from pos.event import Json
from pos.shopify import table
from pos.shopify.discounts import told
from pos.shopify.fields import code, plain, record, records, text, without_nones
from pos.shopify.goods import Good, is_gift_card
from pos.shopify.purse import Purse

_NO_VARIANT: Final = "Default Title"
_MOST_ATTRIBUTES: Final = 50


def line(good: Good, purse: Purse, way: table.Way, *, others_are_taxed: bool) -> Json:
    """``total`` is after the line's own reductions; a share of an order-wide discount stays with that discount."""
    own = [cut for cut in good.cuts if cut.whole is None]
    sums = {
        "quantity": plain(good.quantity),
        "unit_price": None if good.price is None else plain(good.price),
        "discounts": [told(cut, purse) for cut in own],
        "total": purse.plain(good.gross - sum(cut.amount for cut in own)),
        "taxes": table.borne(good, purse, way, others_are_taxed=others_are_taxed),
    }
    return without_nones({"id": good.id} | described(good) | sums)


def described(good: Good) -> Json:
    """What the thing is, without a sum."""
    raw = good.raw
    name, variant = text(raw.get("title")) or text(raw.get("name")), text(raw.get("variant_title"))
    parts = (variant or "").split(" / ") if variant != _NO_VARIANT else []
    bundle = text(record(raw.get("line_item_group")).get("title"))
    return {
        "name": name or code(raw.get("sku")) or good.id,
        "type": "gift_card" if is_gift_card(good) else "product",
        "sku": code(raw.get("sku"), 128),
        "options": [part.strip() for part in parts if part.strip()],
        "attributes": dict(list(_properties(raw))[:_MOST_ATTRIBUTES]),
        "notes": [bundle] if bundle else [],
    }


def _properties(raw: Json) -> Iterator[tuple[str, str]]:
    """What the shopper chose or had engraved. By Shopify's convention a name with an underscore is hidden."""
    for each in records(raw.get("properties")):
        name, value = text(each.get("name"), 128), text(each.get("value"), 2000)
        if name and value and not name.startswith("_"):
            yield name, value


def charge(good: Good, purse: Purse, way: table.Way, *, others_are_taxed: bool) -> Json:
    """Shipping, duties, fees. A charge has no reductions of its own: what is paid for it is stated."""
    name = text(good.raw.get("title")) or text(good.raw.get("code")) or "Shipping"
    taxes = table.borne(good, purse, way, others_are_taxed=others_are_taxed)
    kind = "shipping" if good.is_shipping else "other"
    return without_nones({"name": name, "amount": purse.plain(good.net), "type": kind, "taxes": taxes})
