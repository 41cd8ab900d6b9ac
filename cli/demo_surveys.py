"""The demo's surveys: what each brand asks after a sale, and what was answered in the weeks before."""

from datetime import datetime, timedelta
from random import Random
from typing import Any, Final

from sqlalchemy import Connection, insert, select

from accounts.tables import Brand, StaffMember, Store, Till
from cli.demo_shops import MAIN
from engagement import nps
from engagement.surveys import manage
from engagement.surveys.manage import SurveyRecord
from engagement.surveys.settings import Settings, Wording
from engagement.surveys.tables import SurveyAnswer, SurveyAnswerLine
from kernel.ids import new_id

# The example sale is to be answered long after it was made.
_SETTINGS: Final = Settings(
    valid_days=365,
    review_url="https://reviews.example/linden-rye",
    texts={"de": Wording(follow_up={"passive": "Was fehlt noch zur 10?"})},
)
_PAST: Final = 48
_DAYS: Final = 56
# Drawn from again and again: a shop that is liked, by most.
_SCORES: Final = (10, 10, 9, 9, 10, 8, 9, 7, 8, 10, 6, 9, 3, 10, 8, 9, 10, 5)
_SAID: Final[dict[int, tuple[str, ...]]] = {
    10: ("Das beste Roggenbrot der Stadt.", "So freundlich beraten!", "Immer frisch."),
    8: ("Die Schlange war lang, das Brot war es wert.", "Gerne mehr vegane Auswahl."),
    5: ("Das Messer war schon ausverkauft.", "Etwas teuer geworden."),
    3: ("Zwanzig Minuten gewartet, und dann war die Kasse kaputt.",),
}
_SKUS: Final = ("4006381333931", "2000123", "9783161484100")
_CHANNELS: Final = ("page", "page", "email", "link")


def put_all(conn: Connection, merchants: dict[str, str], *, now: datetime) -> None:
    """A survey for each brand that has none; the first shop gets answers, too."""
    for slug, merchant_id in merchants.items():
        if not manage.listed(conn, merchant_id):
            made = manage.create(conn, merchant_id, slug, "transaction", _SETTINGS, is_active=True, now=now)
            if slug == MAIN:
                _answer(conn, made, now)


def _answer(conn: Connection, survey: SurveyRecord, now: datetime) -> None:
    """As they are once their receipts were purged: the receipts are older than the demo."""
    draw, places = Random(11), _places(conn, survey)  # noqa: S311 - the same answers each time
    rows = [_row(draw, survey, places, now - timedelta(days=_DAYS * place / _PAST, hours=3)) for place in range(_PAST)]
    conn.execute(insert(SurveyAnswer), rows)
    lines = [{"answer_id": row["id"], "merchant_id": survey.merchant_id, "sku": draw.choice(_SKUS)} for row in rows]
    conn.execute(insert(SurveyAnswerLine), lines)


def _places(conn: Connection, survey: SurveyRecord) -> dict[str, list[str]]:
    def ids(table: Any) -> list[str]:
        return list(conn.scalars(select(table.id).where(table.merchant_id == survey.merchant_id).order_by(table.slug)))

    return {"store_id": ids(Store), "till_id": ids(Till), "staff_id": ids(StaffMember), "brand_id": ids(Brand)}


def _row(draw: Random, survey: SurveyRecord, places: dict[str, list[str]], at: datetime) -> dict[str, Any]:
    score = draw.choice(_SCORES)
    texts = _SAID.get(score, ())
    return {
        **{name: draw.choice(found) for name, found in places.items()},
        "id": new_id("ans", at),
        "merchant_id": survey.merchant_id,
        "survey_id": survey.id,
        "event": survey.event,
        "score": score,
        "segment": nps.segment(score),
        "text": draw.choice(texts) if texts and draw.random() < 0.5 else None,
        "wants_call": False,
        "language": "de",
        "channel": draw.choice(_CHANNELS),
        "held": "",
        "recent": "[]",
        "answered_at": at,
        "changed_at": at,
    }
