"""Surveys are created, changed and put away by their merchant."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Connection, delete, select, update

from accounts import manage as accounts
from accounts.tables import Brand
from engagement.surveys.records import Event
from engagement.surveys.settings import Settings
from engagement.surveys.tables import Survey, SurveyAnswer, SurveyAsk
from infra.database import insert_or_ignore
from kernel.errors import Conflict, NotFound
from kernel.ids import new_id


@dataclass(frozen=True, slots=True)
class SurveyRecord:
    """``brand`` is the brand's slug, ``brand_name`` what people call it."""

    id: str
    merchant_id: str
    brand_id: str
    brand: str
    brand_name: str
    event: Event
    settings: Settings
    is_active: bool
    created_at: datetime
    changed_at: datetime


class SurveyThere(Conflict):
    slug, title = "survey-there", "The brand has a survey for this event already"


class SurveyAnswered(Conflict):
    slug, title = "survey-answered", "The survey has answers"


_COLUMNS: Final = (
    Survey.id,
    Survey.merchant_id,
    Survey.brand_id,
    Brand.slug.label("brand"),
    Brand.name.label("brand_name"),
    Survey.event,
    Survey.settings,
    Survey.is_active,
    Survey.created_at,
    Survey.changed_at,
)

_SURVEY: Final[Any] = select(*_COLUMNS).join(Brand, Brand.id == Survey.brand_id)


def create(
    conn: Connection,
    merchant_id: str,
    brand: str,
    event: Event,
    settings: Settings,
    *,
    is_active: bool,
    now: datetime,
) -> SurveyRecord:
    """Of the brand with the slug ``brand``. Raises :class:`Invalid` at ``/brand``, and :class:`SurveyThere`."""
    brand_id = accounts.id_of(conn, Brand, merchant_id, brand, at="/brand")
    survey_id = new_id("srv", now)
    values = {"id": survey_id, "merchant_id": merchant_id, "brand_id": brand_id, "event": event}
    values |= {"created_at": now} | _content(settings, is_active=is_active, now=now)
    if conn.scalar(insert_or_ignore(conn, Survey).values(values).returning(Survey.id)) is None:
        raise SurveyThere("Change that one instead")
    return one(conn, merchant_id, survey_id)


def change(
    conn: Connection, merchant_id: str, survey_id: str, settings: Settings, *, is_active: bool, now: datetime
) -> SurveyRecord:
    """Raises :class:`NotFound`."""
    mine = (Survey.merchant_id == merchant_id, Survey.id == survey_id)
    conn.execute(update(Survey).where(*mine).values(_content(settings, is_active=is_active, now=now)))
    return one(conn, merchant_id, survey_id)


def remove(conn: Connection, merchant_id: str, survey_id: str) -> None:
    """One that nobody has answered. Raises :class:`NotFound` and :class:`SurveyAnswered`."""
    mine = (Survey.merchant_id == merchant_id, Survey.id == survey_id)
    if conn.scalar(select(Survey.id).where(*mine).with_for_update()) is None:
        raise NotFound("There is no such survey")
    answers = (SurveyAnswer.merchant_id == merchant_id, SurveyAnswer.survey_id == survey_id)
    if conn.scalar(select(SurveyAnswer.id).where(*answers).limit(1)) is not None:
        raise SurveyAnswered("Switch it off instead: set active to false")
    conn.execute(delete(SurveyAsk).where(SurveyAsk.merchant_id == merchant_id, SurveyAsk.survey_id == survey_id))
    conn.execute(delete(Survey).where(*mine))


def one(conn: Connection, merchant_id: str, survey_id: str) -> SurveyRecord:
    """Raises :class:`NotFound`."""
    row = conn.execute(_of(merchant_id).where(Survey.id == survey_id)).one_or_none()
    if row is None:
        raise NotFound("There is no such survey")
    return _record(row)


def behind(conn: Connection, survey_id: str) -> SurveyRecord | None:
    """Of a link whose mark is ours: that is the right to know, so no merchant is named."""
    row = conn.execute(_SURVEY.where(Survey.id == survey_id)).one_or_none()
    return _record(row) if row else None


def listed(conn: Connection, merchant_id: str) -> list[SurveyRecord]:
    """All of them, oldest first: a brand has five at most."""
    return [_record(row) for row in conn.execute(_of(merchant_id).order_by(Survey.id))]


def all_active(conn: Connection) -> list[SurveyRecord]:
    """Of all merchants: five for a brand at most."""
    return [_record(row) for row in conn.execute(_SURVEY.where(Survey.is_active.is_(True)).order_by(Survey.id))]


def active(conn: Connection, merchant_id: str, brand_id: str) -> Sequence[SurveyRecord]:
    rows = conn.execute(_of(merchant_id).where(Survey.brand_id == brand_id, Survey.is_active.is_(True)))
    return tuple(_record(row) for row in rows)


def _of(merchant_id: str) -> Any:
    return _SURVEY.where(Survey.merchant_id == merchant_id)


def _record(row: Any) -> SurveyRecord:
    values = row._asdict()
    return SurveyRecord(**values | {"settings": Settings.model_validate_json(values["settings"])})


def _content(settings: Settings, *, is_active: bool, now: datetime) -> dict[str, Any]:
    stored = settings.model_dump_json(exclude_defaults=True)
    return {"settings": stored, "is_active": is_active, "changed_at": now}
