"""The code that a promoter may hand on, as the page says it."""

from sqlalchemy import Connection

from api.contexts_after_sale import ReferralCode
from api.house import House
from engagement.surveys.records import Answer
from engagement.voice import referrals
from engagement.voice.referrals import Offered
from infra.i18n import later, voice

_SHARE = later("I was at %(brand)s and liked it. Show this code at the till: %(code)s")


def offered(conn: Connection, house: House, answer: Answer) -> Offered | None:
    """None for who is no promoter, or where the merchant gives no codes."""
    return referrals.offered(conn, answer.merchant_id, answer, key=house.referral_key)


def referral_code(found: Offered, brand: str, language: str) -> ReferralCode:
    """For ``templates/voice/referral.html``."""
    text = found.text.get(language, "") or next(iter(found.text.values()), "")
    share = voice(language).gettext(_SHARE) % {"brand": brand, "code": found.code}
    return ReferralCode(code=found.code, text=text, share=share)
