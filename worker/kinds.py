"""All kinds of jobs, and what is done by the clock."""

from collections.abc import Callable
from functools import partial
from typing import Final

from cards.stale import FORGET
from cards.wallets import GOOGLE, PUSH
from engagement.rewards.first import CATCH_UP
from engagement.rewards.prize_wallets import PRIZES
from infra.jobs import Kind, Payload, Schedule
from infra.tracing import span
from notify.asking import DELIVER
from worker.cases import (
    CASES,
    LOOK_BACK,
    REFERRALS,
    TAGS,
    look_back_for_referrals,
    look_for_referrals,
    see_to_cases,
    tag_answers,
)
from worker.chores import forget_jobs, forget_visitors, purge, sweep
from worker.deliver import deliver
from worker.google import write_objects
from worker.offers import LEARN, LEARN_ALL, LEDGER, learn, learn_all, write_baskets
from worker.passes import push_passes
from worker.pictures import forget_pictures
from worker.prizes import write_prizes
from worker.rewards import EXPIRE, WATCH, expire_rewards, see_first_purchases, watch_rewards
from worker.ses import take_ses_events
from worker.surveys import remind_of_surveys
from worker.workshop import Workshop

_SWEEP: Final = "sweep"
_FORGET_JOBS: Final = "forget-jobs"
_PURGE: Final = "purge"
_FORGET_VISITORS: Final = "forget-visitors"
_SES_EVENTS: Final = "ses-events"
_REMIND: Final = "remind-of-surveys"
# Seconds from one look to the next: whoever holds a pass does not look at it meanwhile.
_PASSES: Final = 2.0
# Nobody is shown them any more, so they may stay a little longer.
_PICTURES: Final = 2.0
# One is asked for at the launch of a campaign for first purchases.
_FIRST: Final = 5.0
# Nobody waits for these.
_chore = partial(Kind, poll=5.0, is_chore=True)


def _traced(handle: Callable[[Workshop, str, Payload], None], shop: Workshop, job_id: str, payload: Payload) -> None:
    with span(f"job {handle.__name__}"):
        handle(shop, job_id, payload)


def kinds(shop: Workshop) -> list[Kind]:
    def of(handle: Callable[[Workshop, str, Payload], None]) -> Callable[[str, Payload], None]:
        return partial(_traced, handle, shop)

    wallet = shop.settings.wallet
    return [
        Kind(DELIVER, of(deliver), at_once=shop.mail_at_once if shop.mailer else 0),
        Kind(PUSH, of(push_passes), poll=_PASSES, at_once=0 if wallet.lacking_for_apple else 1),
        Kind(GOOGLE, of(write_objects), poll=_PASSES, at_once=0 if wallet.lacking_for_google else 1),
        Kind(PRIZES, of(write_prizes), poll=_PASSES, at_once=0 if wallet.lacking_for_google else 1),
        Kind(FORGET, of(forget_pictures), poll=_PICTURES),
        Kind(CATCH_UP, of(see_first_purchases), poll=_FIRST),
        _chore(_SWEEP, of(sweep)),
        _chore(_FORGET_JOBS, of(forget_jobs)),
        _chore(_PURGE, of(purge)),
        _chore(_FORGET_VISITORS, of(forget_visitors)),
        _chore(_SES_EVENTS, of(take_ses_events)),
        _chore(_REMIND, of(remind_of_surveys)),
        _chore(CASES, of(see_to_cases)),
        _chore(REFERRALS, of(look_for_referrals)),
        _chore(LOOK_BACK, of(look_back_for_referrals)),
        _chore(TAGS, of(tag_answers)),
        _chore(LEDGER, of(write_baskets)),
        _chore(LEARN, of(learn)),
        _chore(EXPIRE, of(expire_rewards)),
        _chore(WATCH, of(watch_rewards)),
        _chore(LEARN_ALL, of(learn_all)),
    ]


def schedules(shop: Workshop) -> list[Schedule]:
    always = [
        Schedule("sweep", _SWEEP, "* * * * *"),
        Schedule("forget-jobs", _FORGET_JOBS, "17 3 * * *"),
        Schedule("purge", _PURGE, "37 2 * * *"),
        # Soon after the day is over, which is UTC's.
        Schedule("forget-visitors", _FORGET_VISITORS, "3 0 * * *"),
        Schedule("remind-of-surveys", _REMIND, "23 * * * *"),
        Schedule(CASES, CASES, "* * * * *"),
        Schedule(REFERRALS, REFERRALS, "* * * * *"),
        Schedule(LOOK_BACK, LOOK_BACK, "41 3 * * *"),
        Schedule(TAGS, TAGS, "* * * * *"),
        Schedule(LEDGER, LEDGER, "* * * * *"),
        Schedule(LEARN, LEARN, "*/10 * * * *"),
        Schedule(EXPIRE, EXPIRE, "*/5 * * * *"),
        Schedule(WATCH, WATCH, "11 * * * *"),
        Schedule(LEARN_ALL, LEARN_ALL, "23 3 * * *"),
    ]
    of_ses = [Schedule("ses-events", _SES_EVENTS, "* * * * *")]
    return always + of_ses if shop.settings.mail.ses_events_queue_url else always
