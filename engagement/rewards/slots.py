"""What a launch lays out: every piece of stock becomes a slot, and in a deck every blank too."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Any, Self

from sqlalchemy import Connection, select

from engagement import scratch
from engagement.rewards.checking import stock_of
from engagement.rewards.records import CampaignRecord, PrizeRecord
from engagement.rewards.tables import PoolCode


@dataclass(frozen=True, slots=True)
class Layout:
    """The slots of a campaign, with the seed by which a deck is shuffled. ``codes`` are the ids of imported codes, by
    the ids of their prizes."""

    campaign: CampaignRecord
    seed: bytes
    codes: dict[str, list[str]]

    @classmethod
    def of(cls, conn: Connection, campaign: CampaignRecord) -> Self:
        codes = {each.id: _codes(conn, campaign.merchant_id, each) for each in campaign.prizes}
        return cls(campaign, scratch.new_seed(), codes)

    def slices(self, most: int) -> Iterator[list[dict[str, Any]]]:
        """Rows, so many at a time. To shuffle a large deck takes a second."""
        rows = self._rows()
        while some := list(islice(rows, most)):
            yield some

    def _rows(self) -> Iterator[dict[str, Any]]:
        """In a deck in the order in which the seed shuffles it, blanks included; else prize by prize."""
        campaign, codes = self.campaign, {prize_id: iter(ids) for prize_id, ids in self.codes.items()}
        for position, index in enumerate(_order(campaign, self.seed)):
            prize = campaign.prizes[index] if index < len(campaign.prizes) else None
            yield {
                "campaign_id": campaign.id,
                "position": position,
                "merchant_id": campaign.merchant_id,
                "prize_id": prize.id if prize else None,
                "pool_code_id": next(codes[prize.id], None) if prize else None,
                "reward_id": None,
            }


def _order(campaign: CampaignRecord, seed: bytes) -> list[int]:
    counts = [stock_of(each) for each in campaign.prizes]
    if campaign.definition.mode == "deck":
        return scratch.shuffled(seed, campaign=campaign.id, counts=[*counts, campaign.definition.nothing])
    return [index for index, count in enumerate(counts) for _ in range(count)]


def _codes(conn: Connection, merchant_id: str, prize: PrizeRecord) -> list[str]:
    if prize.definition.codes != "pool":
        return []
    mine = (PoolCode.merchant_id == merchant_id) & (PoolCode.prize_id == prize.id)
    return list(conn.scalars(select(PoolCode.id).where(mine).order_by(PoolCode.id)))
