"""``GET /v1/campaigns/{id}/proof``: what was promised before a campaign began, and once it has ended every draw."""

from datetime import datetime
from typing import Annotated, Any, Final

from fastapi import APIRouter, Query, Response
from pydantic import BaseModel, ConfigDict, Field, JsonValue
from sqlalchemy import Connection

from api import schemas
from api.answers import json_answer
from api.fairness_view import as_proof, draw_json
from api.house import House, ProofCounts, TheHouse
from engagement.rewards import find
from engagement.rewards.proof import FORMAT
from engagement.rewards.records import CampaignRecord
from infra.database import reading

router = APIRouter(tags=["Campaigns"])
_PAGE: Final = 10_000


class ProofDraw(BaseModel):
    """How one card was drawn: by the number `nonce` of its `entry`, after earlier numbers drew the prizes `gone`, of
    which none were left; or, of a deck, by its place."""

    model_config = ConfigDict(json_schema_mode_override="serialization")

    reward: str
    entry: str = Field(description="What it was drawn for: SHA-256 of its receipt's id, a slash and its number there.")
    nonce: int | None
    gone: list[int] = Field(description="Indices of prizes.")
    position: int | None
    outcome: int = Field(description="The index of the prize; that after the last one for a blank.")
    void: str | None = Field(description="Why it was taken back: `refunded`, `voided` or `withdrawn`, by the merchant.")


class CampaignProof(BaseModel):
    model_config = ConfigDict(json_schema_mode_override="serialization")

    format: str
    campaign: str
    seed_sha256: str
    table_sha256: str
    table: dict[str, JsonValue] = Field(
        description="As its hash was taken: its canonical JSON (RFC 8785). Its amounts are whole numbers of the "
        "currency's smallest unit."
    )
    ended: bool = Field(description="Whether the campaign has.")
    seed: str | None = Field(
        description="In hex, once the campaign has ended. Null after that where the service has lost the key that "
        "sealed it: then there are draws, and no proof of them."
    )
    cards: int = Field(description="How many draws all pages have; 0 before the end.")
    unscratched: int = Field(description="Cards that are left out until they are scratched or expire.")
    left_out: list[int] = Field(
        description="Places of a deck that no card has, though a later one was dealt: of a sale that was broken off "
        "just before the end."
    )
    draws: list[ProofDraw]
    next_cursor: str | None


@router.get(
    "/v1/campaigns/{campaign_id}/proof", response_model=CampaignProof, responses=schemas.problems(404, 422, 503)
)
async def get_campaign_proof(
    campaign_id: schemas.Id,
    house: TheHouse,
    cursor: Annotated[str | None, Query(pattern=schemas.ID_PATTERN)] = None,
) -> Response:
    """Of a campaign that was launched. It needs no key: everybody may check it, and `counterfoil rewards verify` does.

    Before the end it holds the two hashes and the table of prizes, then the seed too and every draw but of cards that
    can still be scratched, in pages of 10,000. How many cards there are is up to a minute old.
    """
    campaign = await house.read(lambda conn: find.published(conn, campaign_id))
    if not campaign.has_ended:
        return json_answer(_promises(campaign))
    return json_answer(await house.proving.run(lambda: _proof(house, campaign, cursor or "")))


def _promises(campaign: CampaignRecord) -> dict[str, Any]:
    told = {"format": FORMAT, **as_proof(campaign), "cards": 0, "unscratched": 0, "left_out": []}
    return told | {"draws": [], "next_cursor": None}


def _proof(house: House, campaign: CampaignRecord, after: str) -> dict[str, Any]:
    now = house.clock()
    with reading(house.engine) as conn:
        counts = house.proof_counts.get(campaign.id) or _count(conn, house, campaign, now)
        draws = find.draws(conn, campaign.merchant_id, campaign.id, now=now, at_most=_PAGE + 1, after=after)
    page = draws[:_PAGE]
    return _promises(campaign) | {
        "cards": counts.cards,
        "unscratched": counts.unscratched,
        "left_out": list(counts.left_out),
        "draws": [draw_json(each) for each in page],
        "next_cursor": page[-1].reward_id if len(draws) > _PAGE else None,
    }


def _count(conn: Connection, house: House, campaign: CampaignRecord, now: datetime) -> ProofCounts:
    """All cards of the campaign are read for it, so once a minute is enough."""
    mark = house.proof_counts.mark()
    is_deck = campaign.definition.mode == "deck"
    left_out = find.left_out(conn, campaign.merchant_id, campaign.id) if is_deck else []
    told, hidden = find.count_draws(conn, campaign.merchant_id, campaign.id, now=now)
    counts = ProofCounts(told, hidden, tuple(left_out))
    house.proof_counts.put(campaign.id, counts, mark)
    return counts
