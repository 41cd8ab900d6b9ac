"""Reading answers: of a receipt, one by one, and as a list."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import ColumnElement, Connection, literal_column, select

from accounts.tables import Brand, StaffMember, Store, Till
from engagement.surveys.records import Answer, Channel, Event, Segment
from engagement.surveys.tables import SurveyAnswer, SurveyAnswerLine
from infra.database import unindexed
from kernel.errors import NotFound

COLUMNS: Final = tuple(getattr(SurveyAnswer, name) for name in Answer.__slots__)
# Not as a parameter: a plan made for any could not use the index of those that are held back.
_COUNTED: Final[Any] = literal_column("''")
_JOINED: Final[dict[str, Any]] = {"brand_id": Brand, "store_id": Store, "till_id": Till, "staff_id": StaffMember}


@dataclass(frozen=True, slots=True)
class Wanted:
    """What narrows a list down: ids, what was answered, and from when until before when."""

    survey_id: str | None = None
    event: Event | None = None
    store_id: str | None = None
    till_id: str | None = None
    staff_id: str | None = None
    brand_id: str | None = None
    receipt_id: str | None = None
    sku: str | None = None
    segment: Segment | None = None
    channel: Channel | None = None
    is_held: bool | None = None
    has_text: bool | None = None
    wants_call: bool | None = None
    since: datetime | None = None
    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class Joined:
    """``slugs`` of brands, stores, tills and staff by their ids; ``skus`` of receipts by the ids of answers."""

    slugs: dict[str, str]
    skus: dict[str, list[str]]


def answer_of(row: Any) -> Answer:
    return Answer(**{name: getattr(row, name) for name in Answer.__slots__})


def of_receipt(conn: Connection, merchant_id: str, receipt_id: str) -> dict[str, Answer]:
    """Those that count, by survey."""
    mine = (
        unindexed(SurveyAnswer.merchant_id) == merchant_id,
        SurveyAnswer.receipt_id == receipt_id,
        SurveyAnswer.held == "",
    )
    return {row.survey_id: answer_of(row) for row in conn.execute(select(*COLUMNS).where(*mine))}


def last_of(conn: Connection, merchant_id: str, survey_id: str, receipt_id: str) -> Answer | None:
    """The one that counts; else the last that is held back."""
    mine = (
        unindexed(SurveyAnswer.merchant_id) == merchant_id,
        SurveyAnswer.survey_id == survey_id,
        SurveyAnswer.receipt_id == receipt_id,
    )
    found = [answer_of(row) for row in conn.execute(select(*COLUMNS).where(*mine))]
    return max(found, key=lambda each: (each.is_counted, each.changed_at), default=None)


def one(conn: Connection, merchant_id: str, answer_id: str, *, store_id: str | None = None) -> Answer:
    """Raises :class:`NotFound`, also for one of another store where the caller is bound to one."""
    mine = [SurveyAnswer.merchant_id == merchant_id, SurveyAnswer.id == answer_id]
    if store_id is not None:
        mine.append(SurveyAnswer.store_id == store_id)
    row = conn.execute(select(*COLUMNS).where(*mine)).one_or_none()
    if row is None:
        raise NotFound("There is no such response")
    return answer_of(row)


def listed(conn: Connection, merchant_id: str, wanted: Wanted, *, limit: int, after: str | None) -> list[Answer]:
    """Newest first, from behind the id ``after`` on."""
    # Few by a receipt or a product: to get them in order, SQLite would walk through all answers of the merchant.
    is_few = wanted.receipt_id is not None or wanted.sku is not None
    mine, place = (unindexed(each) if is_few else each for each in (SurveyAnswer.merchant_id, SurveyAnswer.id))
    query = select(*COLUMNS).where(mine == merchant_id, *narrowed(merchant_id, wanted))
    if after is not None:
        query = query.where(place < after)
    return [answer_of(row) for row in conn.execute(query.order_by(place.desc()).limit(limit))]


def joined(conn: Connection, merchant_id: str, answers: Sequence[Answer]) -> Joined:
    """What these answers join."""
    ids = {name: {getattr(each, name) for each in answers} - {None} for name in _JOINED}
    slugs: dict[str, str] = {}
    for name, table in _JOINED.items():
        query = select(table.id, table.slug).where(unindexed(table.merchant_id) == merchant_id, table.id.in_(ids[name]))
        slugs |= {row.id: row.slug for row in conn.execute(query)}
    skus: dict[str, list[str]] = {}
    columns = (SurveyAnswerLine.answer_id, SurveyAnswerLine.sku)
    mine = (
        unindexed(SurveyAnswerLine.merchant_id) == merchant_id,
        SurveyAnswerLine.answer_id.in_({each.id for each in answers}),
    )
    for answer_id, sku in conn.execute(select(*columns).where(*mine).order_by(*columns)):
        skus.setdefault(answer_id, []).append(sku)
    return Joined(slugs, skus)


def narrowed(merchant_id: str, wanted: Wanted) -> Iterator[ColumnElement[bool]]:
    """All of ``wanted``; the merchant is the caller's to name."""
    for name in ("survey_id", "event", "store_id", "till_id", "staff_id", "brand_id", "receipt_id", "segment"):
        if (value := getattr(wanted, name)) is not None:
            yield getattr(SurveyAnswer, name) == value
    if wanted.channel is not None:
        yield SurveyAnswer.channel == wanted.channel
    if wanted.is_held is not None:
        yield SurveyAnswer.held != _COUNTED if wanted.is_held else SurveyAnswer.held == ""
    if wanted.has_text is not None:
        yield SurveyAnswer.text.is_not(None) if wanted.has_text else SurveyAnswer.text.is_(None)
    if wanted.wants_call is not None:
        yield SurveyAnswer.wants_call.is_(wanted.wants_call)
    if wanted.sku is not None:
        lines = (SurveyAnswerLine.merchant_id == merchant_id, SurveyAnswerLine.sku == wanted.sku)
        yield SurveyAnswer.id.in_(select(SurveyAnswerLine.answer_id).where(*lines))
    if wanted.since is not None:
        yield SurveyAnswer.answered_at >= wanted.since
    if wanted.until is not None:
        yield SurveyAnswer.answered_at < wanted.until
