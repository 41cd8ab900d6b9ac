"""SIGTERM in the middle of load: what is under way is finished, the rest waits for whoever comes next."""

import signal
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine

from tests.support.mail_process import MailProcess, tell, wait_until_settled, waiting
from tests.support.posting import Tills, check
from tests.support.server import NO_PDF, Program, Served, Worker
from tests.support.shops import Shops

# What container engines are told to wait before they kill.
MOST_SECONDS = 25


@pytest.fixture
def mail(tmp_path: Path) -> Iterator[MailProcess]:
    """So slow that letters pile up."""
    with MailProcess(tmp_path, pause=0.15) as mail:
        yield mail


def stopped(program: Program) -> int:
    """How it ended; within the time that it has."""
    began = time.monotonic()
    code = program.end(signal.SIGTERM)
    taken = time.monotonic() - began
    tell(f"{program.log.name.partition('-')[0]} ended {taken:.1f} s after SIGTERM")
    assert taken < MOST_SECONDS
    return code


def test_a_server_that_is_told_to_end_answers_what_it_took_and_leaves_nothing_half_done(
    tmp_path: Path, database_url: str, shops: Shops, engine: Engine, mail: MailProcess
) -> None:
    tills = Tills(shops.owner, with_mail=True)
    with Served(tmp_path, database_url, env=mail.env, first=NO_PDF) as server:
        with tills.busy(server.url):
            tills.wait_for(80)
            assert stopped(server) == -signal.SIGTERM
        assert waiting(engine) > 0
        mail.hurry()
        server.start()
        tills.again(server.url)
        wait_until_settled(engine)
    check(engine, tills)
    assert mail.recipients() == tills.asked()
    assert mail.doubles() == 0


def test_a_worker_that_is_told_to_end_finishes_its_letters_and_leaves_the_rest_to_the_next(
    tmp_path: Path, database_url: str, shops: Shops, engine: Engine, mail: MailProcess
) -> None:
    tills = Tills(shops.owner, with_mail=True)
    with (
        Served(tmp_path, database_url, "--no-worker", env=mail.env, first=NO_PDF) as server,
        Worker(tmp_path, database_url, env=mail.env) as worker,
    ):
        with tills.busy(server.url):
            tills.wait_for(80)
            assert stopped(worker) == 0
            before = len(mail.accepted())
        assert waiting(engine) > 0
        assert "Traceback" not in worker.said()
        assert len(mail.accepted()) == before
        mail.hurry()
        worker.start()
        tills.again(server.url)
        wait_until_settled(engine)
    check(engine, tills)
    assert mail.recipients() == tills.asked()
    assert mail.doubles() == 0
