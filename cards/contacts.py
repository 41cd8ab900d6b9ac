"""What visitors leave of themselves on a card: taken with their consent, listed, and erased."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Connection, Select, delete, select

from cards import numbers
from cards.find import CardRecord
from cards.tables import CardContact
from infra.database import insert_or_ignore, unindexed
from kernel.errors import NotFound, TooMany
from kernel.ids import digest, new_id
from notify import asking
from notify.asking import Post, Wanted
from notify.tables import Message

_DAY_SECONDS: Final = 86_400


@dataclass(frozen=True, slots=True)
class ContactForm:
    """What somebody wrote, checked, with what they agreed to word for word. ``email`` or ``phone`` is there.

    ``visitor`` is as :func:`cards.numbers.visitor_of` tells it.
    """

    name: str
    email: str | None
    phone: str | None
    organisation: str | None
    note: str | None
    language: str
    consent_text: str
    consent_version: str
    form_id: str
    source: str
    receipt_id: str | None
    visitor: str


@dataclass(frozen=True, slots=True)
class Contact:
    id: str
    card_id: str
    name: str
    email: str | None
    phone: str | None
    organisation: str | None
    note: str | None
    language: str
    consent_text: str
    consent_version: str
    source: str
    receipt_id: str | None
    left_at: datetime


_CONTACTS: Final = select(*(getattr(CardContact, name) for name in Contact.__slots__))


def leave(conn: Connection, post: Post, record: CardRecord, form: ContactForm, *, now: datetime) -> str | None:
    """The new contact's id; None where the same was sent before. The staff member hears of it by email, if the card
    names one.

    Raises :class:`TooMany` where so many came today from one visitor, or from where they are.
    """
    contact_id = _written(conn, record, form, now)
    if contact_id is None:
        return None
    told: dict[str, Any] = {"source": form.source, "visitor": form.visitor, "receipt_id": form.receipt_id}
    if not numbers.count(conn, record, "exchange", **told, now=now):
        raise TooMany("So many contacts were left on this card today", retry_after=_DAY_SECONDS)
    if record.profile.emails:
        address = record.profile.emails[0].address
        wanted = Wanted(record.merchant_id, contact_id, address, language=record.own_language)
        asking.ask(conn, post, [wanted], now=now)
    return contact_id


def listed(
    conn: Connection,
    merchant_id: str,
    *,
    limit: int,
    after: str | None = None,
    card_id: str | None = None,
    store_id: str | None = None,
) -> list[Contact]:
    """Newest first; ``after`` is the id of the last one seen. Of a store are those that were left there."""
    query = _CONTACTS.where(CardContact.merchant_id == merchant_id)
    if card_id is not None:
        query = query.where(CardContact.card_id == card_id)
    if store_id is not None:
        # A card has fewer than its store.
        of_store = CardContact.store_id if card_id is None else unindexed(CardContact.store_id)
        query = query.where(of_store == store_id)
    if after is not None:
        query = query.where(CardContact.id < after)
    return _found(conn, query.order_by(CardContact.id.desc()).limit(limit))


def one(conn: Connection, merchant_id: str, contact_id: str) -> Contact:
    """Raises :class:`NotFound`."""
    mine = (CardContact.merchant_id == merchant_id, CardContact.id == contact_id)
    found = _found(conn, _CONTACTS.where(*mine))
    if not found:
        raise NotFound("There is no such contact")
    return found[0]


def erase(conn: Connection, merchant_id: str, contact_ids: list[str]) -> int:
    """Forget contacts and the messages that tell of them; what still waits is not sent. How many there were."""
    conn.execute(delete(Message).where(Message.merchant_id == merchant_id, Message.subject_id.in_(contact_ids)))
    mine = (CardContact.merchant_id == merchant_id, CardContact.id.in_(contact_ids))
    return conn.execute(delete(CardContact).where(*mine)).rowcount


def _written(conn: Connection, record: CardRecord, form: ContactForm, now: datetime) -> str | None:
    row: dict[str, Any] = {name: getattr(form, name) for name in ContactForm.__slots__ if name != "visitor"}
    row |= {"id": new_id("con", now), "merchant_id": record.merchant_id, "card_id": record.id, "left_at": now}
    row["store_id"] = record.store_id
    new = insert_or_ignore(conn, CardContact).values(row | {"form_id": _form_id(record, form, now)})
    contact_id: str | None = conn.scalar(new.returning(CardContact.id))
    return contact_id


def _form_id(record: CardRecord, form: ContactForm, now: datetime) -> str:
    """Of the form and what it says, on this day: a page out of a cache hands the same form to several people."""
    said = (form.name, form.email, form.phone, form.organisation, form.note)
    return digest("\n".join((record.id, numbers.day_of(now), form.form_id, *(each or "" for each in said))))


def _found(conn: Connection, query: Select[Any]) -> list[Contact]:
    return [Contact(**row._asdict()) for row in conn.execute(query)]
