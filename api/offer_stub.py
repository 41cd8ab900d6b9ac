"""The stub of a receipt on which offers are, each with its reason."""

from collections.abc import Sequence
from urllib.parse import urlsplit

from sqlalchemy import Connection

from api.contexts import Stub
from api.contexts_after_sale import OfferView
from api.house import House
from api.offer_answers import picture_path
from engagement.offers import find, links
from engagement.offers.find import Offer
from engagement.offers.links import Mark
from infra.i18n import Voice, voice
from kernel.locale import isolated
from receipts.records import ReceiptRecord


def offers_of(conn: Connection, house: House, record: ReceiptRecord) -> Sequence[Offer]:
    desk = house.offer_desks.of(conn, record.merchant_id)
    return find.offers_for(conn, desk, record, key=house.shopper_key)


def stub(house: House, record: ReceiptRecord, offers: Sequence[Offer], language: str) -> Stub:
    words = voice(language, record.issuer.address.get("country"))
    shown = tuple(_shown(house, record, each, words) for each in offers)
    origins = {_origin(each.product.content.link) for each in offers if each.product.content.link}
    return Stub("offers", "stubs/offers.html", shown, leads_to=tuple(sorted(origins)), style="offers.css")


def _shown(house: House, record: ReceiptRecord, offer: Offer, words: Voice) -> OfferView:
    content, name = offer.product.content, offer.product.named(words.language)
    mark = links.made(house.offer_key, Mark(record.id, offer.product.id, offer.reason))
    return OfferView(
        mark=mark,
        url=f"/o/{mark}" if content.link else "",
        name=name,
        initial=name[:1].upper(),
        picture=picture_path(offer.product),
        price=_price(words, content.price, content.currency),
        was=_price(words, _marked_down(content.list_price, content.price), content.currency),
        reason=_reason(words, record, offer),
    )


def _origin(link: str) -> str:
    """Of a form that ends there: a browser asks the page's policy."""
    parts = urlsplit(link)
    return f"{parts.scheme}://{parts.netloc}"


def _marked_down(before: int | None, price: int | None) -> int | None:
    return before if before is not None and price is not None and before > price else None


def _price(words: Voice, minor: int | None, currency: str | None) -> str:
    return words.formats.money(minor, currency) if minor is not None and currency else ""


def _reason(words: Voice, record: ReceiptRecord, offer: Offer) -> str:
    item = isolated(offer.beside, words.direction)
    brand = isolated(record.issuer.brand, words.direction)
    match offer.reason:
        case "together":
            told = words.ngettext(
                "Bought together %(num)d time with %(item)s", "Bought together %(num)d times with %(item)s", offer.count
            )
            return told % {"num": offer.count, "item": item}
        case "similar":
            return words.gettext("Chosen by others who bought %(item)s") % {"item": item}
        case "goes_with":
            return words.gettext("Goes with %(item)s") % {"item": item}
        case "ally":
            return words.gettext("From our ally %(ally)s") % {"ally": isolated(offer.ally, words.direction)}
        case "pinned":
            return words.gettext("Recommended by %(brand)s") % {"brand": brand}
        case "popular":
            return (
                words.gettext("Popular in this store")
                if offer.in_store
                else words.gettext("Popular at %(brand)s") % {"brand": brand}
            )
