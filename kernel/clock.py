"""Instants: aware datetimes in UTC inside, ISO 8601 with an offset outside."""

from collections.abc import Callable
from datetime import UTC, datetime

Clock = Callable[[], datetime]


def utc_now() -> datetime:
    """The one place that reads the wall clock; everything below the edge takes ``now`` as an argument."""
    return datetime.now(UTC)


def iso(moment: datetime) -> str:
    """RFC 3339 in UTC, to the second and with ``Z``: ``2026-11-21T16:42:10Z``."""
    return moment.astimezone(UTC).replace(tzinfo=None).isoformat(timespec="seconds") + "Z"
