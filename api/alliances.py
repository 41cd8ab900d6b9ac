"""With which other merchants of this service a merchant shares offers and prizes."""

from typing import Any

from fastapi import APIRouter, Request, Response
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from accounts.fields import Slug
from api import schemas
from api.answers import json_answer, no_content
from api.body import model_body
from api.house import TheHouse
from api.key_ring import TheCaller
from engagement import alliances
from engagement.alliances import Allied, State
from engagement.rewards import halting
from kernel.clock import iso

router = APIRouter(tags=["Alliances"])


class NewAlliance(BaseModel):
    """A proposal to another merchant."""

    model_config = ConfigDict(extra="forbid")

    ally: Slug = Field(description="The slug of the other merchant.")


class Alliance(BaseModel):
    model_config = ConfigDict(json_schema_mode_override="serialization")

    id: str
    ally: str = Field(description="The other merchant's slug.")
    name: str = Field(description="The other merchant's name.")
    by_us: bool = Field(description="Whether it is our proposal, and theirs to agree to.")
    state: State
    changed_at: AwareDatetime


class AllianceList(BaseModel):
    model_config = ConfigDict(json_schema_mode_override="serialization")

    alliances: list[Alliance]


@router.get("/v1/alliances", response_model=AllianceList, responses=schemas.READS)
async def list_alliances(house: TheHouse, caller: TheCaller) -> Response:
    """Oldest first; those that have ended, too."""
    caller.require_whole("rewards:read")
    found = await house.read(lambda conn: alliances.listed(conn, caller.merchant_id))
    return json_answer({"alliances": [_shown(each) for each in found]})


@router.post(
    "/v1/alliances", response_model=Alliance, responses=schemas.WRITES, openapi_extra=schemas.body("NewAlliance")
)
async def propose_alliance(request: Request, house: TheHouse, caller: TheCaller) -> Response:
    """Nothing is shared before the other merchant agrees. What they have proposed to you is agreed to by this."""
    caller.require_whole("rewards:write")
    wanted = await model_body(request, NewAlliance)
    made = await house.write(lambda conn: alliances.propose(conn, caller.merchant_id, wanted.ally, now=house.clock()))
    house.writer.giver.campaigns.forget()
    return json_answer(_shown(made))


@router.post("/v1/alliances/{alliance_id}/agreement", response_model=Alliance, responses=schemas.READS)
async def agree_to_alliance(alliance_id: schemas.Id, house: TheHouse, caller: TheCaller) -> Response:
    """To what the other merchant has proposed. Twice is the same as once."""
    caller.require_whole("rewards:write")
    found = await house.write(lambda conn: alliances.agree(conn, caller.merchant_id, alliance_id, now=house.clock()))
    house.writer.giver.campaigns.forget()
    return json_answer(_shown(found))


@router.delete("/v1/alliances/{alliance_id}", status_code=204, responses=schemas.READS)
async def end_alliance(alliance_id: schemas.Id, house: TheHouse, caller: TheCaller) -> Response:
    """Either of the two may. No new offers are shown and no new prizes given; what shoppers hold stays good. Campaigns
    with prizes of the other give no cards: `missing_allies` says so, and the event `campaign.halted`."""
    caller.require_whole("rewards:write")
    await house.write(lambda conn: halting.end_alliance(conn, caller.merchant_id, alliance_id, now=house.clock()))
    house.writer.giver.campaigns.forget()
    return no_content()


def _shown(allied: Allied) -> dict[str, Any]:
    return {
        "id": allied.id,
        "ally": allied.slug,
        "name": allied.name,
        "by_us": allied.by_us,
        "state": allied.state,
        "changed_at": iso(allied.changed_at),
    }
