"""Which workers live: a slot each, which ends with its holder."""

import os
from pathlib import Path

from infra import slots
from infra.database import connect
from tests.support import forge
from tests.support.waiting import wait_until

HOLDING = """
import sys, time
from infra import slots
held = slots.open_slots(sys.argv[1])
print(f"slot {slots.take_new(held)} taken", flush=True)
time.sleep(1000)
"""


def test_a_slot_is_held_until_its_process_dies(database_url: str, tmp_path: Path) -> None:
    mine = slots.open_slots(database_url)
    number = slots.take_new(mine)
    log = tmp_path / "other.log"
    other = forge.begin([database_url], env=dict(os.environ), log=log, first=HOLDING)
    wait_until(lambda: log.exists() and "taken" in log.read_text())
    others = int(log.read_text().split()[1])
    third = slots.open_slots(database_url)
    assert (third.living(), third.take(number), third.take(others)) == (2, False, False)
    other.kill()
    other.join()
    wait_until(lambda: third.take(others))
    assert (third.take(number), mine.keep(number)) == (False, True)
    mine.close()
    third.let_go(others)
    wait_until(lambda: third.living() == 0)
    third.close()


def test_who_was_cut_off_has_its_slot_again_at_once(postgresql_url: str) -> None:
    mine, third = slots.open_slots(postgresql_url), slots.open_slots(postgresql_url)
    number = slots.take_new(mine)
    engine = connect(postgresql_url)
    with engine.begin() as conn:
        conn.exec_driver_sql(
            "SELECT pg_terminate_backend(pid, 5000) FROM pg_locks "
            "WHERE locktype = 'advisory' AND granted AND pid <> pg_backend_pid() "
            "AND database = (SELECT oid FROM pg_database WHERE datname = current_database())"
        )
    assert mine.keep(number)
    assert not third.take(number)
    for each in (mine, third):
        each.close()
    engine.dispose()


def test_to_look_who_lives_leaves_nothing_behind(sqlite_url: str, tmp_path: Path) -> None:
    before = sorted(tmp_path.iterdir())
    looking = slots.open_slots(sqlite_url)
    assert (looking.living(), sorted(tmp_path.iterdir())) == (0, before)
    looking.close()
