"""What is done by the clock about answers: owners hear of cases, late ones are escalated, codes are looked for in
sales, and answers get the tags of new rules."""

from collections.abc import Callable
from datetime import timedelta
from functools import partial
from typing import Final

import structlog
from sqlalchemy import Connection

from accounts.find import brand_look
from engagement import shoppers
from engagement.voice import attribution, case_clock, cases, letters, referrals, tag_rules
from engagement.voice.attribution import Keys
from engagement.voice.case_clock import Late
from engagement.voice.cases import CaseRecord
from infra import secrets
from infra.jobs import Payload
from notify import asking
from notify.asking import Post, Wanted
from worker.workshop import Workshop

_log = structlog.get_logger()
CASES: Final = "cases"
REFERRALS: Final = "referrals"
LOOK_BACK: Final = "look-back-for-referrals"
TAGS: Final = "tags"
# Somebody who gave a score writes why a moment later, or taps another; and what a program gave is held back by then.
_SETTLED: Final = timedelta(minutes=2)
_TOGETHER: Final = 100
_DAYS_BACK: Final = 3


def see_to_cases(shop: Workshop, _job_id: str, _payload: Payload) -> None:
    """Tell owners of new cases, and others of late ones. Each is a transaction of its own: two workers may do so at
    once, and one of them tells."""
    now = shop.clock()
    new = _each(shop, partial(case_clock.untold, before=now - _SETTLED), _tell)
    late = _each(shop, partial(case_clock.late, now=now), _escalate)
    if new or late:
        _log.info("cases_seen_to", new=new, late=late)


def look_for_referrals(shop: Workshop, _job_id: str, _payload: Payload) -> None:
    """In receipts that are new since the last look."""
    count = attribution.attribute(shop.engine, keys_of(shop), now=shop.clock(), stop=shop.ended.is_set)
    if count:
        _log.info("referrals_attributed", count=count)


def look_back_for_referrals(shop: Workshop, _job_id: str, _payload: Payload) -> None:
    """Once a night in those of the last days again."""
    attribution.look_back(shop.engine, now=shop.clock(), days=_DAYS_BACK)


def tag_answers(shop: Workshop, _job_id: str, _payload: Payload) -> None:
    """Of before, by rules that have changed."""
    count = tag_rules.look_again(shop.engine, now=shop.clock(), stop=shop.ended.is_set)
    if count:
        _log.info("answers_tagged", count=count)


def keys_of(shop: Workshop) -> Keys:
    derived = partial(secrets.derived, shop.settings.data)
    return Keys(codes=derived(referrals.PURPOSE), shoppers=derived(shoppers.PURPOSE))


def _each(shop: Workshop, find: Callable[..., list[Late]], act: Callable[[Connection, Workshop, Late], None]) -> int:
    """Until nothing is left or a stop; how many were seen to. One that fails waits for the next minute, and stops no
    other."""
    count, failed, is_more = 0, set[str](), True
    while is_more and not shop.ended.is_set():
        most = _TOGETHER + len(failed)
        found = shop.read(partial(find, at_most=most))
        is_more = len(found) == most
        for each in found:
            if each.id not in failed and not shop.ended.is_set():
                count += _is_done(shop, act, each, failed)
    return count


def _is_done(shop: Workshop, act: Callable[[Connection, Workshop, Late], None], each: Late, failed: set[str]) -> bool:
    try:
        shop.write(lambda conn: act(conn, shop, each))
    except Exception:
        failed.add(each.id)
        _log.exception("case_failed", case=each.id)
        return False
    return True


def _tell(conn: Connection, shop: Workshop, each: Late) -> None:
    now = shop.clock()
    if case_clock.close_uncounted(conn, each.merchant_id, each.id, now=now):
        return
    if not case_clock.mark_told(conn, each.merchant_id, each.id, now=now):
        return
    record = cases.one(conn, each.merchant_id, each.id)
    if record.email and record.resolved_at is None:
        _ask(conn, shop, record, record.id, record.email)


def _escalate(conn: Connection, shop: Workshop, each: Late) -> None:
    now = shop.clock()
    if case_clock.close_uncounted(conn, each.merchant_id, each.id, now=now):
        return
    record = case_clock.escalate(conn, each.merchant_id, each.id, now=now)
    if record is not None and record.escalation_email:
        _ask(conn, shop, record, letters.late_name(record.id), record.escalation_email)


def _ask(conn: Connection, shop: Workshop, record: CaseRecord, about: str, address: str) -> None:
    """In the brand's first language. One that was opened again is told of again."""
    language = brand_look(conn, record.merchant_id, record.brand_id).languages[0] if record.brand_id else None
    wanted = Wanted(record.merchant_id, about, address, language=language, ordinal=record.revision)
    post = Post(shop.jobs, shop.settings.mail.channels())
    asking.ask(conn, post, [wanted], now=shop.clock())
