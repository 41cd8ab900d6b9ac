"""Cards in Google Wallet, from the button to the object."""

from typing import Any

from sqlalchemy import Engine

from cards.find import CardRecord
from cards.wallets import GOOGLE
from infra.jobs import tally
from tests.support.google_wallet import ISSUER, Google
from tests.support.inside import Inside


def taken(inside: Inside, card: CardRecord) -> str:
    """Where the button leads."""
    answer = inside.request("POST", f"/c/{card.token}/google")
    assert answer.status_code == 303, answer.text
    return str(answer.headers["location"])


def object_of(google: Google, card: CardRecord) -> Any:
    return google.objects[f"{ISSUER}.{card.id}"]


def objects_waiting(engine: Engine) -> int:
    """Jobs that write objects, those included that are delayed."""
    with engine.connect() as conn:
        found = tally(conn).get(GOOGLE)
    return found.waiting + found.delayed if found else 0
