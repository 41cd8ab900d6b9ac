"""Changes of cards, as wallets are told of them."""

from typing import Any

from sqlalchemy import Engine

from cards import manage, wallets
from cards.find import CardRecord, one
from kernel.clock import utc_now
from worker.workshop import Workshop


def changed(engine: Engine, shop: Workshop, card: CardRecord, **values: Any) -> CardRecord:
    """As an endpoint does it: the change, and what tells of it, in one transaction."""
    with engine.begin() as conn:
        now = utc_now()
        manage.change(conn, card, now=now, **values)
        wallets.tell_wallets(conn, shop.jobs, card, now=now)
        return one(conn, card.merchant_id, card.id)


def told(card: CardRecord) -> dict[str, Any]:
    """What a job is given that tells of ``card`` alone."""
    return {"merchant": card.merchant_id, "serial": card.id}
