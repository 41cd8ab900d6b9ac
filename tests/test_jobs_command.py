"""Operators see the jobs, learn why some are dead, and have them done after all."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from time import monotonic, sleep
from typing import Any, Final

import pytest
from sqlalchemy import Engine
from typer.testing import CliRunner

from cli import checks_work
from cli.main import app
from cli.verdict import well
from infra.jobs import Jobs, Kind, Payload
from infra.runner import Runner
from infra.settings import Settings
from kernel.errors import NotFound
from tests.support.inside import on_sqlite

KIND: Final = "moody"


@pytest.fixture(autouse=True)
def _here(monkeypatch: pytest.MonkeyPatch, database_url: str, tmp_path: Path) -> None:
    monkeypatch.setenv("COUNTERFOIL_DATABASE_URL", database_url)
    monkeypatch.setenv("COUNTERFOIL_DATA_DIR", str(tmp_path / "data"))


@pytest.fixture
def jobs(database_url: str) -> Iterator[Jobs]:
    jobs = Jobs(database_url)
    yield jobs
    jobs.close()


class Mood:
    """A job that fails until its trouble is gone."""

    def __init__(self) -> None:
        self.trouble = "the printer is on fire"
        self.done: list[Any] = []

    def handle(self, _job_id: str, payload: Payload) -> None:
        if self.trouble:
            raise RuntimeError(self.trouble)
        self.done.append(payload["number"])


def run(*words: str) -> str:
    done = CliRunner().invoke(app, ["jobs", *words])
    assert done.exit_code == 0, done.output
    return done.output


def soon(is_so: Callable[[], object]) -> None:
    until = monotonic() + 30
    while not is_so():
        assert monotonic() < until
        sleep(0.05)


def enqueue(engine: Engine, jobs: Jobs, *numbers: int, delay: float = 0) -> None:
    with engine.begin() as conn:
        for number in numbers:
            jobs.enqueue(conn, KIND, {"number": number}, job_id=f"{KIND}:{number}", delay=delay)


def test_dead_jobs_are_seen_retried_and_forgotten(database_url: str, engine: Engine, jobs: Jobs) -> None:
    mood = Mood()
    runner = Runner(database_url, jobs, [Kind(KIND, mood.handle, waits=())])
    enqueue(engine, jobs, 1, 2, 3)
    runner.start()
    try:
        soon(lambda: len(jobs.dead()) == 3)
        assert run().splitlines()[1].split() == [KIND, "0", "0", "0", "3"]
        found = json.loads(run("dead", "--json"))
        assert {(each["kind"], each["reason"]) for each in found} == {(KIND, "the printer is on fire")}
        assert "moody:2  moody" in run("dead")

        assert run("forget", "moody:2") == "moody:2 is forgotten.\n"
        mood.trouble = ""
        assert run("retry", "moody:1") == "1 job is tried again.\n"
        assert run("retry", "--all") == "1 job is tried again.\n"
        soon(lambda: sorted(mood.done) == [1, 3])
        assert run("dead") == "No job is dead.\n"
    finally:
        runner.stop()


def test_jobs_that_wait_are_counted_with_the_oldest(engine: Engine, jobs: Jobs) -> None:
    enqueue(engine, jobs, 1, 2)
    enqueue(engine, jobs, 3, delay=600)
    kind, waiting, delayed, running, dead, *oldest = run().splitlines()[1].split()
    assert (kind, waiting, delayed, running, dead, oldest[-1]) == (KIND, "2", "1", "0", "0", "s")


@on_sqlite
@pytest.mark.parametrize("words", [["retry", "moody:1"], ["forget", "moody:1"]])
def test_a_job_that_is_not_dead_is_left_alone(engine: Engine, jobs: Jobs, words: list[str]) -> None:
    enqueue(engine, jobs, 1)
    done = CliRunner().invoke(app, ["jobs", *words])
    assert isinstance(done.exception, NotFound)
    assert run().splitlines()[1].split()[1] == "1"


@on_sqlite
@pytest.mark.parametrize("words", [["retry"], ["retry", "moody:1", "--all"]])
def test_one_job_is_named_or_all_of_them(engine: Engine, words: list[str]) -> None:
    done = CliRunner().invoke(app, ["jobs", *words])
    assert (done.exit_code, "name one job, or --all" in done.output) == (2, True)


def test_doctor_tells_whether_a_worker_lives(database_url: str, jobs: Jobs) -> None:
    settings = Settings()
    assert checks_work.workers(settings).state == "warn"
    runner = Runner(database_url, jobs, [])
    runner.start()
    try:
        assert checks_work.workers(settings) == well("one lives")
    finally:
        runner.stop()
    assert checks_work.workers(settings).state == "warn"
