"""Backups taken and restored, and what is in a database before and after."""

from pathlib import Path
from typing import Any

from sqlalchemy import Engine, select

from cli.backup import write
from cli.restore import read
from infra import archive, secrets
from infra.settings import Data
from infra.storage import open_storage
from pos.all_tables import METADATA


def rows_of(engine: Engine) -> dict[str, list[tuple[Any, ...]]]:
    """Of every table, in an order of their own."""
    with engine.connect() as conn:
        tables = METADATA.sorted_tables
        return {each.name: sorted(map(tuple, conn.execute(select(each))), key=repr) for each in tables}


def backed_up(engine: Engine, data: Data, path: Path, **options: Any) -> Path:
    with path.open("wb") as out:
        write(engine, open_storage(data), out, key=secrets.known_key(data), **options)
    return path


def restored(path: Path, data: Data, **options: Any) -> None:
    with archive.opened(path) as found:
        read(found, data, **options)
