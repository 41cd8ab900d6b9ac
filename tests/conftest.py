"""What every test may ask for."""

import copy
import os
import shutil
import sqlite3
import tempfile
import uuid
from collections.abc import Iterator
from pathlib import Path

import hypothesis
import pytest
from hypothesis import HealthCheck
from playwright.sync_api import Browser, expect, sync_playwright
from sqlalchemy import Engine

from api.app import create_app
from cards.find import CardRecord
from infra import jobs
from infra.database import connect, migrate
from infra.folder import open_folder
from infra.pdf import PdfPool
from infra.settings import Data, Mail, Server, Settings
from tests.support import browser, postgres
from tests.support.apns import PushServer
from tests.support.apple import Apple, apple
from tests.support.cards import a_card
from tests.support.emptied import Emptied
from tests.support.inside import Inside, Person
from tests.support.paper import Maker, green_brand
from tests.support.pdf import a_square
from tests.support.scratched import Promoter
from tests.support.shops import Shops, open_shops
from tests.support.workshop import Clock, Postman, workshop
from worker.workshop import Workshop

# What a developer has set for a service of their own must not reach the tests.
for name in [name for name in os.environ if name.startswith("COUNTERFOIL_") and "_TEST_" not in name]:
    del os.environ[name]

# How long something takes says how busy the machine is: an example, or a page.
hypothesis.settings.register_profile("patient", deadline=None, suppress_health_check=[HealthCheck.too_slow])
hypothesis.settings.load_profile("patient")
expect.set_options(timeout=30_000)

MEMORY = Path("/dev/shm")  # noqa: S108 - a folder with a random name of its own in it
WORKER = os.environ.get("PYTEST_XDIST_WORKER", "")


@pytest.fixture(scope="session")
def postgresql(tmp_path_factory: pytest.TempPathFactory) -> postgres.Server:
    """The PostgreSQL server of this run."""
    base = tmp_path_factory.getbasetemp()
    # A worker is a child of the run, and its temporary folder lies in the run's.
    return postgres.shared(base.parent, owner=os.getppid()) if WORKER else postgres.shared(base, owner=os.getpid())


@pytest.fixture(scope="session")
def migrated_postgresql(postgresql: postgres.Server) -> Iterator[str]:
    """The name of a PostgreSQL database with every table and no row, to be copied."""
    name = f"counterfoil_{uuid.uuid4().hex[:12]}"
    url = postgresql.create(name)
    migrate(url)
    jobs.prepare(url)
    yield name
    postgresql.drop(name)


@pytest.fixture(scope="session")
def migrated_sqlite(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A SQLite file with every table and no row, to be copied."""
    path = tmp_path_factory.mktemp("sqlite") / "migrated.db"
    migrate(f"sqlite:///{path}")
    jobs.prepare(f"sqlite:///{path}")
    with sqlite3.connect(path) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    connection.close()
    return path


@pytest.fixture
def sqlite_url(migrated_sqlite: Path) -> Iterator[str]:
    """A SQLite database of the test's own, migrated and empty. Where there is a disk in memory it lies there, as each
    commit waits until a disk has it."""
    has_room = MEMORY.is_dir() and os.access(MEMORY, os.W_OK) and shutil.disk_usage(MEMORY).free > 1_000_000_000
    with tempfile.TemporaryDirectory(prefix="counterfoil-", dir=MEMORY if has_room else None) as folder:
        yield f"sqlite:///{shutil.copyfile(migrated_sqlite, Path(folder) / 'counterfoil.db')}"


@pytest.fixture(scope="session")
def emptied(postgresql: postgres.Server, migrated_postgresql: str) -> Iterator[Emptied]:
    """Where tests get their PostgreSQL databases from, one after the other."""
    databases = Emptied(postgresql, migrated_postgresql)
    yield databases
    databases.close()


@pytest.fixture
def postgresql_url(emptied: Emptied) -> Iterator[str]:
    """A PostgreSQL database of the test's own, migrated and empty."""
    with emptied.one() as url:
        yield url


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest) -> str:
    """The test runs twice: on SQLite and on PostgreSQL, each time in a migrated and empty database of its own."""
    url: str = request.getfixturevalue(f"{request.param}_url")
    return url


@pytest.fixture
def engine(database_url: str) -> Iterator[Engine]:
    """The test's own way into its database."""
    engine = connect(database_url)
    yield engine
    engine.dispose()


@pytest.fixture
def shops(engine: Engine) -> Shops:
    """Two merchants, and keys of people who may do much, little or nothing."""
    return open_shops(engine)


@pytest.fixture
def settings(database_url: str, tmp_path: Path) -> Settings:
    data = Data(data_dir=tmp_path / "data", database_url=database_url)
    mail = Mail(mail_outbox=tmp_path / "outbox", mail_from="receipts@receipts.test")
    return Settings(data, Server(base_url="https://receipts.test"), mail=mail)


@pytest.fixture
def inside(settings: Settings, shops: Shops) -> Iterator[Inside]:
    """The application with its shops, in this process."""
    with Inside(create_app(settings)) as running:
        yield running


@pytest.fixture
def postman() -> Postman:
    return Postman()


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def shop(settings: Settings, postman: Postman, clock: Clock) -> Iterator[Workshop]:
    with workshop(settings, postman, clock) as opened:
        yield opened


@pytest.fixture
def owner(inside: Inside, shops: Shops) -> Person:
    """May do all that a merchant may, at Linden & Rye."""
    return Person(inside, shops.owner)


@pytest.fixture
def till(inside: Inside, shops: Shops) -> Person:
    """The till-3 of the store mitte: it posts receipts and reads its own."""
    return Person(inside, shops.till)


@pytest.fixture
def reader(inside: Inside, shops: Shops) -> Person:
    """Reads receipts of Linden & Rye."""
    return Person(inside, shops.reader)


@pytest.fixture
def outsider(inside: Inside, shops: Shops) -> Person:
    """May do all that a merchant may, but at another: Linden & Rye is none of their business."""
    return Person(inside, shops.outsider)


@pytest.fixture
def stranger(inside: Inside) -> Person:
    """Has no key."""
    return Person(inside)


@pytest.fixture
def prompt(monkeypatch: pytest.MonkeyPatch) -> None:
    """Workers look ten times a second whether wallets are to be told of something, instead of every other second."""
    monkeypatch.setattr("worker.kinds._PASSES", 0.1)


@pytest.fixture
def card(engine: Engine, shops: Shops) -> CardRecord:
    """Emma's, of the store mitte."""
    return a_card(engine, shops)


@pytest.fixture
def promoter(engine: Engine, settings: Settings, shops: Shops) -> Promoter:
    """Draws up campaigns of Linden & Rye."""
    return Promoter(engine, settings, shops.linden)


@pytest.fixture(scope="module")
def its(tmp_path_factory: pytest.TempPathFactory) -> Apple:
    """What Apple gave to who signs passes here."""
    return apple(tmp_path_factory.mktemp("apple"))


@pytest.fixture
def push(its: Apple, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Iterator[PushServer]:
    """Apple's push service. An application asks it whose settings name its address."""
    its.trusted(monkeypatch)
    with PushServer(its.authority, tmp_path_factory.mktemp("apns")) as server:
        yield server


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    """A browser for the tests of one file. Where it is open, no other loop may run in this thread."""
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=browser.executable(), args=browser.ARGUMENTS)
        yield started
        started.close()


@pytest.fixture(scope="session")
def fonts(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where PDF processes keep their fonts. Those that every page needs are there: to cut them takes seconds."""
    folder = tmp_path_factory.mktemp("fonts")
    with PdfPool(fonts=folder, static=folder, seconds=60) as pool:
        pool.warm()
    return folder


@pytest.fixture(scope="session")
def static(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of static files, beside which lies what nobody may see."""
    folder = tmp_path_factory.mktemp("site") / "static"
    folder.mkdir()
    (folder / "red.png").write_bytes(a_square("red"))
    (folder.parent / "secret.png").write_bytes(a_square("red"))
    return folder


@pytest.fixture(scope="session")
def pool(fonts: Path, static: Path) -> Iterator[PdfPool]:
    """A PDF process that tests share."""
    with PdfPool(fonts=fonts, static=static, seconds=60) as pool:
        yield pool


@pytest.fixture
def own_pool(fonts: Path, static: Path) -> Iterator[PdfPool]:
    """A PDF process for tests that do harm."""
    with PdfPool(fonts=fonts, static=static, seconds=60) as pool:
        yield pool


@pytest.fixture(scope="session")
def printer(pool: PdfPool, tmp_path_factory: pytest.TempPathFactory) -> Maker:
    """Prints receipts of a green brand."""
    storage = open_folder(tmp_path_factory.mktemp("objects"))
    return Maker(pool, storage, green_brand(storage))


@pytest.fixture
def made(printer: Maker) -> Maker:
    """The same, to be changed by the test."""
    return copy.copy(printer)
