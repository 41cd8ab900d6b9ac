"""What the application knows of the phones that have its passes."""

from sqlalchemy import Engine, func, select

from cards.find import CardRecord
from cards.tables import PassRegistration
from cards.wallets import PUSH
from infra.jobs import tally


def path_of(card: CardRecord) -> str:
    """Where a phone takes its pass."""
    return f"/c/{card.token}.pkpass"


def registrations(engine: Engine) -> int:
    """How many there are, of all phones for all passes."""
    with engine.connect() as conn:
        return conn.scalar(select(func.count()).select_from(PassRegistration)) or 0


def pushes_waiting(engine: Engine) -> int:
    """Jobs that are due. The one that tells a phone it is new is not: that one is delayed."""
    with engine.connect() as conn:
        found = tally(conn).get(PUSH)
    return found.waiting if found else 0
