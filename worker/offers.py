"""What is done by the clock for offers: baskets are written down, and now and then learned from."""

from datetime import timedelta
from functools import partial
from typing import Final

import structlog

from engagement import shoppers
from engagement.offers import ledger, links, rebuild
from engagement.offers.ledger import Keys
from infra import secrets
from infra.jobs import Payload
from worker.workshop import Workshop

_log = structlog.get_logger()
LEDGER: Final = "offer-ledger"
LEARN: Final = "learn-offers"
LEARN_ALL: Final = "learn-all-offers"
# So far back each night looks for receipts that no look by day has seen, such as those of a long import.
_SECOND_LOOK: Final = timedelta(days=3)


def write_baskets(shop: Workshop, _job_id: str, _payload: Payload) -> None:
    """What was bought since the last look, of all merchants. What a stop leaves, the next one does."""
    count = ledger.catch_up(shop.engine, keys_of(shop), now=shop.clock(), stop=shop.ended.is_set)
    if count:
        _log.info("baskets_written", count=count)


def learn(shop: Workshop, _job_id: str, _payload: Payload) -> None:
    """For merchants with much that is new."""
    _learn(shop, nightly=False)


def learn_all(shop: Workshop, _job_id: str, _payload: Payload) -> None:
    """For every merchant with anything that is new, once a night."""
    stop, now = shop.ended.is_set, shop.clock()
    ledger.catch_up(shop.engine, keys_of(shop), now=now, stop=stop, since=now - _SECOND_LOOK)
    _learn(shop, nightly=True)


def keys_of(shop: Workshop) -> Keys:
    derived = partial(secrets.derived, shop.settings.data)
    return Keys(derived(shoppers.PURPOSE), derived(links.PURPOSE))


def _learn(shop: Workshop, *, nightly: bool) -> None:
    stop = shop.ended.is_set
    count = rebuild.rebuild_due(shop.engine, nightly=nightly, clock=shop.clock, stop=stop)
    if count:
        _log.info("offers_learned", merchants=count)
