"""Scratch-card campaigns for tests, and receipts that earn their cards."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from sqlalchemy import Engine, update

from engagement.rewards import find, launching, managing
from engagement.rewards.definition import read_campaign
from engagement.rewards.records import CampaignRecord, RewardRecord
from engagement.rewards.tables import Reward
from infra import secrets
from infra.settings import Settings
from tests.support.inside import Person
from tests.support.sales import Body, coffee

LOAF: Body = {
    "slug": "loaf",
    "name": {"en": "A rye loaf", "de": "Ein Roggenbrot"},
    "terms": {"en": "One loaf of 750 g."},
    "kind": "free_product",
    "product": "LOAF",
    "face_value": "5.40",
    "weight": 1,
    "stock": 1_000,
    "valid_days": 30,
}
VOUCHER: Body = {
    "slug": "five-off",
    "name": {"en": "On your next purchase"},
    "kind": "amount_off",
    "face_value": "5.00",
    "weight": 1,
    "stock": 1_000,
    "valid_days": 30,
}
TENTH: Body = {
    "slug": "tenth",
    "name": {"en": "On a knife"},
    "kind": "percent_off",
    "percent": 10,
    "face_value": "7.50",
    "weight": 1,
    "stock": 1_000,
    "valid_until": "2099-12-31T00:00",
}
# As people read it.
CODE: Final = re.compile(r"[2-9A-HJ-NP-TV-Z]{4}-[2-9A-HJ-NP-TV-Z]{4}-[2-9A-HJ-NP-TV-Z]{4}")


@dataclass(frozen=True)
class Promoter:
    """Draws up campaigns of a merchant, straight in the database."""

    engine: Engine
    settings: Settings
    merchant_id: str

    def launch(self, prizes: Sequence[Body] = (VOUCHER,), **changes: Any) -> str:
        """The id of a campaign that is live. Every card wins, unless told otherwise."""
        now = datetime.now(UTC)
        body: Body = {
            "name": {"en": "Winter days", "de": "Wintertage"},
            "rules": {"en": "Who buys a coffee gets a card.", "de": "Wer Kaffee kauft, bekommt eine Karte."},
            "starts_at": f"{now - timedelta(days=2):%Y-%m-%dT%H:%M}",
            "ends_at": f"{now + timedelta(days=2):%Y-%m-%dT%H:%M}",
            "currency": "EUR",
            "prizes": list(prizes),
        }
        new = read_campaign(body | changes)
        with self.engine.begin() as conn:
            campaign_id = managing.create(conn, self.merchant_id, new, now=now)
            launching.launch(conn, self.merchant_id, campaign_id, sealer=self._sealer, now=now)
        return campaign_id

    def end(self, campaign_id: str, *, are_scratched: bool = True) -> CampaignRecord:
        """With all of its cards scratched before."""
        with self.engine.begin() as conn:
            if are_scratched:
                cards = (Reward.campaign_id == campaign_id, Reward.state == "issued")
                conn.execute(update(Reward).where(*cards).values(state="revealed", revealed_at=datetime.now(UTC)))
            launching.end(conn, self.merchant_id, campaign_id, sealer=self._sealer, now=datetime.now(UTC))
            return find.campaign(conn, self.merchant_id, campaign_id)

    def cards(self, receipt_id: str) -> list[RewardRecord]:
        with self.engine.connect() as conn:
            return find.of_receipt(conn, self.merchant_id, receipt_id)

    def of(self, campaign_id: str) -> list[RewardRecord]:
        with self.engine.connect() as conn:
            return find.listed(conn, self.merchant_id, at_most=200, campaign_id=campaign_id)

    def card(self, receipt_id: str) -> RewardRecord:
        [card] = self.cards(receipt_id)
        return card

    @property
    def _sealer(self) -> Any:
        return secrets.box(self.settings.data)


def sold_now(till: Person, **changes: Any) -> dict[str, Any]:
    """The answer to a coffee that was sold just now."""
    answer = till.post("/v1/receipts", coffee(**{"issued_at": datetime.now(UTC).isoformat()} | changes))
    return dict(answer.raise_for_status().json())
