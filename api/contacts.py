"""Contacts that visitors left on cards: listed, exported, erased."""

from collections.abc import Callable
from typing import Annotated, Any, Final

from fastapi import APIRouter, Path, Query, Response
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field
from sqlalchemy import Connection

from accounts.keys import Caller
from api import card_answers, schemas
from api.answers import csv_answer, json_answer, no_content
from api.card_numbers import Staff, Store
from api.house import TheHouse
from api.key_ring import TheCaller
from cards import contacts
from cards.contacts import Contact
from infra.csv_text import csv_text
from kernel.clock import iso
from kernel.errors import NotFound

router = APIRouter(prefix="/v1", tags=["Cards"])
_ID: Final = r"^con_[0-9a-z]{26}$"
_MOST_ROWS: Final = 10_000
Cursor = Annotated[str | None, Query(pattern=_ID)]
Card = Annotated[str | None, Query(pattern=schemas.ID_PATTERN, description="A card's `id` or token.")]


class CardContact(BaseModel):
    model_config = ConfigDict(json_schema_mode_override="serialization")

    id: str
    card: str = Field(description="The id of the card on which it was left.")
    name: str
    email: str | None
    phone: str | None
    organisation: str | None
    note: str | None
    language: str
    consent: str = Field(description="What the person agreed to, word for word.")
    consent_version: str
    source: str = Field(description="How they came to the card: qr, nfc, wallet, receipt, link, email.")
    receipt_id: str | None = Field(description="The receipt whose link they followed.")
    left_at: AwareDatetime


class CardContactList(BaseModel):
    model_config = ConfigDict(json_schema_mode_override="serialization")

    contacts: list[CardContact]
    next_cursor: str | None


@router.get("/contacts", response_model=CardContactList, responses=schemas.READS)
async def list_contacts(
    house: TheHouse,
    caller: TheCaller,
    limit: Annotated[int, Query(ge=1, le=100)] = 20,
    cursor: Cursor = None,
    card: Card = None,
    store: Store = None,
    staff: Staff = None,
) -> Response:
    """Newest first. Follow `next_cursor` until it is null. A key that is bound to a store sees those that were left
    there."""
    found = await house.read(_asked(caller, limit + 1, cursor, (card, store, staff)))
    more = found[limit - 1].id if len(found) > limit else None
    return json_answer({"contacts": [_shown(each) for each in found[:limit]], "next_cursor": more})


@router.get("/contacts.csv", response_class=Response, responses=schemas.CSV)
async def contacts_csv(
    house: TheHouse,
    caller: TheCaller,
    limit: Annotated[int, Query(ge=1, le=_MOST_ROWS)] = _MOST_ROWS,
    cursor: Cursor = None,
    card: Card = None,
    store: Store = None,
    staff: Staff = None,
) -> Response:
    """The same as a table for spreadsheets, the newest 10,000; for older ones, the last row's `id` is the `cursor`."""
    look, head = _asked(caller, limit, cursor, (card, store, staff)), tuple(CardContact.model_fields)

    def table(conn: Connection) -> bytes:
        return csv_text(head, [tuple(_shown(each).values()) for each in look(conn)])

    return csv_answer(await house.read_long(table), "contacts.csv")


@router.delete("/contacts/{contact_id}", status_code=204, responses=schemas.READS)
async def erase_contact(
    contact_id: Annotated[str, Path(pattern=schemas.ID_PATTERN)], house: TheHouse, caller: TheCaller
) -> Response:
    """Forget a contact for good, and the message that told of it. What was sent already is where it was sent to."""
    card_answers.require_writer(caller)
    if not await house.write(lambda conn: contacts.erase(conn, caller.merchant_id, [contact_id])):
        raise NotFound("There is no such contact")
    return no_content()


def _asked(
    caller: Caller, limit: int, cursor: str | None, where: tuple[str | None, str | None, str | None]
) -> Callable[[Connection], list[Contact]]:
    caller.require("contacts:read")
    card, store, staff = where

    def look(conn: Connection) -> list[Contact]:
        ids = {card_answers.seen(conn, caller, card).id} if card else set()
        if staff is not None:
            ids.add(card_answers.of_staff(conn, caller, staff))
        if len(ids) > 1:
            return []
        store_id = card_answers.within(conn, caller, store)
        wanted = {"card_id": next(iter(ids), None), "store_id": store_id}
        return contacts.listed(conn, caller.merchant_id, limit=limit, after=cursor, **wanted)

    return look


def _shown(contact: Contact) -> dict[str, Any]:
    """In the order of :class:`CardContact`."""
    return {
        "id": contact.id,
        "card": contact.card_id,
        "name": contact.name,
        "email": contact.email,
        "phone": contact.phone,
        "organisation": contact.organisation,
        "note": contact.note,
        "language": contact.language,
        "consent": contact.consent_text,
        "consent_version": contact.consent_version,
        "source": contact.source,
        "receipt_id": contact.receipt_id,
        "left_at": iso(contact.left_at),
    }
