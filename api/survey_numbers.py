"""What surveys say in a time: the Net Promoter Score or satisfaction, how sure it is, and by whatever it joins."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import date
from decimal import ROUND_HALF_UP, Decimal
from typing import Annotated, Any, Final

from fastapi import APIRouter, Query, Response
from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy import Connection

from accounts.keys import Caller
from api import schemas
from api.answers import csv_answer, json_answer
from api.days import TheDays
from api.house import TheHouse
from api.key_ring import TheCaller
from api.survey_wanted import TheWish
from engagement import nps
from engagement.surveys import manage, numbers
from engagement.surveys.numbers import Asked, By, Figures
from engagement.surveys.records import RECOMMENDING, Event
from infra.csv_text import csv_text
from kernel.errors import FieldError, Invalid

router = APIRouter(prefix="/v1", tags=["Surveys"])
_HUNDREDTH: Final = Decimal("0.01")
_HEAD: Final = ("responses", "score", "low", "high", "promoters", "passives", "detractors", "mean", "suppressed")


class _Answer(BaseModel):
    model_config = ConfigDict(json_schema_mode_override="serialization")


class SurveyFigures(_Answer):
    """Decimals are strings with one place. Of fewer answers than `least` only their number is told, and of the smallest
    other row where the total less all others would tell what these few said."""

    responses: int
    score: str | None = Field(
        description="From -100.0 to 100.0: promoters less detractors, in percent of all. Of satisfaction, from 0.0 to "
        "100.0: the share of those who give 4 or 5."
    )
    low: str | None = Field(description="With 95% confidence it is not below this.")
    high: str | None = Field(description="Nor above this.")
    promoters: int | None = Field(description="Who give 9 or 10; of satisfaction, 4 or 5.")
    passives: int | None = Field(description="Who give 7 or 8; of satisfaction, 3.")
    detractors: int | None = Field(description="Who give less.")
    mean: str | None = Field(description="Of the scores, with two places.")
    suppressed: bool = Field(
        description="Whether no more is said: of too few answers, or as it would tell those of another row."
    )


class SurveyFiguresRow(SurveyFigures):
    key: str = Field(
        description="A slug, `store/till` for a till, a SKU, a channel or language, or the first day of a time."
    )


class AskedFigures(_Answer):
    """Who is known to have been asked in this time, and answered then or later. Nobody knows of pages without a
    script."""

    asked: int
    answered: int
    percent: str | None


class SurveyNumbers(_Answer):
    """`from` and `to` are days of UTC, both counted."""

    first: date = Field(alias="from")
    to: date
    event: Event
    measure: str = Field(description="`nps` or `csat`.")
    by: By
    least: int
    total: SurveyFigures
    asked: AskedFigures | None = Field(description="Null where the numbers are narrowed to a part of those asked.")
    numbers: list[SurveyFiguresRow]


@dataclass(frozen=True, slots=True)
class _Found:
    rows: dict[str, Figures]
    total: Figures
    asked: Asked | None


Least = Annotated[int, Query(ge=1, le=1000, description="Of fewer answers no figure is told.")]


@router.get("/survey-numbers", response_model=SurveyNumbers, responses=schemas.READS)
async def survey_numbers(
    house: TheHouse, caller: TheCaller, wish: TheWish, days: TheDays, by: By = "week", least: Least = nps.LEAST
) -> Response:
    """Needs an `event`, or a `survey`: what is asked after a purchase and what is asked about the relationship are
    never one number. An answer counts on the day on which it first came; weeks begin on Monday. By SKU it counts for
    each product of its receipt."""
    look = _asked(caller, wish, days, by)

    def answer(conn: Connection) -> Response:
        event, found = look(conn)
        rows = [{"key": key} | _written(each) for key, each in _rows(event, found, by, least).items()]
        told = {"event": event, "measure": "nps" if event in RECOMMENDING else "csat", "by": by, "least": least}
        is_told = nps.is_told(found.total.counts.total, least)
        total = {"total": _written(_figures(event, found.total, is_told=is_told)), "asked": _told(found.asked)}
        return json_answer(days.as_json() | told | total | {"numbers": rows})

    return await house.read_long(answer)


@router.get("/survey-numbers.csv", response_class=Response, responses=schemas.CSV)
async def survey_numbers_csv(
    house: TheHouse, caller: TheCaller, wish: TheWish, days: TheDays, by: By = "week", least: Least = nps.LEAST
) -> Response:
    """The rows as a table for spreadsheets."""
    look = _asked(caller, wish, days, by)

    def table(conn: Connection) -> bytes:
        event, found = look(conn)
        rows = _rows(event, found, by, least)
        return csv_text((by, *_HEAD), [(key, *each.values()) for key, each in rows.items()])

    return csv_answer(await house.read_long(table), "survey-numbers.csv")


def _asked(caller: Caller, wish: TheWish, days: TheDays, by: By) -> Callable[[Connection], tuple[Event, _Found]]:
    caller.require("surveys:read")

    def look(conn: Connection) -> tuple[Event, _Found]:
        wanted = wish.wanted(conn, caller)
        surveys = [each for each in manage.listed(conn, caller.merchant_id) if wish.survey in (None, each.id)]
        event = wanted.event or (surveys[0].event if wish.survey and surveys else None)
        if event is None:
            raise Invalid(errors=[FieldError("query:event", "is needed, or the id of a survey")])
        wanted = replace(wanted, event=event)
        rows = numbers.tally(conn, caller.merchant_id, days, wanted, by)
        adds_up = rows if by in numbers.WHOLE else numbers.tally(conn, caller.merchant_id, days, wanted, "channel")
        mine = [each.id for each in surveys if each.event == event and wanted.brand_id in (None, each.brand_id)]
        asked = None if wish.is_part(caller) else numbers.asked(conn, caller.merchant_id, days, mine)
        return event, _Found(rows, numbers.total(adds_up.values()), asked)

    return look


def _rows(event: Event, found: _Found, by: By, least: int) -> dict[str, dict[str, Any]]:
    counts = {key: each.counts.total for key, each in found.rows.items()}
    judge = numbers.untold_of_overlapping if by == "sku" else numbers.untold
    untold = judge(counts, found.total.counts.total, least)
    return {key: _figures(event, each, is_told=key not in untold) for key, each in found.rows.items()}


def _figures(event: Event, figures: Figures, *, is_told: bool) -> dict[str, Any]:
    """In the order of :data:`_HEAD`."""
    counts = figures.counts
    told: dict[str, Any] = {"responses": counts.total} | dict.fromkeys(_HEAD[1:])
    if not is_told:
        return told | {"suppressed": True}
    recommends = event in RECOMMENDING
    score = nps.score(counts) if recommends else nps.satisfaction(counts)
    around = nps.interval(counts) if recommends else nps.satisfaction_interval(counts)
    told |= {"score": score, "low": around.low, "high": around.high}
    told |= {"promoters": counts.promoters, "passives": counts.passives, "detractors": counts.detractors}
    mean = (Decimal(figures.points) / counts.total).quantize(_HUNDREDTH, ROUND_HALF_UP)
    return told | {"mean": mean, "suppressed": False}


def _written(figures: dict[str, Any]) -> dict[str, Any]:
    """Decimals as JSON has them here; a spreadsheet knows them as they are."""
    return {name: str(value) if isinstance(value, Decimal) else value for name, value in figures.items()}


def _told(asked: Asked | None) -> dict[str, Any] | None:
    if asked is None:
        return None
    share = Decimal(100 * asked.answered) / asked.asked if asked.asked else None
    percent = None if share is None else str(share.quantize(Decimal("0.1"), ROUND_HALF_UP))
    return {"asked": asked.asked, "answered": asked.answered, "percent": percent}
