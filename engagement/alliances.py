"""Merchants who show each other's offers and give each other's prizes."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from sqlalchemy import ColumnElement, Connection, and_, case, insert, or_, select, update

from accounts.tables import Merchant
from engagement.tables import Alliance
from kernel.errors import Conflict, FieldError, Invalid, NotFound
from kernel.ids import new_id

State = Literal["proposed", "agreed", "ended"]


@dataclass(frozen=True, slots=True)
class Allied:
    """An alliance as one of the two sees it. ``slug`` and ``name`` are the other's, ``by_us`` who proposed it."""

    id: str
    ally_id: str
    slug: str
    name: str
    by_us: bool
    state: State
    changed_at: datetime


def propose(conn: Connection, merchant_id: str, ally: str, *, now: datetime) -> Allied:
    """To the merchant with the slug ``ally``. What they had proposed themselves is agreed to by that; asked again, it
    is what it is. Raises :class:`Invalid` where there is no such merchant, or it is the caller."""
    ally_id = _merchant(conn, ally)
    if ally_id in (None, merchant_id):
        raise Invalid(errors=[FieldError("/ally", "is not the slug of another merchant of this service")])
    conn.execute(_locked(merchant_id, str(ally_id)))
    found = _between(conn, merchant_id, str(ally_id))
    if found is None:
        values = {"merchant_id": merchant_id, "ally_id": ally_id, "state": "proposed", "changed_at": now}
        conn.execute(insert(Alliance).values(values | {"id": new_id("all", now)}))
    elif found.state == "ended":
        turned = {"merchant_id": merchant_id, "ally_id": ally_id, "state": "proposed", "changed_at": now}
        conn.execute(update(Alliance).where(Alliance.id == found.id).values(turned))
    elif found.state == "proposed" and not found.by_us:
        return agree(conn, merchant_id, found.id, now=now)
    return _required(_between(conn, merchant_id, str(ally_id)))


def agree(conn: Connection, merchant_id: str, alliance_id: str, *, now: datetime) -> Allied:
    """To what another merchant has proposed. Raises :class:`NotFound`, and :class:`Conflict` where it is one's own
    proposal or has ended."""
    found = one(conn, merchant_id, alliance_id)
    if found.state == "agreed":
        return found
    asked = (Alliance.id == alliance_id, Alliance.ally_id == merchant_id, Alliance.state == "proposed")
    if conn.execute(update(Alliance).where(*asked).values(state="agreed", changed_at=now)).rowcount != 1:
        raise Conflict("Only a proposal of the other merchant can be agreed to")
    return one(conn, merchant_id, alliance_id)


def end(conn: Connection, merchant_id: str, alliance_id: str, *, now: datetime) -> bool:
    """By either of the two; twice is the same as once. Whether it was agreed until now. Raises :class:`NotFound`."""
    one(conn, merchant_id, alliance_id)
    mine = (Alliance.id == alliance_id, _of(merchant_id))
    ended = update(Alliance).values(state="ended", changed_at=now)
    if conn.execute(ended.where(*mine, Alliance.state == "agreed")).rowcount == 1:
        return True
    conn.execute(ended.where(*mine, Alliance.state == "proposed"))
    return False


def one(conn: Connection, merchant_id: str, alliance_id: str) -> Allied:
    """Raises :class:`NotFound`."""
    return _required(next(iter(_seen(conn, merchant_id, Alliance.id == alliance_id)), None))


def listed(conn: Connection, merchant_id: str) -> list[Allied]:
    """All of the merchant's, oldest first."""
    return _seen(conn, merchant_id)


def allies(conn: Connection, merchant_id: str) -> dict[str, str]:
    """With whom it is agreed: their ids by their slugs."""
    return {each.slug: each.ally_id for each in _seen(conn, merchant_id, Alliance.state == "agreed")}


def is_agreed(conn: Connection, merchant_id: str, ally_id: str) -> bool:
    found = _between(conn, merchant_id, ally_id)
    return found is not None and found.state == "agreed"


def _of(merchant_id: str) -> ColumnElement[bool]:
    return or_(Alliance.merchant_id == merchant_id, Alliance.ally_id == merchant_id)


def _locked(merchant_id: str, ally_id: str) -> Any:
    """Both merchants' rows, always in one order: two who propose to each other at once would make two alliances. Rows
    that refer to them may be written meanwhile."""
    both = select(Merchant.id).where(Merchant.id.in_([merchant_id, ally_id])).order_by(Merchant.id)
    return both.with_for_update(key_share=True)


def _merchant(conn: Connection, slug: str) -> str | None:
    return conn.scalar(select(Merchant.id).where(Merchant.slug == slug))


def _between(conn: Connection, merchant_id: str, ally_id: str) -> Allied | None:
    pair = or_(
        and_(Alliance.merchant_id == merchant_id, Alliance.ally_id == ally_id),
        and_(Alliance.merchant_id == ally_id, Alliance.ally_id == merchant_id),
    )
    return next(iter(_seen(conn, merchant_id, pair)), None)


def _seen(conn: Connection, merchant_id: str, *where: ColumnElement[bool]) -> list[Allied]:
    other = case((Alliance.merchant_id == merchant_id, Alliance.ally_id), else_=Alliance.merchant_id)
    by_us = (Alliance.merchant_id == merchant_id).label("by_us")
    columns = (
        Alliance.id,
        Merchant.id.label("ally_id"),
        Merchant.slug,
        Merchant.name,
        by_us,
        Alliance.state,
        Alliance.changed_at,
    )
    query = select(*columns).join(Merchant, Merchant.id == other).where(_of(merchant_id), *where)
    return [Allied(**row) for row in conn.execute(query.order_by(Alliance.id)).mappings()]


def _required(found: Allied | None) -> Allied:
    if found is None:
        raise NotFound("There is no such alliance")
    return found
