"""Two workers on one database: what one leaves when it is killed, the other finishes, and neither does the other's."""

import time
from collections.abc import Iterator
from contextlib import ExitStack
from itertools import count
from pathlib import Path

import httpx
import pytest
from sqlalchemy import Engine

from tests.support.mail_process import MailProcess, tell, wait_until_settled
from tests.support.sales import Body, coffee
from tests.support.server import IMPATIENT, NO_PDF, Served, Worker
from tests.support.shops import Shops
from worker.work import AT_ONCE

_NUMBERS = count()
# Each takes what is due, and nobody tells the others.
UNCLAIMED = """
from sqlalchemy import select
from notify import sending
from notify.tables import Message
def claim(conn, job_id, *, at_most, **_):
    columns = [getattr(Message, name) for name in sending.Due.__slots__]
    due = select(*columns).where(Message.state == "waiting").order_by(Message.due_at).limit(at_most)
    return [sending.Due(*row) for row in conn.execute(due)]
sending.claim = claim
"""


@pytest.fixture
def opened(database_url: str) -> Iterator[ExitStack]:
    with ExitStack() as opened:
        yield opened


@pytest.fixture
def mail(tmp_path: Path, opened: ExitStack) -> MailProcess:
    """Slow, so that letters are under way whenever a worker is killed."""
    return opened.enter_context(MailProcess(tmp_path, pause=0.05))


def workers(opened: ExitStack, folder: Path, url: str, mail: MailProcess, *, first: str) -> list[Worker]:
    both = [opened.enter_context(Worker(folder, url, env=mail.env, first=first)) for _ in range(2)]
    assert len({each.name() for each in both}) == 2
    return both


def sold(server: Served, key: str, many: int) -> set[str]:
    """New addresses that so many sales are to be sent to. Ten sales are one request."""
    sales = [_sale(f"s{next(_NUMBERS)}@example.com") for _ in range(many)]
    with httpx.Client(base_url=server.url, headers={"Authorization": f"Bearer {key}"}, timeout=30) as client:
        for start in range(0, many, 10):
            answer = client.post("/v1/receipts/batch", json={"receipts": sales[start : start + 10]})
            assert all("receipt" in each for each in answer.json()["results"])
    return {sale["shopper"]["email"] for sale in sales}


def _sale(address: str) -> Body:
    return coffee(deliver=["email"], shopper={"email": address})


def served(opened: ExitStack, folder: Path, url: str, mail: MailProcess) -> Served:
    return opened.enter_context(Served(folder, url, "--no-worker", env=mail.env, first=NO_PDF))


def one_dies(both: list[Worker], mail: MailProcess, engine: Engine) -> tuple[Worker, float]:
    """Kill the one that sends more, in the middle of it; who that is, and how long the other takes from there."""
    mail.wait_for(len(mail.accepted()) + 20)
    dying = max(both, key=lambda each: each.said().count('"message_settled"'))
    dying.kill()
    return dying, wait_until_settled(engine, seconds=60)


def test_what_a_killed_worker_leaves_is_finished_by_the_other(
    tmp_path: Path, opened: ExitStack, database_url: str, mail: MailProcess, shops: Shops, engine: Engine
) -> None:
    server = served(opened, tmp_path, database_url, mail)
    both = workers(opened, tmp_path, database_url, mail, first=IMPATIENT)
    asked = sold(server, shops.owner, 120)
    dead, taken = one_dies(both, mail, engine)

    tell(f"{engine.dialect.name}: {taken:.1f} s from kill to finish, {mail.doubles()} doubles")
    assert mail.recipients() == asked
    assert mail.doubles() <= AT_ONCE
    [living] = [each for each in both if each is not dead]
    assert "jobs_taken_up" in living.said()


@pytest.mark.long
def test_the_other_finishes_within_a_minute_at_its_ordinary_pace_whoever_dies(
    tmp_path: Path, opened: ExitStack, database_url: str, mail: MailProcess, shops: Shops, engine: Engine
) -> None:
    server = served(opened, tmp_path, database_url, mail)
    both = workers(opened, tmp_path, database_url, mail, first="")
    asked: set[str] = set()
    for _ in range(4):
        before = mail.doubles()
        asked |= sold(server, shops.owner, 400)
        dead, taken = one_dies(both, mail, engine)
        tell(f"{engine.dialect.name}: {taken:.1f} s from kill to finish, {mail.doubles() - before} doubles")
        assert mail.doubles() - before <= AT_ONCE
        dead.start()
    assert mail.recipients() == asked


def test_without_the_claim_letters_are_sent_over_and_over(
    tmp_path: Path, opened: ExitStack, database_url: str, mail: MailProcess, shops: Shops, engine: Engine
) -> None:
    """The control: it is the claim that keeps two workers from sending the same."""
    server = served(opened, tmp_path, database_url, mail)
    workers(opened, tmp_path, database_url, mail, first=UNCLAIMED)
    sold(server, shops.owner, 40)
    wait_until_settled(engine)
    time.sleep(0.1)
    assert mail.doubles() > AT_ONCE
