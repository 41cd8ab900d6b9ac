"""Checks of what is done behind the scenes: who works, and whether messages leave."""

from datetime import timedelta
from typing import Final

from cli.checks_database import NONE_YET, is_absent
from cli.verdict import Verdict, doubtful, ill, well
from infra import database, slots
from infra.settings import Settings
from kernel.clock import utc_now
from notify import sending

_LATE: Final = timedelta(minutes=10)


def workers(settings: Settings) -> Verdict:
    held = slots.open_slots(settings.data.where_database())
    try:
        count = held.living()
    finally:
        held.close()
    if count == 0:
        do = "start one: counterfoil worker, or counterfoil serve without --no-worker"
        return doubtful("none lives, so nothing is sent or cleared up", do)
    return well("one lives" if count == 1 else f"{count} live")


def messages(settings: Settings) -> Verdict:
    if is_absent(settings):
        return well(NONE_YET)
    engine = database.connect(settings.data.where_database())
    try:
        with database.reading(engine) as conn:
            is_late = sending.overdue(conn, before=utc_now() - _LATE)
    finally:
        engine.dispose()
    if is_late:
        return ill("some are long due", "see them: counterfoil messages --state waiting; does a worker live?")
    return well("none is late")
