"""A message as a letter: what it is about, in the reader's language, with what hangs on it."""

from engagement.surveys.reminders import ASK
from infra.mail import Letter, Refused, envelope_sender
from infra.mail_address import is_deliverable, routable
from notify import mime
from notify.sending import Due
from worker import card_letters, case_letters, receipt_letters, survey_letters
from worker.told import CASE, CONTACT, INVITE, Told
from worker.workshop import Workshop


def letter(shop: Workshop, message: Due) -> Letter:
    """Raises :class:`kernel.errors.NotFound` where what it is about is gone, Refused where the address is none, and
    what :func:`worker.receipt_letters.told` does.

    The same message is the same letter at every try, but for a PDF that it goes without, so that a mail server that
    got it twice can tell.
    """
    if not is_deliverable(message.address):
        raise Refused("the address cannot be written to")
    told, mail = _told(shop, message), shop.settings.mail
    sender = mail.mail_from or ""
    data = mime.build(
        sender_name=told.sender_name,
        sender=sender,
        recipient=message.address,
        reply_to=told.reply_to,
        subject=told.composed.subject,
        html=told.composed.html,
        text=told.composed.text,
        language=told.composed.language,
        message_id=f"<{message.id}@{sender.rpartition('@')[2]}>",
        date=message.asked_at,
        stop_url=told.stop_url,
        attachments=told.attachments,
    )
    return Letter(envelope_sender(mail, message.id), routable(message.address), data)


def _told(shop: Workshop, message: Due) -> Told:
    """By what the message is about, which its id tells."""
    if message.subject_id.startswith(CONTACT):
        return card_letters.of_contact(shop, message)
    if message.subject_id.startswith(CASE):
        return case_letters.of_case(shop, message)
    if message.subject_id.startswith(ASK):
        return survey_letters.of_reminder(shop, message)
    if message.subject_id.startswith(INVITE):
        return card_letters.of_invite(shop, message)
    return receipt_letters.told(shop, message)
