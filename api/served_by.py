"""The stub of a receipt on which who served is shown, with their card, and rated."""

from dataclasses import dataclass

from sqlalchemy import Connection

from api.card_page import photo_url
from api.contexts import Stub
from api.contexts_of_cards import ServedBy
from api.house import House
from cards import links, ratings
from cards.find import CardRecord, own_face
from engagement.surveys import service
from receipts.records import ReceiptRecord


@dataclass(frozen=True, slots=True)
class Server:
    """Who served at a sale, how the shopper rates that so far, and whether they can."""

    card: CardRecord
    score: int | None
    takes_ratings: bool


def server_of(conn: Connection, house: House, record: ReceiptRecord) -> Server | None:
    """None where nobody is named, or where their card is not shown."""
    card = house.staff_cards.active(conn, record.merchant_id, record.staff_id)
    if card is None:
        return None
    surveys = house.surveys.active(conn, record.merchant_id, record.brand_id)
    is_taken = is_rated(record) and service.takes(conn, surveys, record, now=house.clock())
    return Server(card, ratings.of_receipt(conn, record.merchant_id, record.id), is_taken)


def is_rated(record: ReceiptRecord) -> bool:
    """Nobody was served at a till that is only tried."""
    return "training" not in record.content.flags


def stub(house: House, record: ReceiptRecord, server: Server, language: str) -> Stub:
    card = server.card
    face = own_face(card, base_url=house.base_url, wished=language)
    here = f"/c/{card.token}"
    url = links.from_receipt(house.base_url, card.token, house.card_key, record.id)
    told = url.partition("?")[2]
    content = ServedBy(
        name=face.name,
        initials=face.initials,
        role=face.title,
        photo=photo_url(card),
        url=f"{here}?{told}",
        vcf=f"{here}.vcf?lang={face.language}",
        beacon=f"{here}/beacon",
        tags=told,
        rate=f"/r/{record.token}/service?lang={language}" if server.takes_ratings else "",
        score=server.score or 0,
    )
    return Stub("card", "stubs/card.html", content)
