"""What jobs and messages look like just now, for ``/metrics``."""

from collections.abc import Iterator

from sqlalchemy import Connection, func, select

from infra import jobs
from infra.metrics import JOBS_NOW, MESSAGES, OLDEST_JOB
from infra.scrape import Reading, at_scrape
from kernel.clock import utc_now
from notify.tables import IS_WAITING, Message


def register() -> None:
    """Have every scrape of this process ask."""
    at_scrape(jobs_now)
    at_scrape(messages_now)


def jobs_now(conn: Connection) -> Iterator[Reading]:
    now = utc_now()
    for kind, found in jobs.tally(conn).items():
        states = {"waiting": found.waiting, "delayed": found.delayed, "running": found.running, "dead": found.dead}
        for state, count in states.items():
            yield Reading(JOBS_NOW, (kind, state), count)
        oldest = 0.0 if found.oldest is None else max(0.0, (now - found.oldest).total_seconds())
        yield Reading(OLDEST_JOB, (kind,), oldest)


def messages_now(conn: Connection) -> Iterator[Reading]:
    """Of every merchant together. Only those that wait are few and in an index; what became of the others is counted
    as it happens (``counterfoil_mail_total``)."""
    tried = func.count().filter(Message.attempts > 0)
    # All that wait are due at some time; SQLite has to be told, or it counts through another index.
    waiting = select(func.count(), tried).where(IS_WAITING, Message.due_at.is_not(None))
    all_, deferred = conn.execute(waiting).one()
    yield Reading(MESSAGES, ("waiting",), all_ - deferred)
    yield Reading(MESSAGES, ("deferred",), deferred)
