"""What Amazon SES tells of messages is written down once, and nothing that it says stops the worker."""

import json
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any, Final

import boto3
import pytest
from sqlalchemy import Engine

from infra.settings import Mail, Settings
from kernel.clock import utc_now
from tests.support import aws
from tests.support.messages import ask_for, messages_of, settle_all, stopped
from tests.support.shops import Shops
from tests.support.workshop import Clock, Postman, workshop
from worker.kinds import schedules
from worker.ses import take_ses_events
from worker.workshop import Workshop

REGION: Final = "eu-central-1"


@pytest.fixture(scope="module")
def amazon() -> Iterator[str]:
    with aws.moto_server() as address:
        yield address


class Queue:
    def __init__(self, amazon: str) -> None:
        self._sqs: Any = boto3.client("sqs", region_name=REGION, endpoint_url=amazon)
        self.url = self._sqs.create_queue(QueueName=f"events-{utc_now().timestamp():.6f}".replace(".", "-"))["QueueUrl"]

    def put(self, event: Any) -> None:
        body = event if isinstance(event, str) else json.dumps(event)
        self._sqs.send_message(QueueUrl=self.url, MessageBody=body)

    def count(self) -> int:
        names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
        found = self._sqs.get_queue_attributes(QueueUrl=self.url, AttributeNames=names)["Attributes"]
        return sum(int(found[name]) for name in names)

    def close(self) -> None:
        self._sqs.close()


@pytest.fixture
def queue(amazon: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Queue]:
    for name, value in aws.KEYS.items():
        monkeypatch.setenv(name, value)
    with closing(Queue(amazon)) as queue:
        yield queue


@pytest.fixture
def shop(settings: Settings, amazon: str, queue: Queue) -> Iterator[Workshop]:
    mail = Mail(
        ses_region=REGION,
        ses_endpoint_url=amazon,
        ses_events_queue_url=queue.url,
        mail_from="receipts@linden-rye.example",
    )
    with workshop(Settings(settings.data, settings.server, mail=mail), Postman(), Clock()) as shop:
        yield shop


def event(kind: str, message_id: str, **told: Any) -> dict[str, Any]:
    mail = {
        "messageId": "ses-1",
        "destination": ["anna@example.com"],
        "headers": [{"name": "Message-ID", "value": f"<{message_id}@linden-rye.example>"}],
    }
    return {"eventType": kind.capitalize(), "mail": mail, kind: told}


def bounce(message_id: str, kind: str = "Permanent") -> dict[str, Any]:
    recipients = [{"emailAddress": "anna@example.com", "status": "5.1.1", "diagnosticCode": "smtp; 550 no such user"}]
    return event("bounce", message_id, bounceType=kind, bouncedRecipients=recipients)


@pytest.fixture
def annas(engine: Engine, shops: Shops) -> str:
    [message_id] = ask_for(engine, shops.linden, "anna@example.com")
    settle_all(engine, "sent")
    return message_id


def test_a_bounce_is_written_down_once_and_its_address_written_to_no_more(
    shop: Workshop, queue: Queue, annas: str, engine: Engine, shops: Shops
) -> None:
    for _ in range(2):
        queue.put({"Type": "Notification", "Message": json.dumps(bounce(annas))})
    take_ses_events(shop, "job", {})
    [message] = messages_of(engine, shops.linden)
    assert (message.state, message.detail) == ("bounced", "550 no such user")
    assert (stopped(engine), queue.count()) == ([(shops.linden, "bounced")], 0)


def test_a_complaint_stops_emails_and_leaves_the_message_as_sent(
    shop: Workshop, queue: Queue, annas: str, engine: Engine, shops: Shops
) -> None:
    ask_for(engine, shops.linden, "anna@example.com", subject="rct_2")
    queue.put(event("complaint", annas, complainedRecipients=[{"emailAddress": "anna@example.com"}]))
    take_ses_events(shop, "job", {})
    assert [message.state for message in messages_of(engine, shops.linden)] == ["stopped", "sent"]
    assert stopped(engine) == [(shops.linden, "complained")]


@pytest.mark.parametrize("told", ["a reject", "a full mailbox"])
def test_what_is_no_fault_of_the_address_leaves_it_alone(
    shop: Workshop, queue: Queue, annas: str, engine: Engine, shops: Shops, told: str
) -> None:
    queue.put(event("reject", annas, reason="Bad content") if told == "a reject" else bounce(annas, "Transient"))
    take_ses_events(shop, "job", {})
    assert [message.state for message in messages_of(engine, shops.linden)] == ["bounced"]
    assert stopped(engine) == []


def test_hostile_events_are_dropped_and_those_behind_them_still_read(
    shop: Workshop, queue: Queue, annas: str, engine: Engine, shops: Shops
) -> None:
    for hostile in (
        "not JSON",
        "[" * 5000,
        json.dumps(bounce("\ud800")),
        bounce("msg_" + "0" * 26),
        bounce("x' OR 1=1"),
        {"eventType": "Bounce", "mail": []},
    ):
        queue.put(hostile)
    queue.put(bounce(annas))
    take_ses_events(shop, "job", {})
    assert [message.state for message in messages_of(engine, shops.linden)] == ["bounced"]
    assert queue.count() == 0


def test_the_queue_is_asked_only_where_one_is_set(shop: Workshop, settings: Settings, tmp_path: Path) -> None:
    assert "ses-events" in {each.name for each in schedules(shop)}
    with workshop(settings, Postman(), Clock()) as without:
        assert "ses-events" not in {each.name for each in schedules(without)}
        take_ses_events(without, "job", {})
