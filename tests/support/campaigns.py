"""Campaigns to test with."""

from copy import deepcopy
from typing import Any, Final

from sqlalchemy import Engine

from engagement.rewards import revealing
from engagement.rewards.keys import RewardKeys, code_of
from infra import secrets
from infra.settings import Settings
from kernel.clock import utc_now
from tests.support.inside import Person
from tests.support.sales import Body, coffee

PRIZE: Final[Body] = {
    "slug": "coffee",
    "name": {"en": "A coffee"},
    "kind": "amount_off",
    "face_value": "3.20",
    "weight": 1,
    "stock": 50,
    "valid_days": 30,
}
_CAMPAIGN: Final[Body] = {
    "name": {"en": "Autumn"},
    "rules": {"en": "One card a receipt."},
    "timezone": "Europe/Berlin",
    "starts_at": "2026-01-01T00:00",
    "ends_at": "2099-01-01T00:00",
    "currency": "EUR",
    "late_days": 3650,
    "prizes": [PRIZE],
}


def campaign(**changes: Any) -> Body:
    """Each sale earns a card, and each card wins a coffee, of which there are 50."""
    return deepcopy(_CAMPAIGN) | changes


def prize(**changes: Any) -> Body:
    return deepcopy(PRIZE) | changes


def spending(at_least: str, currency: str = "EUR") -> Body:
    """The rule that asks for so much net spend."""
    return {"rule": {"kind": "spend", "at_least": at_least, "currency": currency}}


def drawn_up(owner: Person, **changes: Any) -> str:
    """The id of a draft."""
    return str(owner.post("/v1/campaigns", campaign(**changes)).raise_for_status().json()["id"])


def launched(owner: Person, **changes: Any) -> str:
    """The id of a campaign that is live."""
    campaign_id = drawn_up(owner, **changes)
    owner.put(f"/v1/campaigns/{campaign_id}/state", {"state": "live"}).raise_for_status()
    return campaign_id


def sold(till: Person, total: str = "3.20", **changes: Any) -> str:
    """The id of a new receipt for ``total``."""
    body = coffee(**changes)
    body["lines"][0] |= {"total": total, "unit_price": total}
    body |= {"total": total, "taxes": [], "payments": [{"method": "cash", "amount": total}]}
    return str(till.post("/v1/receipts", body).raise_for_status().json()["id"])


def cards_of(owner: Person, receipt_id: str) -> list[dict[str, Any]]:
    return list(owner.get("/v1/rewards", receipt=receipt_id).raise_for_status().json()["rewards"])


def scratched(engine: Engine, settings: Settings, merchant_id: str, reward_id: str, **how: Any) -> str:
    """The code of a card, once its shopper has scratched it."""
    keys = RewardKeys.of(settings.data, secrets.box(settings.data))
    with engine.begin() as conn:
        reward = revealing.reveal(conn, merchant_id, reward_id, now=utc_now(), **how)
        return code_of(conn, keys, reward) if reward.prize else ""


def allied(owner: Person, ally: Person, slug: str = "moor") -> None:
    found = owner.post("/v1/alliances", {"ally": slug}).raise_for_status().json()
    ally.ask("POST", f"/v1/alliances/{found['id']}/agreement").raise_for_status()


def consented(ally: Person) -> None:
    """To all that they are asked to supply."""
    for each in ally.get("/v1/prizes-to-supply").raise_for_status().json()["prizes"]:
        ally.post(f"/v1/prizes-to-supply/{each['id']}/consent", {"terms": each["terms"]}).raise_for_status()


def launched_with_moor(owner: Person, moor: Person) -> None:
    """A campaign whose prize Moor & Sons hand out, in their own colour."""
    allied(owner, moor)
    moor.put("/v1/brands/moor", {"name": "Moor & Sons", "colour": "#7a1f2b"}).raise_for_status()
    campaign_id = drawn_up(owner, prizes=[prize(supplier="moor")])
    consented(moor)
    owner.put(f"/v1/campaigns/{campaign_id}/state", {"state": "live"}).raise_for_status()


def won(owner: Person, till: Person, engine: Engine, settings: Settings, merchant_id: str) -> str:
    """The code of the card of a new receipt, of a new campaign."""
    launched(owner)
    [card] = cards_of(owner, sold(till))
    return scratched(engine, settings, merchant_id, card["id"])
