"""A time between two days of UTC."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta


@dataclass(frozen=True, slots=True)
class Days:
    """Both are counted."""

    first: date
    last: date

    @property
    def since(self) -> datetime:
        return begin(self.first)

    @property
    def before(self) -> datetime:
        return end(self.last)

    def as_json(self) -> dict[str, str]:
        return {"from": self.first.isoformat(), "to": self.last.isoformat()}


def begin(day: date) -> datetime:
    return datetime.combine(day, time.min, UTC)


def end(day: date) -> datetime:
    """The first moment after it. The last day of the calendar has no next one."""
    return datetime.max.replace(tzinfo=UTC) if day == date.max else begin(day) + timedelta(days=1)
