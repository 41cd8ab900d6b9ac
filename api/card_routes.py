"""All that a card's link opens. The order is that in which a request passes them."""

from starlette.routing import BaseRoute

from api import (
    card_beacon,
    card_contact_files,
    card_exchange,
    card_pages,
    card_paper,
    card_pictures,
    invite_pages,
    service_rating,
    signature_pages,
    wallet_pages,
    wallet_service,
)


def routes() -> list[BaseRoute]:
    """Each part tells its own."""
    return [
        *card_pages.routes(),
        *card_contact_files.routes(),
        *card_beacon.routes(),
        *card_exchange.routes(),
        *service_rating.routes(),
        *card_pictures.routes(),
        *card_paper.routes(),
        *invite_pages.routes(),
        *signature_pages.routes(),
        *wallet_pages.routes(),
        *wallet_service.routes(),
    ]
