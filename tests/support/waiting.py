"""Waiting for what another thread or process does."""

import time
from collections.abc import Callable

from sqlalchemy import Engine, text


def wait_until(is_so: Callable[[], object], seconds: float = 30) -> None:
    deadline = time.monotonic() + seconds
    while not is_so():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def somebody_waits(engine: Engine) -> bool:
    """Whether a transaction waits for another one, on PostgreSQL."""
    waiting = "SELECT 1 FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()"
    with engine.connect() as conn:
        return conn.scalar(text(waiting)) is not None
