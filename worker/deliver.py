"""Sending messages that are due.

A mail server's word is written down as soon as it is given, message by message. One is sent twice only where a worker
dies between the two, where the database stays away for longer than a note can wait, or where the server took it and
did not say so.
"""

from collections.abc import Callable, Sequence
from datetime import timedelta
from functools import partial
from time import monotonic, sleep, thread_time
from typing import Final, TypeVar

import structlog
from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError

from infra import trouble
from infra.jobs import Payload
from infra.mail import Deferred, Refused
from infra.metrics import mail_sent
from infra.settings import Mail
from kernel.errors import Problem, Unavailable
from notify import asking, sending
from notify.sending import Due, State
from worker.compose import letter
from worker.workshop import Workshop

_log = structlog.get_logger()
_AT_ONCE: Final = 50
_LONGEST: Final = 240.0  # seconds after which another job goes on
# How often a mail server may take its time for one letter: from the connection to its word on the whole.
_ANSWERS: Final = 14
_MAKING: Final = 120.0  # seconds for a letter with its PDF, at the very most
# Seconds between tries to write down what a mail server said.
_NOTING: Final = (0.2, 0.5, 1.0, 2.0, 4.0, 8.0, 8.0, 8.0)
Noted = TypeVar("Noted")
# Replies that are about us or the server, not about the message: the next one would meet the same.
_OF_THE_SERVER: Final = (421, 454, 530, 534, 535)


def deliver(shop: Workshop, job_id: str, _payload: Payload) -> None:
    """Send all that is due, until nothing is, time is up, or the worker shall end: then another job goes on."""
    if shop.mailer is None:
        raise Unavailable("No mail is set up for this worker")
    began, lease = monotonic(), lease_for(shop.settings.mail)
    while batch := shop.write(
        lambda conn: sending.claim(conn, job_id, now=shop.clock(), lease=lease, at_most=_AT_ONCE)
    ):
        for place, message in enumerate(batch):
            if shop.ended.is_set() or monotonic() - began > _LONGEST:
                _note(shop, partial(_hand_on, shop, batch[place:]))
                return
            if not _send_and_rest(shop, message):
                _put_back(shop, batch[place + 1 :], "the mail server is away", tried=False)
                return


def lease_for(mail: Mail) -> timedelta:
    """Longer than a job can take, so that a claim never lapses while its job lives: the last letter is begun before
    ``_LONGEST`` is over, each answer of a mail server may take its time, and then it is to be noted."""
    return timedelta(seconds=_LONGEST + _ANSWERS * mail.smtp_timeout + _MAKING + sum(_NOTING))


def _send_and_rest(shop: Workshop, message: Due) -> bool:
    started = thread_time()
    is_worth_going_on = _send(shop, message)
    shop.ended.wait(shop.mail_rest * (thread_time() - started))
    return is_worth_going_on


def _send(shop: Workshop, message: Due) -> bool:
    """Whether it makes sense to go on with the next."""
    assert shop.mailer is not None
    try:
        word = shop.mailer.send(letter(shop, message))
    except Refused as refused:
        _settle(shop, message, "refused", refused.detail)
    except Deferred as deferred:
        mail_sent("deferred")
        _put_back(shop, [message], deferred.detail)
        return deferred.code is not None and deferred.code not in _OF_THE_SERVER
    except Problem as problem:
        # Its receipt is gone, or the PDF is not to be had just now.
        if problem.retry_after is None and problem.status < 500:
            _settle(shop, message, "failed", problem.detail or problem.title)
        else:
            _put_back(shop, [message], problem.detail or problem.title)
    except DBAPIError:
        # Nothing was sent. The job is tried again, and finds its claims.
        raise
    except Exception as error:
        # One message that cannot be made must not keep the others.
        _log.error("message_not_made", message=message.id, exc_info=error)
        _put_back(shop, [message], f"could not be made: {type(error).__name__}")
    else:
        _settle(shop, message, "sent", word)
    return True


def _settle(shop: Workshop, message: Due, state: State, detail: str) -> None:
    if _note(shop, lambda conn: sending.settle(conn, message, state, detail, now=shop.clock())):
        mail_sent("accepted" if state == "sent" else state)
        _log.info("message_settled", message=message.id, state=state, attempts=message.attempts + 1)


def _put_back(shop: Workshop, messages: Sequence[Due], detail: str, *, tried: bool = True) -> None:
    now = shop.clock()
    dues = {message: due_at for message in messages if (due_at := sending.next_try(message, now=now))}

    def put_back(conn: Connection) -> None:
        for message, due_at in dues.items():
            sending.put_back(conn, message, detail, due_at=due_at, tried=tried)
        asking.ask_at(conn, shop.jobs, min(dues.values()), now=now)

    if dues:
        _note(shop, put_back)
    for message in messages:
        if message not in dues:
            _settle(shop, message, "failed", f"given up; {detail}")


def _hand_on(shop: Workshop, messages: Sequence[Due], conn: Connection) -> None:
    sending.give_up_claims(conn, messages, now=shop.clock())
    first = messages[0]
    # Handed on twice, by a job that was begun again, it is one.
    shop.jobs.enqueue(conn, asking.DELIVER, job_id=f"{asking.DELIVER}+{first.id}.{first.attempts}")


def _note(shop: Workshop, change: Callable[[Connection], Noted]) -> Noted:
    """A mail server's word must not get lost because the database is locked or away for a moment."""
    for wait in _NOTING:
        try:
            return shop.write(change)
        except DBAPIError as error:
            _log.warning("note_failed", reason=trouble.kind(error), again_in=wait)
            sleep(wait)
    return shop.write(change)
