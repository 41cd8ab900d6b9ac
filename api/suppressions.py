"""Addresses that the merchant writes to no more, and writing to them again."""

from typing import Annotated, Final

from fastapi import APIRouter, Path, Query, Response
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field
from sqlalchemy import Connection

from accounts.fields import Channel
from api import schemas
from api.answers import json_answer, no_content
from api.house import TheHouse
from api.key_ring import TheCaller
from kernel.clock import iso
from kernel.errors import NotFound
from notify import stopping
from notify.stopping import Reason, Stopped

router = APIRouter(tags=["Deliveries"])
_CURSOR: Final = r"^(email|sms)\.[0-9a-f]{64}$"
# Of an email address, or a phone number.
_ADDRESS: Final = r"^[!-~\u00a1-\uffff]{3,254}$"


class Suppression(BaseModel):
    model_config = ConfigDict(json_schema_mode_override="serialization")

    channel: Channel
    address_sha256: str = Field(description="SHA-256 of the address in lower case, in hex. The address is not kept.")
    reason: Reason
    since: AwareDatetime


class SuppressionList(BaseModel):
    model_config = ConfigDict(json_schema_mode_override="serialization")

    suppressions: list[Suppression]
    next_cursor: str | None


@router.get("/v1/suppressions", response_model=SuppressionList, responses=schemas.READS)
async def list_suppressions(
    house: TheHouse,
    caller: TheCaller,
    limit: Annotated[int, Query(ge=1, le=100)] = 20,
    cursor: Annotated[str | None, Query(pattern=_CURSOR)] = None,
) -> Response:
    """Addresses that are written to no more: they failed for good (`bounced`), called a message spam (`complained`), or
    asked for it (`unsubscribed`). In no order of note. Follow `next_cursor` until it is null."""
    caller.require_whole("accounts:read")
    after = tuple(cursor.split(".", 1)) if cursor else None

    def look(conn: Connection) -> list[Stopped]:
        return stopping.listed(conn, caller.merchant_id, limit=limit + 1, after=after)

    found = await house.read(look)
    last = found[limit - 1] if len(found) > limit else None
    more = f"{last.channel}.{last.digest}" if last else None
    return json_answer({"suppressions": [_shown(each) for each in found[:limit]], "next_cursor": more})


@router.delete("/v1/suppressions/{address:path}", status_code=204, responses=schemas.READS)
async def remove_suppression(
    address: Annotated[str, Path(pattern=_ADDRESS, description="Such as `anna%40example.com`.")],
    house: TheHouse,
    caller: TheCaller,
    channel: Channel = "email",
) -> Response:
    """Write to the address again. Do so only when its owner asked for it, or where it works again."""
    caller.require_whole("accounts:write")
    if not await house.write(lambda conn: stopping.resume(conn, caller.merchant_id, channel, address)):
        raise NotFound("Nothing stands against this address")
    return no_content()


def _shown(stopped: Stopped) -> dict[str, str]:
    return {
        "channel": stopped.channel,
        "address_sha256": stopped.digest,
        "reason": stopped.reason,
        "since": iso(stopped.since),
    }
