"""Instants as files of baskets write them."""

import re
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from typing import Final

_WRITTEN: Final = re.compile(
    r"\s*(\d{1,4})([-/.])(\d{1,2})\2(\d{1,4})"
    r"(?:[T ]\s*(\d{1,2}):(\d{2})(?::(\d{2})(?:[.,]\d+)?)?\s*([AaPp])?[Mm]?\.?)?\s*(?:Z|UTC|[+-]\d{2}:?\d{2})?\s*"
)
_EIGHT_DIGITS: Final = re.compile(r"(?:19|20)\d{6}")
_ENOUGH: Final = 5_000
_DAY: Final = 86_400_000_000  # µs
# From which number on it must be seconds, milliseconds, microseconds; below it counts days.
_SCALES: Final = ((10**14, 1), (10**11, 1_000), (10**7, 1_000_000), (0, _DAY))


class UnreadableDate(ValueError):
    """Its words are those that cannot be read."""


def reader(dates: Iterable[str]) -> Callable[[str], int]:
    """What reads such ``dates`` as µs since 1970; it raises :class:`UnreadableDate`. It looks at no more than it needs.

    ISO 8601, 31.12.2026 with 8:26 or 8:26 PM behind it, 20261231, and numbers of days or seconds. Where no date tells,
    1/2/2026 is the 2nd of January, while 1.2.2026 and 1-2-2026 are the 1st of February. Offsets from UTC are left
    out: what counts is the order.
    """
    day_first, as_dates = _looked_at(dates)

    def read(text: str) -> int:
        try:
            if not text.strip().isdecimal():
                return _date(text, day_first)
            return _digits(text) if as_dates and _EIGHT_DIGITS.fullmatch(text.strip()) else _number(text)
        except (ValueError, OverflowError):
            raise UnreadableDate(text.strip()) from None

    return read


def _looked_at(dates: Iterable[str]) -> tuple[dict[str, bool], bool]:
    """Whether the day comes first, for each sign between the numbers; and whether eight digits are a date."""
    as_dates, is_open = True, False
    for count, text in enumerate(dates):
        found = _WRITTEN.fullmatch(text)
        if found and len(found[1]) < 4:
            is_open = True
            if int(found[1]) > 12 or int(found[3]) > 12:
                return dict.fromkeys("-/.", int(found[1]) > 12), as_dates
        elif text.strip().isdecimal() and not _is_eight_digits(text):
            as_dates = False
        # Only dates that could be read either way are looked at to the last.
        if count > _ENOUGH and not is_open:
            break
    return {"-": True, ".": True, "/": False}, as_dates


def _is_eight_digits(text: str) -> bool:
    try:
        return bool(_EIGHT_DIGITS.fullmatch(text.strip()) and _digits(text))
    except ValueError:
        return False


def _digits(text: str) -> int:
    return _micros(datetime.strptime(text.strip(), "%Y%m%d").replace(tzinfo=UTC))


def _number(text: str) -> int:
    number = int(text)
    return number * next(scale for least, scale in _SCALES if number >= least)


def _date(text: str, day_first: dict[str, bool]) -> int:
    found = _WRITTEN.fullmatch(text)
    if not found:
        raise ValueError
    first, second, third = int(found[1]), int(found[3]), int(found[4])
    if len(found[1]) == 4:
        year, month, day = first, second, third
    elif day_first[found[2]]:
        day, month, year = first, second, third
    else:
        month, day, year = first, second, third
    hour, half = int(found[5] or 0), (found[8] or "").lower()
    hour = hour % 12 + (12 if half == "p" else 0) if half else hour
    year += 2000 if year < 100 else 0
    return _micros(datetime(year, month, day, hour, int(found[6] or 0), int(found[7] or 0), tzinfo=UTC))


def _micros(at: datetime) -> int:
    return int(at.timestamp()) * 1_000_000
