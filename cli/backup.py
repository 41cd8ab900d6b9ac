"""``counterfoil backup``: all that a shop cannot make again, in one file that either mode can restore."""

import fcntl
import os
import stat
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Annotated

import typer
from pydantic import SecretStr
from sqlalchemy import Connection, Engine, Table, make_url

from accounts import find
from cards import find as card_find
from cli.opened import require_current
from cli.progress import Progress
from engagement.offers import products
from infra import archive_rows, database, secrets
from infra.archive import ArchiveWriter, Manifest, ObjectPart, Part, TablePart
from infra.settings import Settings
from infra.storage import Storage, open_storage
from kernel.clock import iso, utc_now
from pos.all_tables import METADATA


def backup(
    file: Annotated[str, typer.Argument(help="Where to write it; - is standard output.")],
    include_secret_key: Annotated[
        bool, typer.Option("--include-secret-key", help="Put the secret key in too: whoever has the file has it then.")
    ] = False,
) -> None:
    """Write a backup while the service runs: the database as it is at this moment, pictures, and, if wished, the key.

    The file gets its name when it is whole. It is restored by `counterfoil restore`, on SQLite or PostgreSQL, with a
    folder or a bucket.

    Example: counterfoil backup /backup/$(date +%F).zip
    """
    settings = Settings()
    key = secrets.known_key(settings.data)
    with _existing(settings) as engine, _destination(file) as out:
        manifest = write(engine, open_storage(settings.data), out, key=key, includes_key=include_secret_key)
    _tell(manifest, file)


def write(
    engine: Engine, storage: Storage, out: IO[bytes], *, key: SecretStr | None, includes_key: bool = False
) -> Manifest:
    """The archive of one moment. ``key`` is what the rows were sealed with."""
    writer = ArchiveWriter(out)
    with archive_rows.snapshot(engine) as conn:
        tables = METADATA.sorted_tables
        progress = Progress("rows", sum(archive_rows.count(conn, table) for table in tables))
        written = tuple(_table(writer, conn, table, progress) for table in tables)
        progress.end()
        pictures = [*find.logo_keys(conn), *card_find.photo_keys(conn), *products.picture_keys(conn)]
    manifest = Manifest(
        made_at=iso(utc_now()),
        revision=database.revisions()[0],
        fingerprint=secrets.fingerprint(key) if key else None,
        tables=written,
        objects=tuple(_objects(writer, storage, pictures)),
        secret_key=_key(writer, key) if includes_key and key else None,
    )
    writer.finish(manifest)
    return manifest


def _table(writer: ArchiveWriter, conn: Connection, table: Table, progress: Progress) -> TablePart:
    rows = 0

    def lines() -> Iterator[bytes]:
        nonlocal rows
        for count, some in archive_rows.lines(conn, table):
            rows += count
            progress.done(count, len(some))
            yield some

    part = writer.add(f"tables/{table.name}.jsonl", lines())
    return TablePart(table=table.name, columns=archive_rows.columns(table), rows=rows, part=part)


def _objects(writer: ArchiveWriter, storage: Storage, keys: list[str]) -> Iterator[ObjectPart]:
    """Objects never change under their keys, so they may be read after the database."""
    for key in keys:
        data = storage.get(key)
        if data is None:
            typer.echo(f"The picture {key} is missing in the storage; put it again through the API", err=True)
        else:
            yield ObjectPart(key=key, part=writer.add(f"objects/{key}", [data]))


def _key(writer: ArchiveWriter, key: SecretStr) -> Part:
    return writer.add("secret.key", [key.get_secret_value().encode()])


@contextmanager
def _existing(settings: Settings) -> Iterator[Engine]:
    """The database as it is: a backup that is taken before an upgrade must not be the upgrade."""
    url = make_url(settings.data.where_database())
    if url.get_backend_name() == "sqlite" and not Path(url.database or "").exists():
        sys.exit(f"There is no database at {url.database}")
    engine = database.connect(settings.data.where_database())
    try:
        require_current(engine)
        yield engine
    finally:
        engine.dispose()


@contextmanager
def _destination(file: str) -> Iterator[IO[bytes]]:
    if file == "-":
        if sys.stdout.isatty():
            sys.exit("A backup is not for the eyes. Name a file, or hand it on: counterfoil backup - | …")
        yield sys.stdout.buffer
        sys.stdout.buffer.flush()
        return
    with _whole_or_not_at_all(Path(file)) as out:
        yield out


@contextmanager
def _whole_or_not_at_all(path: Path) -> Iterator[IO[bytes]]:
    """A file beside ``path`` that takes its place at the end. What a killed backup left there is written over."""
    part = path.with_name(f"{path.name}.part")
    handle = _for_us_alone(part)
    with os.fdopen(handle, "wb") as out:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            sys.exit(f"Another backup is writing {path} just now")
        try:
            os.ftruncate(handle, 0)
            yield out
            out.flush()
            os.fsync(handle)
            part.replace(path)
        except BaseException:
            part.unlink(missing_ok=True)
            raise
    folder = os.open(path.parent, os.O_RDONLY)
    os.fsync(folder)
    os.close(folder)


def _for_us_alone(path: Path) -> int:
    """A file that only we can read, even where somebody else put one or a link there before."""
    try:
        handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_NONBLOCK, 0o600)
    except OSError as error:
        sys.exit(f"{path} cannot be written: {error.strerror}")
    found = os.fstat(handle)
    if not stat.S_ISREG(found.st_mode) or found.st_uid != os.geteuid() or found.st_nlink != 1:
        os.close(handle)
        sys.exit(f"{path} was put there by somebody else. Look at it, and remove it")
    os.fchmod(handle, 0o600)
    return handle


def _tell(manifest: Manifest, file: str) -> None:
    size = f", {Path(file).stat().st_size // 1000:,} kB" if file != "-" else ""
    what = f"{manifest.rows('receipts'):,} receipts of {manifest.rows('merchants'):,} merchants"
    typer.echo(f"Backed up {what}, {len(manifest.objects)} pictures{size}.", err=True)
    if manifest.fingerprint and not manifest.secret_key:
        told = "The secret key is not in it. Keep COUNTERFOIL_SECRET_KEY (or secret.key) elsewhere: without it, "
        typer.echo(f"{told}webhook secrets and signing keys of this backup cannot be opened.", err=True)
