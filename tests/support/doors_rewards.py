"""Campaigns and rewards in the outsider's walk."""

from typing import Any, Final

from sqlalchemy import Connection, select

from api.house import House
from engagement.rewards import revealing
from engagement.rewards.keys import code_of
from engagement.rewards.tables import Reward
from tests.support.campaigns import campaign, cards_of, drawn_up, launched, prize, sold
from tests.support.inside import Person

Names = dict[str, str]
_CODE: Final = "/v1/rewards/{code}"
_DRAFT: Final = "/v1/campaigns/{draft}"
# Method, route, status, path with {names} of what is ours, body.
DOORS: Final[list[tuple[str, str, int, str, Any]]] = [
    ("GET", "/v1/campaigns", 200, "/v1/campaigns", None),
    ("POST", "/v1/campaigns", 422, "/v1/campaigns", campaign(brands=["linden-rye"])),
    ("POST", "/v1/campaigns", 422, "/v1/campaigns", campaign(prizes=[prize(supplier="linden-rye")])),
    ("GET", "/v1/campaigns/{campaign_id}", 404, "/v1/campaigns/{campaign}", None),
    ("PUT", "/v1/campaigns/{campaign_id}", 404, _DRAFT, campaign()),
    ("DELETE", "/v1/campaigns/{campaign_id}", 404, _DRAFT, None),
    ("PUT", "/v1/campaigns/{campaign_id}/state", 404, _DRAFT + "/state", {"state": "live"}),
    ("PUT", "/v1/campaigns/{campaign_id}/state", 404, "/v1/campaigns/{campaign}/state", {"state": "ended"}),
    ("PUT", "/v1/campaigns/{campaign_id}/prizes/{prize}/codes", 404, _DRAFT + "/prizes/pooled/codes", b"MINE"),
    ("GET", "/v1/prizes-to-supply", 200, "/v1/prizes-to-supply", None),
    (
        "POST",
        "/v1/prizes-to-supply/{prize_id}/consent",
        404,
        "/v1/prizes-to-supply/{prize}/consent",
        {"terms": "0" * 64},
    ),
    ("GET", "/v1/rewards", 200, "/v1/rewards", None),
    ("GET", "/v1/rewards", 200, "/v1/rewards?campaign={campaign}", None),
    ("GET", "/v1/rewards/{code}", 404, _CODE, None),
    ("POST", "/v1/rewards/{code}/reserve", 404, _CODE + "/reserve", {}),
    ("POST", "/v1/rewards/{code}/redeem", 404, _CODE + "/redeem", {}),
    ("POST", "/v1/rewards/{code}/rollback", 404, _CODE + "/rollback", {}),
    ("POST", "/v1/rewards/{reward_id}/void", 404, "/v1/rewards/{reward}/void", None),
    ("GET", "/v1/reward-flags", 200, "/v1/reward-flags", None),
]


def ours(owner: Person) -> Names:
    """A live campaign with a card that was scratched, and a draft."""
    draft = drawn_up(owner, prizes=[prize(slug="pooled", codes="pool", stock=None)])
    owner.ask("PUT", f"/v1/campaigns/{draft}/prizes/pooled/codes", content=b"OURS-1").raise_for_status()
    campaign_id = launched(owner)
    [card] = cards_of(owner, sold(owner))
    house: House = owner.inside.app.state.house

    def scratch(conn: Connection) -> str:
        merchant_id = conn.execute(select(Reward.merchant_id).where(Reward.id == card["id"])).scalar_one()
        reward = revealing.reveal(conn, merchant_id, card["id"], now=house.clock())
        return code_of(conn, house.reward_keys, reward)

    code = owner.inside.run(house.write(scratch))
    prize_id = owner.get(f"/v1/campaigns/{draft}").json()["prizes"][0]["id"]
    return {"campaign": campaign_id, "draft": draft, "reward": card["id"], "code": code, "prize": prize_id}
