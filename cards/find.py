"""Reading cards."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import ColumnElement, Connection, case, select

from accounts.find import BrandLook
from accounts.tables import Brand, StaffMember, Store
from cards import profile, template
from cards.face import Face, Shop, Source, face, spoken
from cards.links import page_url
from cards.profile import Address, Profile
from cards.tables import Card, CardTemplate
from cards.template import Template
from kernel.errors import NotFound
from kernel.locale import choose


@dataclass(frozen=True, slots=True)
class CardRecord:
    """``staff``, ``store`` and ``brand`` are slugs; ``state`` is active, paused or revoked."""

    id: str
    merchant_id: str
    token: str
    state: str
    staff: str
    staff_id: str
    store: str | None
    store_id: str | None
    brand: str
    photo_key: str | None
    profile: Profile
    template: Template
    look: BrandLook
    shop: Shop | None
    created_at: datetime
    changed_at: datetime

    @property
    def is_active(self) -> bool:
        return self.state == "active"

    @property
    def own_language(self) -> str:
        return self.profile.language or self.look.languages[0]

    @property
    def languages(self) -> tuple[str, ...]:
        """Those that the card's page is offered in: the brand's, and whatever the card is written in."""
        return tuple(dict.fromkeys((*self.look.languages, *spoken(self.profile, self.own_language))))


def face_of(record: CardRecord, *, base_url: str, language: str) -> Face:
    source = Source(
        uid=record.id,
        profile=record.profile,
        template=record.template,
        organisation=record.look.name,
        own_language=record.own_language,
        shop=record.shop,
        changed_at=record.changed_at,
    )
    return face(source, url=page_url(base_url, record.token), language=language)


def own_face(record: CardRecord, *, base_url: str, wished: str | None = None) -> Face:
    """In the wished language where the card is offered in it, else in its own."""
    language = choose([wished], record.languages, record.own_language)
    return face_of(record, base_url=base_url, language=language)


_LOOK: Final = {name: getattr(Brand, name).label(f"brand_{name}") for name in BrandLook.__slots__}
_OWN: Final = (
    Card.id,
    Card.merchant_id,
    Card.token,
    Card.state,
    Card.staff_id,
    Card.store_id,
    Card.photo_key,
    Card.created_at,
    Card.changed_at,
)
_BESIDE: Final = (
    Card.profile.label("written"),
    CardTemplate.content.label("template"),
    CardTemplate.changed_at.label("template_changed_at"),
    StaffMember.slug.label("staff"),
    Store.slug.label("store"),
    Brand.slug.label("brand"),
    Store.name.label("store_name"),
    Store.address.label("store_address"),
    Store.phone.label("store_phone"),
    Store.timezone.label("store_timezone"),
    Store.opening_hours.label("store_hours"),
)
_CARDS: Final = (
    select(*_OWN, *_BESIDE, *_LOOK.values())
    .join(Brand, Brand.id == Card.brand_id)
    .join(StaffMember, StaffMember.id == Card.staff_id)
    .outerjoin(Store, Store.id == Card.store_id)
    .outerjoin(CardTemplate, CardTemplate.brand_id == Card.brand_id)
)


def by_token(conn: Connection, token: str) -> CardRecord | None:
    """The card behind a link: the link is the right to see it, so no merchant is named."""
    return _one(conn, Card.token == token)


def by_serial(conn: Connection, card_id: str) -> CardRecord | None:
    """The card that a wallet's pass shows: whoever asks has shown the pass's token, so no merchant is named."""
    return _one(conn, Card.id == card_id)


def one(conn: Connection, merchant_id: str, id_or_token: str) -> CardRecord:
    """Raises :class:`NotFound` for a card that the merchant does not have."""
    known = Card.id if id_or_token.startswith("crd_") else Card.token
    found = _one(conn, Card.merchant_id == merchant_id, known == id_or_token)
    if found is None:
        raise NotFound("There is no such card")
    return found


def of_staff(conn: Connection, merchant_id: str, staff_id: str) -> CardRecord | None:
    """The one that is not revoked; else the last that was."""
    return _latest(conn, Card.merchant_id == merchant_id, Card.staff_id == staff_id)


def of_staff_named(conn: Connection, merchant_id: str, slug: str) -> CardRecord | None:
    mine = (StaffMember.merchant_id == merchant_id, StaffMember.slug == slug)
    return _latest(conn, Card.merchant_id == merchant_id, *mine)


def listed(
    conn: Connection,
    merchant_id: str,
    *,
    limit: int,
    after: str | None = None,
    state: str | None = None,
    store_id: str | None = None,
    staff_id: str | None = None,
) -> list[CardRecord]:
    """Oldest first; ``after`` is the id of the last one seen."""
    query = _CARDS.where(Card.merchant_id == merchant_id)
    for column, wanted in ((Card.state, state), (Card.store_id, store_id), (Card.staff_id, staff_id)):
        query = query if wanted is None else query.where(column == wanted)
    if after is not None:
        query = query.where(Card.id > after)
    return [_record(row) for row in conn.execute(query.order_by(Card.id).limit(limit))]


def template_of(conn: Connection, merchant_id: str, brand_id: str) -> Template:
    mine = (CardTemplate.merchant_id == merchant_id, CardTemplate.brand_id == brand_id)
    return template.read(conn.scalar(select(CardTemplate.content).where(*mine)))


def photo_keys(conn: Connection) -> list[str]:
    """Under which the photos of all merchants are kept, each once: for backups, which are of the whole house."""
    found = conn.scalars(select(Card.photo_key).where(Card.photo_key.is_not(None)).distinct())
    return [key for key in found if key]


def _one(conn: Connection, *named: ColumnElement[bool]) -> CardRecord | None:
    row = conn.execute(_CARDS.where(*named)).one_or_none()
    return _record(row) if row else None


def _latest(conn: Connection, *named: ColumnElement[bool]) -> CardRecord | None:
    order = (case((Card.state == "revoked", 1), else_=0), Card.id.desc())
    row = conn.execute(_CARDS.where(*named).order_by(*order).limit(1)).one_or_none()
    return _record(row) if row else None


def _record(row: Any) -> CardRecord:
    look = {name: getattr(row, f"brand_{name}") for name in BrandLook.__slots__}
    return CardRecord(
        **{column.key: getattr(row, column.key) for column in _OWN if column.key != "changed_at"},
        staff=row.staff,
        store=row.store,
        brand=row.brand,
        profile=profile.read(row.written),
        template=template.read(row.template),
        look=BrandLook(**look | {"languages": tuple(look["languages"])}),
        shop=_shop(row) if row.store else None,
        changed_at=max(row.changed_at, row.template_changed_at or row.changed_at),
    )


def _shop(row: Any) -> Shop:
    return Shop(
        name=row.store_name,
        address=Address(**row.store_address) if row.store_address else None,
        phone=row.store_phone or "",
        timezone=row.store_timezone,
        hours=row.store_hours or {},
    )
