"""A merchant who asks everybody, and is answered: straight rows, as engagement.surveys writes them."""

from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import Connection, insert, select

from accounts import find as accounts_find
from engagement.surveys import find, hanging, manage, numbers, reminders
from engagement.surveys import forgetting as survey_forgetting
from engagement.surveys.find import Wanted
from engagement.surveys.hanging import Keys
from engagement.surveys.manage import SurveyRecord
from engagement.surveys.settings import Settings
from engagement.surveys.tables import SurveyAnswer, SurveyAnswerLine, SurveyAsk
from kernel.days import Days
from kernel.ids import new_id
from receipts import find as receipts_find
from receipts.tables import Receipt

# So many hang on receipts, or are of one shopper, store or product.
FEW: Final = 5
_TOGETHER: Final = 2_000
_SETTINGS: Final = Settings(quota=FEW, reminder_days=1, valid_days=365)
Row = dict[str, Any]


def fill_surveys(conn: Connection, merchant_id: str, count: int, *, newest: datetime) -> None:
    """``count`` of asks and answers of one store and product, and a few of another; few are to be reminded of."""
    brand = accounts_find.brands(conn, merchant_id)[0].slug
    made = manage.create(conn, merchant_id, brand, "transaction", _SETTINGS, is_active=True, now=newest)
    stores = [accounts_find.store_id(conn, merchant_id, slug) for slug in ("kreuzberg", "mitte")]
    mine = select(Receipt.id).where(Receipt.merchant_id == merchant_id).order_by(Receipt.id.desc()).limit(FEW)
    hung = list(conn.scalars(mine))
    for store_id, sku, together in ((stores[0], "much-liked", count), (stores[1], "little-liked", FEW)):
        moments = [newest - timedelta(days=400, seconds=at) for at in range(together)]
        about = hung if store_id == stores[1] else [None] * together
        pairs = list(zip(moments, about, strict=True))
        answers = [_answer(made, store_id, at, receipt_id) for at, receipt_id in pairs]
        _insert(conn, SurveyAsk, [_ask(made, at, receipt_id) for at, receipt_id in pairs])
        _insert(conn, SurveyAnswer, answers)
        lines = [{"answer_id": row["id"], "merchant_id": merchant_id, "sku": sku} for row in answers]
        _insert(conn, SurveyAnswerLine, lines)


def _insert(conn: Connection, table: Any, rows: list[Row]) -> None:
    for start in range(0, len(rows), _TOGETHER):
        conn.execute(insert(table), rows[start : start + _TOGETHER])


def _ask(survey: SurveyRecord, at: datetime, receipt_id: str | None) -> Row:
    row: Row = {"id": new_id("ask", at), "merchant_id": survey.merchant_id, "survey_id": survey.id}
    row |= {"brand_id": survey.brand_id, "receipt_id": receipt_id, "is_relational": False, "channel": "email"}
    shopper = "a" * 32 if receipt_id else row["id"].ljust(32, "0")[:32]
    return row | {"shopper": shopper, "asked_at": at, "answered_at": None if receipt_id else at, "reminded_at": None}


def _answer(survey: SurveyRecord, store_id: str, at: datetime, receipt_id: str | None) -> Row:
    row: Row = {"id": new_id("ans", at), "merchant_id": survey.merchant_id, "survey_id": survey.id}
    row |= {"brand_id": survey.brand_id, "event": survey.event, "receipt_id": receipt_id, "store_id": store_id}
    row |= {"score": 9, "segment": "promoter", "wants_call": False, "language": "de", "channel": "page", "held": ""}
    return row | {"recent": "[]", "answered_at": at, "changed_at": at}


def hung(conn: Connection, merchant_id: str, receipt_id: str, *, now: datetime) -> None:
    """What a receipt's page asks for, answered or not."""
    record = receipts_find.one(conn, merchant_id, receipt_id)
    surveys = manage.active(conn, merchant_id, record.brand_id)
    keys = Keys(b"draw", b"shopper")
    hanging.on_page(conn, keys, surveys, record, now=now)
    hanging._asked(conn, keys, surveys, record, now)


def listed(conn: Connection, merchant_id: str, **wanted: Any) -> int:
    found = find.listed(conn, merchant_id, Wanted(**{"is_held": False} | wanted), limit=FEW, after=None)
    find.joined(conn, merchant_id, found)
    return len(found)


def added_up(conn: Connection, merchant_id: str, day: datetime) -> None:
    """Of a time in which little was said."""
    that_day = Days(day.date(), day.date())
    for by in ("day", "store", "sku"):
        numbers.tally(conn, merchant_id, that_day, Wanted(event="transaction"), by)
    numbers.asked(conn, merchant_id, that_day, [each.id for each in manage.listed(conn, merchant_id)])


def reminded(conn: Connection, now: datetime) -> None:
    for survey in reminders.reminding(conn):
        reminders._due(conn, survey, now, FEW)


def forgotten(conn: Connection, merchant_id: str, receipt_ids: list[str]) -> None:
    survey_forgetting.forget_receipts(conn, merchant_id, receipt_ids[1:])
    survey_forgetting.forget_shopper(conn, merchant_id, receipt_ids[0])
