"""What answers come to: counts of each segment, by whatever they join, in a time."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any, Final, Literal

from sqlalchemy import BigInteger, Connection, Select, case, func, select, type_coerce

from accounts.tables import StaffMember, Store, Till
from engagement.nps import Counts
from engagement.surveys.find import Wanted, narrowed
from engagement.surveys.tables import SurveyAnswer, SurveyAnswerLine, SurveyAsk
from infra.database import unindexed
from kernel.clock import microseconds
from kernel.days import Days

By = Literal["day", "week", "month", "store", "till", "staff", "sku", "channel", "language"]
TIMES: Final[frozenset[By]] = frozenset({"day", "week", "month"})
# By these each answer counts in one row, and so the rows add up to all.
WHOLE: Final[frozenset[By]] = TIMES | {"store", "channel", "language"}
_DAY: Final = 86_400_000_000  # microseconds


@dataclass(frozen=True, slots=True)
class Figures:
    """``points`` is the sum of the scores."""

    counts: Counts = field(default_factory=Counts)
    points: int = 0

    def __add__(self, other: "Figures") -> "Figures":
        return Figures(self.counts + other.counts, self.points + other.points)


@dataclass(frozen=True, slots=True)
class Asked:
    """How many were asked in a time, as far as that is known, and how many of these have answered."""

    asked: int
    answered: int


def tally(conn: Connection, merchant_id: str, days: Days, wanted: Wanted, by: By) -> dict[str, Figures]:
    """By the slug of a store, till or member of staff (a till's after its store's: ``mitte/till-3``), by SKU, channel,
    or language, or by the first day of a time. An answer counts for each product of its receipt."""
    found: dict[str, Figures] = {}
    for key, promoters, passives, detractors, points in conn.execute(_query(merchant_id, days, wanted, by)):
        name = _named(days, by, key)
        figures = Figures(Counts(int(promoters), int(passives), int(detractors)), int(points))
        found[name] = found.get(name, Figures()) + figures
    return dict(sorted(found.items()))


def total(found: Iterable[Figures]) -> Figures:
    return sum(found, Figures())


def untold(rows: Mapping[str, int], whole: int, least: int) -> set[str]:
    """Which of the rows tell no figures, of how many answers each: those of fewer than ``least``, and as many of the
    smallest others as it takes, or the total less what is told would be the figures of these few."""
    hidden = {key for key, count in rows.items() if count < least}
    told = sorted(rows.keys() - hidden, key=lambda key: (rows[key], key))
    rest = whole - sum(rows[key] for key in told)
    for key in told:
        if not 0 < rest < least:
            break
        hidden.add(key)
        rest += rows[key]
    return hidden


def untold_of_overlapping(rows: Mapping[str, int], whole: int, least: int) -> set[str]:
    """The same where an answer counts in several rows: also those that nearly all answers are in."""
    return {key for key, count in rows.items() if count < least or 0 < whole - count < least}


def asked(conn: Connection, merchant_id: str, days: Days, survey_ids: list[str]) -> Asked:
    mine = (
        SurveyAsk.merchant_id == merchant_id,
        SurveyAsk.survey_id.in_(survey_ids),
        SurveyAsk.asked_at >= days.since,
        SurveyAsk.asked_at < days.before,
    )
    query = select(func.count(), func.count(SurveyAsk.answered_at)).where(*mine)
    return Asked(*conn.execute(query).one())


def _query(merchant_id: str, days: Days, wanted: Wanted, by: By) -> Select[Any]:
    key = _key(days, by)
    counts = (_sum_of("promoter"), _sum_of("passive"), _sum_of("detractor"), func.sum(SurveyAnswer.score))
    query: Select[Any] = select(key, *counts).select_from(SurveyAnswer)
    within = replace(wanted, since=days.since, until=days.before, is_held=False)
    query = query.where(SurveyAnswer.merchant_id == merchant_id, *narrowed(merchant_id, within))
    return _joined(query, merchant_id, by).group_by(key)


def _sum_of(segment: str) -> Any:
    return func.sum(case((SurveyAnswer.segment == segment, 1), else_=0))


def _key(days: Days, by: By) -> Any:
    """Times are counted in days from the first one."""
    if by in TIMES:
        at = type_coerce(SurveyAnswer.answered_at, BigInteger)
        return ((at - microseconds(days.since)) // _DAY).label("key")
    keys: dict[By, Any] = {
        "store": Store.slug,
        "till": Store.slug + "/" + Till.slug,
        "staff": StaffMember.slug,
        "sku": SurveyAnswerLine.sku,
        "channel": SurveyAnswer.channel,
        "language": SurveyAnswer.language,
    }
    return keys.get(by, SurveyAnswer.event).label("key")


def _joined(query: Select[Any], merchant_id: str, by: By) -> Select[Any]:
    """Who has no till, or nobody who served, counts for none."""
    if by in ("store", "till"):
        query = query.join(Store, Store.id == SurveyAnswer.store_id)
    if by == "till":
        query = query.join(Till, Till.id == SurveyAnswer.till_id)
    if by == "staff":
        query = query.join(StaffMember, StaffMember.id == SurveyAnswer.staff_id)
    if by == "sku":
        lines = unindexed(SurveyAnswerLine.merchant_id) == merchant_id
        query = query.join(SurveyAnswerLine, SurveyAnswerLine.answer_id == SurveyAnswer.id).where(lines)
    return query


def _named(days: Days, by: By, key: Any) -> str:
    """Weeks begin on Monday (ISO 8601)."""
    if by not in TIMES:
        return str(key)
    day = days.first + timedelta(days=int(key))
    if by == "week":
        # The calendar's first Monday is its first day.
        day -= timedelta(days=day.weekday())
    return (day.replace(day=1) if by == "month" else day).isoformat()
