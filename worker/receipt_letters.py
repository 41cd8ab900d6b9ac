"""A message about a receipt, as a letter to its shopper."""

from dataclasses import dataclass
from typing import Final

import structlog
from sqlalchemy import Connection

from accounts import find as accounts_find
from accounts import signing_keys
from accounts.find import BrandLook
from infra.mail_address import is_address
from kernel.errors import Problem
from kernel.locale import choose
from notify import mime, stopping
from notify.sending import Due
from receipts import find, printed
from receipts import letter as receipt_letter
from receipts.records import ReceiptRecord
from receipts.signed import signed_document
from worker import survey_letters
from worker.told import Told
from worker.workshop import Workshop

_PDF_NAME: Final = "receipt.pdf"
# How often a letter waits for its PDF. Then it goes without: its link leads to it too, and it may never come.
_PDF_TRIES: Final = 3
_log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class _About:
    record: ReceiptRecord
    look: BrandLook


def told(shop: Workshop, message: Due) -> Told:
    """Raises :class:`kernel.errors.NotFound` where the receipt is gone, and at the first tries what
    :func:`receipts.printed.pdf` raises."""
    about = shop.read(lambda conn: _look_up(conn, message))
    address = shop.settings.server.address()
    language = choose([message.language, about.record.content.language], about.look.languages, about.look.languages[0])
    stop_url = f"{address}/u/{stopping.link_token(shop.stop_key, message.id)}" if message.is_automatic else None
    attachments = _attachments(shop, message, about, language)
    composed = receipt_letter.compose(
        about.record,
        about.look,
        url=f"{address}/r/{about.record.token}",
        base_url=address,
        language=language,
        stop_url=stop_url,
        has_pdf=bool(attachments),
        question=survey_letters.question(shop, message, about.record, about.look, language),
    )
    return Told(composed, about.look.name, _reply_to(about.look), stop_url, tuple(attachments))


def _look_up(conn: Connection, message: Due) -> _About:
    record = find.one(conn, message.merchant_id, message.subject_id)
    return _About(record, accounts_find.brand_look(conn, message.merchant_id, record.brand_id))


def _reply_to(look: BrandLook) -> str | None:
    """One that was set before addresses were looked at more closely must not keep the letter."""
    return look.support_email if look.support_email and is_address(look.support_email) else None


def _attachments(shop: Workshop, message: Due, about: _About, language: str) -> list[mime.Attachment]:
    if not message.with_pdf:
        return []
    try:
        return [_pdf(shop, about, language)]
    except Problem as problem:
        if message.attempts < _PDF_TRIES:
            raise
        _log.warning("letter_without_pdf", message=message.id, reason=problem.detail or problem.title)
        return []


def _pdf(shop: Workshop, about: _About, language: str) -> mime.Attachment:
    record, address = about.record, shop.settings.server.address()
    keys = shop.read(lambda conn: signing_keys.signers(conn, record.merchant_id, sealer=shop.sealer))
    signed = signed_document(record, signing_keys.signer_for(keys, record.accepted_at), base_url=address)
    url = f"{address}/r/{record.token}"
    wish = printed.PdfWish(url, language, page="a4", signed=signed)
    made = printed.pdf(shop.pdf, shop.storage, record, about.look, wish)
    return mime.Attachment(_PDF_NAME, "application/pdf", made)
