"""Prizes in Google Wallet, from the button to the object."""

from typing import Any, Final

from sqlalchemy import Engine, text

from engagement.rewards.prize_wallets import PRIZES
from engagement.rewards.records import RewardRecord
from infra.jobs import tally
from tests.support.google_wallet import ISSUER, Google
from tests.support.inside import Person
from tests.support.scratched import Promoter

_OF_JOBS: Final = ("workflow_status", "workflow_input")


def address_of(promoter: Promoter, receipt: dict[str, Any]) -> str:
    """Of the scratch card that is on the receipt."""
    return f"/r/{receipt['token']}/scratch/{promoter.card(receipt['id']).id}"


def scratched_at(stranger: Person, here: str) -> None:
    assert stranger.ask("POST", here, data={"x": ""}).status_code == 303


def taken(stranger: Person, here: str) -> str:
    """Where the button leads."""
    answer = stranger.ask("POST", f"{here}/google")
    assert answer.status_code == 303, answer.text
    return str(answer.headers["location"])


def object_of(google: Google, reward_id: str) -> Any:
    return google.objects[f"{ISSUER}.{reward_id}"]


def told(*cards: RewardRecord) -> dict[str, Any]:
    """What a job is given that tells of these."""
    return {"prizes": [[card.merchant_id, card.id] for card in cards]}


def prizes_waiting(engine: Engine) -> int:
    """Jobs that write prizes, those included that are delayed."""
    with engine.connect() as conn:
        found = tally(conn).get(PRIZES)
    return found.waiting + found.delayed if found else 0


def jobs_in_words(engine: Engine) -> str:
    """All that is kept of them."""
    schema = "dbos." if engine.dialect.name == "postgresql" else ""
    with engine.connect() as conn:
        of_tables = [conn.execute(text(f"SELECT * FROM {schema}{each}")).all() for each in _OF_JOBS]  # noqa: S608
    # A row by itself is shown with an ellipsis.
    return str([tuple(row) for rows in of_tables for row in rows])
