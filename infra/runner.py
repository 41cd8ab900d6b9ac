"""Running durable jobs: what ``counterfoil worker``, and a server that works by itself, have open."""

import logging
import os
import signal
import threading
import time
from collections.abc import Callable, Sequence
from typing import Any, Final

import structlog
from dbos import DBOS, DBOSConfig, error
from sqlalchemy.exc import SQLAlchemyError

from infra import slots
from infra.jobs import APPLICATION, SERIALIZER, VERSION, Jobs, Kind, Schedule, system_engine

_log = structlog.get_logger()
# Seconds between two looks for workers that died. One must be seen dead twice, since a database that was started again
# has cut everybody off for a moment; what it left is then taken up within a minute.
_LOOK: Final = 10.0
# A job that killed its worker so many times is dead.
_MOST_RECOVERIES: Final = 10

Observe = Callable[[str, str, float], None]


class Runner:
    """Runs jobs in threads of this process, and takes up those of workers that died. One for each process.

    ``observe(kind, outcome, seconds)`` is told of each try: "done", "failed" (it is tried again) or "dead".
    """

    def __init__(
        self, url: str, kinds: Sequence[Kind], schedules: Sequence[Schedule] = (), observe: Observe | None = None
    ) -> None:
        self._kinds = kinds
        self._schedules = schedules
        self._observe = observe
        self._jobs = Jobs(url)
        self._engine = system_engine(url)
        self._slots = slots.open_slots(url)
        self._slot = 0
        self._seen_dead: set[str] = set()
        self._ended = threading.Event()
        self._watcher = threading.Thread(target=self._watch, name="worker-watch", daemon=True)

    def start(self) -> None:
        """Returns when it runs jobs. Raises where the database cannot be reached."""
        self._slot = slots.first_free(self._slots)
        DBOS(config=self._config())
        logging.getLogger("dbos").handlers.clear()  # its lines go where all others go
        for kind in self._kinds:
            DBOS.workflow(name=kind.name, max_recovery_attempts=_MOST_RECOVERIES)(self._workflow(kind))
        DBOS.launch()
        for kind in self._kinds:
            DBOS.register_queue(kind.name, worker_concurrency=kind.at_once, polling_interval_sec=kind.poll)
        self._jobs.schedule(self._schedules)
        self._watcher.start()
        _log.info("worker_started", worker=slots.name(self._slot))

    def stop(self, *, seconds: int = 20) -> None:
        """Begin nothing more, and wait so long for what is under way; the rest is taken up by another worker, or by the
        next."""
        self._ended.set()
        self._watcher.join()
        DBOS.destroy(destroy_registry=True, workflow_completion_timeout_sec=seconds)
        self._slots.close()
        self._jobs.close()
        self._engine.dispose()
        _log.info("worker_stopped", worker=slots.name(self._slot))

    def _config(self) -> DBOSConfig:
        return {
            "name": APPLICATION,
            "application_version": VERSION,
            "executor_id": slots.name(self._slot),
            "system_database_engine": self._engine,
            "serializer": SERIALIZER,
            "run_migrations": False,
            "use_listen_notify": False,
            "log_level": "WARNING",
        }

    def _workflow(self, kind: Kind) -> Callable[[Any, Any], str]:
        def run(payload: Any, tries: Any) -> str:
            # A schedule gives the moment, and nothing.
            given, tried = (payload, int(tries)) if isinstance(payload, dict) else ({}, 1)
            # The same at each try.
            job_id, began = (DBOS.workflow_id or "").removesuffix(f"#{tried}"), time.perf_counter()
            try:
                kind.handle(job_id, given)
            except Exception as failure:
                wait = kind.waits[tried - 1] if tried <= len(kind.waits) and not kind.is_chore else None
                outcome = "dead" if wait is None and not kind.is_chore else "failed"
                _log.warning("job_failed", kind=kind.name, job=job_id, tries=tried, again_in=wait, exc_info=failure)
                self._told(kind, outcome, began)
                if outcome == "dead":
                    raise
                if wait is not None:
                    self._jobs.again(kind.name, given, tried + 1, job_id=job_id, delay=wait)
                return outcome
            self._told(kind, "done", began)
            return "done"

        run.__qualname__ = kind.name
        return run

    def _told(self, kind: Kind, outcome: str, began: float) -> None:
        if self._observe is not None:
            self._observe(kind.name, outcome, time.perf_counter() - began)

    def _watch(self) -> None:
        while not self._ended.wait(_LOOK):
            try:
                if self._slots.keep(self._slot):
                    self._take_up()
                else:
                    # Another has our slot, and does our work by now: what we do as well would be done twice.
                    _log.error("worker_slot_lost", worker=slots.name(self._slot))
                    os.kill(os.getpid(), signal.SIGTERM)
                    return
            except (SQLAlchemyError, error.DBOSException) as trouble:
                _log.warning("worker_watch_failed", reason=type(trouble).__name__)

    def _take_up(self) -> None:
        """Put the running jobs of dead workers back into their queues."""
        others = self._jobs.workers() - {slots.name(self._slot)}
        self._seen_dead = {executor for executor in others if self._adopt(executor)}

    def _adopt(self, executor: str) -> bool:
        """Whether ``executor`` is dead. Its jobs are taken up at the second look, with its slot in our hands."""
        number = slots.number_of(executor)
        if number is None or not self._slots.take(number):
            return False
        try:
            if executor in self._seen_dead:
                # Only what is still its own, and each is counted: a job that kills its workers comes to an end.
                taken = DBOS._recover_pending_workflows([executor])
                _log.info("jobs_taken_up", worker=executor, jobs=len(taken))
        finally:
            self._slots.let_go(number)
        return True
