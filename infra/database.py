"""The database: one code base on SQLite and PostgreSQL."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any, Final

import orjson
from sqlalchemy import (
    ARRAY,
    BigInteger,
    Connection,
    Engine,
    MetaData,
    Text,
    bindparam,
    create_engine,
    event,
    inspect,
    make_url,
    text,
)
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import Dialect
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.orm import DeclarativeBase
from sqlalchemy.sql.functions import FunctionElement
from sqlalchemy.types import NullType, TypeDecorator

from infra.settings import ROOT
from kernel.clock import from_microseconds, microseconds

if TYPE_CHECKING:
    from alembic.config import Config


# Whoever writes long lets others write three times as long.
_TO_OTHERS: Final = 3


class Base(DeclarativeBase):
    """Every table of the house. Constraint names are fixed, so that migrations can name them on both databases."""

    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "fk": "fk_%(table_name)s_%(column_0_name)s",
            "pk": "pk_%(table_name)s",
        }
    )


class Instant(TypeDecorator[datetime]):
    """An aware datetime, kept as microseconds since 1970 in UTC: sorts, compares and reads alike on both databases."""

    impl = BigInteger
    cache_ok = True

    @staticmethod
    def stored(value: datetime | None) -> int | None:
        return None if value is None else microseconds(value)

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> int | None:
        return self.stored(value)

    def process_result_value(self, value: int | None, dialect: Dialect) -> datetime | None:
        return None if value is None else from_microseconds(value)


def connect(url: str, *, pool_size: int = 8) -> Engine:
    """An engine for ``url``; SQLite gets a write-ahead log that is synced at every commit.

    Errors do not show the values of a statement: they end up in logs.
    """
    if make_url(url).get_backend_name() == "sqlite":
        return _sqlite(url, pool_size)
    # A lost database must fail a request, not hang the server.
    waits = {"connect_timeout": 5, "options": "-c statement_timeout=15000 -c lock_timeout=10000"}
    options: dict[str, Any] = {"pool_size": pool_size, "max_overflow": 8, "pool_timeout": 5, "hide_parameters": True}
    return create_engine(url, connect_args=waits, **options)


def _sqlite(url: str, pool_size: int) -> Engine:
    database = make_url(url).database
    if database:
        Path(database).parent.mkdir(parents=True, exist_ok=True)
    waits = {"timeout": 15, "check_same_thread": False}
    # Without a limit: who waits for the write lock holds a connection, and must not keep readers from theirs.
    # The connection that was used last is used next: in turn, each would fill a cache of its own.
    pool: dict[str, Any] = {"pool_size": pool_size, "max_overflow": -1, "pool_use_lifo": True}
    engine = create_engine(url, connect_args=waits, hide_parameters=True, **pool)

    @event.listens_for(engine, "connect")
    def prepare(connection: Any, _record: Any) -> None:
        # The driver's own transaction control would begin too late and read outside the write lock.
        connection.isolation_level = None
        # Each connection has its cache, a quarter of SQLite's own 2 MB. The system caches too: with a million receipts
        # even 16 MB are no quicker, to read or to write.
        for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON", "cache_size=-500"):
            connection.execute(f"PRAGMA {pragma}").close()

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        if not connection.get_execution_options().get("reads_only"):
            connection.exec_driver_sql("BEGIN IMMEDIATE")

    return engine


@contextmanager
def reading(engine: Engine) -> Iterator[Connection]:
    """A connection that only reads, each statement by itself: no transaction is opened, and none waited for."""
    with engine.connect() as connection:
        if engine.dialect.name == "sqlite":
            yield connection.execution_options(reads_only=True)
        else:
            yield connection.execution_options(isolation_level="AUTOCOMMIT")


@contextmanager
def in_turn(engine: Engine) -> Iterator[Connection]:
    """A transaction, and after it a while in which others write: for who makes many. Without it, those who wait for
    SQLite would not get their turn."""
    began = time.monotonic()
    with engine.begin() as conn:
        yield conn
    time.sleep(_TO_OTHERS * (time.monotonic() - began))


class unindexed(FunctionElement[Any]):  # noqa: N801 – reads as the function that it is in SQL
    """The same column, but SQLite neither finds nor sorts rows by it (https://sqlite.org/optoverview.html, 2.3).

    It takes every merchant to have ten rows. Where few are known by something else, it would rather read all of the
    merchant's: a million. PostgreSQL counts, and needs no such word.
    """

    inherit_cache = True

    def __init__(self, column: Any) -> None:
        super().__init__(column)
        self.type = column.type


@compiles(unindexed)
def _as_it_is(element: unindexed, compiler: Any, **options: Any) -> str:
    return str(compiler.process(element.clauses, **options))


@compiles(unindexed, "sqlite")
def _with_plus(element: unindexed, compiler: Any, **options: Any) -> str:
    return f"+{_as_it_is(element, compiler, **options)}"


class _Listed(TypeDecorator[list[str]]):
    """Strings as one parameter: an array on PostgreSQL, JSON on SQLite."""

    impl = Text
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> Any:
        return dialect.type_descriptor(ARRAY(Text) if dialect.name == "postgresql" else Text())

    def process_bind_param(self, value: list[str] | None, dialect: Dialect) -> Any:
        return value if dialect.name == "postgresql" else orjson.dumps(value or []).decode()


class one_of(FunctionElement[Any]):  # noqa: N801 – reads as the function that it is in SQL
    """Whether a column is one of the strings in the parameter ``name``. However many these are, the statement is the
    same, so it is prepared once; of an ordinary IN each number of values is another."""

    inherit_cache = True

    def __init__(self, column: Any, name: str) -> None:
        super().__init__(column, bindparam(name, type_=_Listed))
        # Of a boolean SQLAlchemy would ask whether it is 1, and SQLite then use no index.
        self.type = NullType()


@compiles(one_of)
def _any(element: one_of, compiler: Any, **options: Any) -> str:
    column, values = (compiler.process(each, **options) for each in element.clauses)
    return f"{column} = ANY({values})"


@compiles(one_of, "sqlite")
def _in_json(element: one_of, compiler: Any, **options: Any) -> str:
    column, values = (compiler.process(each, **options) for each in element.clauses)
    return f"{column} IN (SELECT value FROM json_each({values}))"  # noqa: S608 – a parameter


def insert_or_ignore(connection: Connection, table: Any) -> Any:
    """``INSERT … ON CONFLICT DO NOTHING`` of the connection's dialect."""
    return upsert(connection, table).on_conflict_do_nothing()


def upsert(connection: Connection, table: Any) -> Any:
    """An INSERT that can be given what to do ``on_conflict``, in the connection's dialect."""
    dialect = postgresql if connection.dialect.name == "postgresql" else sqlite
    return dialect.insert(table)


def _alembic(url: str) -> "Config":
    # Late, as wherever it is used: where the tables are up to date, a server need not carry it (10 MB).
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(ROOT / "migrations"))
    # Alembic reads its options with %-interpolation.
    config.set_main_option("sqlalchemy.url", url.replace("%", "%%"))
    return config


def migrate(url: str, to: str = "head") -> None:
    """Bring the schema to the newest revision, or up to another one."""
    engine = connect(url)
    try:
        if to == "head" and is_current(engine):
            return
    finally:
        engine.dispose()
    from alembic import command

    command.upgrade(_alembic(url), to)


def draft_migration(message: str) -> Path:
    """A new file under ``migrations/versions`` that leads from the newest revision to the tables of the code."""
    from alembic import command
    from alembic.script import Script

    with TemporaryDirectory() as folder:
        url = f"sqlite:///{folder}/before.db"
        migrate(url)
        number = f"{int(revisions()[0]) + 1:04}"
        made = command.revision(_alembic(url), message, autogenerate=True, rev_id=number)
    assert isinstance(made, Script)
    return Path(made.path)


def is_current(engine: Engine) -> bool:
    """Whether the schema is at the revision that this code expects."""
    return revision(engine) == revisions()[0]


def revision(engine: Engine) -> str | None:
    """That of the schema; None where there are no tables of ours yet."""
    with reading(engine) as connection:
        if not inspect(connection).has_table("alembic_version"):
            return None
        found: str | None = connection.scalar(text("SELECT version_num FROM alembic_version"))
        return found


def revisions() -> list[str]:
    """All that this code knows, the newest first: each file of a migration starts with its own."""
    files = (ROOT / "migrations/versions").glob("[0-9]*.py")
    return sorted((path.name.partition("_")[0] for path in files), reverse=True)
