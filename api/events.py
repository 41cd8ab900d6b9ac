"""What happened at a merchant, for their programs to read in order."""

from typing import Annotated, Any

from fastapi import APIRouter, Query, Response
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, JsonValue

from api import schemas
from api.answers import json_answer
from api.house import TheHouse
from api.key_ring import TheCaller
from engagement import events
from engagement.events import Happened
from kernel.clock import iso

router = APIRouter(tags=["Events"])


class Event(BaseModel):
    model_config = ConfigDict(json_schema_mode_override="serialization")

    id: str
    kind: str
    receipt_id: str | None
    data: dict[str, JsonValue] = Field(description="Ids and figures; nothing personal, no code and no token.")
    happened_at: AwareDatetime


class EventList(BaseModel):
    model_config = ConfigDict(json_schema_mode_override="serialization")

    events: list[Event]
    next_cursor: str | None = Field(description="Ask again with it, at once or later, for what comes after.")


@router.get("/v1/events", response_model=EventList, responses=schemas.READS)
async def list_events(
    house: TheHouse,
    caller: TheCaller,
    limit: Annotated[int, Query(ge=1, le=500)] = 100,
    cursor: Annotated[str | None, Query(pattern=schemas.ID_PATTERN)] = None,
    kind: Annotated[str | None, Query(pattern=r"^[a-z_.]{1,40}$", description="Such as `survey.answered`.")] = None,
) -> Response:
    """Oldest first, each once, from ten seconds after it happened. Keep the cursor: it stays good, also where there is
    nothing new."""
    caller.require_whole("events:read")
    found = await house.read(
        lambda conn: events.listed(
            conn, caller.merchant_id, now=house.clock(), at_most=limit, after=cursor or "", kind=kind
        )
    )
    return json_answer({"events": [_shown(each) for each in found], "next_cursor": found[-1].id if found else cursor})


def _shown(happened: Happened) -> dict[str, Any]:
    return {
        "id": happened.id,
        "kind": happened.kind,
        "receipt_id": happened.receipt_id,
        "data": happened.data,
        "happened_at": iso(happened.happened_at),
    }
