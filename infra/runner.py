"""Running durable jobs: what ``counterfoil worker``, and a server that works by itself, have open."""

import logging
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Final

import structlog
from dbos import DBOS, DBOSConfig, error
from sqlalchemy.exc import SQLAlchemyError

from infra import slots
from infra.jobs import APPLICATION, SERIALIZER, VERSION, Jobs, Kind, Payload, Schedule, system_engine
from infra.trouble import reason

_log = structlog.get_logger()
_LOOK: Final = 3.0  # seconds from one look after our own slot to the next
# Looks after which those are looked for who died. Where a slot can be lost by a cut connection, its worker must be seen
# dead twice: it has its slot again long before the second look.
_LOOKS: Final = 3
# A job that killed its workers so many times is dead.
_MOST_RECOVERIES: Final = 10
_AGAIN: Final = 1.0

Observe = Callable[[str, str, float], None]


class Runner:
    """Runs jobs in threads of this process, and takes up those of workers that died. One for each process.

    ``observe(kind, outcome, seconds)`` is told of each try: "done", "failed" (it is tried again) or "dead".
    """

    def __init__(
        self,
        url: str,
        jobs: Jobs,
        kinds: Sequence[Kind],
        schedules: Sequence[Schedule] = (),
        observe: Observe | None = None,
    ) -> None:
        self._jobs = jobs
        self._kinds = kinds
        self._schedules = schedules
        self._observe = observe
        self._engine = system_engine(url)
        self._slots = slots.open_slots(url)
        self._slot = 0
        self._under_way = 0
        self._counting = threading.Lock()
        self._seen_dead: set[str] = set()
        self._ended = threading.Event()
        self._watcher = threading.Thread(target=self._watch, name="worker-watch", daemon=True)

    def start(self) -> None:
        """Returns when it runs jobs. Raises where the database cannot be reached."""
        try:
            self._launch()
        except BaseException:
            DBOS.destroy(destroy_registry=True)
            self._close()
            raise
        self._watcher.start()
        _log.info("worker_started", worker=slots.name(self._slot))

    def _launch(self) -> None:
        self._slot = slots.take_new(self._slots)
        DBOS(config=self._config())
        _through_our_log("dbos")
        for kind in self._kinds:
            DBOS.workflow(name=kind.name, max_recovery_attempts=_MOST_RECOVERIES)(self._workflow(kind))
        # What this worker cannot do, such as mail where none is set up, is left to others.
        able = [kind for kind in self._kinds if kind.at_once > 0]
        DBOS.listen_queues([kind.name for kind in able])
        DBOS.launch()
        for kind in able:
            DBOS.register_queue(kind.name, worker_concurrency=kind.at_once, polling_interval_sec=kind.poll)
        self._jobs.schedule(self._schedules)

    def stop(self, *, seconds: int = 20) -> None:
        """Begin nothing more, and wait so long for what is under way. What then still is keeps this process alive, and
        its slot taken: nobody else may begin it before it ends or dies."""
        self._ended.set()
        self._watcher.join()
        DBOS.destroy(destroy_registry=True, workflow_completion_timeout_sec=seconds)
        if self._under_way:
            _log.warning("worker_still_busy", worker=slots.name(self._slot), jobs=self._under_way)
            return
        self._close()
        _log.info("worker_stopped", worker=slots.name(self._slot))

    def _close(self) -> None:
        self._slots.close()
        self._engine.dispose()

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
            job_id = (DBOS.workflow_id or "").removesuffix(f"#{tried}")
            with self._counted():
                return self._try(kind, job_id, given, tried)

        run.__qualname__ = kind.name
        return run

    @contextmanager
    def _counted(self) -> Iterator[None]:
        with self._counting:
            self._under_way += 1
        try:
            yield
        finally:
            with self._counting:
                self._under_way -= 1

    def _try(self, kind: Kind, job_id: str, payload: Payload, tried: int) -> str:
        began = time.perf_counter()
        try:
            kind.handle(job_id, payload)
        except Exception as failure:
            wait = kind.waits[tried - 1] if tried <= len(kind.waits) and not kind.is_chore else None
            outcome = "dead" if wait is None and not kind.is_chore else "failed"
            _log.warning("job_failed", kind=kind.name, job=job_id, tries=tried, again_in=wait, **reason(failure))
            self._told(kind, outcome, began)
            if outcome == "dead":
                raise
            if wait is not None:
                self._again(kind, payload, tried + 1, job_id, wait)
            return outcome
        self._told(kind, "done", began)
        return "done"

    def _again(self, kind: Kind, payload: Payload, tries: int, job_id: str, wait: float) -> None:
        """A database that is away is often why it failed: the next try is put down as soon as it is back."""
        while True:
            try:
                self._jobs.again(kind.name, payload, tries, job_id=job_id, delay=wait)
            except (SQLAlchemyError, error.DBOSException):
                if self._ended.wait(_AGAIN):
                    raise
            else:
                return

    def _told(self, kind: Kind, outcome: str, began: float) -> None:
        if self._observe is not None:
            self._observe(kind.name, outcome, time.perf_counter() - began)

    def _watch(self) -> None:
        looks = 0
        while not self._ended.is_set():
            try:
                self._keep_slot()
                if looks % _LOOKS == 0:
                    self._take_up()
            except Exception as trouble:
                # Whatever it is, somebody must go on looking.
                _log.warning("worker_watch_failed", **reason(trouble))
            looks += 1
            self._ended.wait(_LOOK)

    def _keep_slot(self) -> None:
        if not self._slots.keep(self._slot):
            # Somebody looks whether we live, at this very moment.
            _log.warning("worker_slot_taken", worker=slots.name(self._slot))

    def _take_up(self) -> None:
        """Put the running jobs of dead workers back into their queues."""
        others = self._jobs.workers() - {slots.name(self._slot)}
        self._seen_dead = {executor for executor in others if self._adopt(executor)}

    def _adopt(self, executor: str) -> bool:
        """Whether ``executor`` is dead, as far as can be seen. Its jobs are taken up with its slot in our hands."""
        number = slots.number_of(executor)
        if number is None or not self._slots.take(number):
            return False
        try:
            if self._slots.is_certain or executor in self._seen_dead:
                # Only what is still its own, and each is counted: a job that kills its workers comes to an end.
                taken = DBOS._recover_pending_workflows([executor])
                _log.info("jobs_taken_up", worker=executor, jobs=len(taken))
        finally:
            self._slots.let_go(number)
        return True


def _through_our_log(library: str) -> None:
    logger = logging.getLogger(library)
    logger.handlers.clear()
    logger.propagate = True
