"""What follows from an answer at once, in its own transaction: its tags, a case, a code to hand on."""

from datetime import datetime

from sqlalchemy import Connection

from engagement.surveys.records import Answer
from engagement.voice import case_work, referrals, tag_rules


def after_answer(conn: Connection, answer: Answer, *, says_more: bool = False, now: datetime) -> None:
    """For an answer that counts, each time that it came or was changed; nothing for one that is held back.
    ``says_more`` where it has other words than before, or a wish that it had not. The row of the answer is the
    caller's meanwhile."""
    if answer.is_counted:
        tag_rules.tag(conn, answer)
        case_work.follow(conn, answer, says_more=says_more, now=now)
        referrals.follow(conn, answer, now=now)


def after_holding(conn: Connection, answer: Answer, *, now: datetime) -> None:
    """For one that counted and is held back now: it is likely that no person gave it."""
    case_work.doubt(conn, answer, now=now)
