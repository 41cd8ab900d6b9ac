"""Letters go out through Amazon SES, and what became of them comes back through SQS."""

import json
from collections.abc import Iterator
from contextlib import closing
from typing import Any

import boto3
import pytest
from moto.core.models import DEFAULT_ACCOUNT_ID
from moto.ses.models import ses_backends

from infra.mail import Deferred, Letter, Refused, Undelivered
from infra.ses import SesMailer
from infra.ses_events import SesEvents
from infra.ses_feedback import SesEvent
from infra.settings import Mail
from kernel.errors import Unavailable
from tests.support import aws

REGION = "eu-central-1"
DOUBT = "it may have been taken"
LETTER = Letter(
    "bounces+msg_1@shop.test", "ana@example.org", b"From: receipts@shop.test\r\nSubject: x\r\n\r\nHello.\r\n"
)
BOUNCE = {
    "eventType": "Bounce",
    "mail": {"messageId": "ses-1", "headers": [{"name": "Message-ID", "value": "<msg_1@shop.test>"}]},
    "bounce": {"bounceType": "Permanent", "bouncedRecipients": [{"emailAddress": "ana@example.org"}]},
}


@pytest.fixture(autouse=True)
def keys(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in aws.KEYS.items():
        monkeypatch.setenv(name, value)


@pytest.fixture(scope="module")
def amazon() -> Iterator[str]:
    with aws.moto_server() as address:
        yield address


def settings(endpoint: str, **more: str) -> Mail:
    given = {"ses_region": REGION, "ses_endpoint_url": endpoint, "mail_from": "receipts@shop.test"}
    return Mail.model_validate({**given, **more})


def verify(amazon: str, identity: str) -> None:
    with closing(boto3.client("ses", region_name=REGION, endpoint_url=amazon)) as ses:
        ses.verify_domain_identity(Domain=identity)
    # Of an identity that may send moto does not say so.
    ses_backends[DEFAULT_ACCOUNT_ID][REGION].email_identities[identity].verified_for_sending_status = True


def failure(endpoint: str) -> Undelivered:
    with closing(SesMailer(settings(endpoint))) as mailer, pytest.raises(Undelivered) as error:
        mailer.send(LETTER)
    return error.value


def test_a_letter_is_taken_byte_for_byte_and_named(amazon: str) -> None:
    verify(amazon, "shop.test")
    with closing(SesMailer(settings(amazon, ses_configuration_set="receipts"))) as mailer:
        word = mailer.send(LETTER)
    [sent] = [each for each in ses_backends[DEFAULT_ACCOUNT_ID][REGION].sent_messages if each.id == word]
    assert sent.raw_data.encode() == LETTER.data
    assert "ana@example.org" in sent.destinations


def test_a_sender_that_is_not_verified_is_the_operator_s_to_mend(amazon: str) -> None:
    letter = Letter("a@other.test", "ana@example.org", b"From: a@other.test\r\n\r\nHello.\r\n")
    with closing(SesMailer(settings(amazon))) as mailer, pytest.raises(Deferred):
        mailer.send(letter)


@pytest.mark.parametrize(
    "status, code, message, kind",
    [
        (400, "MessageRejected", "The message contains a virus", Refused),
        (400, "MessageRejected", "Email address is not verified: a@b.test", Deferred),
        (400, "BadRequestException", "Illegal address", Refused),
        (400, "MailFromDomainNotVerifiedException", "", Deferred),
        (403, "AccountSuspendedException", "", Deferred),
        (400, "SendingPausedException", "", Deferred),
        (429, "TooManyRequestsException", "Maximum sending rate exceeded", Deferred),
        (400, "LimitExceededException", "Daily message quota exceeded", Deferred),
        (404, "NotFoundException", "Configuration set is not there", Deferred),
        (403, "AccessDeniedException", "not authorized to perform ses:SendEmail", Deferred),
        (403, "UnrecognizedClientException", "The security token is invalid", Deferred),
        (503, "ServiceUnavailableException", "", Deferred),
    ],
)
def test_an_answer_of_ses_decides_whether_to_try_again(status: int, code: str, message: str, kind: type) -> None:
    with aws.answering(status, code, message) as endpoint:
        error = failure(endpoint)
    assert type(error) is kind
    assert code in error.detail
    assert DOUBT not in error.detail


def test_a_failure_inside_ses_leaves_doubt() -> None:
    with aws.answering(500, "InternalServiceErrorException") as endpoint:
        error = failure(endpoint)
    assert isinstance(error, Deferred)
    assert error.detail.endswith(DOUBT)


def test_an_answer_that_does_not_come_leaves_doubt_and_is_not_asked_for_twice(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("infra.aws.SECONDS", 0.2)
    with aws.answering(200, after=0.6) as endpoint:
        error = failure(endpoint)
    assert isinstance(error, Deferred)
    assert error.detail.endswith(DOUBT)


def test_nobody_there_leaves_none() -> None:
    error = failure("http://127.0.0.1:1")
    assert isinstance(error, Deferred)
    assert DOUBT not in error.detail


def test_doctor_is_told_of_a_sender_that_is_not_verified(amazon: str) -> None:
    verify(amazon, "shop.test")
    with closing(SesMailer(settings(amazon))) as mailer:
        assert mailer.check() is None
    unverified = settings(amazon).model_copy(update={"mail_from": "a@other.test"})
    with closing(SesMailer(unverified)) as mailer:
        assert "verified neither" in (mailer.check() or "")
    with closing(SesMailer(settings("http://127.0.0.1:1"))) as mailer:
        assert "cannot be asked" in (mailer.check() or "")


class Queue:
    """A queue of events at moto's."""

    def __init__(self, amazon: str) -> None:
        self._sqs: Any = boto3.client("sqs", region_name=REGION, endpoint_url=amazon)
        attributes = {"VisibilityTimeout": "0"}
        self.url: str = self._sqs.create_queue(QueueName="events", Attributes=attributes)["QueueUrl"]

    def put(self, body: str) -> None:
        self._sqs.send_message(QueueUrl=self.url, MessageBody=body)

    def close(self) -> None:
        self._sqs.delete_queue(QueueUrl=self.url)
        self._sqs.close()


@pytest.fixture
def queue(amazon: str) -> Iterator[Queue]:
    with closing(Queue(amazon)) as queue:
        yield queue


@pytest.fixture
def events(amazon: str, queue: Queue) -> Iterator[SesEvents]:
    with closing(SesEvents(settings(amazon, ses_events_queue_url=queue.url))) as events:
        yield events


def never() -> bool:
    return False


def test_what_waits_is_handed_over_once(queue: Queue, events: SesEvents) -> None:
    for _ in range(12):
        queue.put(json.dumps({"Type": "Notification", "Message": json.dumps(BOUNCE)}))
    seen: list[SesEvent] = []
    assert events.take(seen.append, stop=never) == 12
    assert {(event.kind, event.message_id) for event in seen} == {("bounce", "<msg_1@shop.test>")}
    assert events.take(seen.append, stop=never) == 0
    assert len(seen) == 12


def test_an_event_that_could_not_be_handled_comes_again(queue: Queue, events: SesEvents) -> None:
    queue.put(json.dumps(BOUNCE))

    def fail(event: SesEvent) -> None:
        raise RuntimeError("the database is away")

    with pytest.raises(RuntimeError):
        events.take(fail, stop=never)
    seen: list[SesEvent] = []
    assert events.take(seen.append, stop=never) == 1
    assert len(seen) == 1


def test_what_is_not_taken_when_the_worker_is_to_end_waits_for_the_next(queue: Queue, events: SesEvents) -> None:
    for _ in range(3):
        queue.put(json.dumps(BOUNCE))
    seen: list[SesEvent] = []
    assert events.take(seen.append, stop=lambda: len(seen) == 1) == 1
    assert events.take(seen.append, stop=never) == 2


def test_what_is_no_event_is_taken_away(queue: Queue, events: SesEvents) -> None:
    queue.put("hello")
    seen: list[SesEvent] = []
    assert events.take(seen.append, stop=never) == 1
    assert seen == []


def test_a_queue_that_cannot_be_asked_is_unavailable(amazon: str) -> None:
    gone = SesEvents(settings("http://127.0.0.1:1", ses_events_queue_url="http://127.0.0.1:1/1/none"))
    with closing(gone), pytest.raises(Unavailable, match="COUNTERFOIL_SES_EVENTS_QUEUE_URL"):
        gone.take(print, stop=never)
