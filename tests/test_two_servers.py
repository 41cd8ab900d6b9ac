"""Two servers on one PostgreSQL, and a till whose sale reaches both at the same moment."""

import threading
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlalchemy import Engine, func, select

from kernel.ids import new_token
from receipts.tables import Receipt
from tests.support.mail_process import MailProcess, wait_until_settled
from tests.support.sales import Body, coffee
from tests.support.server import NO_PDF, Served, Worker
from tests.support.shops import Shops

SALES = 200


@pytest.fixture
def two(tmp_path: Path, postgresql_url: str) -> Iterator[tuple[MailProcess, list[httpx.Client]]]:
    """A mail server, and a client of each of two servers."""
    with ExitStack() as opened:
        mail = opened.enter_context(MailProcess(tmp_path))
        servers = [Served(tmp_path, postgresql_url, "--no-worker", env=mail.env, first=NO_PDF) for _ in range(2)]
        for each in servers:
            opened.enter_context(each)
        opened.enter_context(Worker(tmp_path, postgresql_url, env=mail.env))
        yield mail, [opened.enter_context(httpx.Client(base_url=each.url, timeout=30)) for each in servers]


def a_sale(number: int) -> tuple[Body, dict[str, str]]:
    """A sale whose repetition is known by its id, by its key, by its token, or by all of them."""
    told = {"deliver": ["email"], "shopper": {"email": f"s{number}@example.com"}, "number": f"S{number}"}
    by_id, by_token = {"external_id": f"sale-{number}"}, {"token": new_token()}
    match number % 4:
        case 0:
            return coffee(**told, **by_id), {}
        case 1:
            return coffee(**told, external_id=None), {"Idempotency-Key": f"key-{number}"}
        case 2:
            return coffee(**told, **by_token, external_id=None), {}
    return coffee(**told, **by_id, **by_token), {"Idempotency-Key": f"key-{number}"}


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
def test_a_sale_that_reaches_two_servers_at_once_is_one_receipt_and_one_letter(
    two: tuple[MailProcess, list[httpx.Client]], shops: Shops, engine: Engine
) -> None:
    mail, clients = two
    meet = threading.Barrier(len(clients))

    def post(client: httpx.Client, sale: Body, headers: dict[str, str]) -> Any:
        meet.wait(30)
        answer = client.post("/v1/receipts", json=sale, headers=headers | {"Authorization": f"Bearer {shops.owner}"})
        return answer.status_code, answer.content

    statuses: Counter[int] = Counter()
    with ThreadPoolExecutor(len(clients)) as pool:
        for number in range(SALES):
            sale, headers = a_sale(number)
            answers = list(pool.map(lambda client: post(client, sale, headers), clients))  # noqa: B023 - it is waited for
            assert len({body for _, body in answers}) == 1
            statuses.update(status for status, _ in answers)
    assert statuses == {201: SALES, 200: SALES}
    wait_until_settled(engine)
    with engine.connect() as conn:
        assert conn.scalar(select(func.count()).select_from(Receipt)) == SALES
    assert sorted(recipient for _, recipient in mail.accepted()) == sorted(f"s{n}@example.com" for n in range(SALES))
