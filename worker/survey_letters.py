"""What surveys add to emails, and the email that asks once more."""

from sqlalchemy import Connection

from accounts import find as accounts_find
from accounts.find import BrandLook
from engagement.surveys import hanging, letters, manage, reminders
from engagement.surveys.hanging import Keys
from engagement.surveys.reminders import Reminded
from infra.i18n import voice
from infra.mail_address import is_address
from kernel.locale import choose
from notify import stopping
from notify.sending import Due
from receipts import find as receipts_find
from receipts.letter_view import Question
from receipts.records import ReceiptRecord
from worker.told import Told
from worker.workshop import Workshop


def question(shop: Workshop, message: Due, record: ReceiptRecord, look: BrandLook, language: str) -> Question | None:
    """What the email with a receipt asks, where it goes to who bought; that it does is written down."""
    surveys = shop.read(lambda conn: _surveys(conn, message, record))
    if not surveys:
        return None
    keys = Keys(shop.survey_key, shop.shopper_key)
    found = shop.write(lambda conn: hanging.in_email(conn, keys, surveys, record, now=shop.clock()))
    if found is None:
        return None
    base_url = shop.settings.server.address()
    return letters.question(found, record, look.name, voice(language), key=shop.survey_key, base_url=base_url)


def of_reminder(shop: Workshop, message: Due) -> Told:
    """Raises :class:`NotFound` where it was answered meanwhile, or is over."""
    reminded, look = shop.read(lambda conn: _reminded(conn, shop, message))
    address, record = shop.settings.server.address(), reminded.record
    stop_url = f"{address}/u/{stopping.link_token(shop.stop_key, message.id)}"
    composed = letters.reminder(
        reminded.survey,
        record,
        look,
        key=shop.survey_key,
        base_url=address,
        language=choose([message.language, record.content.language], look.languages, look.languages[0]),
        stop_url=stop_url,
    )
    reply_to = look.support_email if look.support_email and is_address(look.support_email) else None
    return Told(composed, look.name, reply_to, stop_url)


def _surveys(conn: Connection, message: Due, record: ReceiptRecord) -> list[manage.SurveyRecord]:
    """None for a letter to somebody else, such as an accountant."""
    found = manage.active(conn, message.merchant_id, record.brand_id)
    if not found:
        return []
    told = receipts_find.private_part(conn, message.merchant_id, record.id).get("shopper") or {}
    return list(found) if str(told.get("email") or "").lower() == message.address else []


def _reminded(conn: Connection, shop: Workshop, message: Due) -> tuple[Reminded, BrandLook]:
    reminded = reminders.about(conn, message.merchant_id, message.subject_id, now=shop.clock())
    return reminded, accounts_find.brand_look(conn, message.merchant_id, reminded.record.brand_id)
