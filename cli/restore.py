"""``counterfoil restore``: a backup into a new database, of either kind."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer
from pydantic import SecretStr
from sqlalchemy import Engine
from sqlalchemy.exc import IntegrityError

from cli.progress import Progress
from infra import archive, archive_rows, database, schema, secrets
from infra.archive import Archive, Manifest
from infra.settings import Data, Settings
from infra.storage import open_storage
from kernel.errors import Conflict
from pos.all_tables import METADATA


def restore(
    file: Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="What `counterfoil backup` wrote.")],
    check: Annotated[bool, typer.Option("--check", help="Only read it whole, and say what is in it.")] = False,
    another_key: Annotated[
        bool,
        typer.Option("--with-another-key", help="Restore although what was sealed cannot be opened with today's key."),
    ] = False,
) -> None:
    """Restore a backup into an empty database, all of it or nothing.

    The backup is checked before anything is written. The tables are made where there are none, and brought up to date
    where the backup is older than this version.

    Example: COUNTERFOIL_DATABASE_URL=postgresql://user@host/counterfoil counterfoil restore 2026-11-22.zip
    """
    data = Settings().data
    with archive.opened(file) as found:
        _check(found)
        if check:
            typer.echo(f"{file} is whole: {_contents(found.manifest)}. {_about_key(data, found.manifest)}")
            return
        read(found, data, another_key=another_key)
        typer.echo(f"Restored {_contents(found.manifest)}.")


def read(found: Archive, data: Data, *, another_key: bool = False) -> None:
    """Put it into the database and the storage of the settings. Raises :class:`Conflict` where they do not take it."""
    _require_key(data, found.manifest, another_key)
    with _at_its_revision(data.where_database(), found.manifest.revision) as engine:
        try:
            _load(engine, found, data)
        except IntegrityError:
            raise Conflict("The rows of the backup do not fit together. Nothing was restored") from None
    schema.bring_up_to_date(data.where_database())


def _load(engine: Engine, found: Archive, data: Data) -> None:
    manifest = found.manifest
    progress = Progress("rows", sum(table.rows for table in manifest.tables))
    with engine.begin() as conn:
        archive_rows.require_empty(conn, manifest.tables, ours=METADATA.tables.keys())
        archive_rows.defer_references(conn)
        for table in manifest.tables:
            for count in archive_rows.load(conn, table, found.rows(table)):
                progress.done(count)
        progress.end()
        # What lies in the storage without a row that names it does no harm; the other way round it would.
        _put_beside(found, data)


def _put_beside(found: Archive, data: Data) -> None:
    storage = open_storage(data)
    for each in found.manifest.objects:
        storage.put(each.key, found.read(each.part))
    if found.manifest.secret_key and secrets.known_key(data) is None:
        secrets.keep(data, SecretStr(found.read(found.manifest.secret_key).decode()))


def _check(found: Archive) -> None:
    progress = Progress("kB", sum(part.bytes for part in found.manifest.parts()) // 1000)
    for size in found.check():
        progress.done(size // 1000)
    progress.end()


def _require_key(data: Data, manifest: Manifest, another_key: bool) -> None:
    if another_key or _fits(data, manifest) or (manifest.secret_key and secrets.known_key(data) is None):
        return
    raise Conflict(
        "The backup was sealed with another secret key. Set COUNTERFOIL_SECRET_KEY to the one that its service had, or "
        "put its secret.key into the data folder. If it is lost: --with-another-key, then put webhook secrets and "
        "signing keys anew"
    )


def _fits(data: Data, manifest: Manifest) -> bool:
    key = secrets.known_key(data)
    return manifest.fingerprint in (None, secrets.fingerprint(key) if key else "")


def _about_key(data: Data, manifest: Manifest) -> str:
    if _fits(data, manifest):
        return "Its secret key is the one of this machine."
    return "The secret key is in it." if manifest.secret_key else "Its secret key is another than this machine has."


@contextmanager
def _at_its_revision(url: str, revision: str) -> Iterator[Engine]:
    """A database with the tables that the backup was taken of. A newer one leads nowhere back: it must be a new one."""
    if revision not in database.revisions():
        raise Conflict(f"The backup is of a newer version (tables {revision}). Upgrade Counterfoil first")
    engine = database.connect(url)
    try:
        there = database.revision(engine)
        if there is None:
            database.migrate(url, revision)
        elif there != revision:
            raise Conflict(
                f"The backup has the tables of revision {revision}, the database those of {there}. Give it a new "
                "database without any tables; they are made as the backup has them, and then brought up to date"
            )
        yield engine
    finally:
        engine.dispose()


def _contents(manifest: Manifest) -> str:
    receipts, merchants = manifest.rows("receipts"), manifest.rows("merchants")
    return f"{receipts:,} receipts of {merchants:,} merchants, as of {manifest.made_at}"
