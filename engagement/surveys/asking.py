"""Whether a receipt's shopper is asked: told from what is there, without writing anything, and each time the same.

Once somebody was asked, they stay asked: neither the draw nor a throttle takes the question away again.
"""

import hmac
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, Literal

from sqlalchemy import Connection, delete, func, or_, select, update

from engagement.surveys.manage import SurveyRecord
from engagement.surveys.records import Channel
from engagement.surveys.tables import Survey, SurveyAnswer, SurveyAsk
from infra.database import insert_or_ignore, unindexed
from kernel.ids import new_id
from receipts.records import ReceiptRecord

# "unfit" is a receipt about which nobody is asked; "anonymous" whom a relationship cannot be known of.
WhyNot = Literal["inactive", "unfit", "early", "late", "anonymous", "sampled_out", "throttled", "quota"]
# A pseudonym, asked for only where it is needed.
WhoIs = Callable[[], str | None]
_BOUGHT: Final = frozenset({"sale", "exchange"})
# A gift receipt is read by who did not buy.
_NOT_ASKED: Final = frozenset({"training", "gift"})
_PARTS: Final = 10_000
_COLUMNS: Final[tuple[Any, ...]] = (
    SurveyAsk.id,
    SurveyAsk.survey_id,
    SurveyAsk.channel,
    SurveyAsk.asked_at,
    SurveyAsk.answered_at,
)


@dataclass(frozen=True, slots=True)
class Ask:
    """That it was asked."""

    id: str
    survey_id: str
    channel: Channel
    asked_at: datetime
    answered_at: datetime | None


def of_receipt(conn: Connection, merchant_id: str, receipt_id: str) -> dict[str, Ask]:
    """By survey."""
    mine = (unindexed(SurveyAsk.merchant_id) == merchant_id, SurveyAsk.receipt_id == receipt_id)
    return {row.survey_id: Ask(*row) for row in conn.execute(select(*_COLUMNS).where(*mine))}


def is_open(survey: SurveyRecord, record: ReceiptRecord, ask: Ask | None, *, now: datetime) -> bool:
    """Whether an answer is taken, however it comes about."""
    return survey.is_active and _is_fit(record) and now <= closes_at(survey, record, ask)


def closes_at(survey: SurveyRecord, record: ReceiptRecord, ask: Ask | None) -> datetime:
    """Counted from the sale; where a link was handed out later, from then."""
    begins = _opens_at(survey, record)
    return (max(begins, ask.asked_at) if ask else begins) + survey.settings.valid


def why_not(
    conn: Connection,
    key: bytes,
    survey: SurveyRecord,
    record: ReceiptRecord,
    ask: Ask | None,
    who: WhoIs,
    *,
    now: datetime,
    is_linked: bool = False,
) -> WhyNot | None:
    """What stands against asking; None where nothing does.

    ``ask`` is what :func:`of_receipt` has of the survey. ``is_linked`` where a program of the merchant asks by itself,
    and knows when.
    """
    if not survey.is_active:
        return "inactive"
    if not _is_fit(record):
        return "unfit"
    if now < _opens_at(survey, record) and not is_linked:
        return "early"
    if ask is not None:
        return "late" if now > closes_at(survey, record, ask) else None
    if now > closes_at(survey, record, None) and not is_linked:
        return "late"
    return _drawn_out(conn, key, survey, record, who, now)


def ask(
    conn: Connection, survey: SurveyRecord, record: ReceiptRecord, who: str | None, channel: Channel, *, now: datetime
) -> None:
    """Write down that it was asked, where it was not before."""
    row = {
        "id": new_id("ask", now),
        "merchant_id": survey.merchant_id,
        "survey_id": survey.id,
        "brand_id": survey.brand_id,
        "receipt_id": record.id,
        "is_relational": survey.event == "relationship",
        "shopper": who,
        "channel": channel,
        "asked_at": now,
    }
    conn.execute(insert_or_ignore(conn, SurveyAsk).values(row))


def hold(conn: Connection, survey: SurveyRecord, receipt_id: str) -> Ask | None:
    """Nobody else writes an answer of this receipt until the transaction ends."""
    mine = (
        unindexed(SurveyAsk.merchant_id) == survey.merchant_id,
        SurveyAsk.survey_id == survey.id,
        SurveyAsk.receipt_id == receipt_id,
    )
    row = conn.execute(select(*_COLUMNS).where(*mine).with_for_update()).one_or_none()
    return Ask(*row) if row else None


def drop(conn: Connection, merchant_id: str, asked: Ask) -> None:
    """Nobody was asked after all."""
    conn.execute(delete(SurveyAsk).where(SurveyAsk.merchant_id == merchant_id, SurveyAsk.id == asked.id))


def hold_brand(conn: Connection, merchant_id: str, brand_id: str) -> None:
    """Nobody else asks for the brand until the transaction ends: two letters to one shopper must not both ask."""
    mine = (Survey.merchant_id == merchant_id, Survey.brand_id == brand_id)
    conn.execute(select(Survey.id).where(*mine).order_by(Survey.id).with_for_update(key_share=True))


def answered(conn: Connection, merchant_id: str, asked: Ask, at: datetime | None) -> None:
    """When an answer that counts first came; None where it counts no more."""
    mine = (SurveyAsk.merchant_id == merchant_id, SurveyAsk.id == asked.id)
    conn.execute(update(SurveyAsk).where(*mine).values(answered_at=at))


def unanswered(conn: Connection, merchant_id: str, survey_id: str, receipt_id: str | None) -> None:
    """The answer was deleted; where its receipt was purged, nobody knows whose it was."""
    mine = (
        unindexed(SurveyAsk.merchant_id) == merchant_id,
        SurveyAsk.survey_id == survey_id,
        SurveyAsk.receipt_id == receipt_id,
    )
    conn.execute(update(SurveyAsk).where(*mine).values(answered_at=None))


def _is_fit(record: ReceiptRecord) -> bool:
    """Whether somebody bought something, and it stands."""
    is_void = any(each.kind == "void" for each in record.amendments)
    return record.kind in _BOUGHT and not is_void and _NOT_ASKED.isdisjoint(record.content.flags)


def _opens_at(survey: SurveyRecord, record: ReceiptRecord) -> datetime:
    return record.issued_at + survey.settings.after(survey.event)


def _drawn_out(
    conn: Connection, key: bytes, survey: SurveyRecord, record: ReceiptRecord, who: WhoIs, now: datetime
) -> WhyNot | None:
    """Cheapest first."""
    if not _is_drawn(key, survey, record):
        return "sampled_out"
    if _is_quota_full(conn, survey, now):
        return "quota"
    shopper = who()
    if shopper is None:
        return "anonymous" if survey.event == "relationship" else None
    return "throttled" if _is_throttled(conn, survey, record, shopper, now) else None


def _is_drawn(key: bytes, survey: SurveyRecord, record: ReceiptRecord) -> bool:
    drawn = hmac.digest(key, f"sample {survey.id} {record.id}".encode(), "sha256")
    return int.from_bytes(drawn[:8]) % _PARTS < survey.settings.sample_percent * _PARTS // 100


def _is_quota_full(conn: Connection, survey: SurveyRecord, now: datetime) -> bool:
    quota = survey.settings.quota
    if quota is None:
        return False
    since = now - survey.settings.quota_period
    mine: Sequence[Any] = (
        unindexed(SurveyAnswer.merchant_id) == survey.merchant_id,
        SurveyAnswer.survey_id == survey.id,
        SurveyAnswer.answered_at > since,
        SurveyAnswer.held == "",
    )
    enough = select(SurveyAnswer.id).where(*mine).limit(quota).subquery()
    return (conn.scalar(select(func.count()).select_from(enough)) or 0) >= quota


def _is_throttled(conn: Connection, survey: SurveyRecord, record: ReceiptRecord, shopper: str, now: datetime) -> bool:
    """Whether they were asked about something else of the brand too short a time ago."""
    mine = (
        SurveyAsk.merchant_id == survey.merchant_id,
        SurveyAsk.brand_id == survey.brand_id,
        SurveyAsk.shopper == shopper,
        SurveyAsk.is_relational.is_(survey.event == "relationship"),
        SurveyAsk.asked_at > now - survey.settings.throttle(survey.event),
        or_(SurveyAsk.receipt_id.is_(None), SurveyAsk.receipt_id != record.id),
    )
    return conn.scalar(select(SurveyAsk.id).where(*mine).limit(1)) is not None
