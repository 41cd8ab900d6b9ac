"""A backup leads from either database to either, whole or not at all."""

import sqlite3
import zipfile
from collections.abc import Callable
from datetime import UTC, datetime
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from cryptography.fernet import Fernet
from pydantic import SecretStr
from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Column,
    Connection,
    Engine,
    Float,
    Integer,
    LargeBinary,
    MetaData,
    String,
    func,
    inspect,
    select,
    text,
)

from cli.backup import backup, write
from infra import archive, archive_rows, secrets
from infra.archive import ArchiveWriter, Manifest, TablePart
from infra.database import Instant, connect, migrate
from infra.settings import Data
from infra.storage import content_key, open_storage
from kernel.errors import Conflict
from pos.all_tables import METADATA
from tests.support.backups import backed_up, restored, rows_of
from tests.support.inside import Person
from tests.support.sales import refund, superset
from tests.support.shops import Shops

LOGO = b"not really a picture"
PHOTO = b"nor is this one"
PICTURE = b"nor this"
# What tells today's visitors apart, and who tries codes: a backup that held it would recognise them for ever.
FLEETING = ("card_visitors", "daily_salts", "wrong_codes", "free_entrants")
NOW = datetime(2026, 11, 21, 18, 0, 0, 1, tzinfo=UTC)
KEY = SecretStr(Fernet.generate_key().decode())


def filled(engine: Engine, owner: Person) -> None:
    """Something in every table."""
    sale = owner.post("/v1/receipts", superset(store="mitte"), Idempotency_Key="k-1").json()
    assert owner.post("/v1/receipts", refund(sale["id"], "1.00")).status_code == 201
    hook = {"source": "shopify", "store": "mitte", "secret": "a secret of ours"}
    assert owner.post("/v1/hook-endpoints", hook).status_code == 201
    with engine.begin() as conn:
        key = content_key("logos", LOGO, suffix=".png")
        conn.execute(text("UPDATE brands SET logo_key = :key WHERE slug = 'linden-rye'"), {"key": key})
        for table in METADATA.sorted_tables:
            if conn.scalar(select(func.count()).select_from(table)) == 0:
                conn.execute(table.insert().values({column.name: anything(conn, column) for column in table.columns}))
        conn.execute(text("UPDATE cards SET photo_key = :key"), {"key": content_key("photos", PHOTO, suffix=".jpg")})
        key = content_key("products", PICTURE, suffix=".jpg")
        conn.execute(text("UPDATE products SET picture_key = :key"), {"key": key})


def anything(conn: Connection, column: Column[Any]) -> Any:
    """A value that the column takes, and that is easily lost on the way."""
    for key in column.foreign_keys:
        return conn.scalar(select(key.column))
    if column.nullable and column.name.endswith("_at"):
        return None
    of_types: dict[type[Any], Any] = {
        Instant: NOW,
        String: 'ä"\\\n',
        Integer: 7,
        BigInteger: 2**53 + 1,
        Float: 0.1,
        LargeBinary: b"\x00\xff",
        Boolean: True,
        JSON: {"de": 'ä"\\\n'},
    }
    value = next(value for type_, value in of_types.items() if isinstance(column.type, type_))
    return value[: column.type.length] if isinstance(column.type, String) else value


@pytest.fixture
def empty(request: pytest.FixtureRequest, tmp_path: Path) -> Callable[[str], Data]:
    """Settings of a machine with nothing on it, not even tables."""

    def of(kind: str) -> Data:
        folder = tmp_path / f"new-{kind}"
        folder.mkdir()
        if kind == "sqlite":
            return Data(data_dir=folder, database_url=f"sqlite:///{folder}/new.db")
        server, name = request.getfixturevalue("postgresql"), f"{request.getfixturevalue('migrated_postgresql')}_new"
        request.addfinalizer(lambda: server.drop(name))
        return Data(data_dir=folder, database_url=server.create(name))

    return of


@pytest.fixture
def ours(tmp_path: Path, database_url: str) -> Data:
    data = Data(data_dir=tmp_path / "data", database_url=database_url, secret_key=KEY)
    open_storage(data).put(content_key("logos", LOGO, suffix=".png"), LOGO)
    open_storage(data).put(content_key("photos", PHOTO, suffix=".jpg"), PHOTO)
    open_storage(data).put(content_key("products", PICTURE, suffix=".jpg"), PICTURE)
    return data


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_a_restored_shop_has_every_row_and_picture(
    kind: str, engine: Engine, owner: Person, ours: Data, empty: Callable[[str], Data], tmp_path: Path
) -> None:
    filled(engine, owner)
    before = rows_of(engine)
    assert [name for name, rows in before.items() if not rows] == []
    there = empty(kind)
    restored(backed_up(engine, ours, tmp_path / "b.zip", includes_key=True), there)

    new = connect(there.where_database())
    assert rows_of(new) == before | {table: [] for table in FLEETING}
    assert open_storage(there).get(content_key("logos", LOGO, suffix=".png")) == LOGO
    assert open_storage(there).get(content_key("photos", PHOTO, suffix=".jpg")) == PHOTO
    assert open_storage(there).get(content_key("products", PICTURE, suffix=".jpg")) == PICTURE
    assert secrets.known_key(there) == KEY
    # And on from there, so that it is the values of both that are told the same.
    with (
        zipfile.ZipFile(backed_up(new, there, tmp_path / "c.zip")) as again,
        zipfile.ZipFile(tmp_path / "b.zip") as first,
    ):
        for name in first.namelist():
            if name.startswith("tables/"):
                assert sorted(again.read(name).splitlines()) == sorted(first.read(name).splitlines()), name
    new.dispose()


def test_no_table_of_ours_is_forgotten(tmp_path: Path) -> None:
    """Those of the jobs are left out: what is to be done is told by our own."""
    data = Data(data_dir=tmp_path, database_url=f"sqlite:///{tmp_path}/only-ours.db")
    migrate(data.where_database())
    engine = connect(data.where_database())
    with archive.opened(backed_up(engine, data, tmp_path / "b.zip")) as found:
        told = {each.table for each in found.manifest.tables}
    assert told == set(inspect(engine).get_table_names()) - {"alembic_version"}
    engine.dispose()


def test_a_backup_goes_through_a_pipe(engine: Engine, ours: Data, shops: Shops, tmp_path: Path) -> None:
    class Pipe(BytesIO):
        def seekable(self) -> bool:
            return False

        def seek(self, *_: Any) -> int:
            raise OSError

        tell = seek

    pipe = Pipe()
    write(engine, open_storage(ours), pipe, key=None)
    (tmp_path / "b.zip").write_bytes(pipe.getvalue())
    with archive.opened(tmp_path / "b.zip") as found:
        assert sum(found.check()) > 0
        assert found.manifest.rows("merchants") == 2


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_an_older_backup_is_brought_up_to_date(kind: str, tmp_path: Path, empty: Callable[[str], Data]) -> None:
    """As the version before wrote it: without the tables and columns that came later."""
    old = f"sqlite:///{tmp_path}/old.db"
    migrate(old, "0001")
    with sqlite3.connect(tmp_path / "old.db") as conn:
        conn.execute("INSERT INTO merchants VALUES ('mer_1', 'moor', 'Moor', 'refuse', 5)")
    conn.close()
    there = empty(kind)
    restored(as_of(tmp_path / "old.zip", old, "0001"), there)
    new = connect(there.where_database())
    assert rows_of(new)["merchants"][0][:5] == ("mer_1", "moor", "Moor", "refuse", None)
    new.dispose()
    migrated = empty("sqlite") if kind == "postgresql" else None
    if migrated:
        migrate(migrated.where_database())
        with pytest.raises(Conflict, match="new database without any tables"):
            restored(tmp_path / "old.zip", migrated)


def as_of(path: Path, url: str, revision: str) -> Path:
    """A backup of tables that are not today's."""
    engine, then = connect(url), MetaData()
    then.reflect(engine)
    with path.open("wb") as out, archive_rows.snapshot(engine) as conn:
        writer, written = ArchiveWriter(out), []
        for table in then.sorted_tables:
            if table.name != "alembic_version":
                found = list(archive_rows.lines(conn, table))
                part = writer.add(f"tables/{table.name}.jsonl", (data for _, data in found))
                rows = sum(count for count, _ in found)
                written.append(TablePart(table=table.name, columns=archive_rows.columns(table), rows=rows, part=part))
        writer.finish(
            Manifest(
                made_at="", revision=revision, fingerprint=None, tables=tuple(written), objects=(), secret_key=None
            )
        )
    engine.dispose()
    return path


# --- the file that it is written to


@pytest.fixture
def path(tmp_path: Path, sqlite_url: str, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where the command shall write a backup of an empty shop."""
    monkeypatch.setenv("COUNTERFOIL_DATABASE_URL", sqlite_url)
    monkeypatch.setenv("COUNTERFOIL_DATA_DIR", str(tmp_path / "data"))
    return tmp_path / "b.zip"


def test_nobody_else_can_read_it_even_where_they_could_read_what_was_there(path: Path) -> None:
    part = Path(f"{path}.part")
    part.touch()
    part.chmod(0o666)
    backup(str(path))
    assert path.stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("plant", [Path.symlink_to, Path.hardlink_to])
def test_it_is_not_written_into_what_somebody_else_wants_filled(
    path: Path, plant: Callable[[Path, Path], None]
) -> None:
    """A symbolic link is followed nowhere, and what has a second name is read under that."""
    elsewhere = path.with_name("elsewhere")
    elsewhere.touch()
    plant(Path(f"{path}.part"), elsewhere)
    with pytest.raises(SystemExit, match=r"b\.zip\.part"):
        backup(str(path))
    assert (path.exists(), elsewhere.read_bytes()) == (False, b"")
