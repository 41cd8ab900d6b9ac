"""Rows on their way into an archive and out of it, exactly as a database stores them."""

import base64
from collections.abc import Collection, Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Final

import orjson
import psycopg
from sqlalchemy import JSON, Boolean, Connection, Engine, LargeBinary, Table, inspect

from infra.archive import Column, Kind, TablePart
from kernel.errors import Conflict

_TOGETHER: Final = 500
_KINDS: Final[tuple[tuple[type[Any], Kind], ...]] = ((JSON, "json"), (LargeBinary, "bytes"), (Boolean, "bool"))
Row = Sequence[Any]


@contextmanager
def snapshot(engine: Engine) -> Iterator[Connection]:
    """A connection that sees the database as it is now, however long it reads, and stops nobody who writes."""
    with engine.connect() as connection:
        if engine.dialect.name == "sqlite":
            conn = connection.execution_options(reads_only=True)
            # Not IMMEDIATE, as what writes begins: with a write-ahead log a reader takes no lock that others wait for.
            conn.exec_driver_sql("BEGIN")
        else:
            conn = connection.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)
            for limit in ("statement_timeout", "idle_in_transaction_session_timeout"):
                conn.exec_driver_sql(f"SET LOCAL {limit} = 0")
        yield conn


def columns(table: Table) -> tuple[Column, ...]:
    return tuple(Column(name=column.name, kind=_kind(column.type)) for column in table.columns)


def _kind(of: object) -> Kind:
    return next((kind for type_, kind in _KINDS if isinstance(of, type_)), "plain")


def count(conn: Connection, table: Table) -> int:
    if is_fleeting(table):
        return 0
    return int(conn.exec_driver_sql(f'SELECT count(*) FROM "{table.name}"').scalar_one())  # noqa: S608 – our own name


def is_fleeting(table: Table) -> bool:
    """Whether its rows are to be forgotten with the day, so that no backup may remember them."""
    return bool(table.info.get("is_fleeting"))


def lines(conn: Connection, table: Table) -> Iterator[tuple[int, bytes]]:
    """Of each table some rows at a time: how many, and their lines. Of a fleeting one there are none."""
    if is_fleeting(table):
        return
    kinds = columns(table)
    wanted = ", ".join(f'CAST("{each.name}" AS text)' if each.kind == "json" else f'"{each.name}"' for each in kinds)
    streamed = conn.execution_options(stream_results=True, max_row_buffer=_TOGETHER)
    with streamed.exec_driver_sql(f'SELECT {wanted} FROM "{table.name}"') as found:  # noqa: S608 – our own names
        for rows in found.partitions(_TOGETHER):
            written = _converted(kinds, _into_json, [tuple(row) for row in rows])
            yield len(rows), b"".join(orjson.dumps(row) + b"\n" for row in written)


def _into_json(kind: Kind, value: Any) -> Any:
    return base64.b64encode(value).decode() if kind == "bytes" else bool(value)


def _out_of_json(kind: Kind, value: Any) -> Any:
    return base64.b64decode(value) if kind == "bytes" else bool(value)


def _converted(of: Sequence[Column], convert: Any, rows: Sequence[Row]) -> Iterable[Row]:
    places = [(place, column.kind) for place, column in enumerate(of) if column.kind in ("bytes", "bool")]
    return (_with(places, convert, list(row)) for row in rows) if places else rows


def _with(places: Sequence[tuple[int, Kind]], convert: Any, row: list[Any]) -> Row:
    for place, kind in places:
        if row[place] is not None:
            row[place] = convert(kind, row[place])
    return row


def require_empty(conn: Connection, tables: Sequence[TablePart], *, ours: Collection[str]) -> None:
    """Raises :class:`Conflict` unless exactly these tables of ``ours`` are there, without a row.

    Nobody else adds one before the end of the transaction: every row belongs to a merchant.
    """
    if conn.dialect.name == "postgresql":
        conn.exec_driver_sql("SET LOCAL statement_timeout = 0")
        conn.exec_driver_sql("LOCK TABLE merchants IN EXCLUSIVE MODE")
    there = inspect(conn)
    names = set(there.get_table_names())
    if lacks := sorted((names & set(ours)) - {each.table for each in tables}):
        raise Conflict(f"The backup lacks the table {lacks[0]}, which this database has")
    for each in tables:
        has = {column["name"] for column in there.get_columns(each.table)} if each.table in names else set()
        if has != {column.name for column in each.columns}:
            raise Conflict(f"The table {each.table} of the backup is not as this database has it")
        if conn.exec_driver_sql(f'SELECT 1 FROM "{each.table}" LIMIT 1').first():  # noqa: S608 – a checked name
            raise Conflict(f"The database is not empty: there are {each.table}. Restore into a new one")


def defer_references(conn: Connection) -> None:
    """A receipt may stand before the one that it refers to. PostgreSQL checks that after each COPY by itself."""
    if conn.dialect.name == "sqlite":
        conn.exec_driver_sql("PRAGMA defer_foreign_keys = ON")


def load(conn: Connection, table: TablePart, slices: Iterable[Sequence[Row]]) -> Iterator[int]:
    """Writes all rows; yields how many at a time. ``slices`` are as :meth:`infra.archive.Archive.rows` gives them."""
    names = ", ".join(f'"{column.name}"' for column in table.columns)
    ready = (list(_converted(table.columns, _out_of_json, rows)) for rows in slices)
    if conn.dialect.name == "postgresql":
        yield from _copy(conn, table.table, names, ready)
        return
    places = ", ".join("?" * len(table.columns))
    for rows in ready:
        insert = f'INSERT INTO "{table.table}" ({names}) VALUES ({places})'  # noqa: S608 – checked names
        conn.exec_driver_sql(insert, [tuple(row) for row in rows])
        yield len(rows)


def _copy(conn: Connection, table: str, names: str, slices: Iterable[Sequence[Row]]) -> Iterator[int]:
    """One COPY a table: five times as fast as INSERT, and references within it are checked at its end."""
    driver = conn.connection.driver_connection
    assert isinstance(driver, psycopg.Connection)
    try:
        with driver.cursor() as cursor, cursor.copy(f'COPY "{table}" ({names}) FROM STDIN') as copy:
            for rows in slices:
                for row in rows:
                    copy.write_row(row)
                yield len(rows)
        conn.exec_driver_sql(f'ANALYZE "{table}"')
    except psycopg.Error as error:
        raise Conflict(f"The database refused the rows of {table}: {error.diag.message_primary or error}") from None
