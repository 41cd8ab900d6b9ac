"""What Amazon SES tells about messages: those that came back, and those whose readers complained."""

from contextlib import closing
from functools import partial

import structlog
from sqlalchemy import Connection

from infra.bounces import Bounce
from infra.jobs import Payload
from infra.metrics import mail_sent
from infra.ses_feedback import SesEvent
from notify import stopping
from worker.workshop import Workshop

_log = structlog.get_logger()


def take_ses_events(shop: Workshop, _job_id: str, _payload: Payload) -> None:
    """Write down what waits in the queue. An event that comes twice changes nothing the second time."""
    if shop.settings.mail.ses_events_queue_url is None:
        return
    # Late: boto3 takes half a second, and most services do without.
    from infra.ses_events import SesEvents

    with closing(SesEvents(shop.settings.mail)) as events:
        events.take(partial(_record, shop), stop=shop.ended.is_set)


def _record(shop: Workshop, event: SesEvent) -> None:
    message_id = stopping.message_named(event.message_id)
    if message_id is None or event.kind == "delivery":
        return
    if shop.write(lambda conn: _recorded(conn, shop, message_id, event)):
        mail_sent("bounced")
        _log.info("message_came_back", message=message_id, kind=event.kind)


def _recorded(conn: Connection, shop: Workshop, message_id: str, event: SesEvent) -> bool:
    """Whether a message that was sent came back. A complaint does not bring it back."""
    now = shop.clock()
    if event.kind == "complaint":
        stopping.stop(conn, message_id, "complained", now=now)
        return False
    # A reject is about the message, not about its address.
    is_permanent = event.is_permanent and event.kind == "bounce"
    bounce = Bounce(event.message_id, None, event.recipient, is_permanent, event.status, event.detail)
    return stopping.bounced(conn, message_id, bounce, now=now) is not None
