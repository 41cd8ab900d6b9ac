"""A worker of the test's own, whose clock and mail server the test holds."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import Any, Final

from sqlalchemy import Engine

from infra.jobs import tally
from infra.mail import Letter, Undelivered
from infra.settings import Settings
from kernel.clock import utc_now
from tests.support.inside import Person
from tests.support.sales import Body, coffee
from worker.deliver import deliver
from worker.work import furnished
from worker.workshop import Workshop

ANNA: Final = "anna@example.com"


@dataclass
class Postman:
    """See :class:`infra.mail.Mailer`. Takes each letter, unless ``words`` has trouble for its recipient, or for all
    under ``"*"``."""

    taken: list[Letter] = field(default_factory=list)
    words: dict[str, Undelivered] = field(default_factory=dict)
    asked: int = 0

    def send(self, letter: Letter) -> str:
        self.asked += 1
        trouble = self.words.get(letter.recipient) or self.words.get("*")
        if trouble is not None:
            raise trouble
        self.taken.append(letter)
        return f"queued as {len(self.taken)}"

    def check(self) -> str | None:
        return None

    def close(self) -> None:
        """Nothing is open."""


@dataclass
class Clock:
    """Goes as the real one, which the application goes by, and ahead of it where the test lets time pass by."""

    ahead: timedelta = timedelta()

    def __call__(self) -> datetime:
        return utc_now() + self.ahead

    def pass_by(self, **time: float) -> None:
        self.ahead += timedelta(**time)


@contextmanager
def workshop(settings: Settings, postman: Postman, clock: Clock) -> Iterator[Workshop]:
    with ExitStack() as opened:
        yield furnished(opened, settings, mailer=postman, clock=clock)


def for_anna(**changes: Any) -> Body:
    return coffee(shopper={"email": ANNA, "language": "de"}, deliver=["email"], **changes)


def work(shop: Workshop, clock: Clock, job_id: str = "job") -> None:
    """What the job does that a worker was given; what the application wrote a moment ago is due by then."""
    clock.pass_by(seconds=1)
    deliver(shop, job_id, {})


def waiting_jobs(engine: Engine) -> int:
    with engine.connect() as conn:
        found = tally(conn).get("deliver")
    return found.waiting + found.delayed if found else 0


def opened(letter: Letter) -> EmailMessage:
    message = message_from_bytes(letter.data, policy=policy.default)
    assert isinstance(message, EmailMessage)
    return message


def deliveries(person: Person, receipt: Body) -> list[Body]:
    found: list[Body] = person.get(f"/v1/receipts/{receipt['id']}/deliveries").json()["deliveries"]
    return found
