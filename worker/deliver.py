"""Sending messages that are due.

A mail server's word is written down as soon as it is given, message by message: only a worker that dies between the two
sends one twice.
"""

from collections.abc import Sequence
from functools import partial
from time import monotonic
from typing import Final

import structlog
from sqlalchemy import Connection

from infra.jobs import Payload
from infra.mail import Deferred, Refused
from infra.metrics import mail_sent
from kernel.errors import Problem
from notify import asking, sending
from notify.sending import Due, State
from worker.compose import letter
from worker.workshop import Workshop

_log = structlog.get_logger()
_AT_ONCE: Final = 50
# Well within a claim's lease, so that it never lapses while its job lives.
_LONGEST: Final = 240.0
# Replies that are about us or the server, not about the message: the next one would meet the same.
_OF_THE_SERVER: Final = (421, 454, 530, 534, 535)


def deliver(shop: Workshop, job_id: str, _payload: Payload) -> None:
    """Send all that is due, until nothing is, time is up, or the worker shall end: then another job goes on."""
    if shop.mailer is None:
        return
    began = monotonic()
    while batch := shop.write(lambda conn: sending.claim(conn, job_id, now=shop.clock(), at_most=_AT_ONCE)):
        for place, message in enumerate(batch):
            if shop.ended.is_set() or monotonic() - began > _LONGEST:
                shop.write(partial(_hand_on, shop, batch[place:]))
                return
            if not _send(shop, message):
                rest = batch[place + 1 :]
                shop.write(partial(_put_back, shop, rest, "the mail server is away"))
                return


def _send(shop: Workshop, message: Due) -> bool:
    """Whether it makes sense to go on with the next."""
    assert shop.mailer is not None
    try:
        word = shop.mailer.send(letter(shop, message))
    except Refused as refused:
        _settle(shop, message, "refused", refused.detail)
    except Deferred as deferred:
        mail_sent("deferred")
        shop.write(partial(_put_back, shop, [message], deferred.detail))
        return deferred.code is not None and deferred.code not in _OF_THE_SERVER
    except Problem as problem:
        # Its receipt is gone, or the PDF is not to be had just now.
        if problem.retry_after is None and problem.status < 500:
            _settle(shop, message, "failed", problem.detail or problem.title)
        else:
            shop.write(partial(_put_back, shop, [message], problem.detail or problem.title))
    except Exception as error:
        # One message that cannot be made must not keep the others.
        _log.error("message_not_made", message=message.id, exc_info=error)
        shop.write(partial(_put_back, shop, [message], f"could not be made: {type(error).__name__}"))
    else:
        _settle(shop, message, "sent", word)
    return True


def _settle(shop: Workshop, message: Due, state: State, detail: str) -> None:
    mail_sent("accepted" if state == "sent" else "refused")
    _log.info("message_settled", message=message.id, state=state, attempts=message.attempts)
    shop.write(lambda conn: sending.settle(conn, message, state, detail, now=shop.clock()))


def _put_back(shop: Workshop, messages: Sequence[Due], detail: str, conn: Connection) -> None:
    now = shop.clock()
    due_at = sending.put_back(conn, messages, detail, now=now)
    if due_at is not None:
        asking.ask_at(conn, shop.jobs, due_at, now=now)


def _hand_on(shop: Workshop, messages: Sequence[Due], conn: Connection) -> None:
    sending.give_up_claims(conn, messages, now=shop.clock())
    first = messages[0]
    # Handed on twice, by a job that was begun again, it is one.
    shop.jobs.enqueue(conn, asking.DELIVER, job_id=f"{asking.DELIVER}+{first.id}.{first.attempts}")
