"""What is done about campaigns by the clock."""

from datetime import datetime
from functools import partial
from typing import Final

import structlog

from engagement.rewards import (
    entrants,
    expiring,
    first,
    flagging,
    guessing,
    launching,
    marks,
    prize_wallets,
    sealed,
    watching,
)
from engagement.rewards.keys import RewardKeys
from infra.database import in_turn
from infra.jobs import Payload
from infra.trouble import reason
from worker.workshop import Workshop

EXPIRE: Final = "expire-rewards"
WATCH: Final = "watch-rewards"
_OTHER_KEY: Final = "COUNTERFOIL_SECRET_KEY (or secret.key) is not the key that sealed it"
_log = structlog.get_logger()


def expire_rewards(shop: Workshop, _job_id: str, _payload: Payload) -> None:
    """Call what is over so, cards first, and end campaigns whose last sale was told. Where the key of a seed is there
    again, tell it. What a stop leaves, the next time does."""
    now, count = shop.clock(), 0
    while not shop.ended.is_set():
        with in_turn(shop.engine) as conn:
            some = expiring.expire(conn, now=now)
            prize_wallets.tell(conn, shop.jobs, some, now=now)
        count += len(some)
        if not some:
            break
    ended = _end_campaigns(shop, now)
    _forget_marks(shop)
    if count or ended:
        _log.info("rewards_expired", count=count, campaigns_ended=ended)


def _end_campaigns(shop: Workshop, now: datetime) -> int:
    """How many have ended."""
    due = shop.read(partial(launching.due_to_end, now=now))
    for merchant_id, campaign_id in [*due, *shop.read(partial(sealed.to_tell, sealer=shop.sealer))]:
        with in_turn(shop.engine) as conn:
            is_told = launching.end(conn, merchant_id, campaign_id, sealer=shop.sealer, now=now)
        if not is_told:
            _log.error("campaign_ended_without_its_seed", campaign=campaign_id, why=_OTHER_KEY)
    return len(due)


def _forget_marks(shop: Workshop) -> None:
    """Of campaigns that have ended, the last that was kept of shoppers whose receipts were purged."""
    for merchant_id, campaign_id in shop.read(marks.of_ended):
        is_more = True
        while is_more and not shop.ended.is_set():
            with in_turn(shop.engine) as conn:
                is_more = marks.forget_some(conn, merchant_id, campaign_id)


def see_first_purchases(shop: Workshop, _job_id: str, payload: Payload) -> None:
    """Write down who bought while other servers did not know yet that it matters."""
    keys = RewardKeys.of(shop.settings.data, shop.sealer)
    since, until = (datetime.fromisoformat(payload[each]) for each in ("since", "until"))
    first.see(shop.engine, keys, payload["merchant"], since=since, until=until)


def watch_rewards(shop: Workshop, _job_id: str, _payload: Payload) -> None:
    """Forget who was wrong, or played without a purchase, by yesterday, and flag what does not look right. Where that
    cannot be told of one merchant, it is told of the others."""
    now = shop.clock()
    shop.write(partial(guessing.forget, now=now))
    shop.write(partial(entrants.forget, now=now))
    for merchant_id in shop.read(watching.merchants):
        if shop.ended.is_set():
            break
        try:
            _flag_seen(shop, merchant_id, now)
        except Exception as error:
            _log.error("rewards_not_watched", merchant=merchant_id, **reason(error))


def _flag_seen(shop: Workshop, merchant_id: str, now: datetime) -> None:
    keys = RewardKeys.of(shop.settings.data, shop.sealer)
    for about in shop.read(partial(watching.seen, keys=keys, merchant_id=merchant_id, now=now)):
        shop.write(partial(flagging.flag, merchant_id=merchant_id, about=about, now=now))
