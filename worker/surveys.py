"""What surveys have done by the clock."""

from typing import Final

import structlog

from engagement.surveys import reminders
from infra.jobs import Payload
from notify.asking import Post
from worker.workshop import Workshop

_log = structlog.get_logger()
# In one transaction, so that who writes waits for no more than a moment (SQLite).
_TOGETHER: Final = 50


def remind_of_surveys(shop: Workshop, _job_id: str, _payload: Payload) -> None:
    """Ask once more, by email, where it was asked by email and nobody answered. What a stop leaves, the next hour
    does."""
    post, count = Post(shop.jobs, shop.settings.mail.channels()), 0
    surveys = shop.read(reminders.reminding)
    while not shop.ended.is_set():
        seen = shop.write(lambda conn: reminders.remind(conn, post, surveys, now=shop.clock(), at_most=_TOGETHER))
        count += seen
        if seen < _TOGETHER:
            break
    if count:
        _log.info("surveys_reminded", count=count)
