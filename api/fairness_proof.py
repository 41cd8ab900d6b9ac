"""``GET /v1/campaigns/{id}/proof``: what was promised before a campaign began, and once it has ended every draw."""

from datetime import datetime
from typing import Annotated, Any, Final

from fastapi import APIRouter, Query, Response
from pydantic import BaseModel, ConfigDict, Field, JsonValue
from sqlalchemy import Connection

from api import schemas
from api.answers import json_answer
from api.fairness_view import as_proof, draw_json
from api.house import TheHouse
from engagement.rewards import find
from engagement.rewards.proof import FORMAT
from engagement.rewards.records import CampaignRecord

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
    seed: str | None = Field(description="In hex, once the campaign has ended.")
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
    can still be scratched, in pages of 10,000.
    """
    return json_answer(await house.read_long(lambda conn: _proof(conn, campaign_id, cursor or "", house.clock())))


def _proof(conn: Connection, campaign_id: str, after: str, now: datetime) -> dict[str, Any]:
    campaign = find.published(conn, campaign_id)
    told = {"format": FORMAT, **as_proof(campaign), "cards": 0, "unscratched": 0, "left_out": []}
    told |= {"draws": [], "next_cursor": None}
    if campaign.seed is None:
        return told
    draws = find.draws(conn, campaign.merchant_id, campaign_id, now=now, at_most=_PAGE + 1, after=after)
    page = draws[:_PAGE]
    cards, hidden = find.count_draws(conn, campaign.merchant_id, campaign_id, now=now)
    return told | {
        "cards": cards,
        "unscratched": hidden,
        "left_out": _left_out(conn, campaign),
        "draws": [draw_json(each) for each in page],
        "next_cursor": page[-1].reward_id if len(draws) > _PAGE else None,
    }


def _left_out(conn: Connection, campaign: CampaignRecord) -> list[int]:
    is_deck = campaign.definition.mode == "deck"
    return find.left_out(conn, campaign.merchant_id, campaign.id) if is_deck else []
