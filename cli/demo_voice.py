"""What the demo's first shop does about what its shoppers say: cases, tags, codes for friends, reviews."""

from datetime import datetime, timedelta
from typing import Any, Final

import orjson
from sqlalchemy import Connection, insert, select

from cli.demo_shops import MAIN
from engagement.surveys.find import COLUMNS, answer_of
from engagement.surveys.tables import SurveyAnswer
from engagement.voice import case_work, cases, settings, tag_rules
from engagement.voice.case_work import CaseWork
from engagement.voice.product_reviews import path_of
from engagement.voice.settings import CaseSettings, ReferralSettings, ReviewSettings
from engagement.voice.tables import Review, VoiceSettings
from engagement.voice.tag_rules import TagContent
from kernel.ids import new_id

_KNIFE: Final = "9783161484100"
_CASES: Final = CaseSettings.model_validate(
    {"email": "filiale@linden-rye.example", "escalation_email": "chef@linden-rye.example", "staff": "emma"}
)
_REFERRALS: Final = ReferralSettings.model_validate(
    {"is_on": True, "text": {"de": "Ein Croissant aufs Haus", "en": "A croissant on the house"}}
)
_REVIEWS: Final = ReviewSettings.model_validate({"is_on": True, "publish": "clean", "words": ["mist", "scheiß*"]})
_TAGS: Final[dict[str, list[str]]] = {
    "wartezeit": ["schlange", "warte*", "gewartet"],
    "preis": ["teuer", "preis*"],
    "auswahl": ["auswahl", "ausverkauft"],
    "personal": ["freundlich", "beraten", "unfreundlich"],
}
# Stars, title and text, and what rules found in it.
_SAID: Final[tuple[tuple[int, str, str, tuple[str, ...]], ...]] = (
    (5, "Schneidet wie am ersten Tag", "Seit zwei Jahren jeden Morgen im Einsatz.", ()),
    (4, "Gutes Messer", "Der Griff könnte etwas länger sein.", ()),
    (5, "", "", ()),
    (2, "Leider stumpf", "Nach drei Monaten musste ich es schleifen lassen.", ()),
    (5, "Schönes Geschenk", "Kam sehr gut an.", ()),
    (4, "", "Liegt gut in der Hand.", ()),
    (5, "Messer", "Billiger bei www.messer.example", ("link",)),
)
_REPLY: Final = "Das tut uns leid. Bringen Sie es vorbei, wir schleifen es kostenlos."
_OF_CASES: Final = 3


def put_all(conn: Connection, merchants: dict[str, str], *, now: datetime) -> dict[str, str]:
    """Once: what somebody changed in the demo stays so. Addresses by what there is to see."""
    merchant_id = merchants[MAIN]
    if conn.scalar(select(VoiceSettings.merchant_id).where(VoiceSettings.merchant_id == merchant_id)) is None:
        for part in (_CASES, _REFERRALS, _REVIEWS):
            settings.put(conn, merchant_id, part)
        for tag, words in _TAGS.items():
            content = TagContent.model_validate({"phrases": {"de": words}})
            tag_rules.put(conn, merchant_id, tag, content, now=now - timedelta(minutes=5))
        conn.execute(insert(Review), [_review(merchant_id, place, now) for place in range(len(_SAID))])
        _open_cases(conn, merchant_id, now)
    return {"reviews": path_of(MAIN, _KNIFE)}


def _review(merchant_id: str, place: int, now: datetime) -> dict[str, Any]:
    """As one is whose receipt was purged: the reviews are older than the demo."""
    stars, title, text, holds = _SAID[place]
    at = now - timedelta(days=9 * (len(_SAID) - place), hours=2)
    review_id = new_id("rev", at)
    decided: dict[str, Any] = {"state": "waiting", "decided_at": None, "decided_by": None}
    if not holds:
        decided = {"state": "approved", "decided_at": at, "decided_by": "rules"}
    return decided | {
        "id": review_id,
        "merchant_id": merchant_id,
        "receipt_id": None,
        "author": review_id,
        "sku": _KNIFE,
        "product": "Brotmesser",
        "stars": stars,
        "title": title,
        "text": text,
        "display_name": "",
        "language": "de",
        "holds": orjson.dumps(holds).decode(),
        "reason": None,
        "reply": _REPLY if stars < 3 else None,
        "revision": 1,
        "written_at": at,
        "changed_at": at,
        "replied_at": at if stars < 3 else None,
        "is_by_hand": False,
    }


def _open_cases(conn: Connection, merchant_id: str, now: datetime) -> None:
    """Of the last detractors; the oldest of these cases was resolved."""
    low = (SurveyAnswer.merchant_id == merchant_id, SurveyAnswer.segment == "detractor", SurveyAnswer.held == "")
    query = select(*COLUMNS).where(*low).order_by(SurveyAnswer.id.desc()).limit(_OF_CASES)
    answers = [answer_of(row) for row in conn.execute(query)]
    for answer in answers:
        case_work.follow(conn, answer, now=answer.answered_at)
    found = cases.of_answer(conn, merchant_id, answers[-1].id) if answers else None
    if found is not None:
        done = CaseWork(state="resolved", outcome="voucher", note="Brot ersetzt, Gutschein gegeben.")
        case_work.work(conn, found, done, by="demo", now=min(now, found.opened_at + timedelta(hours=5)))
