"""All kinds of jobs, and what is done by the clock."""

from collections.abc import Callable
from functools import partial
from typing import Final

from infra.jobs import Kind, Payload, Schedule
from infra.tracing import span
from notify.asking import DELIVER
from worker.chores import forget_jobs, purge, sweep
from worker.deliver import deliver
from worker.ses import take_ses_events
from worker.workshop import Workshop

_SWEEP: Final = "sweep"
_FORGET_JOBS: Final = "forget-jobs"
_PURGE: Final = "purge"
_SES_EVENTS: Final = "ses-events"
# Nobody waits for these.
_chore = partial(Kind, poll=5.0, is_chore=True)


def _traced(handle: Callable[[Workshop, str, Payload], None], shop: Workshop, job_id: str, payload: Payload) -> None:
    with span(f"job {handle.__name__}"):
        handle(shop, job_id, payload)


def kinds(shop: Workshop) -> list[Kind]:
    def of(handle: Callable[[Workshop, str, Payload], None]) -> Callable[[str, Payload], None]:
        return partial(_traced, handle, shop)

    return [
        Kind(DELIVER, of(deliver), at_once=shop.mail_at_once if shop.mailer else 0),
        _chore(_SWEEP, of(sweep)),
        _chore(_FORGET_JOBS, of(forget_jobs)),
        _chore(_PURGE, of(purge)),
        _chore(_SES_EVENTS, of(take_ses_events)),
    ]


def schedules(shop: Workshop) -> list[Schedule]:
    always = [
        Schedule("sweep", _SWEEP, "* * * * *"),
        Schedule("forget-jobs", _FORGET_JOBS, "17 3 * * *"),
        Schedule("purge", _PURGE, "37 2 * * *"),
    ]
    of_ses = [Schedule("ses-events", _SES_EVENTS, "* * * * *")]
    return always + of_ses if shop.settings.mail.ses_events_queue_url else always
