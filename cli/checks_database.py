"""Checks of the database and of what lies in it: tables, promises to the disk, clocks, connections, secrets, jobs."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Final

from cryptography.fernet import Fernet
from sqlalchemy import Connection, Engine, make_url, text

from accounts import signing_keys
from cli.verdict import Check, Verdict, doubtful, ill, well
from engagement.rewards import sealed
from infra import database, jobs, secrets
from infra.settings import Settings
from kernel.clock import utc_now
from pos import endpoints

NONE_YET: Final = "there is no database yet"
_OLDEST_POSTGRESQL: Final = 14
# What one process may open. A server: its pool with the overflow, and the jobs' own. A worker: the same, what runs the
# jobs, and the slot that it holds.
SERVER: Final = 28
WORKER: Final = 41
_NEARLY_ALL: Final = 0.8  # of the connections that the database takes
_SKEW: Final = 2.0  # seconds
_LATE: Final = timedelta(minutes=5)
_PROMISES: Final = {
    "fsync": ("on", "a power cut may lose or break everything; set fsync = on"),
    "synchronous_commit": ("on", "a crash may lose receipts that were acknowledged; set synchronous_commit = on"),
    "full_page_writes": ("on", "a power cut may break pages; set full_page_writes = on"),
}


def is_absent(settings: Settings) -> bool:
    """Whether there is no file of the embedded database yet. To look into it would make it, and its folder."""
    url = make_url(settings.data.where_database())
    return url.get_backend_name() == "sqlite" and not Path(url.database or "").exists()


@contextmanager
def _engine(settings: Settings) -> Iterator[Engine]:
    engine = database.connect(settings.data.where_database())
    try:
        yield engine
    finally:
        engine.dispose()


def _asking(look: Callable[[Settings, Connection], Verdict]) -> Check:
    def check(settings: Settings) -> Verdict:
        if is_absent(settings):
            return well(NONE_YET)
        with _engine(settings) as engine, database.reading(engine) as conn:
            return look(settings, conn)

    return check


def tables(settings: Settings) -> Verdict:
    if is_absent(settings):
        return doubtful("there is none yet", "start the service, which makes it")
    with _engine(settings) as engine:
        if not database.is_current(engine) or not jobs.is_prepared(engine):
            return ill("the tables are not those of this version", "run: counterfoil migrate")
        return well(f"{engine.dialect.name}, up to date")


def _promises(_settings: Settings, conn: Connection) -> Verdict:
    if conn.dialect.name == "sqlite":
        level, mode = (conn.exec_driver_sql(f"PRAGMA {name}").scalar() for name in ("synchronous", "journal_mode"))
        if (level, mode) != (2, "wal"):
            return ill(f"synchronous={level}, journal_mode={mode}", "put the file on a disk that knows locks, not NFS")
        return well("synced at every commit")
    for name, (wanted, do) in _PROMISES.items():
        value = str(conn.execute(text("SELECT current_setting(:name)"), {"name": name}).scalar())
        if value != wanted and not (name == "synchronous_commit" and value in ("remote_write", "remote_apply")):
            return ill(f"{name} is {value}", do)
    return well("synced at every commit")


def _server(settings: Settings, conn: Connection) -> Verdict:
    if conn.dialect.name == "sqlite":
        return well("embedded, one server process")
    number = int(str(conn.execute(text("SELECT current_setting('server_version_num')")).scalar())) // 10000
    if number < _OLDEST_POSTGRESQL:
        return ill(f"PostgreSQL {number}", f"take {_OLDEST_POSTGRESQL} or newer")
    most = int(str(conn.execute(text("SELECT current_setting('max_connections')")).scalar()))
    processes = settings.server.workers
    each = SERVER + (WORKER if settings.work.worker else 0)
    needs = processes * each
    if needs > most - 5:
        do = "raise max_connections, or put a pooler in session mode before it"
        return ill(f"{processes} processes may open {needs} connections of {most}", do)
    opened = int(str(conn.execute(text("SELECT sum(numbackends) FROM pg_stat_database")).scalar()))
    if opened > most * _NEARLY_ALL:
        return doubtful(f"{opened} of {most} connections are open", "raise max_connections, or start no more")
    told = f"{opened} of {most} connections are open, and each process may open {each}"
    return well(f"PostgreSQL {number}; {told}")


def _clocks(_settings: Settings, conn: Connection) -> Verdict:
    if conn.dialect.name == "sqlite":
        return well("the database has this machine's")
    before = time.time()
    theirs = float(conn.execute(text("SELECT extract(epoch FROM clock_timestamp())")).scalar_one())
    skew = abs(theirs - (before + time.time()) / 2)
    if skew > _SKEW:
        return ill(f"the database's differs by {skew:.1f} seconds", "run an NTP client on both machines")
    return well(f"within {max(skew, 0.01):.2f} seconds of the database's")


def _sealer(settings: Settings) -> Fernet:
    """The service's; where it has no key yet, one that opens nothing."""
    known = secrets.known_key(settings.data)
    return Fernet(Fernet.generate_key()) if known is None else secrets.box(settings.data)


def _webhooks(settings: Settings, conn: Connection) -> Verdict:
    shut = endpoints.unopened(conn, _sealer(settings))
    if shut:
        says = f"the secret of {', '.join(shut)} was not sealed with this COUNTERFOIL_SECRET_KEY (or secret.key)"
        return ill(says, "put the right one back, or rotate it: counterfoil hooks rotate")
    return well("the secret of each address can be read")


def _signing_keys(settings: Settings, conn: Connection) -> Verdict:
    found = signing_keys.openable(conn, sealer=_sealer(settings))
    do = "put the right one back, or make a new key: counterfoil signing-keys rotate"
    of_another = "sealed with another COUNTERFOIL_SECRET_KEY (or secret.key)"
    mute = ", ".join(slug for slug, keys in found.items() if not any(keys))
    if mute:
        return ill(f"those of {mute} were {of_another}: PDF and JSON of their receipts answer 503", do)
    stale = ", ".join(slug for slug, keys in found.items() if not keys[-1])
    if stale:
        return doubtful(f"the newest of {stale} was {of_another}, so an older one signs", do)
    shut = sum(not each for keys in found.values() for each in keys)
    return well("each merchant's can be read" + (f"; {shut} older ones were {of_another}" if shut else ""))


def _campaigns(settings: Settings, conn: Connection) -> Verdict:
    shut = sealed.unopened(conn, _sealer(settings))
    if shut:
        says = f"those of {', '.join(shut)} were launched with another COUNTERFOIL_SECRET_KEY (or secret.key)"
        return ill(f"{says}: no card is given, no code shown or found", "put the right one back")
    mute = sealed.untold(conn)
    if mute:
        says = f"those of {', '.join(mute)} have ended, and were launched with another COUNTERFOIL_SECRET_KEY"
        return doubtful(
            f"{says} (or secret.key): nobody can check their cards", "put the right one back, and their seeds are told"
        )
    return well("each that runs was launched with this secret key")


def _jobs(_settings: Settings, conn: Connection) -> Verdict:
    found = jobs.tally(conn)
    oldest = min((each.oldest for each in found.values() if each.oldest is not None), default=None)
    if oldest is not None and utc_now() - oldest > _LATE:
        minutes = int((utc_now() - oldest).total_seconds() // 60)
        return ill(
            f"one has waited {minutes} minutes", "start a worker: counterfoil worker, or serve without --no-worker"
        )
    dead = {kind: each.dead for kind, each in found.items() if each.dead}
    if dead:
        told = ", ".join(f"{count} of {kind}" for kind, count in sorted(dead.items()))
        return doubtful(
            f"{told} are dead: nobody tries them again", "see why: counterfoil jobs dead; then: counterfoil jobs retry"
        )
    return well(
        f"{sum(each.waiting for each in found.values())} wait, {sum(each.delayed for each in found.values())} later"
    )


promises, server, clocks, webhooks, own_keys, campaigns, waiting_jobs = map(
    _asking, (_promises, _server, _clocks, _webhooks, _signing_keys, _campaigns, _jobs)
)
