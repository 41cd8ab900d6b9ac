"""What is not a whole backup, or does not fit, is refused before anything is written."""

import shutil
import tracemalloc
import zipfile
from collections.abc import Callable, Iterable
from io import BytesIO
from pathlib import Path
from typing import Any

import orjson
import pytest
from cryptography.fernet import Fernet
from pydantic import SecretStr
from sqlalchemy import (
    Engine,
)

from infra import archive
from infra.archive import ArchiveWriter, Manifest, TablePart
from infra.database import connect
from infra.settings import Data
from kernel.errors import Conflict, Invalid
from tests.support.backups import backed_up, restored, rows_of
from tests.support.shops import Shops, open_shops

KEY = SecretStr(Fernet.generate_key().decode())


@pytest.fixture(scope="module")
def whole(migrated_sqlite: Path, tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """A small backup."""
    folder = tmp_path_factory.mktemp("whole")
    engine = connect(f"sqlite:///{shutil.copyfile(migrated_sqlite, folder / 'source.db')}")
    open_shops(engine)
    made = backed_up(engine, Data(data_dir=folder, secret_key=KEY), folder / "whole.zip").read_bytes()
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


def rewritten(whole: bytes, path: Path, change: Callable[[str, bytes], bytes | None]) -> Path:
    """The archive with other members, or without some, but the manifest that it had, or a changed one."""
    with zipfile.ZipFile(BytesIO(whole)) as old, zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as new:
        for name in old.namelist():
            if (data := change(name, old.read(name))) is not None:
                new.writestr(name, data)
    return path


def test_a_part_that_was_replaced_is_refused_before_anything_is_written(
    whole: bytes, tmp_path: Path, sqlite_url: str
) -> None:
    path = rewritten(whole, tmp_path / "b.zip", lambda _, was: was.replace(b"Linden", b"Mallow"))
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


def made_of(path: Path, *, rows: Iterable[bytes] = (), logo: Iterable[bytes] = ()) -> Path:
    """An archive of one table and one object, as its maker wants them."""
    with path.open("wb") as out:
        writer = ArchiveWriter(out)
        part = writer.add("tables/merchants.jsonl", rows)
        table = TablePart(table="merchants", columns=(archive.Column(name="id", kind="plain"),), rows=1, part=part)
        objects = (archive.ObjectPart(key="logos/aa/x.png", part=writer.add("objects/logos/aa/x.png", logo)),)
        facts = {"made_at": "", "revision": "", "fingerprint": None, "secret_key": None}
        writer.finish(Manifest.model_validate(facts | {"tables": (table,), "objects": objects}))
    return path


def memory_for(act: Callable[[], object]) -> int:
    """The most bytes that it holds at once."""
    tracemalloc.start()
    try:
        act()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


MEGABYTE = b"1" * 1_000_000


def test_an_object_that_no_storage_takes_is_refused_before_it_is_unpacked(tmp_path: Path) -> None:
    path = made_of(tmp_path / "b.zip", logo=[MEGABYTE] * 33)
    assert path.stat().st_size < len(MEGABYTE)
    with pytest.raises(Invalid, match="an object of more than"):
        check(path)


def test_a_row_without_an_end_is_refused_before_it_fills_the_memory(tmp_path: Path) -> None:
    path = made_of(tmp_path / "b.zip", rows=[MEGABYTE] * 150)

    def read_all() -> None:
        with archive.opened(path) as found, pytest.raises(Invalid, match="a row of more than"):
            list(found.rows(found.manifest.tables[0]))

    assert memory_for(read_all) < 100 * len(MEGABYTE)


def test_a_part_is_read_no_further_than_the_manifest_says(whole: bytes, tmp_path: Path) -> None:
    def longer(name: str, was: bytes) -> bytes:
        return was + 9 * MEGABYTE if name == "tables/merchants.jsonl" else was

    came: list[bytes] = []
    with archive.opened(rewritten(whole, tmp_path / "b.zip", longer)) as found:
        part = next(each.part for each in found.manifest.tables if each.table == "merchants")
        with pytest.raises(Invalid, match="longer than the manifest says"):
            came.extend(found.chunks(part))
    assert sum(map(len, came)) <= part.bytes


def test_a_backup_without_one_of_the_tables_is_refused(whole: bytes, tmp_path: Path, sqlite_url: str) -> None:
    """It would restore to a shop that has lost something, and nobody would be told."""

    def without(name: str, was: bytes) -> bytes | None:
        if name != archive.MANIFEST:
            return None if name == "tables/purged_receipts.jsonl" else was
        told = orjson.loads(was)
        tables = [each for each in told["tables"] if each["table"] != "purged_receipts"]
        return orjson.dumps(told | {"tables": tables})

    path = rewritten(whole, tmp_path / "b.zip", without)
    check(path)
    with pytest.raises(Conflict, match="lacks the table purged_receipts"):
        restored(path, Data(data_dir=tmp_path, database_url=sqlite_url, secret_key=KEY))


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


def test_a_backup_of_a_newer_version_is_refused(whole: bytes, tmp_path: Path) -> None:
    path = rewritten(whole, tmp_path / "b.zip", manifest_with(revision="9999"))
    with pytest.raises(Conflict, match="Upgrade Counterfoil first"):
        restored(path, Data(data_dir=tmp_path, database_url=f"sqlite:///{tmp_path}/n.db", secret_key=KEY))
