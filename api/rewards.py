"""Rewards: looked up, held, redeemed and taken back by tills of who supplies them; listed for who issued them."""

from collections.abc import Mapping
from typing import Annotated, Any, TypeVar

from fastapi import APIRouter, Header, Path, Query, Request, Response
from sqlalchemy import Connection

from api import campaign_shapes as shapes
from api import reward_answers as answers
from api import schemas
from api.answers import json_answer
from api.body import model_body
from api.campaign_shapes import Reservation, RewardRollback, RewardUse
from api.house import TheHouse
from api.key_ring import TheCaller
from engagement.rewards import find, flagging, prize_wallets, redeeming, withdrawing
from engagement.rewards.records import RewardRecord, RewardState
from engagement.rewards.redeeming import Named, RedemptionRecord, Till, Use
from kernel.errors import FieldError, Forbidden, Invalid
from receipts.fields import context_for

router = APIRouter(tags=["Rewards"])
RewardCode = Annotated[
    str, Path(max_length=100, description="As the shopper shows it, in any case, with or without dashes.")
]
RewardId = Annotated[str, Path(pattern=schemas.ID_PATTERN)]
UseKey = Annotated[
    str | None,
    Header(
        alias="Idempotency-Key",
        max_length=200,
        pattern=r"^[\x21-\x7e]+$",
        description="The same key again is answered as it was before.",
    ),
]
Model = TypeVar("Model", Reservation, RewardUse, RewardRollback)
_LIMITED = schemas.problems(429)
_USES = schemas.WRITES | _LIMITED


@router.get("/v1/rewards", response_model=shapes.RewardList, responses=schemas.READS)
async def list_rewards(
    house: TheHouse,
    caller: TheCaller,
    limit: Annotated[int, Query(ge=1, le=100)] = 20,
    cursor: Annotated[str | None, Query(pattern=schemas.ID_PATTERN)] = None,
    campaign: Annotated[str | None, Query(pattern=schemas.ID_PATTERN)] = None,
    receipt: Annotated[str | None, Query(pattern=schemas.ID_PATTERN)] = None,
    state: RewardState | None = None,
) -> Response:
    """Those that you issued, oldest first; never with a code. Follow `next_cursor` until it is null."""
    caller.require_whole("rewards:read")

    def look(conn: Connection) -> list[RewardRecord]:
        after, named = cursor or "", {"campaign_id": campaign, "receipt_id": receipt}
        return find.listed(conn, caller.merchant_id, at_most=limit + 1, after=after, state=state, **named)

    found = await house.read(look)
    now, more = house.clock(), found[limit - 1].id if len(found) > limit else None
    told = [answers.shown(each, caller.merchant_id, now) for each in found[:limit]]
    return json_answer({"rewards": told, "next_cursor": more})


@router.get("/v1/rewards/{code}", response_model=shapes.RewardAnswer, responses=schemas.READS | _LIMITED)
async def get_reward(code: RewardCode, house: TheHouse, caller: TheCaller) -> Response:
    """By its code, for who issued it and who hands it out. Who asks for too many wrong codes has to wait."""
    if not caller.scopes & {"rewards:read", "rewards:redeem"}:
        raise Forbidden("This needs a key with the scope rewards:redeem or rewards:read")
    reward = await answers.found(house, caller, code)
    return json_answer(answers.shown(reward, caller.merchant_id, house.clock()))


@router.post(
    "/v1/rewards/{code}/reserve",
    response_model=shapes.RewardAnswer,
    responses=_USES,
    openapi_extra=schemas.body("Reservation"),
)
async def reserve_reward(code: RewardCode, request: Request, house: TheHouse, caller: TheCaller) -> Response:
    """Hold it while a sale is rung up, so that no other till takes it. The same `holder` may ask again, for longer."""
    caller.require("rewards:redeem")
    wanted = await _body(request, Reservation)
    reward, holder = await answers.found(house, caller, code), wanted.holder or caller.key_id
    now = house.clock()
    held = await house.write(
        lambda conn: redeeming.reserve(conn, caller.merchant_id, reward, holder=holder, seconds=wanted.seconds, now=now)
    )
    return json_answer(answers.shown(held, caller.merchant_id, now))


@router.post(
    "/v1/rewards/{code}/redeem",
    response_model=shapes.RedemptionAnswer,
    responses=_USES,
    openapi_extra=schemas.body("RewardUse"),
)
async def redeem_reward(
    code: RewardCode, request: Request, house: TheHouse, caller: TheCaller, idempotency_key: UseKey = None
) -> Response:
    """Use it, once: of two tills at the same moment one wins. Only who supplies the prize can."""
    caller.require("rewards:redeem")
    reward = await answers.found(house, caller, code, Named(idempotency_key=idempotency_key))
    now = house.clock()
    wanted = await _body(request, RewardUse, context_for(reward.currency))
    use = Use(wanted.holder or caller.key_id, wanted.amount, wanted.external_id, idempotency_key)
    till = Till(caller.key_id, caller.store_id, caller.till_id)

    def write(conn: Connection) -> RedemptionRecord:
        used = redeeming.redeem(conn, caller.merchant_id, reward, use, till=till, now=now)
        prize_wallets.tell(conn, house.post.jobs, [reward.id], now=now)
        return used

    return json_answer(answers.redemption(await house.write(write)))


@router.post(
    "/v1/rewards/{code}/rollback",
    response_model=shapes.RewardAnswer,
    responses=_USES,
    openapi_extra=schemas.body("RewardRollback"),
)
async def roll_back_reward(code: RewardCode, request: Request, house: TheHouse, caller: TheCaller) -> Response:
    """Take a redemption back, as when the sale is cancelled; or let go of a reservation. Twice is the same as once."""
    caller.require("rewards:redeem")
    wanted = await _body(request, RewardRollback)
    if wanted.redemption and wanted.holder:
        raise Invalid(errors=[FieldError("/holder", "must be left out where a redemption is named")])
    reward = await answers.found(house, caller, code, Named(redemption_id=wanted.redemption))
    now = house.clock()

    def write(conn: Connection) -> RewardRecord:
        if wanted.redemption:
            back = redeeming.roll_back(conn, caller.merchant_id, reward, redemption_id=wanted.redemption, now=now)
            prize_wallets.tell(conn, house.post.jobs, [reward.id], now=now)
            return back
        return redeeming.release(conn, caller.merchant_id, reward, holder=wanted.holder or caller.key_id, now=now)

    return json_answer(answers.shown(await house.write(write), caller.merchant_id, now))


@router.post("/v1/rewards/{reward_id}/void", response_model=shapes.RewardAnswer, responses=schemas.WRITES)
async def void_reward(reward_id: RewardId, house: TheHouse, caller: TheCaller) -> Response:
    """Take a card back that you issued, by its `id`. Twice is the same as once; 409 where it was used."""
    caller.require_whole("rewards:write")
    now = house.clock()

    def write(conn: Connection) -> RewardRecord:
        withdrawing.withdraw(conn, caller.merchant_id, reward_id, now=now)
        prize_wallets.tell(conn, house.post.jobs, [reward_id], now=now)
        return find.reward(conn, caller.merchant_id, reward_id)

    return json_answer(answers.shown(await house.write(write), caller.merchant_id, now))


@router.get("/v1/reward-flags", response_model=shapes.RewardFlagList, responses=schemas.READS)
async def list_reward_flags(
    house: TheHouse,
    caller: TheCaller,
    limit: Annotated[int, Query(ge=1, le=100)] = 20,
    cursor: Annotated[str | None, Query(pattern=schemas.ID_PATTERN)] = None,
) -> Response:
    """What a person should look at: cards that were used and then refunded, too many for one shopper or by one key,
    staff who favour one shopper, codes that were tried. Oldest first."""
    caller.require_whole("rewards:read")
    found = await house.read(
        lambda conn: flagging.listed(conn, caller.merchant_id, at_most=limit + 1, after=cursor or "")
    )
    more = found[limit - 1].id if len(found) > limit else None
    return json_answer({"flags": [answers.flag(each) for each in found[:limit]], "next_cursor": more})


async def _body(request: Request, model: type[Model], context: Mapping[str, Any] | None = None) -> Model:
    """A till that has nothing to say may send no body."""
    return await model_body(request, model, context) if await request.body() else model()
