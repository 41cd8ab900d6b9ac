"""What Counterfoil stands on goes away under load and comes back: clear answers, nothing lost, no hand needed."""

import json
import shutil
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Final

import httpx
import pytest
from sqlalchemy import Engine

from cli import checks
from infra import slots
from infra.database import connect
from infra.schema import bring_up_to_date
from infra.settings import Settings
from tests.support import s3 as support
from tests.support.inside import on_sqlite
from tests.support.mail_process import MailProcess, tell, wait_until_settled
from tests.support.posting import Tills, check
from tests.support.restarts import OwnPostgres
from tests.support.s3 import Gate
from tests.support.sales import coffee
from tests.support.server import IMPATIENT, NO_PDF, Program, Served, Worker
from tests.support.shops import Shops, open_shops
from tests.support.waiting import wait_until

# The disk has as many pages as the file beside the database says; a page that is one too many is one that a full disk
# would not take: SQLite says the same (SQLITE_FULL).
SMALL_DISK: Final = """
import os
from sqlalchemy import Engine, event
path = os.path.join(os.environ["COUNTERFOIL_DATA_DIR"], "pages")
@event.listens_for(Engine, "begin")
def limit(conn):
    if conn.dialect.name == "sqlite":
        conn.connection.driver_connection.execute(f"PRAGMA max_page_count={open(path).read()}").close()
"""
PLENTY: Final = "1000000"
FULL: Final = "OperationalError SQLITE_FULL: the disk is full"


def till(server: Served, key: str) -> httpx.Client:
    return httpx.Client(base_url=server.url, headers={"Authorization": f"Bearer {key}"}, timeout=30)


# --- PostgreSQL


@pytest.fixture
def own_postgres() -> Iterator[OwnPostgres]:
    with OwnPostgres() as own:
        yield own


def test_a_database_that_is_killed_under_load_and_started_again_has_lost_nothing(
    own_postgres: OwnPostgres, tmp_path: Path
) -> None:
    url = own_postgres.server.create("shop")
    bring_up_to_date(url)
    engine = connect(url)
    tills = Tills(open_shops(engine).owner, with_mail=True)
    with ExitStack() as opened:
        opened.callback(engine.dispose)
        mail = opened.enter_context(MailProcess(tmp_path))
        server = opened.enter_context(Served(tmp_path, url, "--no-worker", env=mail.env, first=NO_PDF))
        worker = opened.enter_context(Worker(tmp_path, url, env=mail.env, first=IMPATIENT))
        with tills.busy(server.url, through=(503,)):
            tills.wait_for(60)
            own_postgres.kill()
            wait_until(lambda: tills.refused[503])
            own_postgres.start()
            back = time.monotonic()
            tills.wait_for(60)
            tell(f"{time.monotonic() - back:.1f} s from the database's return to 60 more sales; {tills.refused}")
        tills.again(server.url)
        engine.dispose()
        tell(f"letters settled {wait_until_settled(engine):.1f} s later, {mail.doubles()} twice")
        check(engine, tills)
        assert mail.recipients() == tills.asked()
        assert server.is_alive
        assert worker.is_alive
        _keeps_its_slot(worker, url)


def _keeps_its_slot(worker: Worker, url: str) -> None:
    """Nobody else finds it free."""
    number = slots.number_of(worker.name())
    assert number is not None
    others = slots.open_slots(url)

    def is_held() -> bool:
        if not others.take(number):
            return True
        others.let_go(number)
        return False

    wait_until(is_held)
    others.close()


# --- the bucket


@pytest.fixture
def gate() -> Iterator[Gate]:
    gate = Gate(support.store().host, support.store().port)
    yield gate
    gate.be("shut")


@on_sqlite
def test_sales_pages_and_pdfs_go_on_whatever_the_bucket_does(
    gate: Gate, sqlite_url: str, shops: Shops, engine: Engine, fonts: Path, tmp_path: Path
) -> None:
    bucket = support.store().bucket()
    shutil.copytree(fonts, tmp_path / "fonts")
    objects = {f"COUNTERFOIL_{name.upper()}": str(value) for name, value in support.settings(bucket, gate.url).items()}
    tills = Tills(shops.owner)
    with ExitStack() as opened:
        server = opened.enter_context(Served(tmp_path, sqlite_url, env=support.ENVIRONMENT | objects))
        reader = opened.enter_context(till(server, shops.owner))
        link = reader.post("/v1/receipts", json=coffee()).json()["url"].removeprefix("https://receipts.test")
        assert reader.get(f"{link}.pdf").status_code == 200
        with tills.busy(server.url):
            for how in (_refusing, _silent, _gone):
                how(gate)
                tills.wait_for(20)
                assert reader.get(link).status_code == 200
                answer = reader.get(f"{link}.pdf")
                assert answer.status_code == 200 or (answer.status_code, "retry-after" in answer.headers) == (503, True)
                tills.wait_for(20)
            gate.answer = None
            gate.be("open")
            wait_until(lambda: reader.get("/readyz").json() == {"status": "ready"}, 20)
        assert reader.get(f"{link}.pdf").status_code == 200
    assert tills.unanswered == []


def _refusing(gate: Gate) -> None:
    gate.answer = support.refusal(500, "InternalError")


def _silent(gate: Gate) -> None:
    gate.answer = None
    gate.be("silent")


def _gone(gate: Gate) -> None:
    gate.be("shut")


# --- the disk


def limit(folder: Path, pages: str) -> None:
    (folder / "part").write_text(pages)
    (folder / "part").replace(folder / "pages")


@on_sqlite
def test_a_full_disk_refuses_sales_in_clear_words_and_takes_them_again_when_there_is_room(
    tmp_path: Path, sqlite_url: str, shops: Shops, engine: Engine
) -> None:
    limit(tmp_path, PLENTY)
    tills = Tills(shops.owner)
    with Served(tmp_path, sqlite_url, first=NO_PDF + SMALL_DISK) as server, till(server, shops.owner) as client:
        with tills.busy(server.url, through=(503,)):
            tills.wait_for(20)
            limit(tmp_path, "1")
            wait_until(lambda: tills.refused[503] > 20)
        refused = full(client)
        assert refused.headers["content-type"] == "application/problem+json"
        assert int(refused.headers["retry-after"]) > 0
        assert "full" in refused.json()["detail"]
        assert {line["error"] for line in lines(server) if line["event"] == "write_failed"} == {FULL}
        receipt = next(iter(tills.told.values()))
        link = receipt["url"].removeprefix("https://receipts.test")
        assert client.get(link).status_code == client.get(f"/v1/receipts/{receipt['id']}").status_code == 200

        limit(tmp_path, PLENTY)
        assert client.post("/v1/receipts", json=coffee(number="S1000000")).status_code == 201
        tills.again(server.url)
    with connect(sqlite_url).connect() as conn:
        assert conn.exec_driver_sql("PRAGMA integrity_check").scalar() == "ok"


@on_sqlite
def test_the_doctor_says_that_there_is_little_room(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    assert checks.disk(settings).state == "ok"
    monkeypatch.setattr(checks, "_LITTLE", 10**18)
    verdict = checks.disk(settings)
    assert (verdict.state, verdict.do) == ("FAIL", "make room: a full disk refuses every sale")


def full(client: httpx.Client) -> httpx.Response:
    """What a sale is answered that finds no room: free pages inside the database's own file are used up first."""
    for number in range(1000):
        answer = client.post("/v1/receipts", json=coffee(number=f"F{number}"))
        if answer.status_code == 503:
            return answer
    raise AssertionError("there was room for a thousand sales")


def lines(server: Program) -> list[dict[str, Any]]:
    return [json.loads(line) for line in server.said().splitlines() if line.startswith("{")]
