"""A time between two days, as queries name it."""

from datetime import date, timedelta
from typing import Annotated, Final

from fastapi import Depends, Query

from api.card_numbers import Day
from api.house import TheHouse
from kernel.days import Days
from kernel.errors import FieldError, Invalid

_DAYS: Final = 30
_MOST_DAYS: Final = 366


def _days(
    house: TheHouse,
    first: Annotated[Day | None, Query(alias="from", description="Default: 29 days before `to`.")] = None,
    to: Annotated[Day | None, Query(description="Counted too. Default: today, by UTC.")] = None,
) -> Days:
    """Raises :class:`Invalid` for a time that ends before it begins, is longer than a year, or beyond the calendar."""
    last = to or house.clock().date()
    if not date(2000, 1, 1) <= last <= date(9000, 1, 1):
        raise Invalid(errors=[FieldError("query:to", "must be from 2000 on and before 9000")])
    first = first or last - timedelta(days=_DAYS - 1)
    if not 0 <= (last - first).days < _MOST_DAYS:
        detail = f"must not be after `to`, nor more than {_MOST_DAYS - 1} days before it"
        raise Invalid(errors=[FieldError("query:from", detail)])
    return Days(first, last)


TheDays = Annotated[Days, Depends(_days)]
