"""A backup is taken while tills post, and a killed backup or restore leaves nothing that looks whole."""

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest
from sqlalchemy import Engine, func, make_url, select, text

from accounts.places import directories
from api.app import create_app
from infra import archive
from infra.database import connect
from infra.settings import ROOT, Data, Server, Settings
from pos.intake import arrive, take
from receipts.reading import read_sale
from receipts.tables import Receipt, ReturnedSum
from tests.support.backups import backed_up, restored
from tests.support.inside import Inside, Person
from tests.support.many import copies
from tests.support.sales import Body, coffee, refund
from tests.support.server import NO_PDF, Served
from tests.support.shops import OPENED, Shops
from tests.support.waiting import wait_until

CLIENTS = 4
Empty = Callable[[str], str]


@pytest.fixture
def empty(request: pytest.FixtureRequest, tmp_path: Path) -> Empty:
    """The address of a new database without tables."""

    def of(kind: str) -> str:
        if kind == "sqlite":
            return f"sqlite:///{tmp_path}/restored.db"
        server, name = request.getfixturevalue("postgresql"), f"{request.getfixturevalue('migrated_postgresql')}_empty"
        request.addfinalizer(lambda: server.drop(name))
        url: str = server.create(name)
        return url

    return of


@pytest.fixture
def data(tmp_path: Path, database_url: str) -> Data:
    return Data(data_dir=tmp_path / "data", database_url=database_url)


def back_up(data: Data, path: Path) -> None:
    engine = connect(data.where_database())
    backed_up(engine, data, path)
    engine.dispose()


def command(data: Data, name: str, path: Path, *, dies_in: str = "") -> "subprocess.Popen[bytes]":
    """The command in a process of its own, which can be killed: see :mod:`tests.support.dying`."""
    env = os.environ | {"COUNTERFOIL_DATA_DIR": str(data.data_dir), "COUNTERFOIL_DATABASE_URL": data.where_database()}
    line = f"import typer; from cli.{name} import {name}; typer.run({name})"
    if dies_in:
        line = f"from tests.support import dying; dying.in_the_middle_of_receipts({dies_in!r}); {line}"
    return subprocess.Popen([sys.executable, "-c", line, str(path)], cwd=ROOT, env=env)


class Tills:
    """They sell coffee, take every third back, and remember what they were told."""

    def __init__(self, url: str, key: str) -> None:
        self.url, self.key = url, key
        self.told: dict[str, tuple[Body, Body]] = {}
        self._stop = threading.Event()

    def _sell(self) -> None:
        with self.client() as client:
            for number in iter(int, 1):
                if self._stop.is_set():
                    return
                sale = self._posted(client, coffee())
                if len(self.told) % 3 == number:
                    self._posted(client, refund(sale["id"], "1.20"))

    def client(self) -> httpx.Client:
        return httpx.Client(base_url=self.url, headers={"Authorization": f"Bearer {self.key}"}, timeout=30)

    def _posted(self, client: httpx.Client, body: Body) -> Body:
        answer = client.post("/v1/receipts", json=body, headers={"Idempotency-Key": body["external_id"]})
        assert answer.status_code == 201, answer.text
        told: Body = answer.json()
        self.told[told["id"]] = (body, told)
        return told

    @contextmanager
    def selling(self) -> Iterator[None]:
        with ThreadPoolExecutor(CLIENTS) as pool:
            running = [pool.submit(self._sell) for _ in range(CLIENTS)]
            try:
                yield
            finally:
                self._stop.set()
            for each in running:
                each.result()


def require_consistent(engine: Engine, told: dict[str, tuple[Body, Body]]) -> int:
    """What was told is there with its link, and every refund is with its sale; how many receipts there are."""
    with engine.connect() as conn:
        kept = {row.id: row.token for row in conn.execute(select(Receipt.id, Receipt.token))}
        assert {each: receipt["token"] for each, (_, receipt) in told.items()}.items() <= kept.items()
        went_back = select(Receipt.original_id, func.sum(Receipt.total)).where(Receipt.original_id.is_not(None))
        backs = {each: int(total) for each, total in conn.execute(went_back.group_by(Receipt.original_id))}
        sums = {row.receipt_id: row.returned for row in conn.execute(select(ReturnedSum.__table__))}
        assert sums == backs
        assert backs.keys() <= kept.keys()
        if conn.dialect.name == "sqlite":
            assert conn.exec_driver_sql("PRAGMA foreign_key_check").all() == []
    return len(kept)


@pytest.mark.parametrize(
    "database_url, kind",
    [
        ("sqlite", "postgresql"),
        ("postgresql", "sqlite"),
        pytest.param("sqlite", "sqlite", marks=pytest.mark.long),
        pytest.param("postgresql", "postgresql", marks=pytest.mark.long),
    ],
    indirect=["database_url"],
)
def test_a_backup_taken_under_load_restores_to_a_consistent_shop(
    kind: str, tmp_path: Path, data: Data, engine: Engine, shops: Shops, empty: Empty
) -> None:
    with Served(data.data_dir, data.where_database(), first=NO_PDF) as server:
        tills = Tills(server.url, shops.owner)
        with tills.selling():
            wait_until(lambda: len(tills.told) > 25)
            before = dict(tills.told)
            back_up(data, tmp_path / "b.zip")
            # Nobody waits for it, and it waits for nobody.
            at = len(tills.told)
            back_up(data, tmp_path / "later.zip")
            wait_until(lambda: len(tills.told) > at)
    there = Data(data_dir=data.data_dir, database_url=empty(kind))
    restored(tmp_path / "b.zip", there)
    new = connect(there.where_database())
    count = require_consistent(new, before)
    assert len(before) <= count <= len(tills.told)

    with Inside(create_app(Settings(there, Server(base_url="https://receipts.test")))) as again:
        owner = Person(again, shops.owner)
        for body, told in list(before.values())[:20]:
            answer = owner.post("/v1/receipts", body, Idempotency_Key=body["external_id"])
            assert (answer.status_code, answer.json()) == (200, told)
            assert owner.get(f"/r/{told['token']}").status_code == 200
    assert require_consistent(new, before) == count
    new.dispose()


# --- kill -9


@pytest.fixture
def stocked(engine: Engine, shops: Shops) -> int:
    """How many receipts there are: enough that a backup takes a while."""
    arrival = arrive(shops.linden, read_sale(coffee(notes=[os.urandom(900).hex() for _ in range(5)])), now=OPENED)
    with engine.begin() as conn:
        take(conn, [arrival], directories=directories(conn, [shops.linden]), now=OPENED)
        copies(conn, arrival.id, 2000)
    return 2001


def test_a_killed_backup_leaves_no_file_under_its_name(stocked: int, tmp_path: Path, data: Data) -> None:
    path, part = tmp_path / "b.zip", tmp_path / "b.zip.part"
    assert command(data, "backup", path, dies_in="lines").wait() == -signal.SIGKILL
    assert part.exists()
    assert not path.exists()
    assert command(data, "backup", path).wait() == 0
    assert not part.exists()
    with archive.opened(path) as found:
        assert found.manifest.rows("receipts") == stocked


def test_a_killed_restore_leaves_an_empty_database_that_takes_it_again(
    stocked: int, tmp_path: Path, data: Data, empty: Empty
) -> None:
    back_up(data, tmp_path / "b.zip")
    kind = make_url(data.where_database()).get_backend_name()
    there = Data(data_dir=tmp_path / "there", database_url=empty(kind))
    assert command(there, "restore", tmp_path / "b.zip", dies_in="load").wait() == -signal.SIGKILL
    engine = connect(there.where_database())
    with engine.connect() as conn:
        assert conn.scalar(text("SELECT count(*) FROM merchants")) == 0
    restored(tmp_path / "b.zip", there)
    assert require_consistent(engine, {}) == stocked
    engine.dispose()


@pytest.mark.long
def test_a_backup_of_many_receipts_takes_no_more_memory(
    tmp_path: Path, data: Data, engine: Engine, stocked: int
) -> None:
    def megabytes() -> int:
        process = command(data, "backup", tmp_path / "b.zip")
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = status
        assert status == 0
        return usage.ru_maxrss // 1000

    few = megabytes()
    with engine.begin() as conn:
        conn.execute(text("UPDATE receipts SET external_id = id"))
        copies(conn, conn.scalars(select(Receipt.id).limit(1)).one(), 100_000)
    assert megabytes() < few + 20
