"""Messages to the member of staff on a card, as letters."""

from sqlalchemy import Connection

from cards import contacts, find, invites, letters, vcard
from cards.contacts import Contact
from cards.face import Face, Source, face
from cards.find import CardRecord
from cards.invites import Invited
from cards.profile import Email, Phone, Profile
from cards.template import ORDINARY
from infra.mail_address import is_address
from kernel.errors import NotFound
from kernel.locale import LANGUAGES, choose
from notify.mime import Attachment
from notify.sending import Due
from receipts import find as receipts_find
from worker.told import Told
from worker.workshop import Workshop


def of_contact(shop: Workshop, message: Due) -> Told:
    """What a visitor left, with their vCard. An answer to it goes to them. Raises :class:`NotFound` where it was
    erased, or the card revoked."""

    def look(conn: Connection) -> tuple[Contact, CardRecord, str]:
        contact = contacts.one(conn, message.merchant_id, message.subject_id)
        return contact, find.one(conn, message.merchant_id, contact.card_id), _number(conn, message, contact)

    contact, record, number = shop.read(look)
    if record.state == "revoked":
        raise NotFound("the card was revoked")
    address, language = shop.settings.server.address(), _language(message, record)
    composed = letters.contact_letter(record, contact, base_url=address, language=language, receipt_number=number)
    visitor = _face(contact)
    attachment = Attachment(vcard.file_name(visitor), vcard.MEDIA_TYPE.partition(";")[0], vcard.vcard(visitor))
    reply_to = contact.email if contact.email and is_address(contact.email) else None
    return Told(composed, record.look.name, reply_to, attachments=(attachment,))


def of_invite(shop: Workshop, message: Due) -> Told:
    """The link by which the card is edited. Raises :class:`NotFound` where it holds no more."""
    invited = shop.read(lambda conn: _invited(conn, shop, message))
    record, address = invited.card, shop.settings.server.address()
    composed = letters.invite_letter(
        record,
        url=f"{address}/i/{invites.link_token(shop.invite_key, invited.id)}",
        expires_at=invited.expires_at,
        base_url=address,
        language=_language(message, record),
    )
    return Told(composed, record.look.name)


def _invited(conn: Connection, shop: Workshop, message: Due) -> Invited:
    invited = invites.valid(conn, message.subject_id, now=shop.clock())
    if invited is None:
        raise NotFound("the invite holds no more")
    return invited


def _number(conn: Connection, message: Due, contact: Contact) -> str:
    """Of the receipt whose link the visitor followed, as long as it is kept."""
    if contact.receipt_id is None:
        return ""
    try:
        return receipts_find.one(conn, message.merchant_id, contact.receipt_id).number
    except NotFound:
        return ""


def _language(message: Due, record: CardRecord) -> str:
    return choose([message.language, record.own_language], LANGUAGES, "en")


def _face(contact: Contact) -> Face:
    """The visitor as a card of their own."""
    profile = Profile(
        name=contact.name,
        organisation=contact.organisation,
        emails=[Email(address=contact.email, kind="other")] if contact.email else [],
        phones=[Phone(number=contact.phone, kind="other")] if contact.phone else [],
        description=contact.note,
    )
    source = Source(contact.id, profile, ORDINARY, "", contact.language, None, contact.left_at)
    return face(source, url="", language=contact.language)
