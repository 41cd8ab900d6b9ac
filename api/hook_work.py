"""Working on the inbox at the edge: the transactions, the loop over what is due, and what a broken-off try leads to."""

from datetime import datetime

import structlog
from sqlalchemy import Engine

from infra.database import reading
from pos import inbox
from pos.gifts import Giver
from receipts.issue import Issued

_log = structlog.get_logger()


def work_on(
    engine: Engine, merchant_id: str, event_id: str, *, now: datetime, giver: Giver | None = None
) -> list[Issued]:
    """Settle a waiting event, and what waited for it. Gives the receipts that they led to; ``giver`` gives what these
    have earned."""
    issued: list[Issued] = []
    left = [event_id]
    while left:
        settled = _settled(engine, merchant_id, left.pop(), now, giver)
        issued += settled.issued
        left += settled.woken
    return issued


def _settled(engine: Engine, merchant_id: str, event_id: str, now: datetime, giver: Giver | None) -> inbox.Settled:
    """Understood before the transaction: a large order takes a while to read, and the tills wait to write."""
    with reading(engine) as conn:
        event = inbox.understand(conn, merchant_id, event_id)
    if event is None:
        return inbox.Settled()
    with engine.begin() as conn:
        return inbox.settle(conn, event, now=now, giver=giver)


def sweep(engine: Engine, *, now: datetime, giver: Giver | None = None) -> tuple[list[Issued], bool]:
    """Work on what is due: what a crash left behind, and what waits for an event that has not come. Gives the receipts
    that it led to, and whether more may be due."""
    with reading(engine) as conn:
        waiting, failed = inbox.due(conn, "waiting", now=now), inbox.due(conn, "failed", now=now)
    issued = [each for merchant_id, event_id in waiting for each in _tried(engine, merchant_id, event_id, now, giver)]
    for merchant_id, event_id in failed:
        with engine.begin() as conn:
            inbox.empty(conn, merchant_id, event_id)
    return issued, inbox.MOST_DUE in (len(waiting), len(failed))


def _tried(engine: Engine, merchant_id: str, event_id: str, now: datetime, giver: Giver | None) -> list[Issued]:
    """One event that cannot be worked on must not keep the others waiting."""
    try:
        return work_on(engine, merchant_id, event_id, now=now, giver=giver)
    except Exception as error:
        _log.error("hook_event_failed", hook_event=event_id, error=type(error).__name__)
    with engine.begin() as conn:
        inbox.postpone(conn, merchant_id, event_id, now=now)
    return []
