"""Durable jobs: begun with what they are for, done at least once, and dead where an operator must look."""

import os
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, MetaData, select
from sqlalchemy.exc import OperationalError

from infra import jobs, runner
from infra.jobs import Jobs, Kind, Payload, Schedule
from infra.runner import Runner
from tests.support import forge
from tests.support.inside import on_sqlite
from tests.support.waiting import wait_until

_NUMBERS = count()


class Done:
    """What a handler was given, in order; it does as it is told."""

    def __init__(self) -> None:
        self.payloads: list[dict[str, Any]] = []
        self.ids: list[str] = []
        self.at: list[float] = []
        self.trouble: Exception | None = None

    def __call__(self, job_id: str, payload: Payload) -> None:
        self.ids.append(job_id)
        self.payloads.append(dict(payload))
        self.at.append(time.monotonic())
        if self.trouble is not None:
            raise self.trouble


@pytest.fixture
def enqueuing(database_url: str) -> Iterator[Jobs]:
    jobs = Jobs(database_url)
    yield jobs
    jobs.close()


def never() -> bool:
    return False


@pytest.fixture
def done() -> Done:
    return Done()


@pytest.fixture
def run(database_url: str) -> Iterator[Callable[..., Runner]]:
    """Starts a runner of one kind, ``note``."""
    with ExitStack() as opened:

        def start(handle: Callable[[str, Payload], None], **how: Any) -> Runner:
            its = Jobs(database_url)
            opened.callback(its.close)
            made = Runner(database_url, its, [Kind("note", handle, **how)])
            made.start()
            opened.callback(made.stop)
            return made

        yield start


def tally(engine: Engine) -> jobs.Tally:
    with engine.connect() as conn:
        return jobs.tally(conn).get("note", jobs.Tally())


def test_a_job_is_there_with_what_it_is_for_or_not_at_all_and_an_id_is_one_job(
    enqueuing: Jobs, engine: Engine, done: Done, run: Callable[..., Runner]
) -> None:
    with engine.connect() as conn:
        enqueuing.enqueue(conn, "note", {"of": "what never was"}, job_id="rolled-back")
        conn.rollback()
    for of in ("first", "second"):
        with engine.begin() as conn:
            enqueuing.enqueue(conn, "note", {"of": of}, job_id="same")
    run(done)
    wait_until(lambda: done.ids)
    with engine.begin() as conn:
        enqueuing.enqueue(conn, "note", {"of": "third"}, job_id="same")
        enqueuing.enqueue(conn, "note", {"of": "last"}, job_id="last")
    wait_until(lambda: "last" in done.ids)
    assert done.payloads == [{"of": "first"}, {"of": "last"}]


def test_a_delayed_job_waits_for_its_time(
    enqueuing: Jobs, engine: Engine, done: Done, run: Callable[..., Runner]
) -> None:
    run(done)
    began = time.monotonic()
    with engine.begin() as conn:
        enqueuing.enqueue(conn, "note", job_id="later", delay=1.5)
        enqueuing.enqueue(conn, "note", job_id="now")
    wait_until(lambda: len(done.ids) == 2)
    assert done.ids == ["now", "later"]
    assert done.at[1] - began >= 1.5


def test_a_job_that_fails_is_tried_again_then_dead_then_retried(
    enqueuing: Jobs, engine: Engine, done: Done, run: Callable[..., Runner]
) -> None:
    done.trouble = ValueError("the printer is out of paper")
    run(done, waits=(0.5, 1))
    with engine.begin() as conn:
        enqueuing.enqueue(conn, "note", {"page": 1}, job_id="print")
    wait_until(enqueuing.dead)

    [dead] = enqueuing.dead()
    assert (dead.kind, dead.reason) == ("note", "the printer is out of paper")
    assert done.payloads == [{"page": 1}] * 3
    assert done.at[1] - done.at[0] >= 0.5
    assert done.at[2] - done.at[1] >= 1
    assert tally(engine).dead == 1
    assert not enqueuing.retry("print#1")
    done.trouble = None
    assert enqueuing.retry(dead.id)
    wait_until(lambda: len(done.payloads) == 4)
    assert done.payloads[3] == {"page": 1}
    assert enqueuing.dead() == []
    assert not enqueuing.retry(dead.id)


def test_what_was_done_is_forgotten_and_what_is_dead_is_not(
    enqueuing: Jobs, engine: Engine, done: Done, run: Callable[..., Runner]
) -> None:
    run(done, waits=())
    with engine.begin() as conn:
        enqueuing.enqueue(conn, "note", job_id="done")
    wait_until(lambda: done.ids)
    done.trouble = ValueError("no")
    with engine.begin() as conn:
        enqueuing.enqueue(conn, "note", job_id="dead")
        enqueuing.enqueue(conn, "note", job_id="waits", delay=1000)
    wait_until(enqueuing.dead)

    assert enqueuing.forget_done(before=datetime.now(UTC) - timedelta(hours=1), stop=never) == 0
    wait_until(lambda: enqueuing.forget_done(before=datetime.now(UTC) + timedelta(hours=1), stop=never) == 1)
    assert [dead.id for dead in enqueuing.dead()] == ["dead"]
    assert tally(engine).delayed == 1


# How a pickle of protocols 4 and 5 begins, in base64 and in hexadecimal.
PICKLED = ("gASV", "gAWV", "800495", "800595")


def everything(engine: Engine) -> str:
    """All that the library keeps, as text."""
    schema = "dbos" if engine.dialect.name == "postgresql" else None
    with engine.connect() as conn:
        tables = MetaData(schema=schema)
        tables.reflect(conn)
        return "\n".join(str(tuple(row)) for table in tables.sorted_tables for row in conn.execute(select(table)))


def test_what_is_kept_of_a_job_is_json(enqueuing: Jobs, engine: Engine, done: Done, run: Callable[..., Runner]) -> None:
    """Pickle would run whatever the database holds."""
    done.trouble = ValueError("no")
    run(done, waits=())
    with engine.begin() as conn:
        enqueuing.enqueue(conn, "note", {"of": "what is kept"}, job_id="kept")
    wait_until(enqueuing.dead)
    kept = everything(engine)
    assert '{"of":"what is kept"}' in kept
    assert '{"error":"no"}' in kept
    assert "counterfoil-json" in kept
    assert not any(start in kept for start in PICKLED)
    with engine.connect() as conn, pytest.raises(TypeError, match="JSON"):
        enqueuing.enqueue(conn, "note", {"when": object()}, job_id="no")


def test_a_runner_that_stops_waits_for_what_is_under_way(enqueuing: Jobs, engine: Engine, database_url: str) -> None:
    begun, ended = threading.Event(), threading.Event()

    def handle(_job_id: str, _payload: Payload) -> None:
        begun.set()
        time.sleep(1)
        ended.set()

    working = Runner(database_url, enqueuing, [Kind("note", handle)])
    working.start()
    with engine.begin() as conn:
        enqueuing.enqueue(conn, "note", job_id="under-way")
        enqueuing.enqueue(conn, "note", job_id="waits")
    assert begun.wait(10)
    working.stop()
    assert ended.is_set()
    assert (tally(engine).running, tally(engine).waiting) == (0, 1)


# --- workers as processes of their own

NOTING = """
import os, signal, sys, time
from infra import runner
from infra.jobs import Jobs, Kind, Schedule
url, path, what = sys.argv[1:]
runner._LOOK = 0.3
runner._MOST_RECOVERIES = 2
file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
def handle(job_id, payload):
    os.write(file, (job_id + chr(10)).encode())
    if what == "dies":
        os.kill(os.getpid(), signal.SIGKILL)
schedules = [Schedule("tick", "note", "* * * * * *")] if what == "ticks" else []
working = runner.Runner(url, Jobs(url), [Kind("note", handle)], schedules)
working.start()
print("ready", flush=True)
time.sleep(1000)
"""


class Noting:
    """A worker that writes the id of each job into a file, and may be made to die of it."""

    def __init__(self, url: str, path: Path, what: str) -> None:
        self.log = path.with_suffix(f".{next(_NUMBERS)}")
        self.process = forge.begin([url, str(path), what], env=dict(os.environ), log=self.log, first=NOTING)

    def is_ready(self) -> bool:
        return self.log.exists() and "ready" in self.log.read_text()

    def close(self) -> None:
        self.process.kill()
        self.process.join()


def noted(path: Path) -> list[str]:
    return path.read_text().split() if path.exists() else []


def test_two_workers_do_each_moment_of_a_schedule_once(database_url: str, tmp_path: Path) -> None:
    path = tmp_path / "noted"
    with ExitStack() as opened:
        both = [Noting(database_url, path, "ticks") for _ in range(2)]
        for each in both:
            opened.callback(each.close)
        wait_until(lambda: all(each.is_ready() for each in both))
        wait_until(lambda: len(noted(path)) >= 4)
    ids = noted(path)
    assert len(ids) == len(set(ids))


def test_a_job_that_kills_its_workers_is_dead_before_all_of_them_are(
    enqueuing: Jobs, engine: Engine, database_url: str, tmp_path: Path
) -> None:
    """Each time that another takes it up counts: here, so that two may."""
    path = tmp_path / "noted"
    with ExitStack() as opened:
        several = [Noting(database_url, path, "dies") for _ in range(4)]
        for each in several:
            opened.callback(each.close)
        wait_until(lambda: all(each.is_ready() for each in several))
        with engine.begin() as conn:
            enqueuing.enqueue(conn, "note", job_id="poison")
        wait_until(enqueuing.dead)
        assert [each.process.is_alive() for each in several].count(True) == 1
    assert noted(path) == ["poison"] * 3
    [dead] = enqueuing.dead()
    assert dead.id == "poison"
    assert "RECOVERY" in dead.reason


def test_what_outlasts_a_stop_is_not_begun_by_another(
    enqueuing: Jobs, engine: Engine, database_url: str, tmp_path: Path
) -> None:
    """A worker that is told to end while a mail server takes its time still lives, and its job with it."""
    path = tmp_path / "noted"
    begun, ended = threading.Event(), threading.Event()

    def handle(_job_id: str, _payload: Payload) -> None:
        begun.set()
        ended.wait(30)

    working = Runner(database_url, enqueuing, [Kind("note", handle)])
    working.start()
    with engine.begin() as conn:
        enqueuing.enqueue(conn, "note", job_id="slow")
    assert begun.wait(10)
    working.stop(seconds=1)
    with ExitStack() as opened:
        other = Noting(database_url, path, "notes")
        opened.callback(other.close)
        wait_until(other.is_ready)
        time.sleep(2)
        assert noted(path) == []
        ended.set()
        wait_until(lambda: not working._under_way)
    working._close()


def test_the_next_try_is_put_down_as_soon_as_the_database_is_back(
    run: Callable[..., Runner], enqueuing: Jobs, engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    tries: list[str] = []

    def handle(job_id: str, _payload: Payload) -> None:
        tries.append(job_id)
        if len(tries) == 1:
            raise ValueError("bad luck")

    monkeypatch.setattr(runner, "_AGAIN", 0.05)
    working = run(handle, waits=(0.1,))
    again, outage = working._jobs.again, iter([OperationalError("INSERT", {}, Exception("away"))] * 3)

    def away(*args: Any, **options: Any) -> None:
        for failure in outage:
            raise failure
        again(*args, **options)

    # In place of the method: the class has slots.
    monkeypatch.setattr(Jobs, "again", lambda _self, *args, **options: away(*args, **options))
    with engine.begin() as conn:
        enqueuing.enqueue(conn, "note", job_id="unlucky")
    wait_until(lambda: len(tries) == 2)
    assert (tries, enqueuing.dead()) == (["unlucky", "unlucky"], [])


@on_sqlite
def test_a_watcher_outlives_every_error(
    enqueuing: Jobs, database_url: str, monkeypatch: pytest.MonkeyPatch, done: Done
) -> None:
    looks: list[int] = []

    def keep(number: int) -> bool:
        looks.append(number)
        raise OSError("No space left on device")

    monkeypatch.setattr(runner, "_LOOK", 0.02)
    working = Runner(database_url, enqueuing, [Kind("note", done)])
    working.start()
    monkeypatch.setattr(working._slots, "keep", keep)
    wait_until(lambda: len(looks) > 3)
    assert working._watcher.is_alive()
    working.stop()


@on_sqlite
def test_a_schedule_that_is_no_longer_wanted_ends(enqueuing: Jobs) -> None:
    enqueuing.schedule([Schedule("tick", "note", "* * * * *"), Schedule("tock", "note", "* * * * *")])
    enqueuing.schedule([Schedule("tock", "note", "* * * * *")])
    assert [each["schedule_name"] for each in enqueuing._client.list_schedules()] == ["tock"]
