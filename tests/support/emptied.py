"""Databases for one test after the other: emptied, where that is as good as new and takes a fraction of the time."""

import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Final

import psycopg
from psycopg import Connection, sql
from sqlalchemy import make_url

from tests.support.postgres import Server

# Rows that were deleted still take their place.
_MOST_USES: Final = 50
_PATIENCE: Final = 5.0  # seconds until whoever was told to go is gone
_TABLES: Final = """
    SELECT n.nspname, c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE c.relkind = 'r' AND n.nspname IN ('public', 'dbos')"""
_DELETE: Final = sql.SQL("DELETE FROM {}")
_END_OTHERS: Final = """
    SELECT pg_terminate_backend(pid) FROM pg_stat_activity
    WHERE datname = current_database() AND pid <> pg_backend_pid()"""
# What a test may change beside rows: tables and indexes, what the planner knows of them, settings, functions.
_MARK: Final = """
    WITH ours AS (
        SELECT c.oid, c.xmin FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
        WHERE n.nspname IN ('public', 'dbos')
    ) SELECT (SELECT md5(string_agg(concat_ws('|', oid, xmin), ',' ORDER BY oid)) FROM ours),
        (SELECT count(*) FROM pg_statistic JOIN ours ON ours.oid = starelid),
        (SELECT count(*) FROM pg_db_role_setting),
        (SELECT count(*) FROM pg_namespace), (SELECT count(*) FROM pg_proc)"""


@dataclass
class Emptied:
    """Copies of the database ``template`` on one server, each for one test."""

    server: Server
    template: str
    _spare: str | None = None
    _uses: int = 0
    _mark: Any = None
    # Tables that have rows from the start; those belong to the tables, not to a test.
    _filled: dict[str, Any] = field(default_factory=dict)

    @contextmanager
    def one(self) -> Iterator[str]:
        """The SQLAlchemy URL of a database that has every table and no row. No two tests get the same name, so what an
        earlier one forgot to end reaches none of the later ones."""
        name = f"{self.template}_{uuid.uuid4().hex[:8]}"
        if self._spare is None:
            self._make(name)
        else:
            self.server.rename(self._spare, name)
            self._spare = None
        yield self._url(name)
        self._uses += 1
        if self._uses < _MOST_USES and self._is_as_new(name):
            self._spare = name
        else:
            self.server.drop(name)

    def close(self) -> None:
        if self._spare is not None:
            self.server.drop(self._spare)

    def _url(self, name: str) -> str:
        return self.server.url.set(database=name).render_as_string(hide_password=False)

    def _connect(self, name: str) -> Connection[Any]:
        url = make_url(self._url(name)).set(drivername="postgresql")
        return psycopg.connect(url.render_as_string(hide_password=False), autocommit=True)

    def _make(self, name: str) -> None:
        self.server.create(name, template=self.template)
        self._uses = 0
        with self._connect(name) as conn:
            self._mark, self._filled = conn.execute(_MARK).fetchone(), {}
            for table in _tables(conn):
                if rows := _rows(conn, table):
                    self._filled[table.as_string(conn)] = rows

    def _is_as_new(self, name: str) -> bool:
        try:
            with self._connect(name) as conn:
                return _is_alone(conn) and conn.execute(_MARK).fetchone() == self._mark and self._empty(conn)
        except psycopg.Error:
            return False

    def _empty(self, conn: Connection[Any]) -> bool:
        tables = {table.as_string(conn): table for table in _tables(conn)}
        conn.execute("SET session_replication_role = replica")
        conn.execute(sql.SQL(";").join(_DELETE.format(tables[name]) for name in tables.keys() - self._filled.keys()))
        return all(_rows(conn, tables[name]) == rows for name, rows in self._filled.items())


def _tables(conn: Connection[Any]) -> list[sql.Identifier]:
    return [sql.Identifier(*row) for row in conn.execute(_TABLES)]


def _rows(conn: Connection[Any], table: sql.Identifier) -> list[Any]:
    return conn.execute(sql.SQL("SELECT * FROM {}").format(table)).fetchall()


def _is_alone(conn: Connection[Any]) -> bool:
    """Nobody else is connected any more."""
    until = time.monotonic() + _PATIENCE
    while conn.execute(_END_OTHERS).fetchone():
        if time.monotonic() > until:
            return False
        time.sleep(0.005)
    return True
