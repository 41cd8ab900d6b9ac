"""What is done by the clock."""

from datetime import timedelta
from typing import Final

import structlog
from sqlalchemy import Connection

from cards import forgetting as cards_forgetting
from engagement import forgetting
from infra.jobs import Payload
from notify import asking, sending
from receipts import retention
from worker.workshop import Workshop

_log = structlog.get_logger()
# A message that waits so much longer than it should has lost its job, as after a restore.
_LATE: Final = timedelta(minutes=1)
_REMEMBERED: Final = timedelta(days=7)


def sweep(shop: Workshop, _job_id: str, _payload: Payload) -> None:
    """See to messages that nobody sees to."""
    shop.write(lambda conn: _sweep(conn, shop))


def _sweep(conn: Connection, shop: Workshop) -> None:
    now = shop.clock()
    if shop.mailer is not None and sending.overdue(conn, before=now - _LATE):
        asking.ask_at(conn, shop.jobs, now, now=now)


def purge(shop: Workshop, _job_id: str, _payload: Payload) -> None:
    """Delete receipts and contacts that are older than their merchants keep them. What a stop leaves, the next night
    does."""
    now, stop = shop.clock(), shop.ended.is_set
    count = retention.purge_all(shop.engine, shop.storage, now=now, stop=stop, forget=forgetting.forget_receipts)
    contacts = cards_forgetting.purge_contacts(shop.engine, now=now, stop=stop)
    _log.info("receipts_purged", count=count, contacts=contacts)


def forget_visitors(shop: Workshop, _job_id: str, _payload: Payload) -> None:
    """Forget what tells yesterday's visitors of cards apart, and invites that are over."""
    now, stop = shop.clock(), shop.ended.is_set
    cards_forgetting.forget_days(shop.engine, now=now, stop=stop)
    cards_forgetting.forget_invites(shop.engine, now=now, stop=stop)


def forget_jobs(shop: Workshop, _job_id: str, _payload: Payload) -> None:
    """Forget jobs that were done a week ago."""
    count = shop.jobs.forget_done(before=shop.clock() - _REMEMBERED, stop=shop.ended.is_set)
    _log.info("jobs_forgotten", count=count)
