"""What follows from an answer at once, in its own transaction: its tags, a case, a code to hand on."""

from datetime import datetime

from sqlalchemy import Connection

from engagement.surveys.records import Answer
from engagement.voice import case_work, referrals, tag_rules


def after_answer(conn: Connection, answer: Answer, *, now: datetime) -> None:
    """For an answer that counts, each time that it came or was changed; nothing for one that is held back. The row of
    the answer is the caller's meanwhile."""
    if answer.is_counted:
        tag_rules.tag(conn, answer)
        case_work.follow(conn, answer, now=now)
        referrals.follow(conn, answer, now=now)
