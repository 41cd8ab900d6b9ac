"""A backup leads from either database to either, whole or not at all."""

import shutil
import sqlite3
import zipfile
from collections.abc import Callable
from datetime import UTC, datetime
from io import BytesIO
from pathlib import Path
from typing import Any

import orjson
import pytest
from cryptography.fernet import Fernet
from pydantic import SecretStr
from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Connection,
    Engine,
    Integer,
    LargeBinary,
    MetaData,
    String,
    func,
    inspect,
    select,
    text,
)

from cli.backup import write
from cli.restore import read
from infra import archive, archive_rows, secrets
from infra.archive import ArchiveWriter, Manifest, TablePart
from infra.database import Base, Instant, connect, migrate
from infra.settings import Data
from infra.storage import content_key, open_storage
from kernel.errors import Conflict, Invalid
from tests.support.inside import Person
from tests.support.sales import refund, superset
from tests.support.shops import Shops, open_shops

LOGO = b"not really a picture"
NOW = datetime(2026, 11, 21, 18, 0, 0, 1, tzinfo=UTC)
KEY = SecretStr(Fernet.generate_key().decode())


def rows_of(engine: Engine) -> dict[str, list[tuple[Any, ...]]]:
    with engine.connect() as conn:
        tables = Base.metadata.sorted_tables
        return {each.name: sorted(map(tuple, conn.execute(select(each))), key=repr) for each in tables}


def filled(engine: Engine, owner: Person) -> None:
    """Something in every table."""
    sale = owner.post("/v1/receipts", superset(store="mitte"), Idempotency_Key="k-1").json()
    assert owner.post("/v1/receipts", refund(sale["id"], "1.00")).status_code == 201
    hook = {"source": "shopify", "store": "mitte", "secret": "a secret of ours"}
    assert owner.post("/v1/hook-endpoints", hook).status_code == 201
    with engine.begin() as conn:
        key = content_key("logos", LOGO, suffix=".png")
        conn.execute(text("UPDATE brands SET logo_key = :key WHERE slug = 'linden-rye'"), {"key": key})
        for table in Base.metadata.sorted_tables:
            if conn.scalar(select(func.count()).select_from(table)) == 0:
                conn.execute(table.insert().values({column.name: anything(conn, column) for column in table.columns}))


def anything(conn: Connection, column: Column[Any]) -> Any:
    """A value that the column takes, and that is easily lost on the way."""
    for key in column.foreign_keys:
        return conn.scalar(select(key.column))
    if column.nullable and column.name.endswith("_at"):
        return None
    of_types = {
        Instant: NOW,
        String: 'ä"\\\n',
        Integer: 7,
        BigInteger: 2**53 + 1,
        LargeBinary: b"\x00\xff",
        Boolean: True,
    }
    return next(value for type_, value in of_types.items() if isinstance(column.type, type_))


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
    return data


def backed_up(engine: Engine, data: Data, path: Path, **options: Any) -> Path:
    with path.open("wb") as out:
        write(engine, open_storage(data), out, key=secrets.known_key(data), **options)
    return path


def restored(path: Path, data: Data, **options: Any) -> None:
    with archive.opened(path) as found:
        read(found, data, **options)


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_a_restored_shop_has_every_row_and_logo(
    kind: str, engine: Engine, owner: Person, ours: Data, empty: Callable[[str], Data], tmp_path: Path
) -> None:
    filled(engine, owner)
    before = rows_of(engine)
    assert [name for name, rows in before.items() if not rows] == []
    there = empty(kind)
    restored(backed_up(engine, ours, tmp_path / "b.zip", includes_key=True), there)

    new = connect(there.where_database())
    assert rows_of(new) == before
    assert open_storage(there).get(content_key("logos", LOGO, suffix=".png")) == LOGO
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


# --- refused


@pytest.fixture
def whole(migrated_sqlite: Path, tmp_path: Path) -> bytes:
    """A small backup."""
    path = shutil.copyfile(migrated_sqlite, tmp_path / "source.db")
    engine = connect(f"sqlite:///{path}")
    open_shops(engine)
    data = Data(data_dir=tmp_path / "source", secret_key=KEY)
    made = backed_up(engine, data, tmp_path / "whole.zip").read_bytes()
    engine.dispose()
    return made


def check(path: Path) -> None:
    with archive.opened(path) as found:
        for _ in found.check():
            pass


def test_a_backup_that_is_cut_off_is_refused(whole: bytes, tmp_path: Path) -> None:
    for length in (0, 1, 100, len(whole) // 2, len(whole) - 1):
        (tmp_path / "cut.zip").write_bytes(whole[:length])
        with pytest.raises(Invalid, match="is not a whole backup"):
            check(tmp_path / "cut.zip")


def test_a_backup_with_a_changed_byte_is_refused_or_tells_the_same(whole: bytes, tmp_path: Path) -> None:
    """Some bytes mean nothing, such as a member's time; then every part is still what the manifest says."""
    refused = 0
    for place in range(0, len(whole), max(len(whole) // 200, 1)):
        (tmp_path / "changed.zip").write_bytes(whole[:place] + bytes([whole[place] ^ 0x55]) + whole[place + 1 :])
        try:
            check(tmp_path / "changed.zip")
        except Invalid:
            refused += 1
    assert refused > 100


def rewritten(whole: bytes, path: Path, change: Callable[[str, bytes], bytes]) -> Path:
    """The archive with other members, but the manifest that it had, or a changed one."""
    with zipfile.ZipFile(BytesIO(whole)) as old, zipfile.ZipFile(path, "w") as new:
        for name in old.namelist():
            new.writestr(name, change(name, old.read(name)))
    return path


def test_a_part_that_was_replaced_is_refused_before_anything_is_written(
    whole: bytes, tmp_path: Path, sqlite_url: str
) -> None:
    path = rewritten(whole, tmp_path / "b.zip", lambda _, was: was.replace(b"Linden", b"Mallory"))
    with pytest.raises(Invalid, match="is not what the manifest says"):
        check(path)
    # Even unchecked it is found out in the middle, and all is undone.
    with pytest.raises(Invalid, match="is not what the manifest says"):
        restored(path, Data(data_dir=tmp_path, database_url=sqlite_url, secret_key=KEY))
    assert not any(rows_of(connect(sqlite_url)).values())


def manifest_with(**changes: Any) -> Callable[[str, bytes], bytes]:
    return lambda name, was: orjson.dumps(orjson.loads(was) | changes) if name == archive.MANIFEST else was


@pytest.mark.parametrize(
    "changes, says",
    [
        ({"format": 2}, "does not know its format"),
        ({"tables": []}, "does not hold"),
        ({"objects": 1}, "cannot be read"),
    ],
)
def test_a_manifest_that_tells_otherwise_is_refused(
    whole: bytes, tmp_path: Path, changes: dict[str, Any], says: str
) -> None:
    with pytest.raises(Invalid, match=says):
        check(rewritten(whole, tmp_path / "b.zip", manifest_with(**changes)))


def test_another_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "b.zip").write_text("Dear diary")
    with pytest.raises(Invalid, match="is not a whole backup"):
        check(tmp_path / "b.zip")


def test_a_database_with_anything_in_it_is_refused(
    whole: bytes, tmp_path: Path, engine: Engine, shops: Shops, database_url: str
) -> None:
    before = rows_of(engine)
    (tmp_path / "b.zip").write_bytes(whole)
    with pytest.raises(Conflict, match="not empty"):
        restored(tmp_path / "b.zip", Data(data_dir=tmp_path, database_url=database_url, secret_key=KEY))
    assert rows_of(engine) == before


def test_an_empty_database_with_its_tables_is_taken(whole: bytes, tmp_path: Path, database_url: str) -> None:
    (tmp_path / "b.zip").write_bytes(whole)
    restored(tmp_path / "b.zip", Data(data_dir=tmp_path, database_url=database_url, secret_key=KEY))
    engine = connect(database_url)
    assert len(rows_of(engine)["merchants"]) == 2
    engine.dispose()


def test_a_backup_that_was_sealed_with_another_key_is_told_at_once(
    whole: bytes, tmp_path: Path, sqlite_url: str
) -> None:
    (tmp_path / "b.zip").write_bytes(whole)
    other = Data(data_dir=tmp_path, database_url=sqlite_url, secret_key=SecretStr(Fernet.generate_key().decode()))
    with pytest.raises(Conflict, match="another secret key"):
        restored(tmp_path / "b.zip", other)
    assert not any(rows_of(connect(sqlite_url)).values())
    restored(tmp_path / "b.zip", other, another_key=True)


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


def test_a_backup_of_a_newer_version_is_refused(whole: bytes, tmp_path: Path) -> None:
    path = rewritten(whole, tmp_path / "b.zip", manifest_with(revision="9999"))
    with pytest.raises(Conflict, match="Upgrade Counterfoil first"):
        restored(path, Data(data_dir=tmp_path, database_url=f"sqlite:///{tmp_path}/n.db", secret_key=KEY))
