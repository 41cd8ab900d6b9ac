"""Codes that promoters handed on, and what came of them."""

from typing import Annotated, Any, Final

from fastapi import APIRouter, Query, Response
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field
from sqlalchemy import Connection

from accounts.fields import SLUG
from api import card_answers, schemas
from api.answers import csv_answer, json_answer
from api.days import TheDays
from api.house import TheHouse
from api.key_ring import TheCaller
from engagement.voice import referrals
from engagement.voice.referrals import ReferralInfo, Sums
from infra.csv_text import csv_text
from kernel import money
from kernel.clock import iso

router = APIRouter(prefix="/v1", tags=["Cases and reviews"])
_MOST_ROWS: Final = 10_000
Cursor = Annotated[str | None, Query(pattern=r"^ref_[0-9a-z]{26}$")]
Store = Annotated[str | None, Query(pattern=SLUG)]


class _Answer(BaseModel):
    model_config = ConfigDict(json_schema_mode_override="serialization")


class ReferralSums(_Answer):
    sales: int = Field(description="Sales that carried a code: of a known shopper the first, of others each.")
    shoppers: int = Field(description="Known shoppers, each once.")
    new_shoppers: int = Field(description="Those of them who had bought nothing before.")
    revenue: dict[str, str] = Field(description="By currency, less what went back.")


class ReferralSummary(ReferralSums):
    id: str
    answer_id: str | None = Field(description="The promoter's answer; null once it is forgotten.")
    receipt_id: str | None
    store: str | None
    last4: str | None = Field(description="The end of the code; null for the minute until it is noted.")
    offered_at: AwareDatetime
    is_retired: bool = Field(description="Its shopper was erased: it counts no more.")


class ReferralList(_Answer):
    referrals: list[ReferralSummary]
    next_cursor: str | None


class ReferralNumbers(ReferralSums):
    """Of codes that were offered in the time, and what came of them until now."""

    first: str = Field(alias="from")
    to: str
    offered: int
    used: int = Field(description="Codes of which at least one sale came.")


@router.get("/referrals", response_model=ReferralList, responses=schemas.READS)
async def list_referrals(
    house: TheHouse,
    caller: TheCaller,
    limit: Annotated[int, Query(ge=1, le=100)] = 20,
    cursor: Cursor = None,
    store: Store = None,
) -> Response:
    """Newest first. The codes themselves are kept nowhere. A key that is bound to a store sees those of that store."""
    caller.require("surveys:read")

    def look(conn: Connection) -> list[ReferralInfo]:
        where = {"store_id": card_answers.within(conn, caller, store), "after": cursor}
        return referrals.listed(conn, caller.merchant_id, limit=limit + 1, **where)

    found = await house.read(look)
    more = found[limit - 1].id if len(found) > limit else None
    return json_answer({"referrals": [_shown(each) for each in found[:limit]], "next_cursor": more})


@router.get("/referrals.csv", response_class=Response, responses=schemas.CSV)
async def referrals_csv(
    house: TheHouse,
    caller: TheCaller,
    limit: Annotated[int, Query(ge=1, le=_MOST_ROWS)] = _MOST_ROWS,
    cursor: Cursor = None,
    store: Store = None,
) -> Response:
    """The same as a table for spreadsheets, the newest 10,000; for older ones, the last row's `id` is the `cursor`."""
    caller.require("surveys:read")
    head = ("id", "answer_id", "receipt_id", "store", "last4", "offered_at", "is_retired", *ReferralSums.model_fields)

    def table(conn: Connection) -> bytes:
        where = {"store_id": card_answers.within(conn, caller, store), "after": cursor}
        found = referrals.listed(conn, caller.merchant_id, limit=limit, **where)
        return csv_text(head, [_row(_shown(each)) for each in found])

    return csv_answer(await house.read_long(table), "referrals.csv")


@router.get("/referral-numbers", response_model=ReferralNumbers, responses=schemas.READS)
async def referral_numbers(house: TheHouse, caller: TheCaller, days: TheDays, store: Store = None) -> Response:
    """How many codes were offered in a time, how many were used, and what came of them."""
    caller.require("surveys:read")

    def look(conn: Connection) -> Response:
        store_id = card_answers.within(conn, caller, store)
        time = {"since": days.since, "before": days.before}
        found = referrals.numbers(conn, caller.merchant_id, store_id=store_id, **time)
        counts = {"offered": found.offered, "used": found.used}
        return json_answer(days.as_json() | counts | _sums(found.sums))

    return await house.read_long(look)


def _shown(each: ReferralInfo) -> dict[str, Any]:
    told = {name: getattr(each, name) for name in ("id", "answer_id", "receipt_id", "store", "last4")}
    return told | {"offered_at": iso(each.offered_at), "is_retired": each.is_retired} | _sums(each.sums)


def _sums(sums: Sums) -> dict[str, Any]:
    revenue = {code: money.plain(amount, money.exponent(code)) for code, amount in sums.revenue.items()}
    counts = {"sales": sums.sales, "shoppers": sums.shoppers, "new_shoppers": sums.new_shoppers}
    return counts | {"revenue": revenue}


def _row(shown: dict[str, Any]) -> tuple[Any, ...]:
    """Sums of several currencies share a cell."""
    revenue = "; ".join(f"{amount} {code}" for code, amount in shown["revenue"].items())
    return tuple((shown | {"revenue": revenue}).values())
