"""Creating and changing cards. Each belongs to one member of staff."""

import re
import unicodedata
from dataclasses import dataclass
from datetime import datetime
from typing import Any, ClassVar, Final, Literal

from sqlalchemy import Connection, select, update

from accounts import manage as accounts
from accounts.tables import Brand, StaffMember, Store
from cards import find, profile, template
from cards.find import CardRecord
from cards.profile import Profile
from cards.tables import Card, CardTemplate
from cards.template import Template
from infra.database import insert_or_ignore, upsert
from kernel.errors import Conflict, FieldError, Invalid
from kernel.ids import new_id, new_token

State = Literal["active", "paused", "revoked"]
_REVOKED: Final = "revoked"
_FOR_GOOD: Final = "Make a new one: POST /v1/cards"


class CardExists(Conflict):
    slug: ClassVar[str] = "card-exists"
    title: ClassVar[str] = "This member of staff has a card already"


class CardRevoked(Conflict):
    slug: ClassVar[str] = "card-revoked"
    title: ClassVar[str] = "This card was revoked, for good"


@dataclass(frozen=True, slots=True)
class Belongs:
    """Whose card it is, by slugs. Without ``brand`` it is the store's, or the merchant's only one."""

    staff: str | None = None
    brand: str | None = None
    store: str | None = None


def create(conn: Connection, merchant_id: str, belongs: Belongs, content: Profile, *, now: datetime) -> str:
    """The new card's id. A member of staff who is unknown is made, with the name on the card.

    Raises :class:`Invalid` for a brand or store that the merchant does not have, :class:`CardExists`.
    """
    store_id = accounts.id_of(conn, Store, merchant_id, belongs.store, at="/store") if belongs.store else None
    staff_id, store_id = _staff(conn, merchant_id, belongs, store_id, content, now)
    values: dict[str, Any] = {
        "id": new_id("crd", now),
        "merchant_id": merchant_id,
        "brand_id": _brand(conn, merchant_id, belongs, store_id),
        "store_id": store_id,
        "staff_id": staff_id,
        "token": new_token(),
        "state": "active",
        "profile": profile.write(content),
        "photo_key": None,
        "created_at": now,
        "changed_at": now,
    }
    if conn.scalar(insert_or_ignore(conn, Card).values(values).returning(Card.id)) is None:
        lives = (Card.merchant_id == merchant_id, Card.staff_id == staff_id, Card.state != _REVOKED)
        there = conn.scalar(select(Card.id).where(*lives))
        raise CardExists(f"It is {there}; change it with PUT /v1/cards/{there}")
    return str(values["id"])


def hold(conn: Connection, merchant_id: str, id_or_token: str) -> CardRecord:
    """The card as it stays until the transaction ends, for whoever writes what depends on what is there.

    Whoever writes what only refers to the card (a visit, a contact) does not wait. SQLite lets one transaction write at
    a time, so there the row needs no lock. Raises :class:`NotFound`.
    """
    card_id = find.one(conn, merchant_id, id_or_token).id
    mine = (Card.merchant_id == merchant_id, Card.id == card_id)
    conn.execute(select(Card.id).where(*mine).with_for_update(key_share=True))
    return find.one(conn, merchant_id, card_id)


def change(conn: Connection, record: CardRecord, *, now: datetime, **values: Any) -> None:
    """Write columns anew. Raises :class:`CardRevoked`, also where it was revoked a moment ago."""
    mine = (Card.merchant_id == record.merchant_id, Card.id == record.id, Card.state != _REVOKED)
    if not conn.execute(update(Card).where(*mine).values(values | {"changed_at": now})).rowcount:
        raise CardRevoked(_FOR_GOOD)


def require_alive(record: CardRecord) -> None:
    """Raises :class:`CardRevoked`, also where nothing is to be written."""
    if record.state == _REVOKED:
        raise CardRevoked(_FOR_GOOD)


def put_profile(conn: Connection, record: CardRecord, content: Profile, *, now: datetime) -> None:
    if content != record.profile:
        change(conn, record, now=now, profile=profile.write(content))


def move(conn: Connection, record: CardRecord, belongs: Belongs, *, now: datetime) -> None:
    """To another store or brand; to where it is changes nothing."""
    store_id = accounts.id_of(conn, Store, record.merchant_id, belongs.store, at="/store") if belongs.store else None
    brand_id = _brand(conn, record.merchant_id, belongs, store_id)
    if (store_id, brand_id) != (record.store_id, record.look.id):
        change(conn, record, now=now, store_id=store_id, brand_id=brand_id)


def set_photo(conn: Connection, record: CardRecord, key: str | None, *, now: datetime) -> None:
    if key != record.photo_key:
        change(conn, record, now=now, photo_key=key)


def set_state(conn: Connection, record: CardRecord, state: State, *, now: datetime) -> None:
    """The same again changes nothing. Of one that is revoked its name stays, by which an import knows whom not to bring
    back. Raises :class:`CardRevoked` for a card that is to come back."""
    if record.state == state:
        return
    gone: dict[str, Any] = {}
    if state == _REVOKED:
        gone = {"profile": profile.write(profile.name_alone(record.profile)), "photo_key": None}
    change(conn, record, now=now, state=state, **gone)


def put_template(conn: Connection, merchant_id: str, brand: str, content: Template, *, now: datetime) -> str | None:
    """The brand's id where its cards show anything else with it, and so change; else None."""
    brand_id = accounts.id_of(conn, Brand, merchant_id, brand)
    # Of those who put it at once, each compares with what the one before left.
    held = select(Brand.id).where(Brand.merchant_id == merchant_id, Brand.id == brand_id)
    conn.execute(held.with_for_update(key_share=True))
    before = find.template_of(conn, merchant_id, brand_id)
    if content == before:
        return None
    is_seen = template.on_cards(content) != template.on_cards(before)
    written = {"content": content.model_dump_json(exclude_defaults=True)}
    again = written | ({"changed_at": now} if is_seen else {})
    row = {"brand_id": brand_id, "merchant_id": merchant_id, **written, "changed_at": now}
    put = upsert(conn, CardTemplate).values(row)
    conn.execute(put.on_conflict_do_update(index_elements=["brand_id"], set_=again))
    return brand_id if is_seen else None


def _staff(
    conn: Connection, merchant_id: str, belongs: Belongs, store_id: str | None, content: Profile, now: datetime
) -> tuple[str, str | None]:
    """The member of staff, made where unknown, and the store: the card's, else the member's."""
    if belongs.staff:
        mine = (StaffMember.merchant_id == merchant_id, StaffMember.slug == belongs.staff)
        known = conn.execute(select(StaffMember.id, StaffMember.store_id).where(*mine)).one_or_none()
        if known is not None:
            return known.id, store_id or known.store_id
    slug = belongs.staff or _free_slug(conn, merchant_id, content.full_name())
    row = {"id": new_id("stf", now), "merchant_id": merchant_id, "slug": slug, "name": content.full_name()[:300]}
    new = insert_or_ignore(conn, StaffMember).values(row | {"store_id": store_id}).returning(StaffMember.id)
    if conn.scalar(new) is None:
        # Somebody else took the slug a moment ago: it is that member of staff, or there is another free one.
        return _staff(conn, merchant_id, belongs, store_id, content, now)
    return row["id"], store_id


def _brand(conn: Connection, merchant_id: str, belongs: Belongs, store_id: str | None) -> str:
    if belongs.brand:
        return accounts.id_of(conn, Brand, merchant_id, belongs.brand, at="/brand")
    if store_id is not None:
        of_store = select(Store.brand_id).where(Store.merchant_id == merchant_id, Store.id == store_id)
        return str(conn.scalar(of_store))
    brands = list(conn.scalars(select(Brand.id).where(Brand.merchant_id == merchant_id).limit(2)))
    if len(brands) != 1:
        what = "is missing; this merchant has several" if brands else "is missing, and this merchant has none yet"
        raise Invalid(errors=[FieldError("/brand", what)])
    return brands[0]


def _free_slug(conn: Connection, merchant_id: str, name: str) -> str:
    """``emma-lind``, or ``emma-lind-2`` where there is one. Letters that ASCII has no like of are left out.

    Many may be alike (a name in another script is ``staff``), so the number is halved in upon instead of counted up to.
    """
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower()
    stem = re.sub(r"[^a-z0-9]+", "-", plain).strip("-")[:50] or "staff"
    taken, free = 0, 1
    while _is_taken(conn, merchant_id, _numbered(stem, free)):
        taken, free = free, 2 * free
    while free - taken > 1:
        middle = (taken + free) // 2
        taken, free = (middle, free) if _is_taken(conn, merchant_id, _numbered(stem, middle)) else (taken, middle)
    return _numbered(stem, free)


def _numbered(stem: str, number: int) -> str:
    return stem if number == 1 else f"{stem}-{number}"


def _is_taken(conn: Connection, merchant_id: str, slug: str) -> bool:
    named = (StaffMember.merchant_id == merchant_id, StaffMember.slug == slug)
    return conn.scalar(select(StaffMember.id).where(*named)) is not None
