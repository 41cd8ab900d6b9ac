"""kill -9 under load: what was acknowledged is there, once; what was not may be sent again."""

import random
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine

from tests.support.posting import Tills, check
from tests.support.server import NO_PDF, Served
from tests.support.shops import Shops

ENOUGH = 40


def survive(server: Served, tills: Tills, rounds: int) -> int:
    """Start, load and kill the server so many times; how many postings were left without an answer on the way."""
    left = 0
    for _ in range(rounds):
        server.start()
        left += tills.again(server.url)
        with tills.busy(server.url):
            tills.wait_for(ENOUGH)
            time.sleep(random.uniform(0, 0.1))
            server.kill()
    server.start()
    return left + tills.again(server.url)


@pytest.fixture
def server(tmp_path: Path, database_url: str) -> Iterator[Served]:
    server = Served(tmp_path, database_url, first=NO_PDF)
    yield server
    server.kill()


def test_what_was_acknowledged_outlives_the_server(server: Served, shops: Shops, engine: Engine) -> None:
    tills = Tills(shops.owner)
    assert survive(server, tills, rounds=3) > 0
    check(engine, tills)


@pytest.mark.long
def test_what_was_acknowledged_outlives_the_server_twenty_times(server: Served, shops: Shops, engine: Engine) -> None:
    tills = Tills(shops.owner)
    assert survive(server, tills, rounds=20) > 0
    check(engine, tills)
