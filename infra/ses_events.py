"""What became of letters, as Amazon SES tells it through SNS to an SQS queue."""

from collections.abc import Callable
from typing import Any, Final

import boto3
import structlog
from botocore.exceptions import BotoCoreError, ClientError

from infra import aws
from infra.ses_feedback import SesEvent, read_ses_events
from infra.settings import Mail
from kernel.errors import Unavailable

_log = structlog.get_logger()
MOST: Final = 1000
_BATCH: Final = 10  # as many as SQS hands out at once


class SesEvents:
    """The queue of ``COUNTERFOIL_SES_EVENTS_QUEUE_URL``. It needs sqs:ReceiveMessage and sqs:DeleteMessage."""

    def __init__(self, mail: Mail) -> None:
        self._sqs: Any = boto3.client("sqs", **aws.options(mail))
        self._queue = mail.ses_events_queue_url

    def take(self, handle: Callable[[SesEvent], None], *, stop: Callable[[], bool]) -> int:
        """Hand over what waits, one event at a time, and return how many messages were taken off the queue: all, or
        those until ``stop`` says so, or ``MOST``.

        A message is deleted once ``handle`` has returned for all it holds. Where ``handle`` raises, so does this, and
        the message comes again after the queue's visibility timeout: an event may be seen twice. Raises Unavailable
        when the queue cannot be asked.
        """
        taken = 0
        while taken < MOST and not stop() and (messages := self._waiting()):
            for message in messages:
                if stop():
                    break
                self._handle(message["Body"], handle)
                self._call("delete_message", ReceiptHandle=message["ReceiptHandle"])
                taken += 1
        return taken

    def close(self) -> None:
        self._sqs.close()

    def _waiting(self) -> list[Any]:
        answer = self._call("receive_message", MaxNumberOfMessages=_BATCH, WaitTimeSeconds=0)
        return list(answer.get("Messages", ()))

    def _handle(self, body: str, handle: Callable[[SesEvent], None]) -> None:
        events = read_ses_events(body)
        if events is None:
            _log.warning("an event of SES could not be read", size=len(body))
        for event in events or ():
            handle(event)

    def _call(self, name: str, **arguments: Any) -> dict[str, Any]:
        try:
            answer: dict[str, Any] = getattr(self._sqs, name)(QueueUrl=self._queue, **arguments)
        except (BotoCoreError, ClientError) as error:
            raise Unavailable(f"The queue of COUNTERFOIL_SES_EVENTS_QUEUE_URL cannot be asked: {error}") from None
        return answer
