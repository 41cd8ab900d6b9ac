"""kill -9 of servers and workers under load: nothing acknowledged is lost, no letter that was asked for is missing.

A letter may come twice where the kill hit between the mail server's word and our mark: a worker sends so many at a
time, and no more can be hit.
"""

import random
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path

import pytest
from sqlalchemy import Engine

from tests.support.mail_process import MailProcess, tell, wait_until_settled
from tests.support.posting import Tills, check
from tests.support.server import IMPATIENT, NO_PDF, Program, Served, Worker
from tests.support.shops import Shops
from worker.work import AT_ONCE

ENOUGH = 40


@pytest.fixture
def mail(tmp_path: Path) -> Iterator[MailProcess]:
    """It takes its time to say that it has a letter, so that each kill hits some."""
    with MailProcess(tmp_path, pause=0.03) as mail:
        yield mail


@pytest.fixture
def both(tmp_path: Path, database_url: str, mail: MailProcess) -> Iterator[tuple[Served, Worker]]:
    with ExitStack() as opened:
        server = Served(tmp_path, database_url, "--no-worker", env=mail.env, first=NO_PDF)
        worker = Worker(tmp_path, database_url, env=mail.env, first=IMPATIENT)
        yield opened.enter_context(server), opened.enter_context(worker)


def a_round(server: Served, tills: Tills, victims: Sequence[Program]) -> int:
    """Load, a kill in the middle, and all is started again; how many postings had no answer."""
    with tills.busy(server.url):
        tills.wait_for(ENOUGH)
        time.sleep(random.uniform(0, 0.3))
        for each in victims:
            each.kill()
    for each in victims:
        each.start()
    return tills.again(server.url)


def survive(
    server: Served, worker: Worker, tills: Tills, mail: MailProcess, engine: Engine, *, whom: Sequence[str]
) -> None:
    victims: dict[str, list[Program]] = {"server": [server], "worker": [worker], "both": [worker, server]}
    unanswered = sum(a_round(server, tills, victims[each]) for each in whom)
    taken = wait_until_settled(engine, seconds=120)
    check(engine, tills)
    assert mail.recipients() == tills.asked()
    kills = len([each for each in whom if each != "server"])
    receipts, letters, most = len(tills.told), len(tills.asked()), kills * AT_ONCE
    tell(
        f"{engine.dialect.name}: {receipts} receipts, {letters} letters asked for, {len(whom)} kills: {unanswered} "
        f"postings had no answer, {mail.doubles()} letters came twice (at most {most}), all was settled {taken:.1f} s "
        "after the last start"
    )
    assert mail.doubles() <= most


def test_every_letter_that_was_asked_for_outlives_server_and_worker(
    both: tuple[Served, Worker], shops: Shops, engine: Engine, mail: MailProcess
) -> None:
    survive(*both, Tills(shops.owner, with_mail=True), mail, engine, whom=["worker", "both"])


@pytest.mark.long
def test_every_letter_that_was_asked_for_outlives_server_and_worker_twenty_times(
    both: tuple[Served, Worker], shops: Shops, engine: Engine, mail: MailProcess
) -> None:
    whom = [("server", "worker", "both")[number % 3] for number in range(20)]
    survive(*both, Tills(shops.owner, with_mail=True), mail, engine, whom=whom)
