"""What is done about campaigns by the clock."""

from datetime import datetime
from functools import partial
from typing import Final

import structlog

from engagement.rewards import entrants, expiring, first, flagging, guessing, launching, marks, prize_wallets, watching
from engagement.rewards.keys import RewardKeys
from infra.database import in_turn
from infra.jobs import Payload
from infra.secrets import Unsealable
from worker.workshop import Workshop

EXPIRE: Final = "expire-rewards"
WATCH: Final = "watch-rewards"
_log = structlog.get_logger()


def expire_rewards(shop: Workshop, _job_id: str, _payload: Payload) -> None:
    """Call what is over so, cards first, and end campaigns whose last sale was told. What a stop leaves, the next time
    does."""
    now, count = shop.clock(), 0
    while not shop.ended.is_set():
        with in_turn(shop.engine) as conn:
            some = expiring.expire(conn, now=now)
            prize_wallets.tell(conn, shop.jobs, some, now=now)
        count += len(some)
        if not some:
            break
    ended = shop.read(lambda conn: launching.due_to_end(conn, now=now))
    for merchant_id, campaign_id in ended:
        try:
            with in_turn(shop.engine) as conn:
                launching.end(conn, merchant_id, campaign_id, sealer=shop.sealer, now=now)
        except Unsealable as problem:
            # The others end all the same.
            _log.error("campaign_not_ended", campaign=campaign_id, why=problem.detail)
    _forget_marks(shop)
    if count or ended:
        _log.info("rewards_expired", count=count, campaigns_ended=len(ended))


def _forget_marks(shop: Workshop) -> None:
    """Of campaigns that have ended, the last that was kept of shoppers whose receipts were purged."""
    for merchant_id, campaign_id in shop.read(marks.of_ended):
        is_more = True
        while is_more and not shop.ended.is_set():
            with in_turn(shop.engine) as conn:
                is_more = marks.forget_some(conn, merchant_id, campaign_id)


def see_first_purchases(shop: Workshop, _job_id: str, payload: Payload) -> None:
    """Write down who bought while other servers did not know yet that it matters."""
    keys, since = RewardKeys.of(shop.settings.data, shop.sealer), datetime.fromisoformat(payload["since"])
    shop.write(partial(first.catch_up, keys=keys, merchant_id=payload["merchant"], since=since))


def watch_rewards(shop: Workshop, _job_id: str, _payload: Payload) -> None:
    """Flag what does not look right, and forget who was wrong, or played without a purchase, by yesterday."""
    now, keys = shop.clock(), RewardKeys.of(shop.settings.data, shop.sealer)
    for merchant_id in shop.read(watching.merchants):
        if shop.ended.is_set():
            break
        for about in shop.read(partial(watching.seen, keys=keys, merchant_id=merchant_id, now=now)):
            shop.write(partial(flagging.flag, merchant_id=merchant_id, about=about, now=now))
    shop.write(partial(guessing.forget, now=now))
    shop.write(partial(entrants.forget, now=now))
