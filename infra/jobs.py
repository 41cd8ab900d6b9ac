"""Durable jobs: a small port over DBOS Transact.

A job is enqueued in the transaction of what it is for, so both are there or neither. It runs at least once, whatever
dies, and its handler must bear that; an id that was used before is the same job. A handler that raises is tried again,
later and later; after its last try the job is dead, and waits for an operator.
"""

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import orjson
from dbos import DBOS, DBOSClient
from sqlalchemy import Connection, Engine, create_engine, event, make_url, text
from sqlalchemy.exc import DBAPIError

from infra import trouble
from infra.database import connect

APPLICATION: Final = "counterfoil"
# Recovery takes up only what was started under the same version, so a release must not change it.
VERSION: Final = "1"
_RUNNING: Final = "PENDING"
_DEAD: Final = ("ERROR", "MAX_RECOVERY_ATTEMPTS_EXCEEDED")
_WAITING: Final = ("ENQUEUED", "DELAYED")
_TALLY: Final = (
    "SELECT name, status, count(*), min(coalesce(delay_until_epoch_ms, created_at)) FROM {table} "
    "WHERE status {states} GROUP BY name, status"
)
# In the words of the library's partial indexes: asked in others, the finished would be read too.
_TALLIED: Final = (
    "IN ('ENQUEUED', 'PENDING')",
    "= 'DELAYED'",
    "IN ('ERROR', 'CANCELLED', 'MAX_RECOVERY_ATTEMPTS_EXCEEDED') AND status <> 'CANCELLED'",
)
_LONGEST_REASON: Final = 500
_AT_ONCE: Final = 500

Payload = Mapping[str, Any]
Handler = Callable[[str, Payload], None]


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of job. ``handle(job_id, payload)`` does it; ``payload`` is JSON. A worker does ``at_once`` of it, 0 where
    it leaves it to others."""

    name: str
    handle: Handler
    at_once: int = 1
    # Seconds between two looks for it.
    poll: float = 0.25
    # The clock asks for it over and over: one that fails is neither tried again nor dead.
    is_chore: bool = False
    # Seconds from one try to the next; when they are used up, the job is dead.
    waits: tuple[float, ...] = (5, 20, 80, 320, 1280, 3600, 7200)


@dataclass(frozen=True, slots=True)
class Schedule:
    """``cron`` has five fields, or six with seconds in front; it is read in UTC."""

    name: str
    kind: str
    cron: str


@dataclass(frozen=True, slots=True)
class DeadJob:
    id: str
    kind: str
    reason: str
    died_at: datetime


@dataclass(frozen=True, slots=True)
class Tally:
    """How many jobs there are; ``oldest`` is when the one was due that waits longest."""

    waiting: int = 0
    delayed: int = 0
    running: int = 0
    dead: int = 0
    oldest: datetime | None = None


class Gone(Exception):
    """The words of a job's last error, as they are kept."""


class _Json:
    """In place of pickle, which runs whatever the database holds."""

    def serialize(self, data: Any) -> str:
        return orjson.dumps(data, default=_plain).decode()

    def deserialize(self, serialized_data: str) -> Any:
        data = orjson.loads(serialized_data)
        return Gone(data["error"]) if isinstance(data, dict) and set(data) == {"error"} else data

    def name(self) -> str:
        return "counterfoil-json"


def _plain(value: object) -> Any:
    if isinstance(value, BaseException):
        # What a database says may hold the values of a row.
        words = trouble.kind(value) if isinstance(value, DBAPIError) else str(value) or type(value).__name__
        return {"error": words[:_LONGEST_REASON]}
    raise TypeError(f"A job's payload holds a {type(value).__name__}; it must be JSON")


SERIALIZER: Final[Any] = _Json()


def system_engine(url: str) -> Engine:
    """An engine for the library's own statements: on SQLite it begins its transactions by itself, which our own engine
    would do a second time."""
    if make_url(url).get_backend_name() != "sqlite":
        return connect(url, pool_size=4)
    engine = create_engine(url, connect_args={"timeout": 30, "check_same_thread": False}, hide_parameters=True)

    @event.listens_for(engine, "connect")
    def prepare(connection: Any, _record: Any) -> None:
        connection.isolation_level = "IMMEDIATE"
        for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON", "cache_size=-500"):
            connection.execute(f"PRAGMA {pragma}").close()

    return engine


def prepare(url: str) -> None:
    """Make or upgrade the library's own tables: schema ``dbos`` on PostgreSQL, beside ours on SQLite."""
    DBOS.migrate(make_url(url).render_as_string(hide_password=False))


def is_prepared(engine: Engine) -> bool:
    table = "dbos.workflow_status" if engine.dialect.name == "postgresql" else "workflow_status"
    with suppress(Exception), engine.connect() as conn:
        conn.execute(text(f"SELECT 1 FROM {table} LIMIT 0"))  # noqa: S608
        return True
    return False


@dataclass(slots=True)
class Jobs:
    """What may be done with jobs by any process. It opens no connection before it is asked for something."""

    url: str
    _engine: Engine = field(init=False)
    _client: DBOSClient = field(init=False)

    def __post_init__(self) -> None:
        self._engine = system_engine(self.url)
        self._client = DBOSClient(
            system_database_engine=self._engine,
            serializer=SERIALIZER,
            application_name=APPLICATION,
            lazy=True,
            retry_connection_errors=False,
        )

    def enqueue(
        self, conn: Connection, kind: str, payload: Payload | None = None, *, job_id: str, delay: float = 0
    ) -> None:
        """A job in the caller's transaction, due ``delay`` seconds from now. Does nothing where the id is known."""
        self._client.enqueue_in_transaction(conn, _options(kind, job_id, delay), dict(payload or {}), 1)

    def again(self, kind: str, payload: Payload, tries: int, *, job_id: str, delay: float) -> None:
        """The next try of the job, in a transaction of its own."""
        self._client.enqueue(_options(kind, f"{job_id}#{tries}", delay), dict(payload), tries)

    def schedule(self, schedules: Sequence[Schedule]) -> None:
        """Run these from now on, and no others; each moment of one is one job, however many workers there are."""
        entries: list[Any] = [
            {"schedule_name": each.name, "workflow_name": each.kind, "schedule": each.cron, "queue_name": each.kind}
            for each in schedules
        ]
        self._client.apply_schedules(entries)
        wanted = {each.name for each in schedules}
        for found in self._client.list_schedules():
            if found["schedule_name"] not in wanted:
                self._client.delete_schedule(found["schedule_name"])

    def workers(self) -> set[str]:
        """Who has begun jobs and not finished them."""
        found = self._client.list_workflows(status=_RUNNING, load_input=False, load_output=False, limit=_AT_ONCE)
        return {each.executor_id for each in found if each.executor_id}

    def dead(self, *, at_most: int = 100) -> list[DeadJob]:
        """Newest first."""
        found = self._client.list_workflows(status=list(_DEAD), limit=at_most, sort_desc=True, load_input=False)
        return [
            DeadJob(each.workflow_id, each.name, str(each.error or each.status), _moment(each.updated_at))
            for each in found
        ]

    def retry(self, job_id: str) -> bool:
        """Do a dead job again, from its first try. False where there is no dead job of this id."""
        found = self._client.list_workflows(workflow_ids=[job_id], status=list(_DEAD))
        if not found or found[0].input is None:
            return False
        with self._engine.begin() as conn:
            # Its own id, derived from the dead one's: whoever asks twice gets one.
            self.enqueue(conn, found[0].name, found[0].input["args"][0], job_id=f"{job_id}~")
        self.forget(job_id)
        return True

    def forget(self, job_id: str) -> bool:
        """False where there is no dead job of this id."""
        found = self._client.list_workflows(workflow_ids=[job_id], status=list(_DEAD), load_input=False)
        self._client.delete_workflows([each.workflow_id for each in found])
        return bool(found)

    def forget_done(self, *, before: datetime, stop: Callable[[], bool]) -> int:
        """Forget jobs that were done before then, until ``stop``. Dead ones stay: they are an operator's."""
        count = 0
        while not stop() and (ids := self._done(before)):
            self._client.delete_workflows(ids)
            count += len(ids)
        return count

    def _done(self, before: datetime) -> list[str]:
        found = self._client.list_workflows(
            status=["SUCCESS", "CANCELLED"],
            completed_before=before.isoformat(),
            limit=_AT_ONCE,
            load_input=False,
            load_output=False,
        )
        return [each.workflow_id for each in found]

    def close(self) -> None:
        self._client.destroy()
        self._engine.dispose()


def _options(kind: str, job_id: str, delay: float) -> Any:
    options = {"workflow_name": kind, "queue_name": kind, "workflow_id": job_id, "app_version": VERSION}
    return options | {"delay_seconds": delay} if delay > 0 else options


def tally(conn: Connection) -> dict[str, Tally]:
    """By kind. Cheap: the finished are not counted."""
    table = "dbos.workflow_status" if conn.dialect.name == "postgresql" else "workflow_status"
    rows = conn.execute(text(" UNION ALL ".join(_TALLY.format(table=table, states=states) for states in _TALLIED)))
    counts: dict[str, dict[str, Any]] = {}
    for name, status, count, since in rows:
        mine = counts.setdefault(name, {"waiting": 0, "delayed": 0, "running": 0, "dead": 0, "oldest": None})
        match status:
            case "ENQUEUED":
                mine["waiting"], mine["oldest"] = count, _moment(since)
            case "DELAYED":
                mine["delayed"] = count
            case "PENDING":
                mine["running"] = count
            case _:
                mine["dead"] += count
    return {name: Tally(**mine) for name, mine in counts.items()}


def _moment(milliseconds: int | None) -> datetime:
    return datetime.fromtimestamp(0, UTC) + timedelta(milliseconds=milliseconds or 0)
