"""Scratch-card campaigns of the merchant: written, launched, paused, ended; and prizes to supply for others'."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Annotated, Any, Final

from fastapi import APIRouter, Path, Query, Request, Response
from sqlalchemy import Connection, Engine

from accounts.fields import SLUG
from api import campaign_shapes as shapes
from api import schemas
from api.answers import json_answer, no_content
from api.body import binary_body, model_body
from api.campaign_body import campaign_body
from api.campaign_shapes import NewCampaignState, PrizeConsent
from api.house import House, TheHouse
from api.key_ring import TheCaller
from engagement import alliances
from engagement.rewards import code_files, find, launching, managing, pool, supplying
from engagement.rewards.definition import terms_digest
from engagement.rewards.halting import missing_allies
from engagement.rewards.records import CampaignRecord, CampaignState, PrizeRecord
from kernel.clock import iso
from kernel.errors import Conflict
from receipts.fields import context_for

router = APIRouter(tags=["Campaigns"])
# Seconds after which it is worth asking again.
_LAUNCHED_SOON: Final = 5
CampaignId = Annotated[str, Path(pattern=schemas.ID_PATTERN)]


@router.post(
    "/v1/campaigns",
    status_code=201,
    response_model=shapes.CampaignAnswer,
    responses=schemas.WRITES,
    openapi_extra=schemas.body("NewCampaign"),
)
async def create_campaign(request: Request, house: TheHouse, caller: TheCaller) -> Response:
    """A draft. It may lack much: what it does is told when it is launched."""
    caller.require_whole("rewards:write")
    new = await campaign_body(request)

    def write(conn: Connection) -> dict[str, Any]:
        campaign_id = managing.create(conn, caller.merchant_id, new, now=house.clock())
        return _told(conn, caller.merchant_id, campaign_id)

    return json_answer(await house.write(write), 201)


@router.get("/v1/campaigns", response_model=shapes.CampaignList, responses=schemas.READS)
async def list_campaigns(
    house: TheHouse,
    caller: TheCaller,
    limit: Annotated[int, Query(ge=1, le=100)] = 20,
    cursor: Annotated[str | None, Query(pattern=schemas.ID_PATTERN)] = None,
    state: CampaignState | None = None,
) -> Response:
    """Oldest first. Follow `next_cursor` until it is null."""
    caller.require_whole("rewards:read")

    def look(conn: Connection) -> list[dict[str, Any]]:
        found = find.campaigns(conn, caller.merchant_id, at_most=limit + 1, after=cursor or "", state=state)
        return _shown(conn, caller.merchant_id, found)

    found = await house.read(look)
    more = found[limit - 1]["id"] if len(found) > limit else None
    return json_answer({"campaigns": found[:limit], "next_cursor": more})


@router.get("/v1/campaigns/{campaign_id}", response_model=shapes.CampaignAnswer, responses=schemas.READS)
async def get_campaign(campaign_id: CampaignId, house: TheHouse, caller: TheCaller) -> Response:
    """With what was published at its launch and, once it has ended, the seed."""
    caller.require_whole("rewards:read")
    return json_answer(await house.read(lambda conn: _told(conn, caller.merchant_id, campaign_id)))


@router.put(
    "/v1/campaigns/{campaign_id}",
    response_model=shapes.CampaignAnswer,
    responses=schemas.WRITES,
    openapi_extra=schemas.body("NewCampaign"),
)
async def put_campaign(campaign_id: CampaignId, request: Request, house: TheHouse, caller: TheCaller) -> Response:
    """Replace a draft. A prize of the same slug keeps its codes, and an ally's consent while its terms are the same."""
    caller.require_whole("rewards:write")
    new = await campaign_body(request)

    def write(conn: Connection) -> dict[str, Any]:
        managing.put(conn, caller.merchant_id, campaign_id, new, now=house.clock())
        return _told(conn, caller.merchant_id, campaign_id)

    merchant_id, now, kept = caller.merchant_id, house.clock(), {each.slug for each in new.prizes}
    await house.read(lambda conn: managing.require_known(conn, merchant_id, new))
    await house.write_in_slices(lambda engine: pool.empty(engine, merchant_id, campaign_id, keeping=kept, now=now))
    return json_answer(await house.write(write))


@router.delete("/v1/campaigns/{campaign_id}", status_code=204, responses=schemas.WRITES)
async def delete_campaign(campaign_id: CampaignId, house: TheHouse, caller: TheCaller) -> Response:
    """A draft. What was launched can only be ended."""
    caller.require_whole("rewards:write")
    merchant_id, now = caller.merchant_id, house.clock()
    await house.write_in_slices(lambda engine: pool.empty(engine, merchant_id, campaign_id, now=now))
    await house.write(lambda conn: managing.remove(conn, merchant_id, campaign_id))
    return no_content()


@router.put(
    "/v1/campaigns/{campaign_id}/state",
    response_model=shapes.CampaignAnswer,
    responses=schemas.WRITES,
    openapi_extra=schemas.body("NewCampaignState"),
)
async def put_campaign_state(campaign_id: CampaignId, request: Request, house: TheHouse, caller: TheCaller) -> Response:
    """Launch, pause, let go on, end. 422 `campaign-not-ready` names each field that keeps a draft from its launch."""
    caller.require_whole("rewards:write")
    state, merchant_id = (await model_body(request, NewCampaignState)).state, caller.merchant_id

    def look(conn: Connection) -> dict[str, Any]:
        return _told(conn, merchant_id, campaign_id)

    def launch(engine: Engine) -> None:
        keys, jobs = house.reward_keys, house.post.jobs
        with _alone(house, campaign_id):
            launching.launch_in_slices(engine, keys, jobs, merchant_id, campaign_id, clock=house.clock)

    def put(conn: Connection) -> None:
        launching.set_state(conn, merchant_id, campaign_id, state, sealer=house.sealer, now=house.clock())

    if state == "live" and (await house.read(look))["state"] == "draft":
        await house.write_in_slices(launch)
    else:
        await house.write(put)
    house.writer.giver.campaigns.forget()
    return json_answer(await house.read(look))


@router.put(
    "/v1/campaigns/{campaign_id}/prizes/{prize}/codes",
    response_model=shapes.ImportedCodes,
    responses=schemas.WRITES,
    openapi_extra=shapes.CODES_BODY,
)
async def put_prize_codes(
    campaign_id: CampaignId,
    prize: Annotated[str, Path(pattern=SLUG)],
    request: Request,
    house: TheHouse,
    caller: TheCaller,
) -> Response:
    """Codes from elsewhere, one a line or in the column `code` of a CSV file. They take the place of those before; each
    is one piece of the prize's stock. 422 names the lines at fault, `/1` the first."""
    caller.require_whole("rewards:write")
    data = await binary_body(request, most=shapes.MOST_CODES_BYTES)

    codes = await house.reporting.run(lambda: pool.sealed(house.reward_keys, code_files.read(data)))

    def write(engine: Engine) -> int:
        return pool.put(engine, caller.merchant_id, campaign_id, prize, codes, now=house.clock())

    return json_answer({"codes": await house.write_in_slices(write)})


@router.get("/v1/prizes-to-supply", response_model=shapes.PrizesToSupply, responses=schemas.READS)
async def list_prizes_to_supply(
    house: TheHouse,
    caller: TheCaller,
    limit: Annotated[int, Query(ge=1, le=100)] = 20,
    cursor: Annotated[str | None, Query(pattern=schemas.ID_PATTERN)] = None,
) -> Response:
    """Prizes of allies' campaigns that you are to hand out and redeem; oldest first."""
    caller.require_whole("rewards:read")

    found, more = await house.read(
        lambda conn: supplying.asked(conn, caller.merchant_id, at_most=limit, after=cursor or "")
    )
    return json_answer({"prizes": [_to_supply(*each) for each in found], "next_cursor": more})


@router.post(
    "/v1/prizes-to-supply/{prize_id}/consent",
    status_code=204,
    responses=schemas.WRITES,
    openapi_extra=schemas.body("PrizeConsent"),
)
async def consent_to_prize(
    prize_id: Annotated[str, Path(pattern=schemas.ID_PATTERN)], request: Request, house: TheHouse, caller: TheCaller
) -> Response:
    """To the terms as they were read. Without it the campaign is not launched. 409 where they are others by now."""
    caller.require_whole("rewards:write")
    terms = (await model_body(request, PrizeConsent)).terms
    await house.write(
        lambda conn: supplying.consent(conn, caller.merchant_id, prize_id, terms=terms, now=house.clock())
    )
    return no_content()


@contextmanager
def _alone(house: House, campaign_id: str) -> Iterator[None]:
    """A client that has lost its patience and asks again does not take the draft over from its own first launch. Raises
    :class:`Conflict`."""
    mark = object()
    # Of two threads one is first.
    if house.launching.setdefault(campaign_id, mark) is not mark:
        raise Conflict("It is being launched just now; ask whether it is live", retry_after=_LAUNCHED_SOON)
    try:
        yield
    finally:
        del house.launching[campaign_id]


def _told(conn: Connection, merchant_id: str, campaign_id: str) -> dict[str, Any]:
    return _shown(conn, merchant_id, [find.campaign(conn, merchant_id, campaign_id)])[0]


def _shown(conn: Connection, merchant_id: str, records: Sequence[CampaignRecord]) -> list[dict[str, Any]]:
    allies = alliances.allies(conn, merchant_id).values()
    return [_campaign(each) | {"missing_allies": missing_allies(each, allies)} for each in records]


def _campaign(record: CampaignRecord) -> dict[str, Any]:
    told = record.definition
    return told.model_dump(mode="json", context=context_for(told.currency)) | {
        "id": record.id,
        "state": record.state,
        "always_win": record.is_always_win,
        "prizes": [_prize(each) for each in record.prizes],
        "seed_digest": record.seed_digest,
        "table_digest": record.table_digest,
        "table": record.published,
        "seed": record.seed,
        "created_at": iso(record.created_at),
        "changed_at": iso(record.changed_at),
        "launched_at": iso(record.launched_at) if record.launched_at else None,
        "ended_at": iso(record.ended_at) if record.ended_at else None,
    }


def _prize(prize: PrizeRecord) -> dict[str, Any]:
    consented_at = iso(prize.consented_at) if prize.consented_at else None
    return _written(prize) | {
        "id": prize.id,
        "imported": prize.codes,
        "consented_at": consented_at,
    }


def _written(prize: PrizeRecord) -> dict[str, Any]:
    return prize.definition.model_dump(mode="json", context=context_for(prize.currency))


def _to_supply(campaign: CampaignRecord, issuer: str, prize: PrizeRecord) -> dict[str, Any]:
    told = campaign.definition
    return {
        "id": prize.id,
        "campaign_id": campaign.id,
        "campaign": dict(told.name),
        "issuer": issuer,
        "state": campaign.state,
        "starts_at": told.starts_at,
        "ends_at": told.ends_at,
        "timezone": told.timezone,
        "late_days": told.late_days,
        "scratch_days": told.scratch_days,
        "prize": _written(prize),
        "currency": prize.currency,
        "imported": prize.codes,
        "terms": terms_digest(told, prize.definition, codes=prize.codes),
        "consented_at": iso(prize.consented_at) if prize.consented_at else None,
    }
